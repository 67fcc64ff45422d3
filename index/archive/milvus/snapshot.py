"""One question's view of an archive on Milvus: searches, filters and stored passages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from index.archive.entries import entry_of
from index.archive.milvus.blobs import Blob, read_blobs
from index.archive.milvus.changes import find
from index.archive.milvus.client import MOST_ROWS
from index.archive.milvus.commits import State, removals
from index.archive.milvus.dense_index import search_params
from index.archive.milvus.filters import all_of, among, at_least, at_most, matching, not_among
from index.archive.milvus.lexical_search import lexical_search
from index.archive.milvus.vocabulary import Word, piece_name, read_words, term_name, terms_of
from index.archive.records.article import unpack_body
from index.archive.records.passage import Layout, unpack_passages
from index.archive.records.pool import pool_of, prepared_of
from index.archive.store import Entry, Hits, Int64, PreparedArticle, Statistics, Where
from index.article import Article
from index.errors import DamagedLibrary, LibraryBusy, UnknownArticle
from index.models.encoder import Float32, Int32
from index.scoring.bm25 import idf
from index.scoring.pool import Pool

if TYPE_CHECKING:
    from index.archive.milvus.store import Connected

__all__ = ["MilvusSnapshot"]

_WINDOW: Final = 4_096
_BATCH: Final = 256


class MilvusSnapshot:
    """See `index.archive.store.Snapshot`."""

    def __init__(self, connected: Connected, state: State) -> None:
        """Made by the store.

        Args:
            connected: The server and what is known of it.
            state: Of the commit that is seen.
        """
        self._connected = connected
        self._milvus = connected.milvus
        self._names = connected.names
        self._state = state
        # A file has no clock to wait for.
        self._visible = None if self._milvus.is_lite else state.visible
        self._words: dict[str, Word | None] = {}
        self._known_places: dict[str, tuple[int, int, int]] = {}

    @property
    def statistics(self) -> Statistics:
        """See `index.archive.store.Snapshot`."""
        return self._state.statistics

    @cached_property
    def _gone(self) -> list[int]:
        """Numbers of articles whose rows are still there."""
        found = removals(self._milvus, self._names, self._state, visible=self._visible)
        return sorted(found)

    def document_frequencies(self, terms: Sequence[str]) -> Int32:
        """See `index.archive.store.Snapshot`."""
        return self._frequencies([term_name(term) for term in terms])

    def piece_frequencies(self, token_ids: Int32) -> Int32:
        """See `index.archive.store.Snapshot`."""
        return self._frequencies([piece_name(number) for number in token_ids.tolist()])

    def dense(self, vector: Float32, k: int, where: Where | None = None) -> Hits:
        """See `index.archive.store.Snapshot`."""
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
        """See `index.archive.store.Snapshot`."""
        expression = self._allowed(where)
        if expression is None:
            return Hits()
        n, generation = self.statistics.n_passages, self._state.generation
        known = self._known([term_name(term) for term in terms])
        query: dict[int, float] = {}
        frequencies: dict[int, int] = {}
        for term in terms:
            word = known.get(term_name(term))
            if word is not None and word.at(generation) > 0:
                df = word.at(generation)
                query[word.number] = query.get(word.number, 0.0) + idf(df, n)
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
        """See `index.archive.store.Snapshot`."""
        layout, vectors = self.stored(rows)
        articles, article_of = np.unique(layout.articles, return_inverse=True)
        known = self._known([term_name(term) for term in terms])
        words = [known.get(term_name(term)) for term in terms]
        return pool_of(
            layout,
            vectors,
            self._connected.codecs(layout.codecs, self._visible),
            articles=self._ids(articles),
            article_of=article_of,
            terms=[word.number if word else None for word in words],
        )

    def article(self, article_id: str) -> Article:
        """See `index.archive.store.Snapshot`."""
        number, _, _ = self._place(article_id)
        cached = self._connected.articles.get(number)
        if cached is not None:
            return cached
        found = read_blobs(self._milvus, self._names.blobs, Blob.BODY, [number], self._visible)
        try:
            article = unpack_body(number, found.get(number, b""))
        except (ValueError, KeyError, TypeError) as error:
            raise self._torn(f"the text of article {article_id}: {error}") from error
        if article.id != article_id:
            raise self._torn(f"the text of article {article_id} is another's")
        self._connected.articles[number] = article
        return article

    def prepared(self, article_id: str) -> PreparedArticle:
        """See `index.archive.store.Snapshot`."""
        number, first, last = self._place(article_id)
        layout, vectors = self.stored(np.arange(first, last, dtype=np.int64))
        terms = terms_of(
            self._milvus,
            self._names,
            np.unique(layout.term_ids).tolist(),
            visible=self._visible,
        )
        (entry,) = self._entries(among("number", [number]))
        return prepared_of(
            self.article(article_id),
            entry,
            layout,
            vectors,
            self._connected.codecs(layout.codecs, self._visible),
            terms,
        )

    def entries(
        self, where: Where | None = None, *, limit: int | None = None, offset: int = 0
    ) -> tuple[Entry, ...]:
        """See `index.archive.store.Snapshot`."""
        expression = matching(where)
        if where and where.ids:
            places = self._places(where.ids)
            numbers = sorted(number for number, _, _ in places.values())
            found = [
                entry
                for start in range(0, len(numbers), _WINDOW)
                for entry in self._entries(
                    all_of(expression, among("number", numbers[start : start + _WINDOW]))
                )
            ]
            return tuple(found)[offset:][:limit]
        found = []
        skipped = 0
        for start in range(0, self._state.next_article, _WINDOW):
            window = all_of(
                expression, at_least("number", start), at_most("number", start + _WINDOW - 1)
            )
            for entry in self._entries(window):
                if skipped < offset:
                    skipped += 1
                elif limit is None or len(found) < limit:
                    found.append(entry)
            if limit is not None and len(found) >= limit:
                break
        return tuple(found)

    def rows(self) -> Iterator[Int64]:
        """All rows that are there, for checks, in order, some thousands at a time."""
        seen = self._seen("article")
        for start in range(0, self._state.next_row, _WINDOW):
            window = all_of(seen, at_least("row", start), at_most("row", start + _WINDOW - 1))
            found = self._milvus.query(
                self._names.passages, window, ("row",), visible=self._visible
            )
            yield np.sort(np.asarray([int(row["row"]) for row in found], dtype=np.int64))

    def _entries(self, expression: str) -> list[Entry]:
        found = self._milvus.query(
            self._names.articles,
            all_of(self._seen("number"), expression),
            ("number", "entry"),
            visible=self._visible,
        )
        try:
            return [entry_of(row["entry"]) for row in sorted(found, key=lambda r: int(r["number"]))]
        except (ValueError, KeyError, TypeError) as error:
            raise self._torn(f"the metadata of an article: {error}") from error

    def _seen(self, number: str) -> str:
        """What a row must be to belong to the commit that is seen."""
        return all_of(at_most("born", self._state.generation), not_among(number, self._gone))

    def _allowed(self, where: Where | None) -> str | None:
        """The expression for passages that a filter lets through; None where none can be."""
        expression = all_of(self._seen("article"), matching(where))
        if where and where.ids:
            numbers = [number for number, _, _ in self._places(where.ids).values()]
            if not numbers:
                return None
            expression = all_of(expression, among("article", numbers))
        return expression

    def _places(self, ids: Sequence[str]) -> dict[str, tuple[int, int, int]]:
        return find(self._milvus, self._names, self._state, ids, self._gone, visible=self._visible)

    def _place(self, article_id: str) -> tuple[int, int, int]:
        place = self._known_places.get(article_id) or self._places([article_id]).get(article_id)
        if place is None:
            raise UnknownArticle(f"the library holds no article {article_id!r}")
        return place

    def _ids(self, numbers: NDArray[np.int64]) -> tuple[str, ...]:
        found = self._milvus.query(
            self._names.articles,
            among("number", numbers.tolist()),
            ("number", "first", "last", "entry"),
            visible=self._visible,
        )
        ids = {int(row["number"]): str(json.loads(row["entry"])["id"]) for row in found}
        for row in found:
            place = (int(row["number"]), int(row["first"]), int(row["last"]))
            self._known_places[ids[place[0]]] = place
        if len(ids) < len(numbers):
            raise self._torn("an article that a passage is from is not there")
        return tuple(ids[number] for number in numbers.tolist())

    def stored(self, rows: Int64) -> tuple[Layout, Float32]:
        """Records and vectors, in the order of the rows."""
        wanted = rows.tolist()
        vectors = np.zeros((len(wanted), self._connected.model.dimension), dtype=np.float32)
        found: dict[int, Any] = {}
        for start in range(0, len(wanted), _BATCH):
            expression = among("row", wanted[start : start + _BATCH])
            for row in self._milvus.query(
                self._names.passages, expression, ("row", "vector"), visible=self._visible
            ):
                found[int(row["row"])] = row["vector"]
        if len(found) < len(set(wanted)):
            raise self._torn("a passage is not there any more")
        for place, row in enumerate(wanted):
            vectors[place] = found[row]
        records = read_blobs(self._milvus, self._names.blobs, Blob.PASSAGE, wanted, self._visible)
        try:
            layout = unpack_passages(wanted, [records.get(row, b"") for row in wanted])
        except ValueError as error:
            raise self._torn(str(error)) from error
        return layout, vectors

    def _frequencies(self, names: Sequence[str]) -> Int32:
        known, generation = self._known(names), self._state.generation
        words = [known.get(name) for name in names]
        return np.asarray([word.at(generation) if word else 0 for word in words], dtype=np.int32)

    def _known(self, names: Sequence[str]) -> Mapping[str, Word | None]:
        missing = [name for name in dict.fromkeys(names) if name not in self._words]
        if missing:
            found = read_words(self._milvus, self._names, missing, visible=self._visible)
            self._words.update({name: found.get(name) for name in missing})
        return self._words

    def _torn(self, what: str) -> DamagedLibrary | LibraryBusy:
        """What to say of a row that should be there: it was removed since, or it is damaged."""
        place = self._milvus.address
        if self._connected.moved_on(self._state):
            return LibraryBusy(
                f"the library {place} changed while the question was read ({what}); ask again"
            )
        return DamagedLibrary(
            f"the library {place} is damaged ({what}); run: article-qa doctor --library {place}"
        )
