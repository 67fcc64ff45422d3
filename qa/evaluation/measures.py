"""Measures that ir_measures lacks, as functions of plain values.

Spans are ``(document, start, end)``, half open.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BINS",
    "Place",
    "area_under_risk",
    "auroc",
    "calibration_error",
    "contains",
    "covered_units",
    "exact_match",
    "precision_recall",
    "reading_depth",
    "relevant_passages",
    "reliability",
    "risk_coverage",
    "word_f1",
]

Place: TypeAlias = tuple[str, int, int]
"""A stretch of a document: its id, first code point, one past the last."""

Floats: TypeAlias = NDArray[np.float64]
Truths: TypeAlias = "NDArray[np.bool_] | NDArray[np.float64]"
"""True or 1 where it is so."""

BINS = 10
"""Bins of equal width for calibration, as in Naeini et al. (2015)."""


def contains(outer: Place, inner: Place) -> bool:
    """Whether one stretch lies wholly in another.

    >>> contains(("a", 0, 10), ("a", 3, 10))
    True
    """
    return outer[0] == inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2]


def exact_match(first: str, second: str) -> bool:
    """Whether two answers are the same but for case, punctuation and articles, as in SQuAD.

    >>> exact_match("the Rhine", "Rhine.")
    True
    """
    return _answer_words(first) == _answer_words(second)


def word_f1(first: str, second: str) -> float:
    """How far two answers share their words, as in SQuAD."""
    one, other = _answer_words(first), _answer_words(second)
    shared = sum((Counter(one) & Counter(other)).values())
    return 2 * shared / (len(one) + len(other)) if one and other else float(one == other)


def _answer_words(text: str) -> list[str]:
    return re.sub(r"\b(a|an|the)\b", " ", re.sub(r"[^\w\s]", "", text.lower())).split()


def overlap(first: Place, second: Place) -> int:
    """Characters that two stretches share."""
    if first[0] != second[0]:
        return 0
    return max(0, min(first[2], second[2]) - max(first[1], second[1]))


def reading_depth(quotes: Iterable[Place], gold: Sequence[Place]) -> float:
    """Characters to be read, quote after quote, until a gold span has been read whole.

    The gold span must lie in one quote. So answer@N is the share of questions with a depth
    of at most N; infinite where no quote holds a gold span.

    >>> reading_depth([("a", 50, 80), ("a", 0, 40)], [("a", 10, 15)])
    45.0
    """
    best, before = math.inf, 0
    for quote in quotes:
        if before >= best:
            break
        for span in gold:
            if contains(quote, span):
                best = min(best, before + span[2] - quote[1])
        before += quote[2] - quote[1]
    return float(best)


def relevant_passages(passages: Iterable[Place], gold: Sequence[Place]) -> set[Place]:
    """Passages that wholly contain a gold span, or, where none does, that overlap one."""
    passages = set(passages)
    whole = {p for p in passages if any(contains(p, span) for span in gold)}
    return whole or {p for p in passages if any(overlap(p, span) for span in gold)}


def covered_units(quote: Place, units: Sequence[Place]) -> set[Place]:
    """Units (a data set's own sentences) that a quote stands for.

    A quote stands for a unit when they share at least half of the shorter of the two:
    sentence splitters disagree about the ends.
    """
    return {
        unit
        for unit in units
        if 2 * overlap(quote, unit) >= max(1, min(quote[2] - quote[1], unit[2] - unit[1]))
    }


def precision_recall(found: Set[Place], gold: Set[Place]) -> tuple[float, float, float]:
    """Precision, recall and their harmonic mean F1 of a set; 0 where undefined."""
    hits = len(found & gold)
    precision = hits / len(found) if found else 0.0
    recall = hits / len(gold) if gold else 0.0
    return precision, recall, 2 * hits / (len(found) + len(gold)) if hits else 0.0


def auroc(scores: Floats, positive: Truths) -> float:
    """Area under the ROC curve: the chance that a positive outranks a negative, ties half.

    By the rank sum (Hanley & McNeil, 1982). NaN unless there are both.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return math.nan
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[place]
    above = ranks @ positive - n_positive * (n_positive + 1) / 2
    return float(above / (n_positive * n_negative))


def risk_coverage(confidence: Floats, correct: Truths) -> tuple[Floats, Floats]:
    """The curve of a bot that answers only what it is most confident of.

    El-Yaniv & Wiener (2010), https://jmlr.org/papers/v11/el-yaniv10a.html. Questions of
    equal confidence are answered in random order; the curve has the expected risk.

    Args:
        confidence: float64 ``(n,)``.
        correct: ``(n,)``.

    Returns:
        Coverage and risk, float64 ``(n,)`` each: the share answered, and of those the
        share answered wrong.
    """
    levels, place, counts = np.unique(-confidence, return_inverse=True, return_counts=True)
    wrong = np.bincount(place, weights=1.0 - correct, minlength=len(levels)) / np.maximum(counts, 1)
    expected = np.repeat(wrong, counts)
    answered = np.arange(1, len(confidence) + 1)
    return answered / max(1, len(confidence)), np.cumsum(expected) / answered


def area_under_risk(confidence: Floats, correct: Truths) -> float:
    """AURC: the risk averaged over all coverages (Geifman et al., 2019); lower is better."""
    return float(risk_coverage(confidence, correct)[1].mean()) if len(confidence) else math.nan


def reliability(confidence: Floats, correct: Truths) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Confidence against accuracy in bins of equal width.

    Returns:
        Mean confidence, share correct (NaN in an empty bin) and size, ``(BINS,)`` each.
    """
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    filled = np.where(counts > 0, counts, np.nan)
    mean = np.bincount(bins, weights=confidence, minlength=BINS) / filled
    accuracy = np.bincount(bins, weights=correct, minlength=BINS) / filled
    return mean, accuracy, counts


def calibration_error(confidence: Floats, correct: Truths) -> float:
    """Expected calibration error (Naeini et al., 2015), over ``BINS`` bins; lower is better."""
    if not len(confidence):
        return math.nan
    mean, accuracy, counts = reliability(confidence, correct)
    filled = counts > 0
    gaps = np.abs(mean[filled] - accuracy[filled])
    return float((gaps * counts[filled]).sum() / len(confidence))
