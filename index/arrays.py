"""What is done to the rows of a table in several places, and NumPy has no name for."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Float32, Int32

__all__ = ["normalised", "ranges"]

Int64: TypeAlias = NDArray[np.int64]


def normalised(vectors: Float32) -> Float32:
    """Rows of length 1 in the same directions; zeros stay zeros.

    Args:
        vectors: float32 ``(n, dimension)``.
    """
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


def ranges(starts: Int64 | Int32, counts: Int64 | Int32) -> Int64:
    """``starts[i], starts[i] + 1, …``, ``counts[i]`` numbers, for each ``i`` in turn."""
    ends: Int64 = np.cumsum(counts, dtype=np.int64)
    found: Int64 = np.arange(counts.sum(), dtype=np.int64)
    found += np.repeat(starts - (ends - counts), counts)
    return found
