"""BM25, the Lucene variant.

Robertson et al., 1994; the variants are compared in Kamphuis et al., 2020,
https://cs.uwaterloo.ca/~jimmylin/publications/Kamphuis_etal_ECIR2020_preprint.pdf. Saturated term
frequency and idf are kept apart, so that the idf may come from a larger collection than the
texts at hand. ``bm25s`` computes the same numbers (the tests compare them), but importing it
costs more than answering a question does.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Float32, Int32

__all__ = ["bm25", "idf", "saturated"]

K1: Final = 1.5
"""How soon repetitions stop counting, at its customary value."""
B: Final = 0.75
"""How much long texts are held back, at its customary value."""


def saturated(
    counts: NDArray[np.integer], lengths: NDArray[np.integer], mean_length: float
) -> NDArray[np.floating]:
    """Saturated term frequencies: what each occurrence count is worth before idf.

    Args:
        counts: ``(n, ...)``: how often a text holds a term.
        lengths: ``(n,)``: terms of any kind in each text.
        mean_length: Of the collection.
    """
    norm = K1 * (1 - B + B * lengths / max(mean_length, 1e-9))
    return counts / (counts + (norm[:, None] if counts.ndim > 1 else norm))


def bm25(term_counts: Int32, lengths: Int32, mean_length: float, weights: Float32) -> Float32:
    """BM25 of texts whose terms were counted; idf and mean length may be an archive's.

    Args:
        term_counts: int32 ``(n_texts, n_terms)``.
        lengths: int32 ``(n_texts,)``: terms of any kind in each.
        mean_length: Of the collection.
        weights: float32 ``(n_terms,)``: idf, times how often the query names the term.

    Returns:
        float32 ``(n_texts,)``, higher is better.
    """
    return np.asarray(saturated(term_counts, lengths, mean_length) @ weights, dtype=np.float32)


def idf(document_frequency: int, n_documents: int) -> float:
    """Inverse document frequency of a term."""
    return float(np.log1p((n_documents - document_frequency + 0.5) / (document_frequency + 0.5)))
