"""FAISS for one question: on the thread that asks, and on no other.

The threads of FAISS's OpenMP go on spinning for milliseconds after each call, on the cores that
NumPy's BLAS and the model need next. For the little work of one question that costs more than
they gain; training and adding, which are much work, keep them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import faiss

__all__ = ["on_this_thread"]


@contextmanager
def on_this_thread() -> Iterator[None]:
    """Let FAISS start no threads inside the block; OpenMP counts them for each caller apart."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
