"""What adding and removing write to an archive on Milvus, before its state is published."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from index.archive.entries import days_of, entry_json
from index.archive.milvus.blobs import Blob, blob_rows, blobs_between, read_blobs
from index.archive.milvus.client import Milvus
from index.archive.milvus.commits import State, removal_key, removal_row, removals
from index.archive.milvus.filters import all_of, among, at_least, at_most, digest, named, not_among
from index.archive.milvus.schema import MAX_NAMES, MAX_TERMS, MAX_TEXT
from index.archive.milvus.vocabulary import (
    WordCount,
    count,
    piece_name,
    read_words,
    term_name,
    undo,
)
from index.archive.records.passage import count_passages, pack, pack_body, unpack_passages
from index.archive.records.snapshot import Position
from index.archive.records.token_codec import TokenCodec
from index.archive.store import PreparedArticle, PreparedPassage, Statistics
from index.errors import LibraryError, UnknownArticle
from index.scoring.bm25 import saturated

__all__ = ["Change", "clean", "find", "purge"]

NO_TERM: Final = 2**32 - 2
"""A dimension of the term weights that belongs to no term."""


class Change:
    """One commit in the making."""

    def __init__(self, milvus: Milvus, state: State, codec: TokenCodec) -> None:
        self.milvus, self.codec = milvus, codec
        self.state = replace(state, generation=state.generation + 1)
        self._gone = removals(milvus, state)
        self._changes: Counter[str] = Counter()
        self._words: dict[str, WordCount] = {}

    def remove(self, article_ids: Iterable[str], *, missing_ok: bool = False) -> None:
        """Remove articles.

        Raises:
            UnknownArticle: One is not there.
        """
        wanted = list(dict.fromkeys(article_ids))
        found = find(self.milvus, self.state, wanted, self._gone)
        missing = [key for key in wanted if key not in found]
        if missing and not missing_ok:
            raise UnknownArticle(
                f"the library holds no article {missing[0]!r}; nothing was removed"
            )
        terms: Counter[int] = Counter()
        rows = []
        for number, first, last in found.values():
            own = list(range(first, last))
            records = read_blobs(self.milvus, Blob.PASSAGE, own)
            layout = unpack_passages(own, [records.get(row, b"") for row in own])
            counts, own_terms, pieces = layout.counts()
            terms += own_terms
            self._changes.subtract({piece_name(piece): n for piece, n in pieces.items()})
            left = self.state.statistics - counts - Statistics(n_articles=1)
            self.state = replace(self.state, statistics=left)
            about = {"first": first, "last": last, "at": time.time()}
            rows.append(removal_row(number, self.state.generation, about))
            self._gone[number] = about
        collection, fields = self.milvus.names.words, ("name", "number")
        for row in self.milvus.rows(collection, "number", sorted(terms), fields):
            self._changes[str(row["name"])] -= terms[int(row["number"])]
        self.milvus.write(self.milvus.names.commits, rows)

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
                    term_numbers=numbers,
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
        names = self.milvus.names
        self.milvus.write(names.passages, passages)
        self.milvus.write(names.blobs, blobs)
        self.milvus.write(names.articles, entries)
        self.state = replace(self.state, next_row=row, next_article=number, shortest=shortest)

    def finish(self) -> State:
        """Write the frequencies; the state is to be published."""
        self._read_words(self._changes)
        for name in self._changes:
            # Only word pieces can be new here: their numbers are the model's, not ours.
            self._words.setdefault(name, WordCount(name))
        count(self.milvus, self._words, self._changes, self.state.generation)
        return self.state

    def _count_words(self, articles: Sequence[PreparedArticle]) -> dict[str, int]:
        """Count what articles add; the numbers of their terms, of which new ones get the next."""
        counts, terms, pieces = count_passages(p for a in articles for p in a.passages)
        added = counts + Statistics(n_articles=len(articles))
        names = {term: term_name(term) for term in terms}
        self._changes.update({names[term]: df for term, df in terms.items()})
        self._changes.update({piece_name(piece): df for piece, df in pieces.items()})
        self._read_words(self._changes)
        new = sorted(set(names.values()) - self._words.keys())
        for number, name in enumerate(new, self.state.next_term):
            self._words[name] = WordCount(name, number)
        self.state = replace(
            self.state,
            next_term=self.state.next_term + len(new),
            statistics=self.state.statistics + added,
        )
        return {term: self._words[name].number for term, name in names.items()}

    def _read_words(self, wanted: Iterable[str]) -> None:
        missing = [name for name in wanted if name not in self._words]
        self._words.update(read_words(self.milvus, missing))


def find(
    milvus: Milvus, state: State, article_ids: Sequence[str], gone: Iterable[int]
) -> dict[str, Position]:
    """Where the articles that exist are, by id."""
    keys = {digest("article", key): key for key in article_ids}
    fields = ("number", "digest", "first", "last")
    there = all_of(at_most("born", state.generation), not_among("number", list(gone)))
    return {
        keys[int(row["digest"])]: Position(int(row["number"]), int(row["first"]), int(row["last"]))
        for row in milvus.rows(milvus.names.articles, "digest", sorted(keys), fields, also=there)
    }


def clean(milvus: Milvus, generation: int) -> None:
    """Remove the rows of commits that were never published: those after the last generation."""
    names, later = milvus.names, at_least("born", generation + 1)
    for collection in (names.passages, names.articles, names.blobs):
        milvus.delete(collection, later)
    undo(milvus, generation)
    milvus.delete(names.commits, later)


def purge(milvus: Milvus, state: State, grace_seconds: float) -> None:
    """Delete the rows of articles that were removed some time ago."""
    names, due = milvus.names, time.time() - grace_seconds
    for number, about in removals(milvus, state).items():
        if about["at"] > due:
            continue
        milvus.delete(names.passages, among("article", [number]))
        milvus.delete(names.blobs, blobs_between(Blob.PASSAGE, about["first"], about["last"]))
        milvus.delete(names.blobs, blobs_between(Blob.BODY, number, number + 1))
        milvus.delete(names.articles, among("number", [number]))
        # Last: until then the rows are known to be on their way out.
        milvus.delete(names.commits, among("key", [removal_key(number)]))


def _term_fields(
    passage: PreparedPassage, numbers: Mapping[str, int], mean: float, *, sparse: bool
) -> dict[str, Any]:
    """A passage's terms, and their frequencies saturated as `index.scoring.bm25` has them."""
    ids = [numbers[t] for sentence in passage.terms for t in sentence]
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
