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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.evaluation.datasets import OFF_ARTICLE
from qa.evaluation.judge import Row
from qa.evaluation.measures import Bools, Floats, area_under_risk, auroc, calibration_error

__all__ = ["Comparison", "Difference", "Measure", "by_article", "compare", "summarise"]

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
    table = _Table(rows)
    values = table.measure(np.arange(len(rows)))
    rng = np.random.default_rng(SEED)
    drawn = [table.measure(rng.integers(len(rows), size=len(rows))) for _ in range(RESAMPLES)]
    intervals = {name: _interval([sample[name] for sample in drawn]) for name in values}
    return {
        name: Measure(value, *intervals[name], table.sizes[name])
        for name, value in values.items()
        if not math.isnan(value)
    }


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
    first = {row.id: row for row in ours}
    second = {row.id: row for row in theirs}
    shared = [name for name in first if name in second]
    unpaired = len(first) + len(second) - 2 * len(shared)
    if not shared:
        return Comparison(other, {}, unpaired)
    n = len(shared)
    table = _Table([first[name] for name in shared] + [second[name] for name in shared])
    mine, other_rows = np.arange(n), np.arange(n) + n
    observed = _gaps(table, mine, other_rows)
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(RESAMPLES):
        rows = rng.integers(n, size=n)
        drawn.append(_gaps(table, mine[rows], other_rows[rows]))
    chance = table.randomised(rng)
    differences = {
        name: Difference(
            value,
            *_interval(samples := [sample[name] for sample in drawn]),
            chance.get(name, _bootstrap_p(samples)),
            n,
        )
        for name, value in observed.items()
        if not math.isnan(value)
    }
    return Comparison(other, differences, unpaired)


def _gaps(table: _Table, mine: NDArray[np.intp], other: NDArray[np.intp]) -> dict[str, float]:
    first, second = table.measure(mine), table.measure(other)
    return {name: first[name] - second[name] for name in first}


def _interval(values: Sequence[float]) -> tuple[float, float]:
    finite = [value for value in values if not math.isnan(value)]
    if not finite:
        return math.nan, math.nan
    tail = 100 * (1 - COVERAGE) / 2
    low, high = np.percentile(finite, [tail, 100 - tail])
    return float(low), float(high)


def _bootstrap_p(samples: Sequence[float]) -> float:
    """Twice the share of resamples on the less likely side of no difference."""
    finite = np.array([sample for sample in samples if not math.isnan(sample)])
    side = min((finite <= 0).sum(), (finite >= 0).sum())
    return float(min(1.0, 2 * (side + 1) / (len(finite) + 1)))


class _Table:
    """Rows as columns, so that a resample is an indexing."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.names = list(dict.fromkeys(name for row in rows for name in row.scores))
        scores = np.full((len(rows), len(self.names)), np.nan)
        column = {name: number for number, name in enumerate(self.names)}
        for number, row in enumerate(rows):
            for name, value in row.scores.items():
                scores[number, column[name]] = value
        self._there = ~np.isnan(scores)
        self._scores = np.where(self._there, scores, 0)
        self._answerable = np.array([row.answerable for row in rows], dtype=bool)
        self._found = np.array([row.found for row in rows], dtype=bool)
        self._confidence = np.array([row.confidence for row in rows])
        self._milliseconds = np.array([row.milliseconds for row in rows])
        self._correct = np.array([bool(row.correct) for row in rows])
        refused = np.isnan(self._confidence)
        stranger = np.array([row.kind == OFF_ARTICLE for row in rows], dtype=bool)
        self._calibrated = (
            ~refused & ~stranger & np.array([row.correct is not None for row in rows])
        )
        # AUROC is answerable questions against each kind of unanswerable one, and against all.
        own = ~self._answerable & ~stranger
        groups: dict[str, Bools] = {"": own} if own.any() else {}
        kinds = sorted({row.kind for row in rows if row.kind and not row.answerable})
        for kind in kinds:
            is_kind = np.array([row.kind == kind for row in rows]) & ~self._answerable
            if kind == OFF_ARTICLE or len([k for k in kinds if k != OFF_ARTICLE]) > 1:
                groups[kind] = is_kind
        self._groups = {name: group & ~refused for name, group in groups.items()}
        self._asked = self._answerable & ~refused
        self.sizes = {name: int(n) for name, n in zip(self.names, self._there.sum(0), strict=True)}
        self._sizes_of_the_whole()

    def _sizes_of_the_whole(self) -> None:
        asked, calibrated = int(self._asked.sum()), int(self._calibrated.sum())
        self.sizes |= {"AURC": calibrated, "ECE": calibrated, "found, answerable": asked}
        for name, group in self._groups.items():
            self.sizes[_named("AUROC", name)] = asked + int(group.sum())
            self.sizes[_found(name)] = int(group.sum())
        timed = int((~np.isnan(self._milliseconds)).sum())
        self.sizes |= {"latency median": timed, "latency p95": timed}

    def measure(self, rows: NDArray[np.intp]) -> dict[str, float]:
        """Every measure over some of the rows, NaN where it is undefined."""
        weights = np.bincount(rows, minlength=len(self._scores)).astype(float)
        with np.errstate(invalid="ignore"):
            means = (weights @ self._scores) / (weights @ self._there)
        values = {name: float(mean) for name, mean in zip(self.names, means, strict=True)}
        values |= self._abstention(rows)
        kept = rows[self._calibrated[rows]]
        confidence, correct = self._confidence[kept], self._correct[kept]
        values["AURC"] = area_under_risk(confidence, correct)
        values["ECE"] = calibration_error(confidence, correct)
        times = self._milliseconds[rows]
        times = times[~np.isnan(times)]
        for name, level in (("latency median", 50), ("latency p95", 95)):
            values[name] = float(np.percentile(times, level)) if len(times) else math.nan
        return values

    def randomised(self, rng: np.random.Generator) -> dict[str, float]:
        """The p of the difference between the first half of the rows and the second, by mean.

        Swapping two systems' results on a question turns the sign of their difference.
        """
        n = len(self._scores) // 2
        both = self._there[:n] & self._there[n:]
        gaps = np.where(both, self._scores[:n] - self._scores[n:], 0)
        # Less a rounding error: swapping nothing must count as no smaller.
        observed = np.abs(gaps.sum(0)) - 1e-9
        extreme = np.zeros(len(self.names))
        for _ in range(ROUNDS // 100):
            signs = rng.integers(0, 2, size=(100, n)) * 2.0 - 1
            extreme += (np.abs(signs @ gaps) >= observed).sum(0)
        p = (extreme + 1) / (ROUNDS + 1)
        return {name: float(value) for name, value in zip(self.names, p, strict=True)}

    def _abstention(self, rows: NDArray[np.intp]) -> dict[str, float]:
        asked = rows[self._asked[rows]]
        values = {"found, answerable": _share(self._found[asked])}
        for name, group in self._groups.items():
            silent = rows[group[rows]]
            both: Floats = self._confidence[np.concatenate([asked, silent])]
            values[_named("AUROC", name)] = auroc(both, np.arange(len(both)) < len(asked))
            values[_found(name)] = _share(self._found[silent])
        return values


def _named(measure: str, group: str) -> str:
    return f"{measure}, {group}" if group else measure


def _found(group: str) -> str:
    return f"found, {group or 'unanswerable'}"


def _share(values: Bools) -> float:
    return float(values.mean()) if len(values) else math.nan
