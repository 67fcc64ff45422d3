"""Fit the weights of `qa.ranking.fusion` to questions whose answers are known.

For each question, the softmax of its candidates' scores should put its weight on the
candidates that hold the answer: a conditional logit (McFadden, 1974), the listwise loss
of Cao et al., 2007 (ListNet), convex for one right candidate a question. Needs scipy, which
asking never does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Float32
from qa.ranking.fusion import Fusion

__all__ = ["Example", "fit", "folds", "usual_spreads"]

PENALTY: Final = 1e-3
"""Of the squared weights, against a mean log-likelihood of about one nat."""
MAX_ITERATIONS: Final = 200


@dataclass(frozen=True, slots=True)
class Example:
    """One question and its candidates.

    Attributes:
        features: float32 ``(n_candidates, n_features)``, as they come.
        gold: int64 ``(n_gold,)``: rows that hold the answer, at least one.
    """

    features: Float32
    gold: NDArray[np.int64]


def fit(
    examples: Sequence[Example],
    names: Sequence[str],
    *,
    supporting: Collection[str] = (),
    least: Mapping[str, float] | None = None,
    penalty: float = PENALTY,
) -> Fusion:
    """Find the weights that make the answers' candidates most probable.

    Args:
        examples: Questions, each with at least one right candidate.
        names: Of the features.
        supporting: Names of those whose weight may not be negative. Features that say nearly
            the same otherwise get weights of opposite signs, which fit the sample and little
            else.
        least: What some features add at least for each unit, whatever the sample says.
        penalty: Weight of the squared weights in the loss.

    Returns:
        The fusion fitted.

    Raises:
        ValueError: There is no example, or one without gold.
    """
    from scipy.optimize import minimize

    if not examples:
        raise ValueError("nothing to fit: no question has a known answer")
    if any(len(example.gold) == 0 for example in examples):
        raise ValueError("an example has no right candidate; leave it out")
    spreads = usual_spreads(examples)
    # What all candidates of a question share cannot tell them apart: centred, sums stay small.
    table = np.concatenate([(e.features - e.features.mean(axis=0)) / spreads for e in examples])
    sizes = np.asarray([len(example.features) for example in examples])
    starts = np.cumsum(sizes) - sizes
    question = np.repeat(np.arange(len(examples)), sizes)
    right = np.zeros(len(table), dtype=np.float32)
    right[np.concatenate([s + e.gold for s, e in zip(starts, examples, strict=True)])] = 1.0

    floors = dict.fromkeys(supporting, 0.0) | dict(least or {})

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = (table @ weights.astype(np.float32)).astype(np.float64)
        odds = np.exp(scores - np.maximum.reduceat(scores, starts)[question])
        total = np.add.reduceat(odds, starts)
        hit = np.maximum(np.add.reduceat(odds * right, starts), 1e-30)
        pull = odds * (1.0 / total[question] - right / hit[question]) / len(examples)
        value = float(np.log(total / hit).mean() + penalty * weights @ weights)
        slope = (table.T @ pull.astype(np.float32)).astype(np.float64)
        return value, slope + 2 * penalty * weights

    found = minimize(
        loss,
        np.zeros(table.shape[1]),
        jac=True,
        method="L-BFGS-B",
        bounds=[
            (floors[name] * spread if name in floors else None, None)
            for name, spread in zip(names, spreads.tolist(), strict=True)
        ],
        options={"maxiter": MAX_ITERATIONS},
    )
    return Fusion(tuple(names), found.x.astype(np.float32), spreads)


def usual_spreads(examples: Sequence[Example]) -> Float32:
    """The root mean variance of each feature within a question; 1 where it never varies."""
    variance = np.mean([example.features.var(axis=0) for example in examples], axis=0)
    return np.where(variance > 1e-12, np.sqrt(variance), 1.0).astype(np.float32)


def folds(groups: Sequence[str], n_folds: int, seed: int = 0) -> dict[str, int]:
    """Deal groups (articles) into folds, so that no group is fitted and judged at once.

    Args:
        groups: A name for each example; repeats belong together.
        n_folds: Folds wanted.
        seed: Of the shuffle.

    Returns:
        The fold of each group.
    """
    distinct = sorted(set(groups))
    order = np.random.default_rng(seed).permutation(len(distinct))
    return {distinct[row]: place % n_folds for place, row in enumerate(order)}
