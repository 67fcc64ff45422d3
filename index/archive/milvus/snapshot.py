"""One question's view of an archive on Milvus: searches, filters and stored passages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from index.archive.article_cache import RecentArticles
from index.archive.entries import entry_of
from index.archive.milvus.blobs import Blob, read_blobs
from index.archive.milvus.changes import find
from index.archive.milvus.client import MOST_ROWS, Milvus
from index.archive.milvus.commits import State, read_state, removals
from index.archive.milvus.filters import all_of, among, at_least, at_most, matching, not_among
from index.archive.milvus.lexical_search import lexical_search
from index.archive.milvus.schema import Names, search_params
from index.archive.milvus.vocabulary import (
    WordCount,
    piece_name,
    read_words,
    term_name,
    terms_of,
)
from index.archive.records.article import unpack_body
from index.archive.records.passage import Layout, unpack_passages
from index.archive.records.pool import pool_of, prepared_of
from index.archive.records.token_codec import ByteCodec, ResidualCodec, TokenCodec
from index.archive.store import Entry, Hits, Int64, ModelRef, PreparedArticle, Statistics, Where
from index.article import Article
from index.errors import ArticleQAError, DamagedLibrary, LibraryBusy, UnknownArticle
from index.models.encoder import Float32, Int32
from index.scoring.bm25 import idf
from index.scoring.pool import Pool

__all__ = ["Connection", "MilvusSnapshot"]

_WINDOW: Final = 4_096
_BATCH: Final = 256


@dataclass(slots=True)
class Connection:
    """A server, and what stays known of an archive on it from question to question.

    Attributes:
        milvus: The server.
        names: Of the collections.
        model: Whose vectors the archive holds.
        articles: Read lately, by number.
        newest: The last generation that was seen.
        codecs: Read so far, by number.
    """

    milvus: Milvus
    names: Names
    model: ModelRef
    articles: RecentArticles = field(default_factory=RecentArticles)
    newest: int = 0
    codecs: dict[int, TokenCodec] = field(default_factory=dict)

    def state(self) -> State:
        """A state no older than the last that was seen."""
        state = read_state(self.milvus, self.names, at_least=self.newest)
        self.newest = max(self.newest, state.generation)
        return state


class MilvusSnapshot:
    """A `Snapshot` of one commit."""

    def __init__(self, connection: Connection, state: State) -> None:
        self._connection = connection
        self._milvus = connection.milvus
        self._names = connection.names
        self._state = state
        # A file has no clock to wait for.
        self._visible = None if self._milvus.is_lite else state.visible
        self._words: dict[str, WordCount | None] = {}
        self._positions: dict[str, tuple[int, int, int]] = {}

    @property
    def statistics(self) -> Statistics:
        return self._state.statistics

    @cached_property
    def _gone(self) -> list[int]:
        """Numbers of removed articles whose rows still exist."""
        return sorted(removals(self._milvus, self._names, self._state, visible=self._visible))

    def document_frequencies(self, terms: Sequence[str]) -> Int32:
        return self._frequencies([term_name(term) for term in terms])

    def piece_frequencies(self, token_ids: Int32) -> Int32:
        return self._frequencies([piece_name(number) for number in token_ids.tolist()])

    def dense(self, vector: Float32, k: int, where: Where | None = None) -> Hits:
        expression = self._allowed(where)
        if expression is None or not self.statistics.n_passages:
            return Hits()
        found = self._milvus.search(
            self._names.passages,
            "vector",
            vector.tolist(),
            expression,
            ("row",),
            limit=min(k, MOST_ROWS),
            params=search_params(self._state.index, k),
            visible=self._visible,
        )
        rows = np.asarray([int(row["row"]) for _, row in found], dtype=np.int64)
        scores = np.asarray([score for score, _ in found], dtype=np.float32)
        order = np.lexsort((rows, -scores))
        return Hits(rows[order], scores[order])

    def lexical(self, terms: Sequence[str], k: int, where: Where | None = None) -> Hits:
        expression = self._allowed(where)
        if expression is None:
            return Hits()
        known = self._known([term_name(term) for term in terms])
        query: dict[int, float] = {}
        frequencies: dict[int, int] = {}
        for term in terms:
            word = known.get(term_name(term))
            df = word.at(self._state.generation) if word else 0
            if word and df > 0:
                added = idf(df, self.statistics.n_passages)
                query[word.number] = query.get(word.number, 0.0) + added
                frequencies[word.number] = df
        return lexical_search(
            self._milvus,
            self._names.passages,
            query,
            frequencies,
            k,
            expression,
            sparse=self._state.sparse,
            mean=self.statistics.passage_length,
            shortest=self._state.shortest,
            visible=self._visible,
        )

    def pool(self, rows: Int64, terms: Sequence[str]) -> Pool:
        layout, vectors = self.stored(rows)
        words = self._known([term_name(term) for term in terms])
        wanted = [words.get(term_name(term)) for term in terms]
        with self._explained("a passage"):
            numbers, article_of = np.unique(layout.articles, return_inverse=True)
            found = {}
            for row in self._milvus.query(
                self._names.articles,
                among("number", numbers.tolist()),
                ("number", "first", "last", "entry"),
                visible=self._visible,
            ):
                entry, number = entry_of(row["entry"]), int(row["number"])
                found[number] = (entry.id, entry.n_characters)
                self._positions[entry.id] = (number, int(row["first"]), int(row["last"]))
            return pool_of(
                layout,
                vectors,
                self._codecs(layout),
                articles=[found[number] for number in numbers.tolist()],
                article_of=article_of,
                terms=[word.number if word else None for word in wanted],
            )

    def article(self, article_id: str) -> Article:
        number, _, _ = self._position(article_id)
        article = self._connection.articles.get(number)
        if article is None:
            found = read_blobs(self._milvus, self._names.blobs, Blob.BODY, [number], self._visible)
            with self._explained("a text"):
                article = unpack_body(number, found.get(number, b""), article_id)
            self._connection.articles.keep(number, article)
        return article

    def prepared(self, article_id: str) -> PreparedArticle:
        number, first, last = self._position(article_id)
        layout, vectors = self.stored(np.arange(first, last, dtype=np.int64))
        numbers = np.unique(layout.term_ids).tolist()
        terms = terms_of(self._milvus, self._names, numbers, visible=self._visible)
        article = self.article(article_id)
        with self._explained("an article"):
            (entry,) = self._entries(among("number", [number]))
            return prepared_of(article, entry, layout, vectors, self._codecs(layout), terms)

    def entries(
        self, where: Where | None = None, *, limit: int | None = None, offset: int = 0
    ) -> tuple[Entry, ...]:
        expression = matching(where)
        if where and where.ids:
            numbers = sorted(number for number, _, _ in self._find(where.ids).values())
            windows = [
                among("number", numbers[start : start + _WINDOW])
                for start in range(0, len(numbers), _WINDOW)
            ]
        else:
            windows = [
                all_of(at_least("number", start), at_most("number", start + _WINDOW - 1))
                for start in range(0, self._state.next_article, _WINDOW)
            ]
        found: list[Entry] = []
        for window in windows:
            found += self._entries(all_of(expression, window))
            if limit is not None and len(found) >= offset + limit:
                break
        return tuple(found[offset:][:limit])

    def rows(self) -> Iterator[Int64]:
        """All rows in order, some thousands at a time."""
        seen = self._seen("article")
        for start in range(0, self._state.next_row, _WINDOW):
            window = all_of(seen, at_least("row", start), at_most("row", start + _WINDOW - 1))
            found = self._milvus.query(
                self._names.passages, window, ("row",), visible=self._visible
            )
            yield np.sort(np.asarray([int(row["row"]) for row in found], dtype=np.int64))

    def stored(self, rows: Int64) -> tuple[Layout, Float32]:
        """Records and vectors, in the order of the rows."""
        wanted = rows.tolist()
        found: dict[int, Any] = {}
        for start in range(0, len(wanted), _BATCH):
            expression = among("row", wanted[start : start + _BATCH])
            for row in self._milvus.query(
                self._names.passages, expression, ("row", "vector"), visible=self._visible
            ):
                found[int(row["row"])] = row["vector"]
        records = read_blobs(self._milvus, self._names.blobs, Blob.PASSAGE, wanted, self._visible)
        with self._explained("a passage"):
            vectors = np.asarray([found[row] for row in wanted], dtype=np.float32)
            layout = unpack_passages(wanted, [records.get(row, b"") for row in wanted])
        return layout, vectors.reshape(len(wanted), self._connection.model.dimension)

    def codec(self, number: int) -> TokenCodec:
        """The token codec of a number."""
        codecs, model = self._connection.codecs, self._connection.model
        codecs.setdefault(0, ByteCodec(model.dimension))
        if number not in codecs:
            found = read_blobs(self._milvus, self._names.blobs, Blob.CODEC, [number], self._visible)
            with self._explained("a codec"):
                codecs[number] = ResidualCodec.from_bytes(found[number], model.dimension)
        return codecs[number]

    def _codecs(self, layout: Layout) -> dict[int, TokenCodec]:
        return {number: self.codec(number) for number in set(layout.codecs)}

    def _entries(self, expression: str) -> list[Entry]:
        found = self._milvus.query(
            self._names.articles,
            all_of(self._seen("number"), expression),
            ("number", "entry"),
            visible=self._visible,
        )
        with self._explained("the metadata of an article"):
            return [entry_of(row["entry"]) for row in sorted(found, key=lambda r: int(r["number"]))]

    def _seen(self, number: str) -> str:
        """What a row must match to belong to the commit that is seen."""
        return all_of(at_most("born", self._state.generation), not_among(number, self._gone))

    def _allowed(self, where: Where | None) -> str | None:
        """The expression for passages that a filter lets through; None where none can be."""
        expression = all_of(self._seen("article"), matching(where))
        if where and where.ids:
            numbers = [number for number, _, _ in self._find(where.ids).values()]
            if not numbers:
                return None
            expression = all_of(expression, among("article", numbers))
        return expression

    def _find(self, ids: Sequence[str]) -> dict[str, tuple[int, int, int]]:
        return find(self._milvus, self._names, self._state, ids, self._gone, visible=self._visible)

    def _position(self, article_id: str) -> tuple[int, int, int]:
        """Number, first row and end of an article."""
        found = self._positions.get(article_id) or self._find([article_id]).get(article_id)
        if found is None:
            raise UnknownArticle(f"the library holds no article {article_id!r}")
        return found

    def _frequencies(self, names: Sequence[str]) -> Int32:
        known, generation = self._known(names), self._state.generation
        words = [known.get(name) for name in names]
        return np.asarray([word.at(generation) if word else 0 for word in words], dtype=np.int32)

    def _known(self, names: Sequence[str]) -> Mapping[str, WordCount | None]:
        missing = [name for name in dict.fromkeys(names) if name not in self._words]
        if missing:
            found = read_words(self._milvus, self._names, missing, visible=self._visible)
            self._words.update({name: found.get(name) for name in missing})
        return self._words

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Report rows that are damaged, or that were removed while they were read."""
        try:
            yield
        except ArticleQAError:
            raise
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
            where = self._milvus.address
            newest = read_state(self._milvus, self._names, at_least=None)
            if newest.generation > self._state.generation:
                raise LibraryBusy(
                    f"the library {where} changed while the question was read ({what}: {error});"
                    " ask again"
                ) from error
            raise DamagedLibrary(
                f"the library {where} is damaged ({what}: {error}); run: article-qa doctor"
                f" --library {where}"
            ) from error
