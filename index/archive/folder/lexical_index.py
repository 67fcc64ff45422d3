"""BM25 over an archive, from postings that stay on the disk.

Passages come in segments of at most 65,536 rows, each with its own postings: 2 bytes for
the row within the segment and 1 for the term frequency. A segment that is full is never
written again, so adding to an archive of any size costs no more than the last segment.
Scores use the archive's own idf and mean length at the time of the question, not those at
the time of writing: they are the same however the passages are spread over segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Float32
from index.scoring.bm25 import saturated

__all__ = ["SEGMENT_ROWS", "Segment", "best", "build_segment"]

SEGMENT_ROWS: Final = 65_536


@dataclass(frozen=True, slots=True)
class Segment:
    """The postings of rows ``first <= row < last``.

    Attributes:
        first: First row.
        last: One past the last, at most ``SEGMENT_ROWS`` on.
        lengths: uint16 ``(last - first,)``: terms in each passage; 0 where there is none.
        terms: uint32 ``(n_terms,)``: numbers of the terms that occur, ascending.
        starts: uint32 ``(n_terms + 1,)``: term ``t`` has postings ``starts[t]:starts[t + 1]``.
        rows: uint16 ``(n_postings,)``: row less ``first``, ascending for each term.
        frequencies: uint8 ``(n_postings,)``: occurrences, 255 for more.
    """

    first: int
    last: int
    lengths: NDArray[np.uint16]
    terms: NDArray[np.uint32]
    starts: NDArray[np.uint32]
    rows: NDArray[np.uint16]
    frequencies: NDArray[np.uint8]

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together."""
        n, width = len(self.rows), self.last - self.first
        if not 0 < width <= SEGMENT_ROWS or len(self.lengths) != width:
            raise ValueError(f"a segment of {width} rows has {len(self.lengths)} lengths")
        if len(self.starts) != len(self.terms) + 1 or len(self.frequencies) != n:
            raise ValueError("the postings of a segment do not add up")
        if int(self.starts[0]) != 0 or int(self.starts[-1]) != n:
            raise ValueError("the postings of a segment do not add up")

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The parts by name, for keeping."""
        names = ("lengths", "terms", "starts", "rows", "frequencies")
        return {name: getattr(self, name) for name in names}

    def scores(
        self, terms: NDArray[np.int64], weights: Float32, mean_length: float
    ) -> Float32 | None:
        """BM25 of every row.

        Args:
            terms: int64 ``(n_query,)``: numbers of distinct terms.
            weights: float32 ``(n_query,)``: idf times how often each is asked for.
            mean_length: Mean number of terms of a passage of the archive.

        Returns:
            float32 ``(last - first,)``; None where no term occurs.
        """
        places = np.searchsorted(self.terms, terms)
        known = places < len(self.terms)
        known[known] = self.terms[places[known]] == terms[known]
        if not known.any():
            return None
        total = np.zeros(self.last - self.first, dtype=np.float32)
        for place, weight in zip(places[known], weights[known], strict=True):
            span = slice(int(self.starts[place]), int(self.starts[place + 1]))
            rows = self.rows[span]
            total[rows] += weight * saturated(
                self.frequencies[span], self.lengths.take(rows), mean_length
            )
        return total


def build_segment(
    first: int, last: int, rows: NDArray[np.int64], term_ids: NDArray[np.int64]
) -> Segment:
    """The postings of rows ``first <= row < last``.

    Args:
        first: First row of the segment.
        last: One past its last.
        rows: int64 ``(n_occurrences,)``: the passage of each occurrence of a term.
        term_ids: int64 ``(n_occurrences,)``: the term.
    """
    pairs, counts = np.unique(term_ids * SEGMENT_ROWS + (rows - first), return_counts=True)
    numbers, local = np.divmod(pairs, SEGMENT_ROWS)
    terms, starts = np.unique(numbers, return_index=True)
    lengths = np.bincount(rows - first, minlength=last - first)
    return Segment(
        first=first,
        last=last,
        lengths=np.minimum(lengths, 65_535).astype(np.uint16),
        terms=terms.astype(np.uint32),
        starts=np.concatenate([starts, [len(pairs)]]).astype(np.uint32),
        rows=local.astype(np.uint16),
        frequencies=np.minimum(counts, 255).astype(np.uint8),
    )


def best(
    segments: Sequence[Segment],
    terms: NDArray[np.int64],
    weights: Float32,
    mean_length: float,
    k: int,
    allowed: NDArray[np.bool_] | None,
) -> tuple[NDArray[np.int64], Float32]:
    """The ``k`` rows of highest positive score, best first, ties by row.

    The arguments are as for ``Segment.scores``; ``allowed``, bool ``(n_rows,)``, says which rows
    count, None that all do.
    """
    rows: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
    scores: Float32 = np.zeros(0, dtype=np.float32)
    for segment in segments:
        found = segment.scores(terms, weights, mean_length)
        if found is None:
            continue
        if allowed is not None:
            found[~allowed[segment.first : segment.last]] = 0
        # Nothing below the k-th best so far can come in: most of a segment is never sorted.
        floor = float(scores[-1]) if len(scores) == k else 0.0
        local = np.flatnonzero(found > floor)
        if len(local) > 4 * k:
            kept = np.partition(found[local], len(local) - k)[len(local) - k]
            local = local[found[local] >= kept]
        rows = np.concatenate([rows, local + segment.first])
        scores = np.concatenate([scores, found[local]])
        order = np.lexsort((rows, -scores))[:k]
        rows, scores = rows[order], scores[order]
    return rows, scores
