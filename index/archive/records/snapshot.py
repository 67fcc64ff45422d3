"""What any store that keeps passages as records answers from, once it has read them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import wraps
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import numpy as np

from index.archive.article_cache import RecentArticles
from index.archive.records.passage import Layout, prepared_of, tokens_of, unpack_body
from index.archive.records.token_codec import TokenCodec
from index.archive.store import Entry, Hits, Int64, PreparedArticle, Statistics, Where
from index.article import Article
from index.errors import UnknownArticle
from index.models.encoder import Float32, Int32
from index.scoring.bm25 import idf
from index.scoring.pool import Pool, count_terms

__all__ = ["Position", "RecordSnapshot", "explained"]

_NO_TERM = (-1, 0)
_Snapshot = TypeVar("_Snapshot", bound="RecordSnapshot")
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class Position(NamedTuple):
    """An article's number, its first row, and one past its last."""

    number: int
    first: int
    last: int


def explained(
    method: Callable[Concatenate[_Snapshot, _Parameters], _Result],
) -> Callable[Concatenate[_Snapshot, _Parameters], _Result]:
    """Report a method's errors as those of the archive."""

    @wraps(method)
    def explaining(
        self: _Snapshot, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        with self.explaining():
            return method(self, *args, **kwargs)

    return explaining


class RecordSnapshot(ABC):
    """A `StoredSnapshot` over a few ways to look something up, which a store gives."""

    def __init__(self, articles: RecentArticles) -> None:
        self._articles = articles
        # One question asks for its terms and its articles in every step that it takes.
        self._known: dict[str, tuple[int, int]] = {}
        self._positions: dict[str, Position] = {}

    @property
    @abstractmethod
    def statistics(self) -> Statistics: ...

    @abstractmethod
    def dense(self, vector: Float32, k: int, where: Where | None = None) -> Hits: ...

    @abstractmethod
    def entries(
        self, where: Where | None = None, *, limit: int | None = None, offset: int = 0
    ) -> tuple[Entry, ...]: ...

    @abstractmethod
    def explaining(self) -> AbstractContextManager[None]:
        """Turn errors of damaged rows into the archive's."""

    @abstractmethod
    def _bm25(
        self, weights: Mapping[int, float], dfs: Mapping[int, int], k: int, where: Where | None
    ) -> Hits:
        """The best rows by BM25, given idf and document frequency of each term by number."""

    @abstractmethod
    def _find_terms(self, terms: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """Number and document frequency of each term that the archive has."""

    @abstractmethod
    def _find_pieces(self, token_ids: Sequence[int]) -> Mapping[int, int]:
        """Document frequency of each word piece that the archive has."""

    @abstractmethod
    def _find_articles(self, ids: Sequence[str]) -> Mapping[str, Position]:
        """Where the articles are, of those that the archive has."""

    @abstractmethod
    def _listed(self, numbers: Sequence[int]) -> Iterable[tuple[Position, Entry]]:
        """The articles of some numbers, in no order."""

    @abstractmethod
    def _names_of_terms(self, numbers: Sequence[int]) -> Mapping[int, str]:
        """Terms by number."""

    @abstractmethod
    def _stored(self, rows: Int64) -> tuple[Layout, Float32]:
        """Records and vectors, in the order of the rows."""

    @abstractmethod
    def _body(self, number: int) -> bytes:
        """What ``pack_body`` made of an article, or nothing."""

    @abstractmethod
    def _codecs(self, layout: Layout) -> Mapping[int, TokenCodec]:
        """The codecs that passages were kept with, by number."""

    @explained
    def document_frequencies(self, terms: Sequence[str]) -> Int32:
        known = self._terms(terms)
        return np.asarray([known[term][1] for term in terms], dtype=np.int32)

    @explained
    def piece_frequencies(self, token_ids: Int32) -> Int32:
        ids = token_ids.tolist()
        known = self._find_pieces(sorted(set(ids)))
        return np.asarray([known.get(i, 0) for i in ids], dtype=np.int32)

    @explained
    def lexical(self, terms: Sequence[str], k: int, where: Where | None = None) -> Hits:
        known, n = self._terms(terms), self.statistics.n_passages
        found = sorted(known[term] for term in terms if known[term][1] > 0)
        weights: dict[int, float] = {}
        for number, df in found:
            weights[number] = weights.get(number, 0.0) + idf(df, n)
        return self._bm25(weights, dict(found), k, where) if weights else Hits()

    @explained
    def pool(self, rows: Int64, terms: Sequence[str]) -> Pool:
        layout, vectors = self._stored(rows)
        numbers, article_of = np.unique(layout.articles, return_inverse=True)
        entries: dict[int, Entry] = {}
        for position, entry in self._listed(numbers.tolist()):
            entries[position.number] = entry
            self._positions[entry.id] = position
        articles = [entries[number] for number in numbers.tolist()]
        ends = np.asarray([entry.n_characters for entry in articles], dtype=np.int64)
        if (layout.passage_spans[:, 1] > ends[article_of]).any():
            raise ValueError("a passage lies beyond the end of its article")
        column = np.full(len(layout.term_ids), -1, dtype=np.int64)
        known = self._terms(terms)
        for place, term in enumerate(terms):
            column[layout.term_ids == known[term][0]] = place
        n_terms = np.diff(layout.term_starts)
        sentence = np.repeat(np.arange(len(n_terms)), n_terms)
        return Pool(
            articles=tuple(entry.id for entry in articles),
            article_of=article_of.astype(np.int32),
            passage_spans=layout.passage_spans,
            paragraphs=layout.paragraphs,
            pages=layout.pages,
            sentence_spans=layout.sentence_spans,
            sentence_starts=layout.sentence_starts,
            token_starts=layout.token_starts,
            token_ids=layout.token_ids.astype(np.int32),
            passage_vectors=vectors,
            tokens=tokens_of(layout, vectors, self._codecs(layout)),
            traits=layout.traits,
            term_counts=count_terms(sentence, column, len(n_terms), len(terms)),
            lengths=n_terms.astype(np.int32),
        )

    @explained
    def article(self, article_id: str) -> Article:
        number = self._position(article_id).number
        article = self._articles.get(number)
        if article is None:
            article = unpack_body(number, self._body(number), article_id)
            self._articles.keep(number, article)
        return article

    @explained
    def prepared(self, article_id: str) -> PreparedArticle:
        number, first, last = self._position(article_id)
        layout, vectors = self._stored(np.arange(first, last, dtype=np.int64))
        terms = self._names_of_terms(np.unique(layout.term_ids).tolist())
        ((_, entry),) = self._listed([number])
        article = self.article(article_id)
        return prepared_of(article, entry, layout, vectors, self._codecs(layout), terms)

    def _position(self, article_id: str) -> Position:
        if article_id not in self._positions:
            self._positions.update(self._find_articles([article_id]))
        if article_id not in self._positions:
            raise UnknownArticle(f"the library holds no article {article_id!r}")
        return self._positions[article_id]

    def _terms(self, terms: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Number and document frequency of each term."""
        missing = sorted(set(terms) - self._known.keys())
        if missing:
            self._known |= dict.fromkeys(missing, _NO_TERM) | dict(self._find_terms(missing))
        return self._known
