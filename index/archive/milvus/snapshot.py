"""One question's view of an archive on Milvus: searches, filters and stored passages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from index.archive.article_cache import RecentArticles
from index.archive.entries import entry_of
from index.archive.milvus.blobs import Blob, read_blobs
from index.archive.milvus.changes import find
from index.archive.milvus.client import MOST_ROWS, Milvus
from index.archive.milvus.commits import State, read_state, removals
from index.archive.milvus.filters import all_of, among, at_most, between, matching, not_among
from index.archive.milvus.lexical_search import LexicalSearch
from index.archive.milvus.schema import search_params
from index.archive.milvus.vocabulary import piece_name, read_words, term_name, terms_of
from index.archive.records.passage import Layout, unpack_passages
from index.archive.records.snapshot import Position, RecordSnapshot, explained
from index.archive.records.token_codec import ByteCodec, ResidualCodec, TokenCodec
from index.archive.store import Entry, Hits, Int64, ModelRef, Statistics, Where
from index.errors import ArticleQAError, DamagedLibrary, LibraryBusy
from index.models.encoder import Float32

__all__ = ["Connection", "MilvusSnapshot"]

_WINDOW: Final = 4_096


@dataclass(slots=True)
class Connection:
    """A server, and what stays known of an archive on it from question to question.

    Attributes:
        articles: Read lately, by number.
        newest: The last generation that was seen.
        codecs: Read so far, by number.
    """

    milvus: Milvus
    model: ModelRef
    articles: RecentArticles = field(default_factory=RecentArticles)
    newest: int = 0
    codecs: dict[int, TokenCodec] = field(default_factory=dict)

    def state(self) -> State:
        """A state no older than the last that was seen."""
        state = read_state(self.milvus, at_least=self.newest)
        self.newest = max(self.newest, state.generation)
        return state


class MilvusSnapshot(RecordSnapshot):
    """A `StoredSnapshot` of one commit."""

    def __init__(self, connection: Connection, state: State) -> None:
        super().__init__(connection.articles)
        self._connection = connection
        self._milvus = connection.milvus
        if not self._milvus.is_lite:  # a file has no clock to wait for
            self._milvus = self._milvus.seen_at(state.visible)
        self._state = state

    @property
    def statistics(self) -> Statistics:
        return self._state.statistics

    @cached_property
    def _gone(self) -> list[int]:
        """Numbers of removed articles whose rows still exist."""
        return sorted(removals(self._milvus, self._state))

    @explained
    def dense(self, vector: Float32, k: int, where: Where | None = None) -> Hits:
        expression = self._allowed(where)
        if expression is None or not self.statistics.n_passages:
            return Hits()
        found = self._milvus.search(
            self._milvus.names.passages,
            "vector",
            vector.tolist(),
            expression,
            ("row",),
            limit=min(k, MOST_ROWS),
            params=search_params(self._state.index, k),
        )
        rows = np.asarray([int(row["row"]) for _, row in found], dtype=np.int64)
        scores = np.asarray([score for score, _ in found], dtype=np.float32)
        order = np.lexsort((rows, -scores))
        return Hits(rows[order], scores[order])

    @explained
    def entries(
        self, where: Where | None = None, *, limit: int | None = None, offset: int = 0
    ) -> tuple[Entry, ...]:
        if where and where.ids:
            numbers = sorted(
                position.number for position in self._find_articles(where.ids).values()
            )
            windows = [
                among("number", numbers[start : start + _WINDOW])
                for start in range(0, len(numbers), _WINDOW)
            ]
        else:
            windows = [
                between("number", start, start + _WINDOW - 1)
                for start in range(0, self._state.next_article, _WINDOW)
            ]
        names, fits = self._milvus.names, all_of(self._seen("number"), matching(where))
        entries: list[Entry] = []
        for window in windows:
            rows = self._milvus.query(names.articles, all_of(fits, window), ("number", "entry"))
            entries += [entry_of(row["entry"]) for row in sorted(rows, key=lambda r: r["number"])]
            if limit is not None and len(entries) >= offset + limit:
                break
        return tuple(entries[offset:][:limit])

    def rows(self) -> Iterator[Int64]:
        """All rows in order, some thousands at a time."""
        names, seen = self._milvus.names, self._seen("article")
        for start in range(0, self._state.next_row, _WINDOW):
            window = all_of(seen, between("row", start, start + _WINDOW - 1))
            found = self._milvus.query(names.passages, window, ("row",))
            yield np.sort(np.asarray([int(row["row"]) for row in found], dtype=np.int64))

    @explained
    def stored(self, rows: Int64) -> tuple[Layout, Float32]:
        """Records and vectors, in the order of the rows."""
        return self._stored(rows)

    @explained
    def codec(self, number: int) -> TokenCodec:
        """The token codec of a number."""
        codecs, dimension = self._connection.codecs, self._connection.model.dimension
        codecs.setdefault(0, ByteCodec(dimension))
        if number not in codecs:
            found = read_blobs(self._milvus, Blob.CODEC, [number])
            codecs[number] = ResidualCodec.from_bytes(found[number], dimension)
        return codecs[number]

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Report rows that are damaged, or that were removed while they were read."""
        try:
            yield
        except ArticleQAError:
            raise
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
            where = self._milvus.address
            if (
                read_state(self._connection.milvus, at_least=None).generation
                > self._state.generation
            ):
                raise LibraryBusy(
                    f"the library {where} changed while the question was read ({error}); ask again"
                ) from error
            raise DamagedLibrary(
                f"the library {where} is damaged ({error}); run: article-qa doctor"
                f" --library {where}"
            ) from error

    def _bm25(
        self, weights: Mapping[int, float], dfs: Mapping[int, int], k: int, where: Where | None
    ) -> Hits:
        expression = self._allowed(where)
        if expression is None:
            return Hits()
        return LexicalSearch(self._milvus, self._state, weights, dfs, k, expression).hits()

    def _find_terms(self, terms: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        names = {term: term_name(term) for term in terms}
        found = read_words(self._milvus, names.values())
        generation = self._state.generation
        return {
            term: (found[name].number, found[name].at(generation))
            for term, name in names.items()
            if name in found
        }

    def _find_pieces(self, token_ids: Sequence[int]) -> Mapping[int, int]:
        names = map(piece_name, token_ids)
        found = read_words(self._milvus, names)
        return {int(name[1:]): word.at(self._state.generation) for name, word in found.items()}

    def _find_articles(self, ids: Sequence[str]) -> Mapping[str, Position]:
        return find(self._milvus, self._state, ids, self._gone)

    def _listed(self, numbers: Sequence[int]) -> Iterator[tuple[Position, Entry]]:
        fields = ("number", "first", "last", "entry")
        for row in self._milvus.rows(self._milvus.names.articles, "number", numbers, fields):
            place = Position(int(row["number"]), int(row["first"]), int(row["last"]))
            yield place, entry_of(row["entry"])

    def _names_of_terms(self, numbers: Sequence[int]) -> Mapping[int, str]:
        return terms_of(self._milvus, numbers)

    def _stored(self, rows: Int64) -> tuple[Layout, Float32]:
        wanted = rows.tolist()
        found = self._milvus.rows(self._milvus.names.passages, "row", wanted, ("row", "vector"))
        by_row = {int(row["row"]): row["vector"] for row in found}
        vectors = np.asarray([by_row[row] for row in wanted], dtype=np.float32)
        records = read_blobs(self._milvus, Blob.PASSAGE, wanted)
        layout = unpack_passages(wanted, [records.get(row, b"") for row in wanted])
        return layout, vectors.reshape(len(wanted), self._connection.model.dimension)

    def _body(self, number: int) -> bytes:
        return read_blobs(self._milvus, Blob.BODY, [number]).get(number, b"")

    def _codecs(self, layout: Layout) -> Mapping[int, TokenCodec]:
        return {number: self.codec(number) for number in set(layout.codecs)}

    def _seen(self, number: str) -> str:
        """What a row must match to belong to the commit that is seen."""
        return all_of(at_most("born", self._state.generation), not_among(number, self._gone))

    def _allowed(self, where: Where | None) -> str | None:
        """The expression for passages that a filter lets through; None where none can be."""
        expression = all_of(self._seen("article"), matching(where))
        if where and where.ids:
            numbers = [position.number for position in self._find_articles(where.ids).values()]
            if not numbers:
                return None
            expression = all_of(expression, among("article", numbers))
        return expression
