"""A text in a few of its own sentences: its lead, and what stands for each of its sections.

    sentences ─▶ mean vectors ─▶ nearness to the middle of text and section, by turns ─▶ in order

A sentence near the mean of many says what they have in common (centroid summarisation; Radev et
al., 2004, https://doi.org/10.1016/j.ipm.2003.10.006), and one that resembles what was chosen
already adds little (Carbonell and Goldstein, 1998, https://doi.org/10.1145/290941.291025).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from index.archive.store import Snapshot, Where
from index.article import Article, BlockKind
from index.models.encoder import Float32
from index.scoring.pool import Pool
from index.segmentation.traits import TRAITS
from qa.ranking.ranking import RankedPool, Ranking

__all__ = ["overview"]

MOST_PASSAGES: Final = 128
"""Passages that are read; of a longer text, those nearest to how it begins."""
REPEATED: Final = 0.5
"""How much the cosine with what was chosen counts against a sentence."""
SAME_SECTION: Final = 0.2
"""What counts against a sentence of a section that has one already."""
LEANING: Final = 0.1
"""What counts against a sentence that opens with a pronoun, as "He" of somebody else."""
EARLY: Final = 0.6
"""What counts for the first sentence, half as much for the second and so on: a text tells first
what it is about."""
SHORTEST: Final = 40
"""Code points under which a sentence hardly says anything."""
_TELLING: Final = frozenset({BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.QUOTE})


def overview(snapshot: Snapshot, article: Article, begins: Float32, n: int) -> RankedPool | None:
    """Choose the sentences that stand for an article.

    Args:
        snapshot: That holds it.
        article: What is to be told in short.
        begins: float32 ``(dim,)``, L2-normalised: how it begins.
        n: Sentences wanted.

    Returns:
        Its passages; finite scores have the sentences that are chosen, first to last as they
        stand. None where it has no sentence that tells anything.
    """
    hits = snapshot.dense(begins, MOST_PASSAGES, Where(ids=(article.id,)))
    rows = np.sort(hits.rows)
    pool = snapshot.pool(rows, ())
    chosen = _chosen(pool, article, n)
    if not chosen:
        return None
    scores = np.full(len(pool.sentence_spans), -np.inf, dtype=np.float32)
    scores[chosen] = np.linspace(1.0, 0.0, len(chosen), endpoint=False)
    passages = np.asarray(np.maximum.reduceat(scores, pool.sentence_starts[:-1]))
    return RankedPool(pool, rows, Ranking(passages, scores, scores, 1.0))


def _chosen(pool: Pool, article: Article, n: int) -> list[int]:
    """Rows of the lead and of those that add most to what was chosen before, in their order."""
    spans, headings = pool.sentence_spans, []
    tells = np.zeros(len(spans), dtype=bool)
    for block in article.blocks:
        if block.kind is BlockKind.HEADING:
            headings.append(block.start)
        if block.kind in _TELLING:
            tells |= (block.start <= spans[:, 0]) & (spans[:, 0] < block.end)
    asks = [
        article.text[start:end].rstrip().endswith(("?", "\uff1f")) for start, end in spans.tolist()
    ]
    telling = np.flatnonzero(tells & ~np.asarray(asks, dtype=bool))
    if not len(telling):
        return []
    means = _means(pool)[telling]
    section = np.searchsorted(headings, spans[telling, 0])
    worth = means @ _unit(means.sum(axis=0))
    for number in np.unique(section):
        own = section == number
        worth[own] += means[own] @ _unit(means[own].sum(axis=0))
    worth = worth / 2 + EARLY / (1 + np.arange(len(worth)))
    worth -= LEANING * pool.traits[telling, TRAITS.index("pronoun_first")]
    short = np.diff(spans[telling], axis=1)[:, 0] < SHORTEST
    worth[short] -= 1.0
    chosen = [int(np.flatnonzero(~short)[0]) if not short.all() else 0]
    while len(chosen) < min(n, len(telling)):
        alike = (means @ means[chosen].T).max(axis=1)
        gain = worth - REPEATED * alike - SAME_SECTION * np.isin(section, section[chosen])
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
    return [int(row) for row in telling[sorted(chosen)]]


def _means(pool: Pool) -> Float32:
    """The mean vector of each sentence's word pieces: float32 ``(n_sentences, dim)``."""
    vectors, starts = pool.tokens.vectors(), pool.token_starts.tolist()
    means = [vectors[a:b].sum(axis=0) for a, b in zip(starts, starts[1:], strict=False)]
    return _unit(np.asarray(means))


def _unit(vectors: Float32) -> Float32:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
