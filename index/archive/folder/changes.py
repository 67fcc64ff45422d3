"""Adding, removing and re-encoding rows of a folder archive, inside one transaction."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, replace
from typing import Final

from index.archive.entries import entry_json
from index.archive.folder.database import State, insert, select, select_in
from index.archive.records.article import pack_body
from index.archive.records.passage import pack, recode, unpack_passages, unpack_vectors
from index.archive.records.pool import learn_codec
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
    """Write articles, in place of others.

    Args:
        connection: In a transaction that may write.
        state: As of that transaction.
        codecs: By number.
        articles: What to write; the last of several with one id counts.
        replacing: Ids of articles to remove.

    Returns:
        The state to be written with the same transaction.

    Raises:
        UnknownArticle: One that is to be replaced is not there.
    """
    unique = {prepared.article.id: prepared for prepared in articles}
    present = [row[1] for row in select_in(connection, "article", "id", list(unique))]
    state = remove(connection, state, [*replacing, *present])
    numbers = _term_numbers(connection, unique.values())
    terms: Counter[int] = Counter()
    pieces: Counter[int] = Counter()
    for prepared in unique.values():
        state = _write_article(connection, state, codecs[state.codec], prepared, numbers)
        for passage in prepared.passages:
            terms.update({numbers[term] for sentence in passage.terms for term in sentence})
            pieces.update(set(passage.token_ids.tolist()))
    _count(connection, terms, pieces)
    return state


def remove(connection: sqlite3.Connection, state: State, article_ids: Sequence[str]) -> State:
    """Delete articles; arguments and result as for ``add``.

    Raises:
        UnknownArticle: One is not there.
    """
    terms: Counter[int] = Counter()
    pieces: Counter[int] = Counter()
    for key in dict.fromkeys(article_ids):
        found = list(select(connection, "article", "WHERE id = ?", (key,)))
        if not found:
            raise UnknownArticle(f"the library holds no article {key!r}; nothing was removed")
        number, _, first, last, _ = found[0]
        state = _delete_article(connection, state, number, first, last, terms, pieces)
    _count(connection, terms, pieces)
    return state


def train_codec(connection: sqlite3.Connection, state: State) -> State:
    """Train the token codec and re-encode every passage with it.

    Returns:
        The state to be written with the same transaction.
    """
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
    counts = (
        1,
        len(prepared.passages),
        sum(len(p.terms) for p in prepared.passages),
        sum(len(sentence) for p in prepared.passages for sentence in p.terms),
    )
    return replace(
        state, next_row=last, next_article=number + 1, statistics=_moved(state.statistics, counts)
    )


def _delete_article(
    connection: sqlite3.Connection,
    state: State,
    number: int,
    first: int,
    last: int,
    terms: Counter[int],
    pieces: Counter[int],
) -> State:
    """Delete an article's rows, and take its terms and word pieces from some counts."""
    found = connection.execute(
        "SELECT row, data FROM passage WHERE row >= ? AND row < ? ORDER BY row", (first, last)
    ).fetchall()
    if len(found) != last - first:
        raise ValueError(f"article {number} has {len(found)} passages, not {last - first}")
    layout = unpack_passages([row for row, _ in found], [data for _, data in found])
    for own in layout.by_passage(layout.term_ids, layout.term_starts):
        terms.subtract(own)
    for own in layout.by_passage(layout.token_ids, layout.token_starts):
        pieces.subtract(own)
    connection.execute("DELETE FROM article WHERE number = ?", (number,))  # its body as well
    for table in ("passage", "vector"):
        connection.execute(
            f"DELETE FROM {table} WHERE row >= ? AND row < ?",  # noqa: S608 - a constant
            (first, last),
        )
    insert(connection, "removed", first, last, state.generation + 1)
    counts = (-1, first - last, -int(layout.sentence_starts[-1]), -len(layout.term_ids))
    return replace(
        state, n_removed=state.n_removed + 1, statistics=_moved(state.statistics, counts)
    )


def _moved(statistics: Statistics, by: tuple[int, int, int, int]) -> Statistics:
    return Statistics(*(a + b for a, b in zip(astuple(statistics), by, strict=True)))


def _term_numbers(
    connection: sqlite3.Connection, articles: Iterable[PreparedArticle]
) -> dict[str, int]:
    """The number of every term; new ones are given the next."""
    wanted = sorted(
        {t for a in articles for p in a.passages for sentence in p.terms for t in sentence}
    )
    numbers = {term: number for number, term, _ in select_in(connection, "term", "term", wanted)}
    (largest,) = connection.execute("SELECT max(number) FROM term").fetchone()
    new = [term for term in wanted if term not in numbers]
    for number, term in enumerate(new, 0 if largest is None else largest + 1):
        numbers[term] = number
        insert(connection, "term", number, term, 0)
    return numbers


def _count(connection: sqlite3.Connection, terms: Counter[int], pieces: Counter[int]) -> None:
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
