"""How probable it is that the first citation answers, and why.

    P(they answer) = P(the article is about this) · P(they answer | it is)

Two logistic regressions over a handful of features. Apart, because the two questions turn
on different things: whatever resembles the question at all shows that the article is about
it, and one name or one "not" decides whether a sentence about the same thing answers. Where
the reader has read the sentences, what it found is weighed with the rest, by other weights.
`benchmarks/fit_confidence.py` fits the weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from math import exp
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Float32
from qa.ranking.confidence_features import (
    ANSWER_FEATURES,
    READ_FEATURES,
    TOPIC_FEATURES,
    Features,
    confidence_features,
)
from qa.ranking.content_words import Wording
from qa.ranking.features import Candidates, Query
from qa.ranking.reasons import reasons

__all__ = [
    "MIN_CONFIDENCE",
    "Confidence",
    "ConfidenceModel",
    "Logistic",
    "confidence",
    "confidence_model",
    "to_json",
]

MIN_CONFIDENCE: Final = 0.18
"""``found`` from here on: of the bundled article's questions 92 in 100 that it answers and 49 in
100 that it comes near to; from 0.15 it would be 92 and 61, from 0.22 86 and 42."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure an answer is.

    Attributes:
        probability: That the first citation answers, in [0, 1].
        reasons: What supported or undermined it, in plain words, the weightiest first.
    """

    probability: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression that a person can read.

    Attributes:
        names: Of the features.
        weights: float64 ``(n_features,)``: log-odds for each usual spread above the usual.
        usual: float64 ``(n_features,)``: the mean of each feature.
        spreads: float64 ``(n_features,)``: the standard deviation of each, positive.
        bias: Log-odds where every feature is as usual.
    """

    names: tuple[str, ...]
    weights: NDArray[np.float64]
    usual: NDArray[np.float64]
    spreads: NDArray[np.float64]
    bias: float

    def probability(self, features: Features) -> float:
        """Probability for one question."""
        values = np.asarray([features[name] for name in self.names])
        log_odds = self.bias + float(self.weights @ ((values - self.usual) / self.spreads))
        return 1 / (1 + exp(-min(max(log_odds, -50.0), 50.0)))


@dataclass(frozen=True, slots=True)
class ConfidenceModel:
    """Both factors.

    Attributes:
        topic: That the article is about what is asked.
        answer: That the first citation answers, where it is.
    """

    topic: Logistic
    answer: Logistic

    def probability(self, features: Features) -> float:
        """Probability that the first citation answers."""
        return self.topic.probability(features) * self.answer.probability(features)


def confidence(
    query: Query,
    candidates: Candidates,
    tokens: Float32,
    passages: Float32,
    sentences: Float32,
    asked: Wording,
    margins: Float32 | None = None,
) -> Confidence:
    """Say how sure the first citation is, and why.

    Args:
        query: The question.
        candidates: What was ranked.
        tokens: float32 ``(n_sentences, n_query)``: how well each meets each word piece of the
            question; see `qa.ranking.features.Interaction`.
        passages: float32 ``(n_passages,)``: their scores.
        sentences: float32 ``(n_sentences,)``: their scores, in the order in which they are quoted.
        asked: The question's words.
        margins: float32 ``(n_sentences,)``: the reader's, NaN where it has read nothing; None
            where it has read nothing at all.
    """
    features, shown = confidence_features(
        query, candidates, tokens, passages, sentences, asked, margins
    )
    model = confidence_model(read=margins is not None)
    topic, answer = model.topic.probability(features), model.answer.probability(features)
    return Confidence(topic * answer, reasons(asked, shown, about=topic >= 0.5))


@lru_cache(maxsize=2)
def confidence_model(*, read: bool) -> ConfidenceModel:
    """The weights that ship with the package, out of ``qa/ranking/confidence.json``.

    Args:
        read: Whether the reader has read the sentences.
    """
    text = resources.files(__package__).joinpath("confidence.json").read_text("utf-8")
    data = json.loads(text)["read" if read else "unread"]
    return ConfidenceModel(
        _logistic(data["topic"], TOPIC_FEATURES),
        _logistic(data["answer"], READ_FEATURES if read else ANSWER_FEATURES),
    )


def _logistic(data: dict[str, Any], names: Sequence[str]) -> Logistic:
    features = data["features"]
    if set(features) != set(names):
        wrong = ", ".join(sorted(set(features) ^ set(names)))
        raise ValueError(f"confidence.json does not fit the features ({wrong}); fit it again")
    weights, usual, spreads = (
        np.asarray([features[name][key] for name in names]) for key in ("weight", "usual", "spread")
    )
    return Logistic(tuple(names), weights, usual, spreads, float(data["bias"]))


def to_json(model: ConfidenceModel) -> dict[str, Any]:
    """Write weights so that a person can read them, and `confidence_model`."""
    return {
        part: {
            "bias": round(fitted.bias, 4),
            "features": {
                name: {
                    "weight": round(float(weight), 4),
                    "usual": float(f"{usual:.4g}"),
                    "spread": float(f"{spread:.4g}"),
                }
                for name, weight, usual, spread in zip(
                    fitted.names, fitted.weights, fitted.usual, fitted.spreads, strict=True
                )
            },
        }
        for part, fitted in (("topic", model.topic), ("answer", model.answer))
    }
