"""Candidate passages side by side: all that a ranking needs of them, and where each is from.

A whole article is a pool of all its passages; an archive's answer is ranked over a pool of
the few that dense and lexical search found. Everything above this line is the same for both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Float32, Int32
from index.scoring.token_vectors import Tokens

__all__ = ["Pool", "count_terms", "sum_by_passage"]


@dataclass(frozen=True, slots=True)
class Pool:
    """Passages with their sentences and word pieces, in order.

    Attributes:
        articles: Ids of the articles that the passages are from, each once.
        article_of: int32 ``(n_passages,)``: position in ``articles``.
        passage_spans: int32 ``(n_passages, 2)``: half-open code points in the article.
        paragraphs: int32 ``(n_passages,)``: number of the paragraph in the article.
        pages: int32 ``(n_passages,)``: page, from 1; 0 where there are none.
        sentence_spans: int32 ``(n_sentences, 2)``: half-open code points in the article.
        sentence_starts: int32 ``(n_passages + 1,)``: passage ``p`` holds sentences
            ``sentence_starts[p]:sentence_starts[p + 1]``, one or more.
        token_starts: int32 ``(n_sentences + 1,)``: the same for sentences and tokens.
        token_ids: int32 ``(n_tokens,)``: word pieces in the model's vocabulary.
        passage_vectors: float32 ``(n_passages, dim)``, L2-normalised.
        tokens: To be compared with a question's.
        traits: uint8 ``(n_sentences, len(TRAITS))``.
        term_counts: int32 ``(n_sentences, n_terms)``: how often each of the terms asked for
            occurs.
        lengths: int32 ``(n_sentences,)``: terms of any kind in each.
    """

    articles: tuple[str, ...]
    article_of: Int32
    passage_spans: Int32
    paragraphs: Int32
    pages: Int32
    sentence_spans: Int32
    sentence_starts: Int32
    token_starts: Int32
    token_ids: Int32
    passage_vectors: Float32
    tokens: Tokens
    traits: NDArray[np.uint8]
    term_counts: Int32
    lengths: Int32

    @property
    def passage_of(self) -> NDArray[np.int64]:
        """int64 ``(n_sentences,)``: the passage that each sentence stands in."""
        return np.repeat(np.arange(len(self)), np.diff(self.sentence_starts))

    def __len__(self) -> int:
        """How many passages there are."""
        return len(self.article_of)


def count_terms(
    sentence: NDArray[np.int64], column: NDArray[np.int64], n_sentences: int, n_terms: int
) -> Int32:
    """Occurrences as a table.

    Args:
        sentence: int64 ``(n_occurrences,)``: the sentence of each.
        column: int64 ``(n_occurrences,)``: the number of its term, -1 for one not asked for.
        n_sentences: Rows of the table.
        n_terms: Columns of the table.

    Returns:
        int32 ``(n_sentences, n_terms)``.
    """
    asked = column >= 0
    cells = sentence[asked] * n_terms + column[asked]
    counts = np.bincount(cells, minlength=n_sentences * n_terms)
    return counts.reshape(n_sentences, n_terms).astype(np.int32)


def sum_by_passage(values: Int32, pool: Pool) -> Int32:
    """Sums over the sentences of each passage, along the first axis."""
    return np.asarray(np.add.reduceat(values, pool.sentence_starts[:-1], axis=0), dtype=np.int32)
