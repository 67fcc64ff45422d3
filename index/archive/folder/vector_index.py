"""Dense search over an archive: which kind of FAISS index, and how well it does.

    up to        kind                     found by
    20,000       SQfp16                   comparison with every vector, at half precision
    beyond       IVF + RaBitQ (or SQ8)    the nearest lists, two bits a dimension (Gao et al.,
                                          2024, https://arxiv.org/abs/2409.09913), the best of
                                          which are compared with the stored vectors

Vectors are stored once, in the database; the index of a large archive holds codes alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Float32
from index.scoring.faiss_io import index_of
from index.scoring.faiss_threads import on_this_thread

__all__ = ["Kind", "choose_kind", "load", "recall", "search", "train", "training_size"]

_POINTS_A_LIST: Final = 48
_BITS_FROM: Final = 256
"""Dimensions from which two bits for each tell enough; with fewer, a byte for each."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of FAISS index and how it is searched.

    Attributes:
        spec: For ``faiss.index_factory``.
        probes: Lists that a search visits; 0 where there are none.
        candidates: Rows fetched for each one wanted, to be compared exactly; 1 where the
            index's own scores are exact.
    """

    spec: str
    probes: int
    candidates: int

    @property
    def lists(self) -> int:
        """Inverted lists; 0 where there are none."""
        name = self.spec.split(",")[0]
        return int(name.removeprefix("IVF")) if name.startswith("IVF") else 0


def choose_kind(n_vectors: int, memory_bytes: int, dimension: int, scan_up_to: int) -> Kind:
    """The kind of index for so many vectors, to take so much memory while it is searched.

    Up to ``scan_up_to`` vectors all of them are compared, where memory allows.
    """
    if n_vectors <= scan_up_to and n_vectors * dimension * 2 <= memory_bytes:
        # A scan takes as long as its vectors take to read, and the stored ones have a byte a
        # dimension: half precision loses nothing of them that could be seen in a cosine.
        return Kind("IDMap,SQfp16", probes=0, candidates=1)
    lists = 1 << max(6, round(np.log2(2 * np.sqrt(max(n_vectors, 1)))))
    if dimension < _BITS_FROM:
        return Kind(f"IVF{lists},SQ8", probes=max(64, lists // 16), candidates=4)
    return Kind(f"IVF{lists},RaBitQ2", probes=max(64, lists // 16), candidates=8)


def training_size(kind: Kind) -> int:
    """How many vectors ``train`` wants to see at most."""
    return kind.lists * _POINTS_A_LIST


def train(kind: Kind, sample: Float32, dimension: int) -> faiss.Index:
    """An empty index of a kind; the same sample gives the same index.

    The sample, float32 ``(n, dim)``, L2-normalised, is of what will be added.
    """
    index = faiss.index_factory(dimension, kind.spec, faiss.METRIC_INNER_PRODUCT)
    if kind.probes:
        inverted = faiss.extract_index_ivf(index)
        inverted.cp.niter = 8
        inverted.cp.max_points_per_centroid = _POINTS_A_LIST
        inverted.cp.min_points_per_centroid = 1  # or FAISS writes to standard error
        index.train(np.ascontiguousarray(sample))
    return index


def search(
    index: faiss.Index,
    kind: Kind,
    vector: Float32,
    k: int,
    allowed: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.int64], Float32]:
    """The nearest rows, best first, by the index's own scores.

    Args:
        index: What ``train`` gave.
        kind: Its kind.
        vector: float32 ``(dim,)``.
        k: Rows wanted.
        allowed: bool ``(n_rows,)``: which rows count; None for all.
    """
    selector = None
    if allowed is not None:
        bits = np.packbits(allowed, bitorder="little")
        selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
    parameters = faiss.SearchParameters()
    if kind.probes:
        # The fewer rows count, the farther the nearest of them lie.
        share = 1.0 if allowed is None else max(float(allowed.mean()), 1e-3)
        parameters = faiss.SearchParametersIVF()
        parameters.nprobe = min(kind.lists, round(kind.probes * min(8.0, share**-0.5)))
    parameters.sel = selector
    with on_this_thread():
        scores, rows = index.search(vector[None], min(k, index.ntotal), params=parameters)
    found = rows[0] >= 0
    return rows[0][found], scores[0][found]


def recall(
    queries: Float32,
    found: Sequence[NDArray[np.int64]],
    chunks: Iterable[tuple[NDArray[np.int64], Float32]],
) -> float:
    """recall@10 against exact search.

    Args:
        queries: float32 ``(n_queries, dim)``.
        found: For each query, the rows that were found, ten or more, in any order.
        chunks: Rows and vectors of everything, in parts.
    """
    k = 10
    best_rows = np.full((len(queries), k), -1, dtype=np.int64)
    best_scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
    for rows, vectors in chunks:
        scores = np.concatenate([best_scores, queries @ vectors.T], axis=1)
        named = np.concatenate([best_rows, np.tile(rows, (len(queries), 1))], axis=1)
        top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        best_scores = np.take_along_axis(scores, top, axis=1)
        best_rows = np.take_along_axis(named, top, axis=1)
    wanted = [set(row[row >= 0].tolist()) for row in best_rows]
    hits = sum(len(w.intersection(f.tolist())) for w, f in zip(wanted, found, strict=True))
    return hits / max(1, sum(map(len, wanted)))


def load(data: memoryview, kind: Kind, dimension: int) -> faiss.Index:
    """Read what ``faiss.serialize_index`` gave.

    Raises:
        ValueError: It is not an index of that kind for such vectors.
    """
    try:
        index = index_of(data)
    except RuntimeError as error:
        raise ValueError(f"FAISS cannot read it: {error}") from error
    if index.d != dimension or isinstance(index, faiss.IndexIVF) != bool(kind.probes):
        raise ValueError("it is an index of another kind")
    return index
