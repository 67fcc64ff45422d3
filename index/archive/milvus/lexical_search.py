"""BM25 over an archive on Milvus: the server proposes passages, we score them.

A passage's term weights are stored as a sparse vector, saturated with the mean length of the
archive when it was added; the query brings the idf of now. The product is BM25 but for the
mean length, which moves as the archive grows. So the best of the server are scored again
from their terms, and more are fetched until none that was left out could come in: a weight
cannot have grown by more than the mean length did.

A server without sparse vectors (before 2.4) is asked for the passages that hold the rarest
terms, as in MaxScore (Turtle and Flood, 1995): a passage with none of them cannot score more
than the other terms' idf together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from index.archive.milvus.client import MOST_ROWS, Milvus
from index.archive.milvus.filters import all_of, holds_any
from index.archive.store import Hits
from index.models.encoder import Float32
from index.scoring.bm25 import bm25

__all__ = ["lexical_search"]

_FIELDS: Final = ("row", "terms")
_ROUNDING: Final = 1e-4
MOST_SCORED: Final = 4 * MOST_ROWS
"""Passages that are scored for one question on a server without sparse vectors."""


def lexical_search(
    milvus: Milvus,
    collection: str,
    query: Mapping[int, float],
    frequencies: Mapping[int, int],
    k: int,
    expression: str,
    *,
    sparse: bool,
    mean: float,
    shortest: float,
    visible: int | None,
) -> Hits:
    """The ``k`` passages of highest positive BM25, best first, ties by row.

    Args:
        milvus: The server.
        collection: The passages.
        query: idf by term number, times how often the term is asked for.
        frequencies: Passages that hold each of these.
        k: Passages wanted.
        expression: Which may be found.
        sparse: Whether there are term weights.
        mean: Mean length of a passage.
        shortest: Smallest mean length that a weight was computed with.
        visible: As for ``Milvus.query``.
    """
    if not query:
        return Hits()

    def score(rows: Sequence[dict[str, Any]]) -> Hits:
        return _best(rows, query, mean, k)

    if sparse:
        growth = max(1.0, mean / max(shortest, 1e-9))

        def propose(limit: int) -> list[tuple[float, dict[str, Any]]]:
            return milvus.search(
                collection,
                "weights",
                dict(query),
                expression,
                _FIELDS,
                limit=limit,
                params={"drop_ratio_search": 0.0},
                visible=visible,
            )

        return _widening(propose, score, k, growth)

    def fetch(term: int) -> list[dict[str, Any]]:
        wanted = all_of(expression, holds_any("terms", [term]))
        return milvus.query(collection, wanted, _FIELDS, visible=visible)

    return _rarest_first(fetch, score, query, frequencies, k)


def _widening(
    propose: Callable[[int], list[tuple[float, dict[str, Any]]]],
    score: Callable[[Sequence[dict[str, Any]]], Hits],
    k: int,
    growth: float,
) -> Hits:
    limit = 2 * k + 20
    while True:
        proposed = propose(limit)
        hits = score([row for _, row in proposed])
        if len(proposed) < limit or limit >= MOST_ROWS:
            return hits
        bound = min(product for product, _ in proposed) * growth * (1 + _ROUNDING)
        if len(hits.scores) == k and hits.scores[-1] >= bound:
            return hits
        limit = min(4 * limit, MOST_ROWS)


def _rarest_first(
    fetch: Callable[[int], list[dict[str, Any]]],
    score: Callable[[Sequence[dict[str, Any]]], Hits],
    query: Mapping[int, float],
    frequencies: Mapping[int, int],
    k: int,
) -> Hits:
    """Terms from the rarest on, until what is left could add no passage, or too many."""
    order = sorted(query, key=lambda term: frequencies[term])
    found: dict[int, dict[str, Any]] = {}
    hits = Hits()
    for place, term in enumerate(order):
        left = sum(query[other] for other in order[place:])
        if len(hits.scores) == k and hits.scores[-1] >= left:
            break
        # A word that most passages hold tells them apart by next to nothing.
        if found and len(found) + frequencies[term] > MOST_SCORED:
            break
        found.update((int(row["row"]), row) for row in fetch(term))
        hits = score(list(found.values()))
    return hits


def _best(rows: Sequence[dict[str, Any]], query: Mapping[int, float], mean: float, k: int) -> Hits:
    """Exact scores out of stored terms."""
    if not rows:
        return Hits()
    numbers = np.asarray([int(row["row"]) for row in rows], dtype=np.int64)
    wanted = np.asarray(list(query), dtype=np.int64)
    counts = np.stack(
        [(np.asarray(row["terms"], dtype=np.int64)[:, None] == wanted).sum(axis=0) for row in rows]
    ).astype(np.int32)
    lengths = np.asarray([len(row["terms"]) for row in rows], dtype=np.int32)
    idf: Float32 = np.asarray(list(query.values()), dtype=np.float32)
    scores = bm25(counts, lengths, mean, idf)
    positive = np.flatnonzero(scores > 0)
    order = positive[np.lexsort((numbers[positive], -scores[positive]))][:k]
    return Hits(numbers[order], scores[order])
