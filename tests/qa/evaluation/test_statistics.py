"""Measures of the whole, their intervals, and whether two systems differ."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qa.evaluation.judge import Row
from qa.evaluation.statistics import by_article, compare, summarise


def row(number: int, value: float, **fields: object) -> Row:
    values = {
        "id": f"q{number}",
        "kind": None,
        "answerable": True,
        "found": True,
        "confidence": 0.9,
        "correct": value > 0,
        "milliseconds": float(number),
        "scores": {"MRR": value},
    }
    return Row(**values | fields)  # type: ignore[arg-type]


def unanswerable(number: int, confidence: float, kind: str | None = None) -> Row:
    return row(
        number,
        0,
        answerable=False,
        correct=False,
        confidence=confidence,
        kind=kind,
        found=confidence > 0.5,
        scores={},
    )


def test_means_medians_and_intervals() -> None:
    measures = summarise([row(number, number % 2) for number in range(101)])
    mean = measures["MRR"]
    assert mean.value == pytest.approx(50 / 101)
    assert mean.n == 101
    # The normal approximation: a tenth to either side.
    assert (mean.low, mean.high) == pytest.approx((0.397, 0.593), abs=0.02)
    assert measures["latency median"].value == 50
    assert measures["latency p95"].value == 95
    assert measures["ECE"].value == pytest.approx(0.9 - 50 / 101)


def test_a_measure_is_taken_over_the_questions_that_have_it() -> None:
    rows = [row(0, 1), row(1, 0), row(2, 0, scores={"MRR": 0.0, "answer@300": 1.0})]
    measures = summarise(rows)
    assert (measures["answer@300"].value, measures["answer@300"].n) == (1.0, 1)
    assert measures["MRR"].n == 3


def test_every_article_counts_alike_however_many_questions_it_was_asked() -> None:
    rows = [row(number, 1) for number in range(9)] + [row(9, 0)]
    articles = {r.id: "long" for r in rows[:9]} | {rows[9].id: "short"}
    assert by_article(rows, articles) == {"MRR": pytest.approx(0.5)}
    assert by_article(rows[:9], articles) == {}
    assert by_article(rows, {r.id: r.id for r in rows}) == {}
    assert by_article(rows, {}) == {}


def test_abstention_is_measured_by_kind_and_strangers_apart() -> None:
    rows = [row(n, 1) for n in range(4)]
    rows += [unanswerable(10, 0.1, "far"), unanswerable(11, 0.95, "near")]
    rows += [unanswerable(12, 0.2, "off-article")]
    measures = summarise(rows)
    assert measures["AUROC, far"].value == 1
    assert measures["AUROC, near"].value == 0
    assert measures["AUROC"].value == 0.5
    assert measures["AUROC, off-article"].value == 1
    assert measures["found, unanswerable"].value == 0.5
    assert measures["found, answerable"].value == 1
    assert measures["ECE"].n == 6  # strangers are no part of the data


def test_nothing_unanswerable_nothing_to_tell_apart() -> None:
    assert "AUROC" not in summarise([row(0, 1), row(1, 0)])


def test_refused_questions_have_no_confidence_and_no_time() -> None:
    refused = row(1, 0, confidence=math.nan, milliseconds=math.nan)
    measures = summarise([row(0, 1), refused])
    assert (measures["MRR"].value, measures["MRR"].n) == (0.5, 2)
    assert measures["ECE"].n == measures["latency median"].n == 1
    assert "latency median" not in summarise([refused])


def test_a_system_is_no_different_from_itself() -> None:
    rows = [row(number, number % 3 / 2) for number in range(30)]
    comparison = compare(rows, rows, "itself")
    for difference in comparison.differences.values():
        assert (difference.value, difference.low, difference.high) == (0, 0, 0)
        assert difference.p == 1


def test_a_difference_by_chance_and_one_that_is_not() -> None:
    rng = np.random.default_rng(3)
    first = [row(n, float(rng.random() < 0.5)) for n in range(200)]
    second = [row(n, float(rng.random() < 0.5)) for n in range(200)]
    better = [row(n, 1.0) for n in range(200)]
    assert compare(first, second, "x").differences["MRR"].p > 0.05
    clear = compare(better, second, "x").differences["MRR"]
    assert clear.p < 0.001
    assert clear.low > 0.3
    assert clear.low < clear.value < clear.high


def test_p_is_that_of_the_sign_test_where_all_differences_are_one() -> None:
    better, worse = [row(n, 1.0) for n in range(6)], [row(n, 0.0) for n in range(6)]
    # Of 64 ways to swap, two are as extreme.
    assert compare(better, worse, "x").differences["MRR"].p == pytest.approx(2 / 64, abs=0.012)


def test_only_questions_of_both_are_compared() -> None:
    comparison = compare([row(n, 1) for n in range(5)], [row(n, 0) for n in range(2, 9)], "x")
    assert comparison.unpaired == 2 + 4
    assert comparison.differences["MRR"].n == 3
    assert compare([row(0, 1)], [row(1, 1)], "x").differences == {}


def test_confidences_are_compared_by_order_not_by_scale() -> None:
    def rows(scale: float, noise: float) -> list[Row]:
        rng = np.random.default_rng(7)
        sure = [row(n, 1, confidence=scale * (0.6 + noise * rng.random())) for n in range(60)]
        unsure = [unanswerable(100 + n, scale * (0.5 + noise * rng.random())) for n in range(60)]
        return sure + unsure

    same = compare(rows(1.0, 0.2), rows(0.1, 0.2), "x").differences["AUROC"]
    assert (same.value, same.p) == (0, 1)
    worse = compare(rows(0.1, 0.05), rows(1.0, 0.4), "x").differences["AUROC"]
    assert worse.p < 0.01
    assert worse.low > 0
