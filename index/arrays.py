"""Row-wise helpers missing from NumPy."""

from __future__ import annotations

import numpy as np

from index.types import Float32, Int32, Int64

__all__ = ["normalised", "ranges"]


def normalised(vectors: Float32) -> Float32:
    """Rows scaled to length 1; rows of zeros stay zeros."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


def ranges(starts: Int64 | Int32, counts: Int64 | Int32) -> Int64:
    """For each ``i`` in turn, the ``counts[i]`` numbers ``starts[i], starts[i] + 1, …``."""
    ends: Int64 = np.cumsum(counts, dtype=np.int64)
    found: Int64 = np.arange(counts.sum(), dtype=np.int64)
    found += np.repeat(starts - (ends - counts), counts)
    return found
