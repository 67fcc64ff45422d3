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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from index.archive.milvus.client import MOST_ROWS, Milvus
from index.archive.milvus.commits import State
from index.archive.milvus.filters import all_of, holds_any
from index.archive.store import Hits
from index.models.encoder import Float32
from index.scoring.bm25 import bm25

__all__ = ["LexicalSearch"]

_FIELDS: Final = ("row", "terms")
_ROUNDING: Final = 1e-4
MOST_SCORED: Final = 4 * MOST_ROWS
"""Passages that are scored for one question on a server without sparse vectors."""


@dataclass(frozen=True, slots=True)
class LexicalSearch:
    """A search for the ``k`` passages of highest positive BM25, best first, ties by row.

    Attributes:
        weights: idf by term number, times how often the term is asked for.
        dfs: Passages that hold each of these.
        expression: Which passages may be found.
    """

    milvus: Milvus
    state: State
    weights: Mapping[int, float]
    dfs: Mapping[int, int]
    k: int
    expression: str

    def hits(self) -> Hits:
        """The passages found."""
        return self._widening() if self.state.sparse else self._rarest_first()

    def _widening(self) -> Hits:
        growth = max(1.0, self.state.statistics.passage_length / max(self.state.shortest, 1e-9))
        limit = 2 * self.k + 20
        while True:
            proposed = self.milvus.search(
                self.milvus.names.passages,
                "weights",
                dict(self.weights),
                self.expression,
                _FIELDS,
                limit=limit,
                params={"drop_ratio_search": 0.0},
            )
            hits = self._best([row for _, row in proposed])
            if len(proposed) < limit or limit >= MOST_ROWS:
                return hits
            bound = min(product for product, _ in proposed) * growth * (1 + _ROUNDING)
            if len(hits.scores) == self.k and hits.scores[-1] >= bound:
                return hits
            limit = min(4 * limit, MOST_ROWS)

    def _rarest_first(self) -> Hits:
        """Terms from the rarest on, until what is left could add no passage, or too many."""
        order = sorted(self.weights, key=lambda term: self.dfs[term])
        found: dict[int, dict[str, Any]] = {}
        hits = Hits()
        for place, term in enumerate(order):
            left = sum(self.weights[other] for other in order[place:])
            if len(hits.scores) == self.k and hits.scores[-1] >= left:
                break
            # A word that most passages hold tells them apart by next to nothing.
            if found and len(found) + self.dfs[term] > MOST_SCORED:
                break
            wanted = all_of(self.expression, holds_any("terms", [term]))
            rows = self.milvus.query(self.milvus.names.passages, wanted, _FIELDS)
            found.update((int(row["row"]), row) for row in rows)
            hits = self._best(list(found.values()))
        return hits

    def _best(self, rows: Sequence[dict[str, Any]]) -> Hits:
        """Exact scores out of stored terms."""
        if not rows:
            return Hits()
        numbers = np.asarray([int(row["row"]) for row in rows], dtype=np.int64)
        wanted = np.asarray(list(self.weights), dtype=np.int64)
        terms = [np.asarray(row["terms"], dtype=np.int64) for row in rows]
        counts = np.stack([(own[:, None] == wanted).sum(axis=0) for own in terms]).astype(np.int32)
        lengths = np.asarray([len(own) for own in terms], dtype=np.int32)
        idf: Float32 = np.asarray(list(self.weights.values()), dtype=np.float32)
        scores = bm25(counts, lengths, self.state.statistics.passage_length, idf)
        positive = np.flatnonzero(scores > 0)
        order = positive[np.lexsort((numbers[positive], -scores[positive]))][: self.k]
        return Hits(numbers[order], scores[order])
