"""Measures of a data set with confidence intervals, and tests of whether two systems differ.

Intervals are percentile bootstraps over questions (Efron & Tibshirani, 1993). Two systems are
compared on the questions that both were asked: the interval of the difference comes from paired
resamples. p of a mean is that of the randomisation test, which swaps the systems' results
question by question (Smucker et al., 2007, https://doi.org/10.1145/1321440.1321528). What is not
a mean (AUROC, AURC, ECE, latency) cannot be tested so, because two systems' confidences have
scales of their own; its p is read from the resamples.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from qa.evaluation.datasets import OFF_ARTICLE
from qa.evaluation.judge import Row
from qa.evaluation.measures import Floats, area_under_risk, auroc, calibration_error

__all__ = ["Comparison", "Difference", "Measure", "by_article", "compare", "summarise"]

Statistic: TypeAlias = Callable[..., float]
"""A number of columns of float64 ``(n,)`` each."""

RESAMPLES = 1000
ROUNDS = 2000
COVERAGE = 0.95
SEED = 20211


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure over ``n`` questions, with the ends of its 95 % interval."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How much higher one system is than another on the ``n`` questions both were asked.

    ``low`` and ``high`` end its 95 % interval; ``p`` is the chance of a difference as large if
    the two were the same.
    """

    value: float
    low: float
    high: float
    p: float
    n: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on the same questions; differences above 0 mean that ours is higher.

    ``unpaired`` counts the questions that only one of them was asked.
    """

    other: str
    differences: dict[str, Difference]
    unpaired: int


def summarise(rows: Sequence[Row]) -> dict[str, Measure]:
    """Every measure that the rows allow, by name."""
    measures = {}
    for name, sample in _samples(rows).items():
        table = np.array([*sample.values.values()])
        value = sample.statistic(*table.T)
        if not math.isnan(value):
            interval = _interval(_resampled(sample.statistic, table))
            measures[name] = Measure(float(value), *interval, len(table))
    return measures


def by_article(rows: Sequence[Row], article_of: Mapping[str, str | None]) -> dict[str, float]:
    """The means with every article counting alike, however many questions it was asked.

    ``article_of`` gives the article of a question's id. Empty where there is one article only,
    or one question for each.
    """
    values: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        article = article_of.get(row.id)
        if article is not None:
            for name, value in row.scores.items():
                values[name][article].append(value)
    return {
        name: float(np.mean([np.mean(of_article) for of_article in articles.values()]))
        for name, articles in values.items()
        if 1 < len(articles) < sum(map(len, articles.values()))
    }


def compare(ours: Sequence[Row], theirs: Sequence[Row], other: str) -> Comparison:
    """Compare two systems on the questions both were asked; ``other`` names the second."""
    shared = {row.id for row in ours} & {row.id for row in theirs}
    second = _samples([row for row in theirs if row.id in shared])
    differences = {}
    for name, sample in _samples([row for row in ours if row.id in shared]).items():
        others = second[name].values if name in second else {}
        table = np.array([(*mine, *others[q]) for q, mine in sample.values.items() if q in others])
        if len(table):
            difference = _difference(sample.statistic, table)
            if not math.isnan(difference.value):
                differences[name] = difference
    return Comparison(other, differences, len(ours) + len(theirs) - 2 * len(shared))


def _difference(statistic: Statistic, table: Floats) -> Difference:
    """How much higher the first half of the columns is than the second."""
    half = table.shape[1] // 2

    def gap(*columns: Floats) -> float:
        return statistic(*columns[:half]) - statistic(*columns[half:])

    drawn = _resampled(gap, table)
    p = _randomised_p(table) if statistic is np.mean else _bootstrap_p(drawn)
    return Difference(float(gap(*table.T)), *_interval(drawn), p, len(table))


def _resampled(statistic: Statistic, table: Floats) -> Floats:
    """A statistic of the columns over as many rows drawn with replacement, again and again."""
    rng, n = np.random.default_rng(SEED), len(table)
    drawn = [statistic(*table[rng.integers(n, size=n)].T) for _ in range(RESAMPLES)]
    return np.array([value for value in drawn if not math.isnan(value)])


def _interval(drawn: Floats) -> tuple[float, float]:
    if not len(drawn):
        return math.nan, math.nan
    tail = 100 * (1 - COVERAGE) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return float(low), float(high)


def _bootstrap_p(drawn: Floats) -> float:
    """Twice the share of resamples on the less likely side of no difference."""
    side = min((drawn <= 0).sum(), (drawn >= 0).sum())
    return float(min(1.0, 2 * (side + 1) / (len(drawn) + 1)))


def _randomised_p(table: Floats) -> float:
    """Swapping two systems' results on a question turns the sign of their difference."""
    rng, gaps = np.random.default_rng(SEED), table[:, 0] - table[:, 1]
    # Less a rounding error: swapping nothing must count as no smaller.
    observed, extreme = abs(gaps.sum()) - 1e-9, 0
    for _ in range(ROUNDS // 100):
        signs = rng.integers(0, 2, size=(100, len(gaps))) * 2.0 - 1
        extreme += int((np.abs(signs @ gaps) >= observed).sum())
    return (extreme + 1) / (ROUNDS + 1)


@dataclass(frozen=True, slots=True)
class _Sample:
    """What a measure is taken of: the same few values of each question that has them."""

    statistic: Statistic
    values: Mapping[str, tuple[float, ...]]


def _samples(rows: Sequence[Row]) -> dict[str, _Sample]:
    """Every measure that the rows allow, and what it is taken of."""
    names = dict.fromkeys(name for row in rows for name in row.scores)
    samples = {
        name: _Sample(np.mean, {row.id: (row.scores[name],) for row in rows if name in row.scores})
        for name in names
    }
    answered = [row for row in rows if not math.isnan(row.confidence)]
    asked = [row for row in answered if row.answerable]
    samples["found, answerable"] = _found(asked)
    for name, silent in _unanswerable(answered).items():
        both = {row.id: (row.confidence, float(row.answerable)) for row in (*asked, *silent)}
        samples[f"AUROC, {name}" if name else "AUROC"] = _Sample(auroc, both)
        samples[f"found, {name or 'unanswerable'}"] = _found(silent)
    calibrated = {
        row.id: (row.confidence, float(row.correct))
        for row in answered
        if row.correct is not None and row.kind != OFF_ARTICLE
    }
    samples |= {
        "AURC": _Sample(area_under_risk, calibrated),
        "ECE": _Sample(calibration_error, calibrated),
    }
    timed = {r.id: (r.milliseconds,) for r in rows if not math.isnan(r.milliseconds)}
    for name, level in (("latency median", 50), ("latency p95", 95)):
        samples[name] = _Sample(partial(np.percentile, q=level), timed)
    return {name: sample for name, sample in samples.items() if sample.values}


def _unanswerable(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Questions without an answer: all that are the data's own as "", and each kind of them."""
    silent = [row for row in rows if not row.answerable]
    own = [row for row in silent if row.kind != OFF_ARTICLE]
    kinds = sorted({row.kind for row in own if row.kind})
    groups = {"": own} if own else {}
    groups |= {k: [r for r in own if r.kind == k] for k in kinds if len(kinds) > 1}
    strangers = [row for row in silent if row.kind == OFF_ARTICLE]
    return groups | ({OFF_ARTICLE: strangers} if strangers else {})


def _found(rows: Sequence[Row]) -> _Sample:
    return _Sample(np.mean, {row.id: (float(row.found),) for row in rows})
