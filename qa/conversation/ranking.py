"""Rank the sentences for a follow-up: two readings of it, and how near each sentence is.

`qa.conversation.followup` says what a question follows, and holds the weights.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Float32, Int32
from qa.conversation.context_dependence import is_short
from qa.conversation.followup import SENTENCE_FEATURES, Focus, FollowUp, weights
from qa.ranking.fusion import by_cost
from qa.ranking.ranking import Ranking

__all__ = ["FURTHER", "followup_features", "further_on", "in_context", "nearness"]

FURTHER: Final = 0.35
"""How often what comes next is what somebody wanted who asked for more: 6 times of 17."""
_ON: Final = "it goes on from where the last answers stand"
_NO_MORE: Final = "all of it was shown before"
_PASSED_BY: Final = 0.7
"""Probability that the next sentence is not it yet, and so on from each."""
_FAR: Final = 12
"""Sentences on, past which it could as well stand anywhere,"""
_ANYWHERE: Final = 0.05
"""with this probability."""
_SHOWN_BEFORE: Final = 5.0
"""Log-odds against a sentence that was shown before."""


def nearness(
    where: Focus,
    n: int,
    steps: Mapping[int, float],
    elsewhere: float,
    places: NDArray[np.int64] | None = None,
) -> Float32:
    """Log-probability of each sentence to be the next that answers.

    Args:
        where: Where the talk has come to.
        n: Sentences that are ranked.
        steps: As in `Weights`.
        elsewhere: As in `Weights`; one less the sum of the steps.
        places: int64 ``(n,)``, ascending: where each stands in its text, with gaps where text
            is left out; None for all of one article.

    Returns:
        float32 ``(n,)``.
    """
    lost = 1.0 - (1.0 - elsewhere) * sum(weight for _, weight in where)
    chance = np.full(n, max(lost, 1e-3) / n)
    places = np.arange(n) if places is None else places
    for row, weight in where:
        for step, probability in steps.items():
            place = places[row] + step
            at = int(np.searchsorted(places, place))
            if at < n and places[at] == place:
                chance[at] += weight * probability
    return np.asarray(np.log(chance), dtype=np.float32)


def followup_features(alone: Float32, joined: Float32, near: Float32, short: bool) -> Float32:
    """What speaks for each sentence in context.

    Args:
        alone: float32 ``(n_sentences,)``: log-odds of the question alone.
        joined: The same, of it read after the question before.
        near: float32 ``(n_sentences,)``, as from `nearness`.
        short: Whether the question is short.

    Returns:
        float32 ``(n_sentences, len(SENTENCE_FEATURES))``.
    """
    columns = {
        "alone": alone,
        "joined": joined,
        "near": near,
        "alone_short": alone * short,
        "joined_short": joined * short,
        "near_short": near * short,
    }
    return np.stack([columns[name] for name in SENTENCE_FEATURES], axis=1).astype(np.float32)


def further_on(
    where: Focus, shown: Collection[int], n: int, places: NDArray[np.int64] | None = None
) -> Float32:
    """Log-probability of each sentence to be what a reader who asks for more goes on to.

    Args:
        where: Where the talk has come to.
        shown: Rows that were shown before: they come after all others.
        n: Sentences that are ranked.
        places: As for `nearness`.

    Returns:
        float32 ``(n,)``.
    """
    onward = {step: (1 - _PASSED_BY) * _PASSED_BY ** (step - 1) for step in range(1, _FAR + 1)}
    chance = nearness(where, n, onward, _ANYWHERE, places)
    chance[[row for row in shown if row < n]] -= _SHOWN_BEFORE
    return chance


def in_context(
    follow: FollowUp,
    lengths: Int32,
    starts: Int32,
    alone: Ranking,
    joined: Ranking,
    places: NDArray[np.int64] | None = None,
) -> Ranking:
    """Score passages and sentences for a follow-up.

    Args:
        follow: The question, with the rows of these sentences.
        lengths: int32 ``(n_sentences,)``: code points of each.
        starts: int32 ``(n_passages + 1,)``: the sentences of each passage.
        alone: The ranking of the question alone.
        joined: Of ``follow.joined``.
        places: As for `nearness`.

    Returns:
        The ranking in context, as confident as the joined one, or as reading on is.
    """
    fitted, n = weights(), len(lengths)
    if follow.shown is not None:
        onward = further_on(follow.where, follow.shown, n, places)
        best = np.asarray(np.maximum.reduceat(onward, starts[:-1]))
        left = len(follow.shown) < n
        return Ranking(best, onward, onward, FURTHER if left else 0.0, (_ON if left else _NO_MORE,))
    short = is_short(follow.question)
    near = nearness(follow.where, n, fitted.steps, fitted.elsewhere, places)
    cost = by_cost(np.zeros(n, dtype=np.float32), lengths)
    sentences = followup_features(alone.sentences - cost, joined.sentences - cost, near, short)
    best = np.asarray(np.maximum.reduceat(near, starts[:-1]))
    passages = followup_features(alone.passages, joined.passages, best, short)
    scores = fitted.sentences.scores(sentences) + cost
    return replace(
        joined, passages=fitted.sentences.scores(passages), sentences=scores, quoted=scores
    )
