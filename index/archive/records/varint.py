"""Small whole numbers in few bytes: LEB128, a whole array at once.

Seven bits a byte, lowest first, the top bit says that more follow: 0..127 take one byte,
up to 16383 two. https://en.wikipedia.org/wiki/LEB128

>>> decode(encode(np.array([1, 300])))
array([  1, 300])
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["decode", "encode"]

MAX_BYTES: Final = 5
"""Of one number: none reaches 2**35."""


def encode(values: NDArray[np.int64]) -> bytes:
    """Write numbers.

    Args:
        values: int64 ``(n,)``, each in ``0 <= value < 2**35``.

    Raises:
        ValueError: One is not.
    """
    if not len(values):
        return b""
    if values.min() < 0 or values.max() >= 1 << (7 * MAX_BYTES):
        raise ValueError(f"numbers from {values.min()} to {values.max()} do not fit")
    sizes = np.ones(len(values), dtype=np.int64)
    for group in range(1, MAX_BYTES):
        sizes += values >= 1 << (7 * group)
    starts = np.cumsum(sizes) - sizes
    out = np.zeros(int(sizes.sum()), dtype=np.uint8)
    for group in range(int(sizes.max())):
        some = sizes > group
        more = (sizes[some] > group + 1).astype(np.int64) << 7
        out[starts[some] + group] = (values[some] >> (7 * group)) & 127 | more
    return out.tobytes()


def decode(data: bytes) -> NDArray[np.int64]:
    """Read what ``encode`` wrote.

    Raises:
        ValueError: The bytes are not whole numbers.
    """
    octets = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(octets < 128)
    if not len(octets):
        return np.zeros(0, dtype=np.int64)
    if not len(ends) or ends[-1] != len(octets) - 1:
        raise ValueError("the last number is cut off")
    starts = np.concatenate([[0], ends[:-1] + 1])
    sizes = ends - starts + 1
    if sizes.max() > MAX_BYTES:
        raise ValueError("a number is too long")
    place = np.arange(len(octets)) - np.repeat(starts, sizes)
    return np.add.reduceat((octets & 127).astype(np.int64) << (7 * place), starts)
