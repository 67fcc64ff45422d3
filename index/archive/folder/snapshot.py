"""One question's view of a folder archive: searches, filters and stored passages."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from index.archive.article_cache import RecentArticles
from index.archive.entries import entry_of
from index.archive.folder import lexical_index, vector_index
from index.archive.folder.database import check_row, explained
from index.archive.folder.view import View
from index.archive.records.article import unpack_body
from index.archive.records.passage import unpack_passages, unpack_vectors
from index.archive.records.pool import pool_of, prepared_of
from index.archive.store import Entry, Hits, Int64, PreparedArticle, Statistics, Where
from index.article import Article
from index.errors import UnknownArticle
from index.models.encoder import Float32, Int32
from index.scoring.bm25 import idf
from index.scoring.pool import Pool

__all__ = ["FolderSnapshot"]

EXACT_UP_TO: Final = 2_000
"""Passages that a filter may leave to be compared one by one."""
_BATCH: Final = 500


_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def _explained(
    method: Callable[Concatenate[FolderSnapshot, _Parameters], _Result],
) -> Callable[Concatenate[FolderSnapshot, _Parameters], _Result]:
    """Say of what goes wrong in a method which archive it is, and what to do."""

    @wraps(method)
    def explaining(
        self: FolderSnapshot, /, *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        with explained(self._folder):
            return method(self, *args, **kwargs)

    return explaining


class FolderSnapshot:
    """See `index.archive.store.Snapshot`. Belongs to one thread and one transaction."""

    def __init__(
        self,
        folder: Path,
        connection: sqlite3.Connection,
        view: View,
        with_catalogue: Callable[[sqlite3.Connection, Where], tuple[Int64, Int64, Int64]],
        articles: RecentArticles,
    ) -> None:
        """Made by the store.

        Args:
            folder: Where the archive is, for messages.
            connection: In a transaction.
            view: Of that transaction.
            with_catalogue: Numbers, first rows and last rows of what a filter lets through.
            articles: Articles read lately, by number.
        """
        self._folder = folder
        self._connection = connection
        self._view = view
        self._with_catalogue = with_catalogue
        self._articles = articles
        self._known: dict[str, tuple[int, int] | None] = {}
        self._looked_up: dict[str, tuple[int, int, int]] = {}

    @property
    def statistics(self) -> Statistics:
        """See `index.archive.store.Snapshot`."""
        return self._view.state.statistics

    @_explained
    def document_frequencies(self, terms: Sequence[str]) -> Int32:
        """See `index.archive.store.Snapshot`."""
        known = self._terms(terms)
        return np.asarray([known.get(term, (0, 0))[1] for term in terms], dtype=np.int32)

    @_explained
    def piece_frequencies(self, token_ids: Int32) -> Int32:
        """See `index.archive.store.Snapshot`."""
        known = {}
        ids = sorted(set(token_ids.tolist()))
        for number, df, crc in self._select("SELECT number, df, crc FROM piece WHERE number", ids):
            check_row("a word piece", crc, number, df)
            known[number] = df
        return np.asarray([known.get(i, 0) for i in token_ids.tolist()], dtype=np.int32)

    @_explained
    def dense(self, vector: Float32, k: int, where: Where | None = None) -> Hits:
        """See `index.archive.store.Snapshot`."""
        view, allowed = self._view, self._allowed(where)
        delta = view.delta
        kept = delta.rows if allowed is None else delta.rows[allowed[delta.rows]]
        vectors = delta.vectors if allowed is None else delta.vectors[allowed[delta.rows]]
        rows, scores = kept, vectors @ vector
        if view.base is not None:
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
        if allowed is not None:
            rows = np.flatnonzero(allowed[: base.upto])
            if len(rows) <= EXACT_UP_TO:
                rows, vectors = self._vectors(rows, complete=False)
                return rows, vectors @ vector
        rows, scores = vector_index.search(
            base.index, base.kind, vector, k * base.kind.candidates, allowed
        )
        if base.kind.candidates > 1:
            rows, vectors = self._vectors(np.sort(rows), complete=True)
            scores = vectors @ vector
        return rows, scores

    @_explained
    def lexical(self, terms: Sequence[str], k: int, where: Where | None = None) -> Hits:
        """See `index.archive.store.Snapshot`."""
        known = self._terms(terms)
        numbers = sorted({number for number, df in known.values() if df > 0})
        if not numbers:
            return Hits()
        weights = np.zeros(len(numbers), dtype=np.float32)
        for term in terms:
            number, df = known.get(term, (0, 0))
            if df > 0:
                weights[numbers.index(number)] += idf(df, self.statistics.n_passages)
        view = self._view
        rows, scores = lexical_index.best(
            (view.base.segments if view.base else ()) + view.delta.segments,
            np.asarray(numbers, dtype=np.int64),
            weights,
            self.statistics.passage_length,
            k,
            self._allowed(where),
        )
        return Hits(rows, scores)

    @_explained
    def pool(self, rows: Int64, terms: Sequence[str]) -> Pool:
        """See `index.archive.store.Snapshot`."""
        view, wanted = self._view, rows.tolist()
        found = dict(self._select("SELECT row, data FROM passage WHERE row", sorted(wanted)))
        layout = unpack_passages(wanted, [found.get(row, b"") for row in wanted])
        _, vectors = self._vectors(rows, complete=True)
        articles, article_of = np.unique(layout.articles, return_inverse=True)
        known = {term: number for term, (number, _) in self._terms(terms).items()}
        return pool_of(
            layout,
            vectors,
            view.codecs,
            articles=self._ids(articles),
            article_of=article_of,
            terms=[known.get(term) for term in terms],
        )

    @_explained
    def article(self, article_id: str) -> Article:
        """See `index.archive.store.Snapshot`."""
        number = self._article_row(article_id)[0]
        article = self._articles.get(number)
        if article is None:
            row = self._connection.execute(
                "SELECT data FROM body WHERE number = ?", (number,)
            ).fetchone()
            if row is None:
                raise ValueError(f"the text of article {article_id} is missing")
            article = unpack_body(number, row[0])
            if article.id != article_id:
                raise ValueError(f"the text of article {article_id} is damaged")
            self._articles.keep(number, article)
        return article

    @_explained
    def prepared(self, article_id: str) -> PreparedArticle:
        """See `index.archive.store.Snapshot`."""
        _, first, last = self._article_row(article_id)
        rows = np.arange(first, last, dtype=np.int64)
        found = dict(self._select("SELECT row, data FROM passage WHERE row", rows.tolist()))
        layout = unpack_passages(rows.tolist(), [found.get(row, b"") for row in rows.tolist()])
        _, vectors = self._vectors(rows, complete=True)
        terms = {}
        for n, term, df, crc in self._select(
            "SELECT number, term, df, crc FROM term WHERE number",
            np.unique(layout.term_ids).tolist(),
        ):
            check_row("a term", crc, n, term, df)
            terms[n] = term
        (entry,) = self.entries(Where(ids=(article_id,)))
        article = self.article(article_id)
        return prepared_of(article, entry, layout, vectors, self._view.codecs, terms)

    @_explained
    def entries(
        self, where: Where | None = None, *, limit: int | None = None, offset: int = 0
    ) -> tuple[Entry, ...]:
        """See `index.archive.store.Snapshot`."""
        columns = "SELECT number, id, first, last, entry, crc FROM article"
        n = -1 if limit is None else limit
        if not where:
            found: Iterator[Any] = iter(
                self._connection.execute(
                    f"{columns} ORDER BY number LIMIT ? OFFSET ?",
                    (n, offset),
                )
            )
        else:
            numbers = self._matching(where)[0].tolist()
            found = self._select(f"{columns} WHERE number", numbers)
        entries = []
        for number, key, first, last, entry, crc in found:
            check_row("an article", crc, number, key, first, last, entry)
            entries.append((number, entry_of(entry)))
        entries.sort(key=lambda pair: pair[0])
        result = tuple(entry for _, entry in entries)
        # Of a filter the removed ones are known only now: they have no row any more.
        return result[offset:][:limit] if where else result

    def _matching(self, where: Where) -> tuple[Int64, Int64, Int64]:
        """Numbers, first rows and last rows of the articles that a filter lets through."""
        if not where.ids:
            return self._with_catalogue(self._connection, where)
        found = []
        for article_id in sorted(set(where.ids)):
            try:
                found.append(self._article_row(article_id))
            except UnknownArticle:
                continue
        numbers, firsts, lasts = (
            np.asarray([row[i] for row in found], dtype=np.int64) for i in range(3)
        )
        if where != type(where)(ids=where.ids):
            rest = self._with_catalogue(self._connection, where)[0]
            kept = np.isin(numbers, rest)
            numbers, firsts, lasts = numbers[kept], firsts[kept], lasts[kept]
        return numbers, firsts, lasts

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
        if article_id in self._looked_up:
            return self._looked_up[article_id]
        row = self._connection.execute(
            "SELECT number, id, first, last, entry, crc FROM article WHERE id = ?", (article_id,)
        ).fetchone()
        if row is None:
            raise UnknownArticle(f"the library holds no article {article_id!r}")
        number, key, first, last, entry, crc = row
        check_row("an article", crc, number, key, first, last, entry)
        return number, first, last

    def _ids(self, numbers: Int64) -> tuple[str, ...]:
        found = {}
        for number, key, first, last, entry, crc in self._select(
            "SELECT number, id, first, last, entry, crc FROM article WHERE number",
            numbers.tolist(),
        ):
            check_row("an article", crc, number, key, first, last, entry)
            found[number] = key
            self._looked_up[key] = (number, first, last)
        return tuple(found[number] for number in numbers.tolist())

    def _terms(self, terms: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Number and document frequency of each term that the archive knows."""
        # One question asks for its terms in every step that it takes.
        missing = sorted({term for term in terms if term not in self._known})
        self._known.update(dict.fromkeys(missing))
        for number, term, df, crc in self._select(
            "SELECT number, term, df, crc FROM term WHERE term", missing
        ):
            check_row("a term", crc, number, term, df)
            self._known[term] = (number, df)
        return {term: found for term in terms if (found := self._known[term]) is not None}

    def _vectors(self, rows: Int64, *, complete: bool) -> tuple[Int64, Float32]:
        """Stored vectors, in the order of the rows that exist."""
        wanted = rows.tolist()
        found = dict(self._select("SELECT row, data FROM vector WHERE row", wanted))
        if not complete:
            wanted = [row for row in wanted if row in found]
        vectors = unpack_vectors(
            wanted, [found.get(row, b"") for row in wanted], self._view.state.model.dimension
        )
        return np.asarray(wanted, dtype=np.int64), vectors

    def _select(self, query: str, keys: Sequence[Any]) -> Iterator[Any]:
        """Rows whose key is among some, in batches that SQLite takes."""
        for start in range(0, len(keys), _BATCH):
            some = keys[start : start + _BATCH]
            marks = ",".join("?" * len(some))
            yield from self._connection.execute(f"{query} IN ({marks})", some)
