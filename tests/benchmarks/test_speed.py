"""The benchmark prints every figure; how large they are is the machine's business."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

from benchmarks.speed import command as benchmark
from benchmarks.speed.material import material
from benchmarks.speed.page import start_page
from benchmarks.speed.plain import PlainProcess
from benchmarks.speed.profile import flop_rates
from benchmarks.speed.timing import Cost, Series, alternate, run_process, timed
from index.errors import ArticleQAError
from index.models.encoder import Encoder
from qa import ArticleBot, DataError

FIGURES = (
    "cold `ask`, whole process, s",
    "its peak memory, MB",
    "page ready to answer, s (beside `import faiss`)",
    "question, everything included, ms",
    "p95 / median of a question",
    "the same question again, ms",
    "building the index, s",
)
STAGES = ("metadata", "spelling", "encode", "late interaction", "features, fusion", "cite")
MACHINE = ("processor", "cores", "python", "onnxruntime", "load average before", "model")


def options(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    benchmark.add_arguments(parser)
    return parser.parse_args(given)


def cells(report: str, row: str) -> list[str]:
    (line,) = (line for line in report.splitlines() if line.startswith(f"| {row} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture(scope="module")
def report(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("benchmark") / "result.md"
    small = ("--starts", "1", "--questions", "4", "--builds", "2", "--passages", "3")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, "PLAIN_START", "import faiss")  # spares ten seconds of torch
        patch.setattr(benchmark, "PAGE_START", "import faiss")
        assert benchmark.run(options(*small, "-o", str(path))) == 0
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_is_a_ratio_to_the_plain_recipe_with_spread_and_runs(
    report: str, figure: str
) -> None:
    _, ours, plain, ratio, *_, runs = cells(report, figure)
    assert ours
    assert plain
    assert float(ratio.split()[0]) > 0
    assert "–" in ratio
    assert int(runs) >= 1


def test_floor_and_aim_stand_beside_the_figure(report: str) -> None:
    assert cells(report, "building the index, s")[4:] == ["≤ 1.0", "≤ 0.50", "2"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_question_is_taken_apart(report: str, stage: str) -> None:
    assert float(cells(report, stage)[1]) >= 0


def test_a_cold_start_is_taken_apart(report: str) -> None:
    assert float(cells(report, "onnxruntime")[1]) > 0
    assert cells(report, "numpy")[3].endswith("modules")


@pytest.mark.parametrize("what", MACHINE)
def test_the_machine_is_named(report: str, what: str) -> None:
    (line,) = (line for line in report.splitlines() if line.startswith(f"- {what}: "))
    assert line.partition(": ")[2]


def test_the_encoder_is_held_against_a_matrix_product(report: str) -> None:
    assert "GFLOP/s" in report


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_number_of_runs_is_from_1_on(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options("--starts", number)
    assert "whole number from 1 on" in capsys.readouterr().err


def test_the_bundled_article_yields_as_many_paragraphs_and_no_question_twice() -> None:
    made = material(None, 40, 200)
    assert len(set(made.paragraphs)) == 40
    assert len(set(made.questions)) == len(made.questions) == 200
    assert all(paragraph in made.article.text for paragraph in made.paragraphs)


def test_given_data_are_cut_to_size(tmp_path: Path) -> None:
    answer = {"text": "Cats", "answer_start": 0}
    paragraphs = [
        {
            "context": f"Cats sleep on day {n}.",
            "qas": [{"id": str(n), "question": f"Who sleeps on day {n}?", "answers": [answer]}],
        }
        for n in range(5)
    ]
    path = tmp_path / "squad.json"
    data = {"version": "1.1", "data": [{"title": "Cats", "paragraphs": paragraphs}]}
    path.write_text(json.dumps(data), encoding="utf-8")
    made = material(str(path), 3, 4)
    assert made.paragraphs == tuple(f"Cats sleep on day {n}." for n in range(3))
    assert made.questions == tuple(f"Who sleeps on day {n}?" for n in range(4))
    with pytest.raises(DataError):
        material(str(tmp_path / "none.json"), 3, 4)


def test_the_two_sides_take_turns_at_going_first() -> None:
    order: list[str] = []

    def side(name: str) -> Cost:
        order.append(name)
        return Cost(float(len(order)))

    rounds: list[int] = []
    ours, other = alternate(lambda _: side("a"), lambda _: side("b"), range(3), rounds.append)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert [cost.wall for cost in ours] == [1, 4, 5]
    assert [cost.wall for cost in other] == [2, 3, 6]
    assert rounds == [1, 2, 3]


def test_a_page_that_does_not_start_ends_the_benchmark() -> None:
    with pytest.raises(ArticleQAError, match="article-qa serve nowhere/at-all"):
        start_page(["nowhere/at-all"])


def test_ratios_are_taken_round_by_round() -> None:
    ratio = Series((1.0, 9.0, 2.0)).over(Series((2.0, 9.0, 8.0)))
    assert ratio.values == (0.5, 1.0, 0.25)
    assert (ratio.median, len(ratio)) == (0.5, 3)


def test_a_process_is_measured_alone() -> None:
    hog = bytearray(b"x" * 300_000_000)  # of ours, and none of the process's
    cost = run_process([sys.executable, "-c", "sum(range(10**6))"])
    assert len(hog) > cost.memory or cost.memory != cost.memory  # NaN where nobody tells
    assert cost.wall > 0


def test_a_process_that_fails_is_an_error_with_its_last_word() -> None:
    with pytest.raises(ArticleQAError, match=r"RuntimeError: no luck"):
        run_process([sys.executable, "-c", "raise RuntimeError('no luck')"], accepted=(0, 1))
    assert run_process([sys.executable, "-c", "print(1); exit(1)"], accepted=(0, 1)).wall > 0


def test_a_plain_recipe_that_ends_early_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArticleQAError, match="ended early"):
        PlainProcess(str(tmp_path / "no model"), ["A paragraph."])


def test_work_is_timed() -> None:
    assert timed(lambda: sum(range(10_000))).wall > 0


def test_a_model_without_a_configuration_has_no_rate(bot: ArticleBot, encoder: Encoder) -> None:
    assert flop_rates(bot.index, encoder, None) is None


def test_a_repeated_question_is_not_encoded_again(bot: ArticleBot, encoder: Encoder) -> None:
    asked: list[str] = []

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(encoder, name)

        def encode_query(self, text: str) -> object:
            asked.append(text)
            return encoder.encode_query(text)

    counted = ArticleBot(bot.index, Counting())  # type: ignore[arg-type]
    assert (
        counted.ask("Who protested?") == counted.ask("Who protested?") == bot.ask("Who protested?")
    )
    assert asked == ["Who protested?"]


def test_citing_does_not_depend_on_how_many_passages_are_listed(bot: ArticleBot) -> None:
    question = "What did Microsoft say?"
    assert bot.ask(question, k=3).citations == bot.ask(question, k=100).citations[:3]
