"""FAISS indexes out of bytes, which may be somebody else's."""

from __future__ import annotations

import threading
from typing import Final

import faiss
import numpy as np

__all__ = ["index_of"]

_limit: Final = threading.Lock()


def index_of(data: bytes | memoryview) -> faiss.Index:
    """Read what ``faiss.serialize_index`` gave, and allocate little more than it holds.

    FAISS believes the sizes that it reads, up to a limit of the whole process: whoever sets it
    for one index must not leave it to the next, nor to another thread.

    Raises:
        RuntimeError: It is no index, or one of impossible size.
    """
    with _limit:
        usual = faiss.get_deserialization_vector_byte_limit()
        faiss.set_deserialization_vector_byte_limit(4 * len(data) + 2**20)
        try:
            return faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
        finally:
            faiss.set_deserialization_vector_byte_limit(usual)
