from __future__ import annotations

import faiss
import numpy as np
import pytest

from index.scoring.faiss_io import index_of


def serialised(n: int) -> bytes:
    index = faiss.IndexFlatIP(64)
    index.add(np.ones((n, 64), dtype=np.float32))
    return bytes(faiss.serialize_index(index).tobytes())


def test_a_small_index_sets_no_limit_to_a_large_one() -> None:
    large = serialised(20_000)
    assert index_of(serialised(1)).ntotal == 1
    assert faiss.deserialize_index(np.frombuffer(large, dtype=np.uint8)).ntotal == 20_000


def test_an_index_that_claims_to_be_larger_than_it_is_is_refused() -> None:
    data = bytearray(serialised(1))
    place = data.index((256).to_bytes(8, "little"))  # bytes of its vectors
    data[place : place + 8] = (2**39).to_bytes(8, "little")
    usual = faiss.get_deserialization_vector_byte_limit()
    with pytest.raises(RuntimeError):
        index_of(bytes(data))
    assert faiss.get_deserialization_vector_byte_limit() == usual
