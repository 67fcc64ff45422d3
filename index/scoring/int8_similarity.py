"""A question's word pieces against all of an article's, in whole numbers.

Late interaction is a product of two matrices, one of them long: in single precision it is
most of what a question costs, and what it costs is reading the long one. In eight bits that is
a quarter as long, and processors multiply four of them for every single-precision number.
NumPy has no such product; ONNX Runtime, which runs the model, has (MatMulInteger). It saturates
nowhere: the question has seven bits, so that two products fit into 16 bits on processors
without the newer instructions as well.

The cosines are within 0.005 of those of the vectors, half of what the model's own
quantization is off by.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from index.models.int8_product import PRODUCT
from index.types import Float32

__all__ = ["TokenScan"]

ZERO: Final = 128
"""What stands for zero among bytes without a sign."""
STORED_LEVELS: Final = 127
ASKED_LEVELS: Final = 63


class TokenScan:
    """An article's word pieces, rounded for comparison with a question's."""

    def __init__(self, vectors: Float32) -> None:
        """Round vectors.

        Args:
            vectors: float32 ``(n_tokens, dim)``, L2-normalised.
        """
        whole, self._scales = _rounded(vectors, STORED_LEVELS)
        whole += ZERO
        self._stored: NDArray[np.uint8] = whole.astype(np.uint8)

    def cosines(self, queries: Float32, rows: NDArray[np.int64] | None = None) -> Float32:
        """Compare them.

        Args:
            queries: float32 ``(n_queries, dim)``, L2-normalised.
            rows: int64 ``(n_rows,)``: those to compare; None for all.

        Returns:
            float32 ``(n_queries, n_rows)``.
        """
        stored, of_stored = self._stored, self._scales
        if rows is not None:
            stored, of_stored = stored.take(rows, axis=0), of_stored.take(rows)
        found = np.empty((len(queries), len(stored)), dtype=np.float32)
        if not found.size:
            return found
        whole, scales = _rounded(queries, ASKED_LEVELS)
        asked = np.ascontiguousarray(whole.astype(np.int8).T)
        (products,) = _session().run(None, {"a": stored, "b": asked})
        np.multiply(products.T, of_stored, out=found)
        found *= scales[:, None]
        return found


def _rounded(vectors: Float32, levels: int) -> tuple[Float32, Float32]:
    """Vectors as whole numbers from ``-levels`` to ``levels``, and what one is in each row."""
    scales = np.abs(vectors).max(axis=1, initial=1e-12) / np.float32(levels)
    return np.rint(vectors / scales[:, None]), scales.astype(np.float32)


@lru_cache(maxsize=1)
def _session() -> ort.InferenceSession:
    options = ort.SessionOptions()
    # Its threads would wait for the next product on the cores that the model needs before.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return ort.InferenceSession(PRODUCT, options, providers=["CPUExecutionProvider"])
