"""What an evaluation says, and the gate that it must pass."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from index import DataError
from qa.evaluation import (
    Comparison,
    Difference,
    Measure,
    MissingExtra,
    Problem,
    Report,
    check_gate,
    plot,
    read_gate,
)
from qa.evaluation.judge import Row
from qa.evaluation.plots import check_plot
from qa.evaluation.report import failures_markdown

REPORT = Report(
    data="squad.json",
    digest="d",
    system="article-qa",
    model="MiniLM",
    options={"k": 30, "pooled": False},
    n_questions=1200,
    n_judged=1190,
    n_refused=2,
    measures={
        "answer@300": Measure(0.85, 0.84, 0.86, 1190),
        "latency median": Measure(5.0, 4.5, 6.0, 1198),
        "ECE": Measure(0.04, 0.03, 0.05, 1190),
    },
    baseline={
        "answer@300": Measure(0.37, 0.35, 0.39, 1190),
        "latency median": Measure(20.0, 19, 21, 1198),
    },
    against_baseline=Comparison(
        "plain", {"answer@300": Difference(0.48, 0.46, 0.5, 0.0005, 1190)}, 0
    ),
    problems=tuple(Problem("no usable gold", f"x.json: data[{n}]") for n in range(8)),
)


def gate(tmp_path: Path, **fields: object) -> Path:
    path = tmp_path / "gate.json"
    path.write_text(json.dumps(fields), encoding="utf-8")
    return path


def test_the_table_has_the_plain_recipe_beside_ours() -> None:
    text = str(REPORT)
    (line,) = (line for line in text.splitlines() if line.startswith("| answer@300"))
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "answer@300",
        "0.850",
        "0.840–0.860",
        "0.370",
        "+0.480 (+0.460 +0.500)",
        "<0.001",
        "1,190",
    ]
    assert "1,200 questions, 1,190 judged, 2 refused" in text
    assert "5.0 ms" in text


def test_measures_that_need_a_word_get_it() -> None:
    text = str(REPORT)
    assert "answer@300: " in text
    assert "ECE: " in text
    assert "AURC" not in text


def test_what_every_article_counts_alike_has_a_table_of_its_own() -> None:
    report = replace(
        REPORT, by_article={"answer@300": 0.868}, baseline_by_article={"answer@300": 0.366}
    )
    table = str(report).split("every article counting alike")[1]
    assert [cell.strip() for cell in table.splitlines()[2].strip("|").split("|")] == [
        "answer@300",
        "0.868",
        "0.366",
    ]
    assert report.to_dict()["by_article"] == {"answer@300": 0.868}


def test_what_is_wrong_with_the_data_is_counted_and_shown() -> None:
    text = str(REPORT)
    assert "8 × no usable gold" in text
    assert "x.json: data[4]" in text
    assert "and 3 more" in text


def test_every_line_of_the_table_is_as_wide_as_the_others() -> None:
    lines = [line for line in str(REPORT).splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines}) == 1


def test_a_report_is_json() -> None:
    data = json.loads(json.dumps(REPORT.to_dict()))
    assert data["measures"]["answer@300"] == {"value": 0.85, "low": 0.84, "high": 0.86, "n": 1190}
    assert data["against_baseline"]["differences"]["answer@300"]["p"] == 0.0005
    assert data["problems"] == {"no usable gold": 8}
    assert data["compared"] is None


def test_failures_are_listed_on_lines_of_their_own() -> None:
    def wrong(name: str, confidence: float, **fields: Any) -> Row:
        return Row(name, None, True, True, confidence, False, 1.0, {}, **fields)

    rows = (
        wrong("q3", 0.1, question="Else?", gold=("x",)),
        wrong("q2", math.nan, error="the question is empty"),
        wrong("q1", 0.91, question="Who\x1b[31m?", gold=("Ann",), quotes=("Bob\nslept.",)),
        Row("q0", None, True, True, 0.99, True, 1.0, {}, question="Right?"),
    )
    text = failures_markdown(replace(REPORT, rows=rows), 3)
    assert "\x1b" not in text
    assert "gold: Ann" in text
    assert "1. Bob slept." in text
    assert "refused: the question is empty" in text
    assert text.index("(q1)") < text.index("(q3)") < text.index("(q2)")
    assert "Right?" not in text
    assert failures_markdown(replace(REPORT, rows=rows), 2).endswith("and 1 more")


def test_a_report_at_its_floors_passes(tmp_path: Path) -> None:
    floors = {"answer@300": 0.85}
    ceilings = {"ECE": 0.04, "latency median / plain": 0.25}
    path = gate(tmp_path, data="squad.json", floors=floors, ceilings=ceilings)
    assert check_gate(read_gate(path), REPORT) == []


def test_a_report_below_a_floor_or_without_a_measure_fails(tmp_path: Path) -> None:
    floors = {"answer@300": 0.851, "R@1": 0.1, "R@1 / plain": 1.0}
    ceilings = {"ECE": 0.03, "latency median / plain": 0.2}
    path = gate(tmp_path, data="other.json", floors=floors, ceilings=ceilings)
    assert check_gate(read_gate(path), REPORT) == [
        "the gate is for other.json, and this is squad.json",
        "answer@300 is 0.8500, and must be at least 0.851",
        "R@1 is missing, and must be at least 0.1",
        "R@1 / plain is missing, and must be at least 1",
        "ECE is 0.0400, and must be at most 0.03",
        "latency median / plain is 0.2500, and must be at most 0.2",
    ]


def test_a_share_of_the_plain_recipe_needs_the_plain_recipe(tmp_path: Path) -> None:
    path = gate(tmp_path, ceilings={"latency median / plain": 0.5})
    (missed,) = check_gate(read_gate(path), replace(REPORT, baseline=None))
    assert "missing" in missed


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({}, "field 'floors' is empty"),
        ({"floor": {"R@1": 1}}, "field 'floor' is unknown"),
        ({"floors": {"R@1": "high"}}, "floors: field 'R@1' must be a whole number or a number"),
        ({"floors": [1]}, "field 'floors' must be an object"),
    ],
)
def test_a_malformed_gate_is_refused(
    tmp_path: Path, fields: dict[str, object], complaint: str
) -> None:
    with pytest.raises(DataError, match=rf"gate\.json: .*{complaint}"):
        read_gate(gate(tmp_path, **fields))


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[3] / "benchmarks/gates").iterdir()))
def test_the_stored_gates_can_be_read(path: Path) -> None:
    assert read_gate(path).data is not None


def rows(n: int) -> tuple[Row, ...]:
    return tuple(
        Row(f"q{i}", None, True, True, i / n, i % 3 > 0, 1.0, {"MRR": 1.0}) for i in range(n)
    )


def test_plots_are_written_as_png(tmp_path: Path) -> None:
    path = tmp_path / "confidence.png"
    plot(replace(REPORT, rows=rows(40)), path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_plots_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ends in \.png"):
        check_plot(tmp_path / "plot.pdf")
    with pytest.raises(DataError, match="there is no folder"):
        check_plot(tmp_path / "nowhere" / "plot.png")
    with pytest.raises(DataError, match="nothing to plot"):
        plot(REPORT, tmp_path / "plot.png")


def test_without_the_extra_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"matplotlib.*pip install 'article-qa\[eval\]'"):
        check_plot(tmp_path / "plot.png")
