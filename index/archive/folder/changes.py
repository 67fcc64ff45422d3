"""Adding, removing and re-encoding rows of a folder archive, inside one transaction."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from index.archive.entries import entry_json
from index.archive.folder.database import State, insert, select, select_in, select_rows
from index.archive.records.passage import (
    count_passages,
    learn_codec,
    pack,
    pack_body,
    recode,
    unpack_passages,
    unpack_vectors,
)
from index.archive.records.token_codec import MAX_SAMPLE, ResidualCodec, TokenCodec
from index.archive.store import PreparedArticle, Statistics
from index.errors import UnknownArticle

__all__ = ["add", "remove", "train_codec"]

_CODEC: Final = 1
_WITH_VECTORS: Final = "SELECT row, passage.data, vector.data FROM passage JOIN vector USING (row)"


def add(
    connection: sqlite3.Connection,
    state: State,
    codecs: Mapping[int, TokenCodec],
    articles: Sequence[PreparedArticle],
    replacing: Sequence[str] = (),
) -> State:
    """Write articles in a transaction, in place of those of their ids and of ``replacing``.

    Returns:
        The state to be written with the same transaction.

    Raises:
        UnknownArticle: One that is to be replaced is not there.
    """
    unique = {prepared.article.id: prepared for prepared in articles}
    present = [row[1] for row in select_in(connection, "article", "id", list(unique))]
    state = remove(connection, state, [*replacing, *present])
    counts, terms, pieces = count_passages(p for a in unique.values() for p in a.passages)
    numbers = _term_numbers(connection, terms)
    for prepared in unique.values():
        state = _write_article(connection, state, codecs[state.codec], prepared, numbers)
    _count(connection, {numbers[term]: df for term, df in terms.items()}, pieces)
    added = counts + Statistics(n_articles=len(unique))
    return replace(state, statistics=state.statistics + added)


def remove(connection: sqlite3.Connection, state: State, article_ids: Sequence[str]) -> State:
    """Delete articles; see ``add``.

    Raises:
        UnknownArticle: One is not there.
    """
    terms, pieces = Counter[int](), Counter[int]()
    for key in dict.fromkeys(article_ids):
        found = list(select(connection, "article", "WHERE id = ?", (key,)))
        if not found:
            raise UnknownArticle(f"the library holds no article {key!r}; nothing was removed")
        number, _, first, last, _ = found[0]
        rows, records = select_rows(connection, "passage", first, last)
        if len(rows) != last - first:
            raise ValueError(f"article {key} has {len(rows)} passages, not {last - first}")
        counts, own_terms, own_pieces = unpack_passages(rows, records).counts()
        terms.subtract(own_terms)
        pieces.subtract(own_pieces)
        connection.execute("DELETE FROM article WHERE number = ?", (number,))  # its body as well
        connection.execute("DELETE FROM passage WHERE row >= ? AND row < ?", (first, last))
        connection.execute("DELETE FROM vector WHERE row >= ? AND row < ?", (first, last))
        insert(connection, "removed", first, last, state.generation + 1)
        left = state.statistics - counts - Statistics(n_articles=1)
        state = replace(state, n_removed=state.n_removed + 1, statistics=left)
    _count(connection, terms, pieces)
    return state


def train_codec(connection: sqlite3.Connection, state: State) -> State:
    """Train the token codec and re-encode every passage with it; see ``add``."""
    every = max(1, state.statistics.n_passages // MAX_SAMPLE)
    sample = f"{_WITH_VECTORS} WHERE row % ? = 0 ORDER BY row LIMIT ?"
    found = connection.execute(sample, (every, MAX_SAMPLE)).fetchall()
    rows, records, packed = (list(column) for column in zip(*found, strict=True))
    vectors = unpack_vectors(rows, packed, state.model.dimension)
    data = learn_codec(unpack_passages(rows, records), vectors)
    insert(connection, "codec", _CODEC, data)
    # As it will be read back, so that encoding and decoding use the same numbers.
    codec = ResidualCodec.from_bytes(data, state.model.dimension)
    for (row,) in connection.execute("SELECT row FROM passage ORDER BY row").fetchall():
        one = f"{_WITH_VECTORS} WHERE row = ?"
        _, record, vector = connection.execute(one, (row,)).fetchone()
        (unpacked,) = unpack_vectors([row], [vector], state.model.dimension)
        changed = recode(row, record, unpacked, codec, _CODEC)
        connection.execute("UPDATE passage SET data = ? WHERE row = ?", (changed, row))
    return replace(state, generation=state.generation + 1, codec=_CODEC)


def _write_article(
    connection: sqlite3.Connection,
    state: State,
    codec: TokenCodec,
    prepared: PreparedArticle,
    numbers: Mapping[str, int],
) -> State:
    article, number, first = prepared.article, state.next_article, state.next_row
    last = first + len(prepared.passages)
    insert(connection, "article", number, article.id, first, last, entry_json(prepared))
    connection.execute("INSERT INTO body VALUES (?, ?)", (number, pack_body(number, article)))
    for row, passage in enumerate(prepared.passages, first):
        packed, record, _ = pack(
            row,
            passage,
            article=number,
            term_numbers=numbers,
            codec=codec,
            codec_number=state.codec,
        )
        connection.execute("INSERT INTO vector VALUES (?, ?)", (row, packed))
        connection.execute("INSERT INTO passage VALUES (?, ?)", (row, record))
    return replace(state, next_row=last, next_article=number + 1)


def _term_numbers(connection: sqlite3.Connection, terms: Iterable[str]) -> dict[str, int]:
    """The number of every term; new ones are given the next."""
    wanted = sorted(terms)
    numbers = {term: number for number, term, _ in select_in(connection, "term", "term", wanted)}
    (largest,) = connection.execute("SELECT max(number) FROM term").fetchone()
    new = [term for term in wanted if term not in numbers]
    for number, term in enumerate(new, 0 if largest is None else largest + 1):
        numbers[term] = number
        insert(connection, "term", number, term, 0)
    return numbers


def _count(
    connection: sqlite3.Connection, terms: Mapping[int, int], pieces: Mapping[int, int]
) -> None:
    """Move document frequencies by some differences."""
    known = {n: (term, df) for n, term, df in select_in(connection, "term", "number", list(terms))}
    for number, change in terms.items():
        if number not in known:
            raise ValueError(f"term {number} is missing")
        term, df = known[number]
        insert(connection, "term", number, term, df + change)
    counted = dict(select_in(connection, "piece", "number", list(pieces)))
    for number, change in pieces.items():
        insert(connection, "piece", number, counted.get(number, 0) + change)
