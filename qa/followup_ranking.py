"""Rank the sentences for a follow-up: three readings of it, and how near each sentence is.

`qa.followup` says what a question follows, and holds the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from index.encoder import Float32, Int32
from qa.followup import SENTENCE_FEATURES, Where, weights
from qa.fusion import by_cost
from qa.ranking import Ranking

__all__ = ["combined", "followup_features", "nearness"]


def nearness(
    where: Where,
    n: int,
    steps: Mapping[int, float],
    elsewhere: float,
    places: NDArray[np.int64] | None = None,
) -> Float32:
    """Log-probability of each sentence to be the next that answers.

    Args:
        where: What was cited last.
        n: Sentences that are ranked.
        steps: As in `Weights`.
        elsewhere: As in `Weights`.
        places: int64 ``(n,)``, ascending: where each stands in its text, with gaps where text
            is left out; None for all of one article.

    Returns:
        float32 ``(n,)``.
    """
    chance = np.full(n, max(elsewhere, 1e-3) / n)
    places = np.arange(n) if places is None else places
    for row, weight in where:
        for step, probability in steps.items():
            place = places[row] + step
            at = int(np.searchsorted(places, place))
            if at < n and places[at] == place:
                chance[at] += weight * probability
    return np.asarray(np.log(chance), dtype=np.float32)


def followup_features(
    alone: Float32, joined: Float32, longer: Float32, near: Float32, short: bool
) -> Float32:
    """What speaks for each sentence in context.

    Args:
        alone: float32 ``(n_sentences,)``: log-odds of the question alone.
        joined: The same, of it read after the question before.
        longer: The same, of it read after the two questions before.
        near: float32 ``(n_sentences,)``, as from `nearness`.
        short: Whether the question is short.

    Returns:
        float32 ``(n_sentences, len(SENTENCE_FEATURES))``.
    """
    columns = {
        "alone": alone,
        "joined": joined,
        "near_short": near * short,
        "alone_short": alone * short,
        "joined_short": joined * short,
        "longer_short": longer * short,
    }
    return np.stack([columns[name] for name in SENTENCE_FEATURES], axis=1).astype(np.float32)


def combined(
    near: Float32,
    lengths: Int32,
    starts: Int32,
    short: bool,
    alone: Ranking,
    joined: Ranking,
    longer: Ranking,
) -> Ranking:
    """Score passages and sentences for a follow-up.

    Args:
        near: float32 ``(n_sentences,)``, as from `nearness`.
        lengths: int32 ``(n_sentences,)``: code points of each.
        starts: int32 ``(n_passages + 1,)``: the sentences of each passage.
        short: Whether the question is short.
        alone: The ranking of the question alone.
        joined: Of ``FollowUp.joined``.
        longer: Of ``FollowUp.longer``.

    Returns:
        The ranking in context, as confident as the joined one.
    """
    fusion = weights().sentences
    cost = by_cost(np.zeros(len(lengths), dtype=np.float32), lengths)
    sentences = fusion.scores(
        followup_features(
            alone.sentences - cost, joined.sentences - cost, longer.sentences - cost, near, short
        )
    )
    passages = fusion.scores(
        followup_features(
            alone.passages,
            joined.passages,
            longer.passages,
            np.asarray(np.maximum.reduceat(near, starts[:-1])),
            short,
        )
    )
    return replace(joined, passages=passages, sentences=sentences + cost)
