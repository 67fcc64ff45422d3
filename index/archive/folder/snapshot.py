"""One question's view of a folder archive: searches, filters and stored passages."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.archive.article_cache import RecentArticles
from index.archive.entries import entry_of
from index.archive.folder import lexical_index, vector_index
from index.archive.folder.catalogue import Catalogue
from index.archive.folder.database import explained_errors, select, select_in
from index.archive.folder.view import Base, View
from index.archive.records.passage import Layout, unpack_passages, unpack_vectors
from index.archive.records.snapshot import Position, RecordSnapshot, explained
from index.archive.records.token_codec import TokenCodec
from index.archive.store import Entry, Hits, Int64, Statistics, Where
from index.models.encoder import Float32

__all__ = ["FolderSnapshot"]

EXACT_UP_TO: Final = 2_000
"""Passages that a filter may leave to be compared one by one."""


class FolderSnapshot(RecordSnapshot):
    """A `StoredSnapshot` that belongs to one thread and one transaction."""

    def __init__(
        self,
        folder: Path,
        connection: sqlite3.Connection,
        view: View,
        catalogue: Catalogue,
        articles: RecentArticles,
    ) -> None:
        super().__init__(articles)
        self._folder = folder
        self._connection = connection
        self._view = view
        self._catalogue = catalogue

    @property
    def statistics(self) -> Statistics:
        return self._view.state.statistics

    @explained
    def dense(self, vector: Float32, k: int, where: Where | None = None) -> Hits:
        allowed, delta = self._allowed(where), self._view.delta
        rows, vectors = delta.rows, delta.vectors
        if allowed is not None:
            rows, vectors = rows[allowed[rows]], vectors[allowed[rows]]
        scores = vectors @ vector
        if self._view.base is not None:
            found, found_scores = self._dense_base(self._view.base, vector, k, allowed)
            rows = np.concatenate([found, rows])
            scores = np.concatenate([found_scores, scores])
        if len(rows) > 4 * k:
            some = np.argpartition(-scores, 2 * k)[: 2 * k]
            rows, scores = rows[some], scores[some]
        order = np.lexsort((rows, -scores))[:k]
        return Hits(rows[order], scores[order])

    def _dense_base(
        self, base: Base, vector: Float32, k: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[Int64, Float32]:
        kind = base.manifest.kind
        if allowed is not None:
            rows = np.flatnonzero(allowed[: base.manifest.upto])
            if len(rows) <= EXACT_UP_TO:
                # A filter also names rows that were removed and then, by compaction, forgotten.
                rows = rows[[bool(data) for data in self._blobs("vector", rows)]]
                return rows, self._vectors(rows) @ vector
        rows, scores = vector_index.search(base.index, kind, vector, k * kind.candidates, allowed)
        if kind.candidates > 1:
            rows = np.sort(rows)
            scores = self._vectors(rows) @ vector
        return rows, scores

    @explained
    def entries(
        self, where: Where | None = None, *, limit: int | None = None, offset: int = 0
    ) -> tuple[Entry, ...]:
        if not where:
            n = -1 if limit is None else limit
            found = select(
                self._connection, "article", "ORDER BY number LIMIT ? OFFSET ?", (n, offset)
            )
            return tuple(entry_of(text) for *_, text in found)
        # The removed ones among them have no row any more, which shows only now.
        listed = sorted(self._listed(self._matching(where)[:, 0].tolist()), key=lambda one: one[0])
        return tuple(entry for _, entry in listed)[offset:][:limit]

    def _matching(self, where: Where) -> Int64:
        """Number, first row and end of the articles that a filter lets through: ``(n, 3)``."""
        if where == Where(ids=where.ids):
            found = list(self._find_articles(sorted(set(where.ids))).values())
            return np.asarray(found, dtype=np.int64).reshape(-1, 3)
        next_article = self._view.state.next_article
        table = self._catalogue.matching(self._connection, next_article, where)
        if where.ids:
            table = table[np.isin(table[:, 0], self._matching(Where(ids=where.ids))[:, 0])]
        return table

    def _allowed(self, where: Where | None) -> NDArray[np.bool_] | None:
        """Bool ``(next_row,)``: rows that may be found; None where all may."""
        alive = self._view.alive
        if not where:
            return alive
        _, firsts, lasts = self._matching(where).T
        edges = np.zeros(self._view.state.next_row + 1, dtype=np.int8)
        np.add.at(edges, firsts, 1)
        np.add.at(edges, lasts, -1)
        allowed = np.cumsum(edges[:-1], dtype=np.int8).astype(np.bool_)
        return allowed if alive is None else allowed & alive

    def explaining(self) -> AbstractContextManager[None]:
        return explained_errors(self._folder)

    def _bm25(
        self, weights: Mapping[int, float], dfs: Mapping[int, int], k: int, where: Where | None
    ) -> Hits:
        view = self._view
        rows, scores = lexical_index.best(
            (view.base.segments if view.base else ()) + view.delta.segments,
            np.asarray(list(weights), dtype=np.int64),
            np.asarray(list(weights.values()), dtype=np.float32),
            self.statistics.passage_length,
            k,
            self._allowed(where),
        )
        return Hits(rows, scores)

    def _find_terms(self, terms: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        found = select_in(self._connection, "term", "term", terms)
        return {term: (number, df) for number, term, df in found}

    def _find_pieces(self, token_ids: Sequence[int]) -> Mapping[int, int]:
        return dict(select_in(self._connection, "piece", "number", token_ids))

    def _find_articles(self, ids: Sequence[str]) -> Mapping[str, Position]:
        found = select_in(self._connection, "article", "id", ids)
        return {key: Position(number, first, last) for number, key, first, last, _ in found}

    def _listed(self, numbers: Sequence[int]) -> Iterator[tuple[Position, Entry]]:
        found = select_in(self._connection, "article", "number", numbers)
        for number, _, first, last, text in found:
            yield Position(number, first, last), entry_of(text)

    def _names_of_terms(self, numbers: Sequence[int]) -> Mapping[int, str]:
        return {n: term for n, term, _ in select_in(self._connection, "term", "number", numbers)}

    def _stored(self, rows: Int64) -> tuple[Layout, Float32]:
        return unpack_passages(rows.tolist(), self._blobs("passage", rows)), self._vectors(rows)

    def _body(self, number: int) -> bytes:
        (body,) = self._blobs("body", np.asarray([number]), "number")
        return body

    def _codecs(self, layout: Layout) -> Mapping[int, TokenCodec]:
        return self._view.codecs

    def _vectors(self, rows: Int64) -> Float32:
        dimension = self._view.state.model.dimension
        return unpack_vectors(rows.tolist(), self._blobs("vector", rows), dimension)

    def _blobs(self, table: str, keys: Int64, column: str = "row") -> list[bytes]:
        found = dict(select_in(self._connection, table, column, sorted(keys.tolist())))
        return [found.get(key, b"") for key in keys.tolist()]
