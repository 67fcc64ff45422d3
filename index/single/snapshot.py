"""The index of one article as a snapshot of an archive that holds just this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import faiss
import numpy as np
from numpy.typing import NDArray

from index.archive.entries import described, matches
from index.archive.store import (
    Entry,
    Hits,
    Int64,
    Statistics,
    Where,
)
from index.arrays import ranges
from index.article import Article
from index.errors import UnknownArticle
from index.models.encoder import Float32, Int32
from index.scoring.faiss_threads import on_this_thread
from index.scoring.int8_similarity import TokenScan
from index.scoring.pool import Pool, count_terms
from index.scoring.terms import Postings
from index.scoring.token_vectors import VectorTokens
from index.single.article_index import ArticleIndex

__all__ = ["ArticleSnapshot"]


class ArticleSnapshot:
    """What questions to one article are answered from; see `index.archive.store.Snapshot`."""

    def __init__(self, index: ArticleIndex) -> None:
        """Derive what questions need from an index."""
        self._index = index
        firsts = [passage.first for passage in index.passages]
        self._sentence_starts = np.asarray([*firsts, len(index.sentences)], dtype=np.int32)
        self._postings = Postings(index.terms.merged(self._sentence_starts))
        self._term_of = {term: number for number, term in enumerate(index.terms.vocabulary)}
        self._sentence_spans = np.asarray([(s.start, s.end) for s in index.sentences], np.int32)
        # FAISS's own memory, not a copy of it.
        self._passage_vectors = faiss.rev_swig_ptr(
            index.passage_index.get_xb(), index.passage_index.ntotal * index.dimension
        ).reshape(-1, index.dimension)
        self._tokens = TokenScan(index.token_vectors.astype(np.float32))

    @property
    def statistics(self) -> Statistics:
        """What lexical scores are computed from."""
        return Statistics(
            1, len(self._index.passages), len(self._index.sentences), len(self._index.terms.ids)
        )

    def document_frequencies(self, terms: Sequence[str]) -> Int32:
        """How many passages hold each term."""
        found = [
            len(self._postings.rows(self._term_of[term])) if term in self._term_of else 0
            for term in terms
        ]
        return np.asarray(found, dtype=np.int32)

    def piece_frequencies(self, token_ids: Int32) -> Int32:
        """How many passages hold each word piece."""
        counts = self._piece_frequency
        return np.asarray([counts.get(piece, 0) for piece in token_ids.tolist()], dtype=np.int32)

    def dense(self, vector: Float32, k: int, where: Where | None = None) -> Hits:
        """The nearest passages, by a FAISS search."""
        if not self.entries(where):
            return Hits()
        with on_this_thread():
            scores, rows = self._index.passage_index.search(
                np.ascontiguousarray(vector[None]), min(k, len(self._index.passages))
            )
        return Hits(rows[0].astype(np.int64), scores[0])

    def lexical(self, terms: Sequence[str], k: int, where: Where | None = None) -> Hits:
        """The passages with the highest BM25."""
        if not self.entries(where):
            return Hits()
        scores = self._postings.scores([self._term_of[t] for t in terms if t in self._term_of])
        rows = np.argsort(-scores, kind="stable")[:k]
        rows = rows[scores[rows] > 0]
        return Hits(rows.astype(np.int64), scores[rows])

    def pool(self, rows: Int64, terms: Sequence[str]) -> Pool:
        """Some passages, side by side."""
        n_sentences = np.diff(self._sentence_starts)[rows]
        sentences = ranges(self._sentence_starts[rows], n_sentences)
        n_tokens = np.diff(self._index.token_starts)[sentences]
        tokens = ranges(self._index.token_starts[sentences], n_tokens)
        lengths = np.diff(self._index.terms.starts)[sentences]
        occurrences = self._index.terms.ids[ranges(self._index.terms.starts[sentences], lengths)]
        column = np.full(len(self._index.terms.vocabulary) + 1, -1, dtype=np.int64)
        for position, term in enumerate(terms):
            column[self._term_of.get(term, -1)] = position
        column[-1] = -1
        passages = [self._index.passages[row] for row in rows.tolist()]
        return Pool(
            articles=(self._index.article.id,),
            article_of=np.zeros(len(rows), dtype=np.int32),
            passage_spans=np.asarray([(p.start, p.end) for p in passages], np.int32).reshape(-1, 2),
            paragraphs=np.asarray([p.paragraph for p in passages], dtype=np.int32),
            pages=np.asarray([p.page or 0 for p in passages], dtype=np.int32),
            sentence_spans=self._sentence_spans[sentences],
            sentence_starts=_bounds(n_sentences),
            token_starts=_bounds(n_tokens),
            token_ids=self._index.token_ids[tokens],
            passage_vectors=self._passage_vectors[rows],
            tokens=_ArticleTokens(
                self._tokens, tokens, self._mean_lengths[sentences], self._index.token_vectors
            ),
            traits=self._index.traits[sentences],
            term_counts=count_terms(
                np.repeat(np.arange(len(sentences)), lengths),
                column[occurrences],
                len(sentences),
                len(terms),
            ),
            lengths=lengths.astype(np.int32),
        )

    def article(self, article_id: str) -> Article:  # noqa: D102 - as the protocol
        if article_id != self._index.article.id:
            raise UnknownArticle(f"no article {article_id!r} is open here")
        return self._index.article

    def entries(  # noqa: D102
        self, where: Where | None = None, *, limit: int | None = None, offset: int = 0
    ) -> tuple[Entry, ...]:
        fits = where is None or matches(self._entry, where)
        return (self._entry,)[offset:limit] if fits else ()

    @cached_property
    def _entry(self) -> Entry:
        index = self._index
        return described(index.article, n_passages=len(index.passages))

    @cached_property
    def _piece_frequency(self) -> dict[int, int]:
        passage_tokens = self._index.token_starts[self._sentence_starts]
        passage = np.repeat(np.arange(len(self._index.passages)), np.diff(passage_tokens))
        pairs = np.unique(np.stack([self._index.token_ids, passage]), axis=1)
        pieces, counts = np.unique(pairs[0], return_counts=True)
        return dict(zip(pieces.tolist(), counts.tolist(), strict=True))

    @cached_property
    def _mean_lengths(self) -> Float32:
        vectors = VectorTokens(self._index.token_vectors.astype(np.float32))
        return vectors.mean_lengths(self._index.token_starts)


@dataclass(frozen=True, slots=True)
class _ArticleTokens:
    """The word pieces of some passages; see `index.scoring.token_vectors.Tokens`."""

    scan: TokenScan
    rows: Int64
    lengths: Float32
    stored: NDArray[np.float16]

    def cosines(self, queries: Float32) -> Float32:
        return self.scan.cosines(queries, self.rows)

    def mean_lengths(self, starts: Int32) -> Float32:
        return self.lengths

    def vectors(self) -> Float32:
        return self.stored[self.rows].astype(np.float32)


def _bounds(sizes: Int32) -> Int32:
    """Where each begins, laid end to end, and where the last ends."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
