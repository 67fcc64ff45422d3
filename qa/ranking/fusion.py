"""Many weak signals into one score: a weighted sum, with weights that a person can read.

A score depends on the candidate alone and not on what it is compared with, so an article
of one paragraph, a long one and the best hundred passages of an archive are ranked alike.

The weights are conditional logits (McFadden, 1974): the softmax of the scores is the
probability that a candidate is the answer's. `benchmarks.fitting` fits them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import numpy as np

from index.models.encoder import Float32, Int32
from qa.ranking.features import (
    PASSAGE_FEATURES,
    READING_FEATURES,
    SENTENCE_FEATURES,
    Candidates,
    Interaction,
    Query,
    interact,
    passage_features,
    reading_features,
    sentence_features,
)

__all__ = [
    "OWN_WORDS",
    "Coefficients",
    "Fused",
    "Fusion",
    "by_cost",
    "by_sentences",
    "by_support",
    "coefficients",
    "from_json",
    "fuse",
    "to_json",
    "with_reading",
]

COST: Final = 0.5
"""Exponent of a quote's length in what reading it costs: long quotes are skimmed."""
SHORTEST_COST: Final = 60
"""Code points that reading any quote costs at least: its number, its place, the eye's way."""

LEAST_MARGIN: Final = 0.0
"""Margin that one sentence at least must have for the reader to have a say in the order: where it
finds no answer, what it holds of each sentence is mere misgiving."""

OWN_WORDS: Final = SENTENCE_FEATURES.index("maxsim_plain")
"""The column that says what a sentence meets by itself: every word of the question counts alike,
for what supports an answer says again what the question takes for known."""
SUPPORT: Final = 10.0
"""Log-odds for each unit by which a sentence beside the first meets the question better than the
others there do. On ClapNQ, whose answers need several sentences, the share of them among the
first three rises by two points; on SQuAD 1.1, where one sentence answers, nothing is lost."""


@dataclass(frozen=True, slots=True)
class Fusion:
    """How the features of one kind of candidate become a score.

    Attributes:
        names: Of the features, in the order of the columns.
        weights: float32 ``(n_features,)``: what a feature adds for each usual spread of it,
            so that weights can be compared with each other.
        spreads: float32 ``(n_features,)``: the usual standard deviation of each among the
            candidates of a question, positive.
    """

    names: tuple[str, ...]
    weights: Float32
    spreads: Float32

    def scores(self, features: Float32) -> Float32:
        """Score candidates.

        Args:
            features: float32 ``(n_candidates, n_features)``.

        Returns:
            float32 ``(n_candidates,)``, higher is better: log-odds, up to a constant.
        """
        return np.asarray(features @ (self.weights / self.spreads), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Everything that was fitted.

    Attributes:
        passages: For `PASSAGE_FEATURES`.
        sentences: For `SENTENCE_FEATURES`.
        reading: For `READING_FEATURES`.
    """

    passages: Fusion
    sentences: Fusion
    reading: Fusion


@dataclass(frozen=True, slots=True)
class Fused:
    """Scores of candidates, higher is better.

    Attributes:
        passages: float32 ``(n_passages,)``, in the light of their sentences (see `by_sentences`).
        sentences: float32 ``(n_sentences,)``, by what reading them costs (see `by_cost`).
        own_words: float32 ``(n_sentences,)``: MaxSim of each (see `by_support`).
    """

    passages: Float32
    sentences: Float32
    own_words: Float32


def fuse(
    query: Query,
    candidates: Candidates,
    fitted: Coefficients,
    *,
    interaction: Interaction | None = None,
) -> Fused:
    """Score passages, then sentences in the light of their passages.

    Args:
        query: The question.
        candidates: What is to be ranked, at least one passage.
        fitted: The weights.
        interaction: ``interact(candidates)``, where that was done before.
    """
    interaction = interaction or interact(candidates)
    passages = fitted.passages.scores(passage_features(query, candidates, interaction))
    features = sentence_features(query, candidates, interaction, passages)
    sentences = fitted.sentences.scores(features)
    return Fused(
        by_sentences(passages, sentences, candidates.sentence_starts),
        by_cost(sentences, candidates.lengths),
        features[:, OWN_WORDS],
    )


def with_reading(fused: Fused, margins: Float32, fitted: Coefficients, starts: Int32) -> Fused:
    """Scores in the light of what was read; a passage moves with its best sentence.

    Args:
        fused: The scores so far.
        margins: float32 ``(n_sentences,)``, NaN where none was read; one at least was.
        fitted: The weights.
        starts: int32 ``(n_passages + 1,)``: the sentences of each passage.
    """
    if not np.any(margins > LEAST_MARGIN):
        return fused
    moved = fitted.reading.scores(reading_features(margins))
    return replace(
        fused,
        sentences=fused.sentences + moved,
        passages=fused.passages + np.maximum.reduceat(moved, starts[:-1]),
    )


def by_sentences(passages: Float32, sentences: Float32, starts: Int32) -> Float32:
    """Let a passage's sentences speak for it: only they know what kind of answer is asked for.

    The probability that a passage holds the answer is the sum over its sentences, whose
    log-odds hence add up to theirs by their log-sum-exp. The mean of that and of what the
    passage says as a whole errs less often than either.

    Args:
        passages: float32 ``(n_passages,)``, log-odds from the passages' own features.
        sentences: float32 ``(n_sentences,)``, log-odds, before `by_cost`.
        starts: int32 ``(n_passages + 1,)``: passage ``p`` holds sentences
            ``starts[p]:starts[p + 1]``, one or more.

    Returns:
        float32 ``(n_passages,)``, log-odds.
    """
    added = np.logaddexp.reduceat(sentences, starts[:-1])
    return np.asarray((passages + added) / 2, dtype=np.float32)


def by_cost(scores: Float32, lengths: Int32) -> Float32:
    """Turn log-odds of answering into log-odds for what must be read.

    Reading candidates by falling probability per cost finds the answer after the least
    reading (Smith's rule, 1956, https://doi.org/10.1002/nav.3800030106).

    Args:
        scores: float32 ``(n_sentences,)``, log-odds.
        lengths: int32 ``(n_sentences,)``, code points.

    Returns:
        float32 ``(n_sentences,)``.
    """
    cost = COST * np.log(np.maximum(lengths, SHORTEST_COST))
    return np.asarray(scores - cost, dtype=np.float32)


def by_support(scores: Float32, own_words: Float32, starts: Int32) -> Float32:
    """Order the sentences beside the first one by what they themselves say of the question.

    A sentence scores well also for what its neighbours meet, since it may be the one that they
    lead to. Once that one is shown, whatever else of its passage is shown supports it, and what
    supports best speaks of the question in its own words.

    Args:
        scores: float32 ``(n_sentences,)``, log-odds.
        own_words: float32 ``(n_sentences,)``: MaxSim of each.
        starts: int32 ``(n_passages + 1,)``: the sentences of each passage.

    Returns:
        float32 ``(n_sentences,)``; the first stays the first.
    """
    first = int(np.argmax(scores))
    passage = int(np.searchsorted(starts, first, side="right")) - 1
    beside = np.arange(starts[passage], starts[passage + 1])
    beside = beside[beside != first]
    if not len(beside):
        return scores
    adjusted = np.array(scores, dtype=np.float32)
    adjusted[beside] += SUPPORT * (own_words[beside] - own_words[beside].mean())
    adjusted[beside] = np.minimum(adjusted[beside], np.nextafter(scores[first], -np.inf))
    return adjusted


@lru_cache(maxsize=1)
def coefficients() -> Coefficients:
    """The weights that ship with the package, out of ``qa/ranking/coefficients.json``."""
    text = resources.files(__package__).joinpath("coefficients.json").read_text("utf-8")
    return from_json(json.loads(text))


def from_json(data: dict[str, Any]) -> Coefficients:
    """Read weights.

    Raises:
        ValueError: They are for other features than this version computes.
    """
    return Coefficients(
        _fusion(data["passages"], PASSAGE_FEATURES),
        _fusion(data["sentences"], SENTENCE_FEATURES),
        _fusion(data["reading"], READING_FEATURES),
    )


def to_json(fitted: Coefficients) -> dict[str, Any]:
    """Write weights so that they can be read by a person, and by `from_json`."""
    return {
        kind: {
            name: {"weight": round(float(weight), 4), "spread": float(f"{spread:.4g}")}
            for name, weight, spread in zip(
                fusion.names, fusion.weights, fusion.spreads, strict=True
            )
        }
        for kind, fusion in (
            ("passages", fitted.passages),
            ("sentences", fitted.sentences),
            ("reading", fitted.reading),
        )
    }


def _fusion(data: dict[str, dict[str, float]], names: Sequence[str]) -> Fusion:
    if set(data) != set(names):
        wrong = ", ".join(sorted(set(data) ^ set(names)))
        raise ValueError(f"the coefficients do not fit the features ({wrong}); fit them again")
    return Fusion(
        tuple(names),
        np.asarray([data[name]["weight"] for name in names], dtype=np.float32),
        np.asarray([data[name]["spread"] for name in names], dtype=np.float32),
    )
