"""What adding and removing write to an archive on Milvus, before its state is published."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from index.archive.entries import days_of, entry_record
from index.archive.milvus.blobs import Blob, blob_range, blob_rows, read_blobs
from index.archive.milvus.client import Milvus
from index.archive.milvus.commits import State, removal_row, removals
from index.archive.milvus.filters import all_of, among, at_least, at_most, digest, named, not_among
from index.archive.milvus.schema import MAX_NAMES, MAX_TERMS, MAX_TEXT, Names
from index.archive.milvus.vocabulary import (
    Word,
    count,
    is_piece,
    piece_name,
    read_words,
    term_name,
    undo,
)
from index.archive.records.article import pack_body
from index.archive.records.codec_training import recorded
from index.archive.records.passage import unpack_passages
from index.archive.records.token_codec import TokenCodec
from index.archive.store import PreparedArticle, PreparedPassage, Statistics
from index.errors import LibraryError, UnknownArticle
from index.scoring.bm25 import saturated

__all__ = ["NO_TERM", "Change", "clean", "find", "purge", "weights"]

GRACE_SECONDS: Final = 60.0
"""How long rows of removed articles stay for questions that began before."""
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
            held: Raises where writing must stop.
        """
        self.milvus, self.names, self.codec, self.held = milvus, names, codec, held
        self.state = replace(state, generation=state.generation + 1)
        self._gone = removals(milvus, names, state, visible=None)
        self._changes: Counter[str] = Counter()
        self._words: dict[str, Word] = {}
        self._moved = np.zeros(4, dtype=np.int64)

    def remove(self, article_ids: Iterable[str], *, missing_ok: bool = False) -> None:
        """Take articles away.

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
            self._uncount(first, last, terms)
            about = {"first": first, "last": last, "at": time.time()}
            rows.append(removal_row(number, self.state.generation, about))
            self._gone[number] = about
        self._uncount_terms(terms)
        self.milvus.write(self.names.commits, rows, held=self.held)

    def add(self, articles: Sequence[PreparedArticle]) -> None:
        """Write articles whose ids are not there."""
        if not articles:
            return
        state = self.state
        frequencies: Counter[str] = Counter()
        for passage in (p for a in articles for p in a.passages):
            frequencies.update({term_name(t) for sentence in passage.terms for t in sentence})
            frequencies.update(map(piece_name, set(passage.token_ids.tolist())))
            self._moved[1:] += 1, len(passage.terms), sum(map(len, passage.terms))
        self._moved[0] += len(articles)
        self._changes.update(frequencies)
        self._read(frequencies)
        new = sorted(n for n in frequencies if n not in self._words and not is_piece(n))
        for number, name in enumerate(new, state.next_term):
            self._words[name] = Word(name, number, -1, 0)
        numbers = {name: word.number for name, word in self._words.items()}
        mean = _moved(state.statistics, self._moved).passage_length
        shortest = min(state.shortest or mean, mean)
        passages: list[dict[str, Any]] = []
        blobs: list[dict[str, Any]] = []
        entries: list[dict[str, Any]] = []
        number, row = state.next_article, state.next_row
        for prepared in articles:
            about = _about(prepared, state.generation)
            last = row + len(prepared.passages)
            entries.append(_entry_row(prepared, number, row, last, about))
            body = pack_body(number, prepared.article)
            blobs += blob_rows(Blob.BODY, number, state.generation, body)
            for passage in prepared.passages:
                term_ids = [[numbers[term_name(t)] for t in terms] for terms in passage.terms]
                # Vectors are rounded as a folder rounds them.
                _, record, vector = recorded(
                    row,
                    passage,
                    article=number,
                    term_ids=term_ids,
                    codec=self.codec,
                    codec_number=state.codec,
                )
                passages.append(
                    about
                    | {"row": row, "article": number, "vector": vector}
                    | _lexical(passage, numbers, mean, sparse=state.sparse)
                )
                blobs += blob_rows(Blob.PASSAGE, row, state.generation, record)
                row += 1
            number += 1
        for collection, rows in (
            (self.names.passages, passages),
            (self.names.blobs, blobs),
            (self.names.articles, entries),
        ):
            self.milvus.write(collection, rows, held=self.held)
        self.state = replace(
            state,
            next_row=row,
            next_article=number,
            next_term=state.next_term + len(new),
            shortest=shortest,
        )

    def finish(self) -> State:
        """Write the frequencies.

        Returns:
            The state to publish.
        """
        self._read(self._changes)
        for name in self._changes:
            # Only word pieces can be new here: their numbers are the model's, not ours.
            self._words.setdefault(name, Word(name, -1, -1, 0))
        generation = self.state.generation
        count(self.milvus, self.names, self._words, self._changes, generation, self.held)
        return replace(self.state, statistics=_moved(self.state.statistics, self._moved))

    def _read(self, wanted: Iterable[str]) -> None:
        missing = [name for name in wanted if name not in self._words]
        self._words.update(read_words(self.milvus, self.names, missing, visible=None))

    def _uncount(self, first: int, last: int, terms: Counter[int]) -> None:
        """Take an article's passages out of the counts."""
        rows = list(range(first, last))
        records = read_blobs(self.milvus, self.names.blobs, Blob.PASSAGE, rows, None)
        layout = unpack_passages(rows, [records.get(row, b"") for row in rows])
        term_starts = layout.term_starts[layout.sentence_starts]
        piece_starts = layout.token_starts[layout.sentence_starts]
        for i in range(len(rows)):
            terms.update(set(layout.term_ids[term_starts[i] : term_starts[i + 1]].tolist()))
            pieces = set(layout.token_ids[piece_starts[i] : piece_starts[i + 1]].tolist())
            self._changes.subtract(map(piece_name, pieces))
        self._moved -= (1, len(rows), int(layout.sentence_starts[-1]), len(layout.term_ids))

    def _uncount_terms(self, terms: Mapping[int, int]) -> None:
        numbers = sorted(terms)
        for start in range(0, len(numbers), _BATCH):
            expression = all_of(among("number", numbers[start : start + _BATCH]))
            for row in self.milvus.query(self.names.words, expression, ("name", "number")):
                self._changes[str(row["name"])] -= terms[int(row["number"])]


def find(
    milvus: Milvus,
    names: Names,
    state: State,
    article_ids: Sequence[str],
    gone: Iterable[int],
    *,
    visible: int | None = None,
) -> dict[str, tuple[int, int, int]]:
    """Number, first row and one past the last row of the articles that are there."""
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
            place = (int(row["number"]), int(row["first"]), int(row["last"]))
            found[keys[int(row["digest"])]] = place
    return found


def clean(milvus: Milvus, names: Names, generation: int, held: Callable[[], None]) -> None:
    """Remove what belongs to no commit, for it is later than the last."""
    later = at_least("born", generation + 1)
    for collection in (names.passages, names.articles, names.blobs):
        held()
        milvus.delete(collection, later)
    undo(milvus, names, generation, held)
    held()
    milvus.delete(names.commits, later)


def purge(milvus: Milvus, names: Names, state: State, held: Callable[[], None]) -> None:
    """Remove the rows of articles that have been gone for long enough."""
    due = time.time() - GRACE_SECONDS
    gone = removals(milvus, names, state, visible=None)
    for number, about in gone.items():
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
        row = removal_row(number, 0, about)
        milvus.delete(names.commits, among("key", [row["key"]]))


def weights(frequencies: Mapping[int, int], length: int, mean: float) -> dict[int, float]:
    """Saturated term frequencies of one passage."""
    counts = np.asarray([*frequencies.values()])
    worth = saturated(counts, np.full(len(counts), length), mean)
    return dict(zip(frequencies, worth.tolist(), strict=True))


def _lexical(
    passage: PreparedPassage, numbers: Mapping[str, int], mean: float, *, sparse: bool
) -> dict[str, Any]:
    ids = [numbers[term_name(t)] for sentence in passage.terms for t in sentence]
    if len(ids) > MAX_TERMS:
        raise LibraryError(
            f"a passage of {len(ids):,} words is too long for a library on a server, which takes"
            f" {MAX_TERMS:,}; use a model that reads shorter passages"
        )
    row: dict[str, Any] = {"terms": ids}
    if sparse:
        # Milvus takes no empty vector; the last dimension is no term's.
        row["weights"] = weights(Counter(ids), len(ids), mean) or {NO_TERM: 1e-6}
    return row


NO_TERM: Final = 2**32 - 2


def _about(prepared: PreparedArticle, generation: int) -> dict[str, Any]:
    """What filters ask, of an article and its passages alike."""
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
    return {"born": generation, "first_day": first, "last_day": last, "names": names}


def _entry_row(
    prepared: PreparedArticle, number: int, first: int, last: int, about: Mapping[str, Any]
) -> dict[str, Any]:
    entry = json.dumps(entry_record(prepared))  # ASCII: any text survives
    if len(entry) > MAX_TEXT:
        raise LibraryError(
            f"the metadata of article {prepared.article.id} takes {len(entry):,} bytes; a library"
            f" on a server takes {MAX_TEXT:,}"
        )
    return {
        **about,
        "number": number,
        "digest": digest("article", prepared.article.id),
        "first": first,
        "last": last,
        "entry": entry,
        "unused": [0.0, 0.0],
    }


def _moved(statistics: Statistics, change: Sequence[int] | np.ndarray[Any, Any]) -> Statistics:
    articles, passages, sentences, terms = (int(n) for n in change)
    return Statistics(
        statistics.n_articles + articles,
        statistics.n_passages + passages,
        statistics.n_sentences + sentences,
        statistics.n_terms + terms,
    )
