"""One question's view of a folder archive: searches, filters and stored passages."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from index.archive.article_cache import RecentArticles
from index.archive.entries import entry_of
from index.archive.folder import lexical_index, vector_index
from index.archive.folder.database import explained, select, select_in
from index.archive.folder.view import View
from index.archive.records.article import unpack_body
from index.archive.records.passage import Layout, unpack_passages, unpack_vectors
from index.archive.records.pool import pool_of, prepared_of
from index.archive.store import Entry, Hits, Int64, PreparedArticle, Statistics, Where
from index.article import Article
from index.errors import UnknownArticle
from index.models.encoder import Float32, Int32
from index.scoring.bm25 import idf
from index.scoring.pool import Pool

__all__ = ["FolderSnapshot", "Matching"]

EXACT_UP_TO: Final = 2_000
"""Passages that a filter may leave to be compared one by one."""

Matching = Callable[[sqlite3.Connection, Where], tuple[Int64, Int64, Int64]]
"""Numbers, first rows and ends of the articles that a filter lets through, removed ones too."""

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def _explained(
    method: Callable[Concatenate[FolderSnapshot, _Parameters], _Result],
) -> Callable[Concatenate[FolderSnapshot, _Parameters], _Result]:
    """Report a method's errors as those of the archive."""

    @wraps(method)
    def explaining(
        self: FolderSnapshot, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        with explained(self._folder):
            return method(self, *args, **kwargs)

    return explaining


class FolderSnapshot:
    """A `Snapshot` that belongs to one thread and one transaction."""

    def __init__(
        self,
        folder: Path,
        connection: sqlite3.Connection,
        view: View,
        matching: Matching,
        articles: RecentArticles,
    ) -> None:
        self._folder = folder
        self._connection = connection
        self._view = view
        self._catalogue = matching
        self._articles = articles
        self._known_terms: dict[str, tuple[int, int] | None] = {}
        self._known_articles: dict[str, tuple[int, int, int]] = {}

    @property
    def statistics(self) -> Statistics:
        return self._view.state.statistics

    @_explained
    def document_frequencies(self, terms: Sequence[str]) -> Int32:
        known = self._terms(terms)
        return np.asarray([known.get(term, (0, 0))[1] for term in terms], dtype=np.int32)

    @_explained
    def piece_frequencies(self, token_ids: Int32) -> Int32:
        ids = token_ids.tolist()
        known = dict(select_in(self._connection, "piece", "number", sorted(set(ids))))
        return np.asarray([known.get(i, 0) for i in ids], dtype=np.int32)

    @_explained
    def dense(self, vector: Float32, k: int, where: Where | None = None) -> Hits:
        allowed, delta = self._allowed(where), self._view.delta
        rows, vectors = delta.rows, delta.vectors
        if allowed is not None:
            rows, vectors = rows[allowed[rows]], vectors[allowed[rows]]
        scores = vectors @ vector
        if self._view.base is not None:
            found, found_scores = self._dense_base(vector, k, allowed)
            rows = np.concatenate([found, rows])
            scores = np.concatenate([found_scores, scores])
        if len(rows) > 4 * k:
            some = np.argpartition(-scores, 2 * k)[: 2 * k]
            rows, scores = rows[some], scores[some]
        order = np.lexsort((rows, -scores))[:k]
        return Hits(rows[order], scores[order])

    def _dense_base(
        self, vector: Float32, k: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[Int64, Float32]:
        base = self._view.base
        assert base is not None  # noqa: S101 - the caller asked
        kind = base.manifest.kind
        if allowed is not None:
            rows = np.flatnonzero(allowed[: base.manifest.upto])
            if len(rows) <= EXACT_UP_TO:
                # A filter also names rows that were removed and then, by compaction, forgotten.
                _, found = self._blobs("vector", rows)
                rows = rows[[bool(data) for data in found]]
                return rows, self._vectors(rows) @ vector
        rows, scores = vector_index.search(base.index, kind, vector, k * kind.candidates, allowed)
        if kind.candidates > 1:
            rows = np.sort(rows)
            scores = self._vectors(rows) @ vector
        return rows, scores

    @_explained
    def lexical(self, terms: Sequence[str], k: int, where: Where | None = None) -> Hits:
        weights: dict[int, float] = {}
        known = self._terms(terms)
        for term in terms:
            number, df = known.get(term, (0, 0))
            if df > 0:
                added = idf(df, self.statistics.n_passages)
                weights[number] = weights.get(number, 0.0) + added
        if not weights:
            return Hits()
        numbers, view = sorted(weights), self._view
        rows, scores = lexical_index.best(
            (view.base.segments if view.base else ()) + view.delta.segments,
            np.asarray(numbers, dtype=np.int64),
            np.asarray([weights[number] for number in numbers], dtype=np.float32),
            self.statistics.passage_length,
            k,
            self._allowed(where),
        )
        return Hits(rows, scores)

    @_explained
    def pool(self, rows: Int64, terms: Sequence[str]) -> Pool:
        layout = self._layout(rows)
        numbers, article_of = np.unique(layout.articles, return_inverse=True)
        found = {}
        for number, key, first, last, text in select_in(
            self._connection, "article", "number", numbers.tolist()
        ):
            found[number] = (key, entry_of(text).n_characters)
            self._known_articles[key] = (number, first, last)
        known = {term: number for term, (number, _) in self._terms(terms).items()}
        return pool_of(
            layout,
            self._vectors(rows),
            self._view.codecs,
            articles=[found[number] for number in numbers.tolist()],
            article_of=article_of,
            terms=[known.get(term) for term in terms],
        )

    @_explained
    def article(self, article_id: str) -> Article:
        number = self._article_row(article_id)[0]
        article = self._articles.get(number)
        if article is None:
            found = dict(select_in(self._connection, "body", "number", [number]))
            article = unpack_body(number, found.get(number, b""), article_id)
            self._articles.keep(number, article)
        return article

    @_explained
    def prepared(self, article_id: str) -> PreparedArticle:
        _, first, last = self._article_row(article_id)
        rows = np.arange(first, last, dtype=np.int64)
        layout = self._layout(rows)
        numbers = np.unique(layout.term_ids).tolist()
        terms = {n: term for n, term, _ in select_in(self._connection, "term", "number", numbers)}
        (entry,) = self.entries(Where(ids=(article_id,)))
        article = self.article(article_id)
        return prepared_of(article, entry, layout, self._vectors(rows), self._view.codecs, terms)

    @_explained
    def entries(
        self, where: Where | None = None, *, limit: int | None = None, offset: int = 0
    ) -> tuple[Entry, ...]:
        if not where:
            n = -1 if limit is None else limit
            found = select(
                self._connection, "article", "ORDER BY number LIMIT ? OFFSET ?", (n, offset)
            )
            return tuple(entry_of(text) for *_, text in found)
        numbers = self._matching(where)[0].tolist()
        # The removed ones among them have no row any more, which shows only now.
        found = select_in(self._connection, "article", "number", sorted(numbers))
        return tuple(entry_of(text) for *_, text in sorted(found))[offset:][:limit]

    def _matching(self, where: Where) -> tuple[Int64, Int64, Int64]:
        """Numbers, first rows and ends of the articles that a filter lets through."""
        if not where.ids:
            return self._catalogue(self._connection, where)
        found = select_in(self._connection, "article", "id", sorted(set(where.ids)))
        rows = [(number, first, last) for number, _, first, last, _ in found]
        table = np.asarray(rows, dtype=np.int64).reshape(-1, 3)
        if where != Where(ids=where.ids):
            table = table[np.isin(table[:, 0], self._catalogue(self._connection, where)[0])]
        return table[:, 0], table[:, 1], table[:, 2]

    def _allowed(self, where: Where | None) -> NDArray[np.bool_] | None:
        """Bool ``(next_row,)``: rows that may be found; None where all may."""
        alive = self._view.alive
        if not where:
            return alive
        _, firsts, lasts = self._matching(where)
        edges = np.zeros(self._view.state.next_row + 1, dtype=np.int8)
        np.add.at(edges, firsts, 1)
        np.add.at(edges, lasts, -1)
        allowed = np.cumsum(edges[:-1], dtype=np.int8).astype(np.bool_)
        return allowed if alive is None else allowed & alive

    def _article_row(self, article_id: str) -> tuple[int, int, int]:
        """Number, first row and end of an article."""
        if article_id not in self._known_articles:
            found = list(select(self._connection, "article", "WHERE id = ?", (article_id,)))
            if not found:
                raise UnknownArticle(f"the library holds no article {article_id!r}")
            number, _, first, last, _ = found[0]
            self._known_articles[article_id] = (number, first, last)
        return self._known_articles[article_id]

    def _terms(self, terms: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Number and document frequency of each term that the archive knows."""
        # One question asks for its terms in every step that it takes.
        missing = sorted({term for term in terms if term not in self._known_terms})
        self._known_terms.update(dict.fromkeys(missing))
        for number, term, df in select_in(self._connection, "term", "term", missing):
            self._known_terms[term] = (number, df)
        return {term: found for term in terms if (found := self._known_terms[term]) is not None}

    def _layout(self, rows: Int64) -> Layout:
        wanted, found = self._blobs("passage", rows)
        return unpack_passages(wanted, found)

    def _vectors(self, rows: Int64) -> Float32:
        wanted, found = self._blobs("vector", rows)
        return unpack_vectors(wanted, found, self._view.state.model.dimension)

    def _blobs(self, table: str, rows: Int64) -> tuple[list[int], list[bytes]]:
        wanted: list[int] = rows.tolist()
        found = dict(select_in(self._connection, table, "row", sorted(wanted)))
        return wanted, [found.get(row, b"") for row in wanted]
