"""FAISS keeps to the thread that asks, and gets its threads back."""

from __future__ import annotations

import faiss
import pytest

from index.scoring.faiss_threads import on_this_thread


def test_there_is_one_thread_inside_and_as_many_as_before_outside() -> None:
    before = faiss.omp_get_max_threads()
    with on_this_thread():
        assert faiss.omp_get_max_threads() == 1
    assert faiss.omp_get_max_threads() == before
    with pytest.raises(ValueError, match="mine"), on_this_thread():
        raise ValueError("mine")
    assert faiss.omp_get_max_threads() == before
