"""What adding and removing write to an archive on Milvus, before its state is published."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any, Final

import numpy as np

from index.archive.entries import days_of, entry_json
from index.archive.milvus.blobs import Blob, blob_range, blob_rows, read_blobs
from index.archive.milvus.client import Milvus
from index.archive.milvus.commits import State, removal_key, removal_row, removals
from index.archive.milvus.filters import all_of, among, at_least, at_most, digest, named, not_among
from index.archive.milvus.schema import MAX_NAMES, MAX_TERMS, MAX_TEXT, Names
from index.archive.milvus.vocabulary import (
    WordCount,
    count,
    is_piece,
    piece_name,
    read_words,
    term_name,
    undo,
)
from index.archive.records.article import pack_body
from index.archive.records.passage import pack, unpack_passages
from index.archive.records.token_codec import TokenCodec
from index.archive.store import PreparedArticle, PreparedPassage, Statistics
from index.errors import LibraryError, UnknownArticle
from index.scoring.bm25 import saturated

__all__ = ["Change", "clean", "find", "purge"]

NO_TERM: Final = 2**32 - 2
"""A dimension of the term weights that belongs to no term."""
_BATCH: Final = 500


class Change:
    """One commit in the making."""

    def __init__(
        self,
        milvus: Milvus,
        names: Names,
        state: State,
        codec: TokenCodec,
        held: Callable[[], None],
    ) -> None:
        """Begin.

        Args:
            milvus: The server.
            names: The archive's.
            state: As of the last commit.
            codec: For new passages.
            held: Raises to stop writing.
        """
        self.milvus, self.names, self.codec, self.held = milvus, names, codec, held
        self.state = replace(state, generation=state.generation + 1)
        self._gone = removals(milvus, names, state, visible=None)
        self._changes: Counter[str] = Counter()
        self._words: dict[str, WordCount] = {}

    def remove(self, article_ids: Iterable[str], *, missing_ok: bool = False) -> None:
        """Remove articles.

        Raises:
            UnknownArticle: One is not there.
        """
        wanted = list(dict.fromkeys(article_ids))
        found = find(self.milvus, self.names, self.state, wanted, self._gone)
        missing = [key for key in wanted if key not in found]
        if missing and not missing_ok:
            raise UnknownArticle(
                f"the library holds no article {missing[0]!r}; nothing was removed"
            )
        terms: Counter[int] = Counter()
        rows = []
        for number, first, last in found.values():
            self._uncount_passages(first, last, terms)
            about = {"first": first, "last": last, "at": time.time()}
            rows.append(removal_row(number, self.state.generation, about))
            self._gone[number] = about
        self._uncount_terms(terms)
        self.milvus.write(self.names.commits, rows, held=self.held)

    def add(self, articles: Sequence[PreparedArticle]) -> None:
        """Write articles whose ids are not there."""
        if not articles:
            return
        numbers = self._count_words(articles)
        mean = self.state.statistics.passage_length
        shortest = min(self.state.shortest or mean, mean)
        passages: list[dict[str, Any]] = []
        blobs: list[dict[str, Any]] = []
        entries: list[dict[str, Any]] = []
        number, row = self.state.next_article, self.state.next_row
        generation = self.state.generation
        for prepared in articles:
            own = {"born": generation, **_filtered_fields(prepared)}
            last = row + len(prepared.passages)
            entries.append(own | _entry_fields(prepared, number, row, last))
            blobs += blob_rows(Blob.BODY, number, generation, pack_body(number, prepared.article))
            for passage in prepared.passages:
                # The vector is stored as packing rounds it, as in a folder.
                _, record, vector = pack(
                    row,
                    passage,
                    article=number,
                    term_numbers={t: numbers[term_name(t)] for s in passage.terms for t in s},
                    codec=self.codec,
                    codec_number=self.state.codec,
                )
                passages.append(
                    own
                    | {"row": row, "article": number, "vector": vector}
                    | _term_fields(passage, numbers, mean, sparse=self.state.sparse)
                )
                blobs += blob_rows(Blob.PASSAGE, row, generation, record)
                row += 1
            number += 1
        for collection, rows in (
            (self.names.passages, passages),
            (self.names.blobs, blobs),
            (self.names.articles, entries),
        ):
            self.milvus.write(collection, rows, held=self.held)
        self.state = replace(self.state, next_row=row, next_article=number, shortest=shortest)

    def finish(self) -> State:
        """Write the frequencies.

        Returns:
            The state to publish.
        """
        self._read_words(self._changes)
        for name in self._changes:
            # Only word pieces can be new here: their numbers are the model's, not ours.
            self._words.setdefault(name, WordCount(name, -1, -1, 0))
        generation = self.state.generation
        count(self.milvus, self.names, self._words, self._changes, generation, self.held)
        return self.state

    def _count_words(self, articles: Sequence[PreparedArticle]) -> dict[str, int]:
        """Count what articles add.

        Returns:
            The numbers of their words by name; new terms are given the next.
        """
        frequencies: Counter[str] = Counter()
        for passage in (p for a in articles for p in a.passages):
            frequencies.update({term_name(t) for sentence in passage.terms for t in sentence})
            frequencies.update(map(piece_name, set(passage.token_ids.tolist())))
            self._move(0, 1, len(passage.terms), sum(map(len, passage.terms)))
        self._move(len(articles), 0, 0, 0)
        self._changes.update(frequencies)
        self._read_words(frequencies)
        new = sorted(n for n in frequencies if n not in self._words and not is_piece(n))
        for number, name in enumerate(new, self.state.next_term):
            self._words[name] = WordCount(name, number, -1, 0)
        self.state = replace(self.state, next_term=self.state.next_term + len(new))
        return {name: word.number for name, word in self._words.items()}

    def _read_words(self, wanted: Iterable[str]) -> None:
        missing = [name for name in wanted if name not in self._words]
        self._words.update(read_words(self.milvus, self.names, missing, visible=None))

    def _uncount_passages(self, first: int, last: int, terms: Counter[int]) -> None:
        """Subtract an article's passages from the counts, and collect its terms."""
        rows = list(range(first, last))
        records = read_blobs(self.milvus, self.names.blobs, Blob.PASSAGE, rows, None)
        layout = unpack_passages(rows, [records.get(row, b"") for row in rows])
        for own in layout.by_passage(layout.term_ids, layout.term_starts):
            terms.update(own)
        for own in layout.by_passage(layout.token_ids, layout.token_starts):
            self._changes.subtract(map(piece_name, own))
        self._move(-1, first - last, -int(layout.sentence_starts[-1]), -len(layout.term_ids))

    def _uncount_terms(self, terms: Mapping[int, int]) -> None:
        numbers = sorted(terms)
        for start in range(0, len(numbers), _BATCH):
            expression = among("number", numbers[start : start + _BATCH])
            for row in self.milvus.query(self.names.words, expression, ("name", "number")):
                self._changes[str(row["name"])] -= terms[int(row["number"])]

    def _move(self, *by: int) -> None:
        moved = (a + b for a, b in zip(astuple(self.state.statistics), by, strict=True))
        self.state = replace(self.state, statistics=Statistics(*moved))


def find(
    milvus: Milvus,
    names: Names,
    state: State,
    article_ids: Sequence[str],
    gone: Iterable[int],
    *,
    visible: int | None = None,
) -> dict[str, tuple[int, int, int]]:
    """Number, first row and end of the articles that exist."""
    keys = {digest("article", key): key for key in article_ids}
    every, removed, found = sorted(keys), list(gone), {}
    for start in range(0, len(every), _BATCH):
        expression = all_of(
            among("digest", every[start : start + _BATCH]),
            at_most("born", state.generation),
            not_among("number", removed),
        )
        fields = ("number", "digest", "first", "last")
        for row in milvus.query(names.articles, expression, fields, visible=visible):
            position = (int(row["number"]), int(row["first"]), int(row["last"]))
            found[keys[int(row["digest"])]] = position
    return found


def clean(milvus: Milvus, names: Names, generation: int, held: Callable[[], None]) -> None:
    """Remove the rows of commits that were never published: those after the last generation."""
    later = at_least("born", generation + 1)
    for collection in (names.passages, names.articles, names.blobs):
        held()
        milvus.delete(collection, later)
    undo(milvus, names, generation, held)
    held()
    milvus.delete(names.commits, later)


def purge(
    milvus: Milvus, names: Names, state: State, grace_seconds: float, held: Callable[[], None]
) -> None:
    """Delete the rows of articles that were removed some time ago."""
    due = time.time() - grace_seconds
    for number, about in removals(milvus, names, state, visible=None).items():
        if about["at"] > due:
            continue
        held()
        milvus.delete(names.passages, among("article", [number]))
        for blob, first, last in (
            (Blob.PASSAGE, about["first"], about["last"]),
            (Blob.BODY, number, number + 1),
        ):
            low, high = blob_range(blob, first, last)
            milvus.delete(names.blobs, all_of(at_least("key", low), at_most("key", high)))
        milvus.delete(names.articles, among("number", [number]))
        # Last: until then the rows are known to be on their way out.
        milvus.delete(names.commits, among("key", [removal_key(number)]))


def _term_fields(
    passage: PreparedPassage, numbers: Mapping[str, int], mean: float, *, sparse: bool
) -> dict[str, Any]:
    """A passage's terms, and their frequencies saturated as `index.scoring.bm25` has them."""
    ids = [numbers[term_name(t)] for sentence in passage.terms for t in sentence]
    if len(ids) > MAX_TERMS:
        raise LibraryError(
            f"a passage of {len(ids):,} words is too long for a library on a server, which takes"
            f" {MAX_TERMS:,}; use a model that reads shorter passages"
        )
    if not sparse:
        return {"terms": ids}
    if not ids:
        return {"terms": ids, "weights": {NO_TERM: 1e-6}}  # Milvus takes no empty vector
    distinct, counts = np.unique(ids, return_counts=True)
    weights = saturated(counts, np.full(len(counts), len(ids)), mean)
    return {"terms": ids, "weights": dict(zip(distinct.tolist(), weights.tolist(), strict=True))}


def _filtered_fields(prepared: PreparedArticle) -> dict[str, Any]:
    """What filters compare, the same for an article and its passages."""
    article = prepared.article
    names = sorted(
        {
            *named("authors", article.authors),
            *named("sites", [article.site] if article.site else []),
            *named("tags", prepared.tags),
        }
    )
    if len(names) > MAX_NAMES:
        raise LibraryError(
            f"article {article.id} has {len(names):,} authors and tags; a library on a server"
            f" takes {MAX_NAMES:,}"
        )
    first, last = days_of(article.published)
    return {"first_day": first, "last_day": last, "names": names}


def _entry_fields(prepared: PreparedArticle, number: int, first: int, last: int) -> dict[str, Any]:
    entry = entry_json(prepared)
    if len(entry) > MAX_TEXT:
        raise LibraryError(
            f"the metadata of article {prepared.article.id} takes {len(entry):,} bytes; a library"
            f" on a server takes {MAX_TEXT:,}"
        )
    return {
        "number": number,
        "digest": digest("article", prepared.article.id),
        "first": first,
        "last": last,
        "entry": entry,
        "unused": [0.0, 0.0],
    }
