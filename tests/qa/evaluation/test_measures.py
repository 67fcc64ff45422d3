"""Measures against values known from the literature, and against counting by hand."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evaluation.measures import (
    BINS,
    area_under_risk,
    auroc,
    calibration_error,
    contains,
    covered_units,
    precision_recall,
    reading_depth,
    relevant_passages,
    reliability,
    risk_coverage,
)

places = st.builds(
    lambda name, start, length: (name, start, start + length),
    st.sampled_from("ab"),
    st.integers(0, 40),
    st.integers(1, 20),
)
# Few distinct values, so that ties are common.
judged = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans()), min_size=1
)


def columns(rows: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([r[0] for r in rows]), np.array([r[1] for r in rows], dtype=bool)


def test_the_depth_counts_every_character_of_the_quotes_before() -> None:
    quotes = [("a", 100, 150), ("a", 0, 40)]
    assert reading_depth(quotes, [("a", 10, 15)]) == 50 + 15
    assert reading_depth(quotes, [("a", 140, 150)]) == 50


def test_an_answer_that_no_quote_holds_whole_is_never_read() -> None:
    quotes = [("a", 0, 10), ("a", 10, 20)]
    assert reading_depth(quotes, [("a", 5, 15)]) == math.inf
    assert reading_depth(quotes, [("b", 0, 5)]) == math.inf
    assert reading_depth([], [("a", 0, 5)]) == math.inf


@given(st.lists(places, max_size=6), st.lists(places, min_size=1, max_size=3), st.integers(1, 120))
def test_the_depth_is_what_cutting_the_quotes_off_would_show(
    quotes: list[tuple[str, int, int]], gold: list[tuple[str, int, int]], length: int
) -> None:
    left, shown = length, []
    for name, start, end in quotes:
        shown.append((name, start, min(end, start + left)))
        left -= shown[-1][2] - start
    read = any(contains(quote, span) for quote in shown for span in gold)
    assert (reading_depth(quotes, gold) <= length) == read


def test_a_passage_is_relevant_if_it_holds_the_answer_else_if_it_touches_it() -> None:
    passages = [("a", 0, 10), ("a", 10, 20), ("a", 5, 15)]
    assert relevant_passages(passages, [("a", 12, 14)]) == {("a", 10, 20), ("a", 5, 15)}
    assert relevant_passages(passages, [("a", 8, 12)]) == {("a", 5, 15)}
    assert relevant_passages(passages[:2], [("a", 8, 12)]) == set(passages[:2])
    assert relevant_passages(passages, [("b", 1, 2)]) == set()


def test_a_quote_stands_for_the_sentences_it_shares_half_with() -> None:
    units = [("a", 0, 20), ("a", 21, 40), ("a", 41, 60)]
    assert covered_units(("a", 0, 20), units) == {units[0]}
    assert covered_units(("a", 0, 40), units) == set(units[:2])
    assert covered_units(("a", 15, 40), units) == {units[1]}  # a quarter of the first
    assert covered_units(("a", 25, 30), units) == {units[1]}  # a part stands for the whole
    assert covered_units(("b", 0, 20), units) == set()


def test_precision_recall_and_f1() -> None:
    one, two, three = ("a", 0, 1), ("a", 1, 2), ("a", 2, 3)
    assert precision_recall({one, two}, {two, three}) == (0.5, 0.5, 0.5)
    assert precision_recall({one, two, three}, {two}) == (1 / 3, 1.0, 0.5)
    assert precision_recall(set(), {one}) == (0.0, 0.0, 0.0)


def test_auroc_of_a_known_case() -> None:
    # Three of the four pairs are in order.
    scores = np.array([0.1, 0.4, 0.35, 0.8])
    assert auroc(scores, np.array([False, False, True, True])) == 0.75


def test_auroc_needs_both_sides() -> None:
    assert math.isnan(auroc(np.array([0.5]), np.array([True])))
    assert math.isnan(auroc(np.array([]), np.array([], dtype=bool)))


@given(judged)
def test_auroc_is_the_share_of_pairs_in_order(rows: list[tuple[float, bool]]) -> None:
    scores, positive = columns(rows)
    pairs = list(product(scores[positive], scores[~positive]))
    if pairs:
        expected = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)
        assert auroc(scores, positive) == pytest.approx(expected)


def test_risk_of_a_known_case() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6])
    coverage, risk = risk_coverage(confidence, np.array([True, False, True, False]))
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert area_under_risk(confidence, np.array([True, False, True, False])) == pytest.approx(1 / 3)


@given(judged, st.randoms(use_true_random=False))
def test_risk_does_not_depend_on_the_order_of_ties(
    rows: list[tuple[float, bool]], random: object
) -> None:
    expected = risk_coverage(*columns(rows))
    random.shuffle(rows)  # type: ignore[attr-defined]
    coverage, risk = risk_coverage(*columns(rows))
    assert coverage == pytest.approx(expected[0])
    assert risk == pytest.approx(expected[1])
    assert risk[-1] == pytest.approx(sum(not right for _, right in rows) / len(rows))


def test_who_is_sure_and_right_has_no_calibration_error() -> None:
    confidence = np.array([1.0, 1.0, 0.0])
    assert calibration_error(confidence, np.array([True, True, False])) == 0.0
    assert calibration_error(confidence, np.array([False, False, True])) == 1.0
    # Nine tenths claimed, six tenths kept.
    confidence = np.full(10, 0.9)
    assert calibration_error(confidence, np.arange(10) < 6) == pytest.approx(0.3)


@given(judged)
def test_calibration_error_is_the_weighted_gap_of_the_bins(rows: list[tuple[float, bool]]) -> None:
    bins: dict[int, list[tuple[float, bool]]] = {}
    for row in rows:
        bins.setdefault(min(int(row[0] * BINS), BINS - 1), []).append(row)
    expected = sum(abs(sum(c - r for c, r in bin_)) for bin_ in bins.values()) / len(rows)
    assert calibration_error(*columns(rows)) == pytest.approx(expected)
    assert reliability(*columns(rows))[2].sum() == len(rows)
