"""What adding and removing do to the tables of a folder archive, inside one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from index.archive.entries import entry_record
from index.archive.folder.database import State, check_row, crc_of
from index.archive.records.article import pack_body
from index.archive.records.codec_training import recorded
from index.archive.records.passage import unpack_passages
from index.archive.records.token_codec import TokenCodec
from index.archive.store import PreparedArticle, Statistics
from index.errors import UnknownArticle

__all__ = ["add", "remove"]

_BATCH: Final = 500


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
        replacing: Ids of articles to take away.

    Returns:
        The state to be written with the same transaction.

    Raises:
        UnknownArticle: One that is to be replaced is not there.
    """
    unique = {prepared.article.id: prepared for prepared in articles}
    present = [key for key in unique if _find(connection, key) is not None]
    gone = dict.fromkeys([*replacing, *present])
    state = remove(connection, state, list(gone)) if gone else state
    numbers = _numbered(connection, unique.values())
    terms: Counter[str] = Counter()
    pieces: Counter[int] = Counter()
    for prepared in unique.values():
        state = _write_article(connection, state, codecs[state.codec], prepared, numbers)
        for passage in prepared.passages:
            terms.update({term for sentence in passage.terms for term in sentence})
            pieces.update(set(passage.token_ids.tolist()))
    _count_terms(connection, {numbers[term]: n for term, n in terms.items()})
    _count_pieces(connection, pieces)
    return state


def remove(connection: sqlite3.Connection, state: State, article_ids: Sequence[str]) -> State:
    """Take articles away; arguments and result as for ``add``.

    Raises:
        UnknownArticle: One is not there.
    """
    terms: Counter[int] = Counter()
    pieces: Counter[int] = Counter()
    for key in dict.fromkeys(article_ids):
        row = _find(connection, key)
        if row is None:
            raise UnknownArticle(f"the library holds no article {key!r}; nothing was removed")
        state = _take_away(connection, state, *row, terms, pieces)
    _count_terms(connection, {number: -n for number, n in terms.items()})
    _count_pieces(connection, {number: -n for number, n in pieces.items()})
    return state


def _find(connection: sqlite3.Connection, key: str) -> tuple[int, int, int] | None:
    row = connection.execute(
        "SELECT number, id, first, last, entry, crc FROM article WHERE id = ?", (key,)
    ).fetchone()
    if row is None:
        return None
    number, found, first, last, entry, crc = row
    check_row("an article", crc, number, found, first, last, entry)
    return number, first, last


def _write_article(
    connection: sqlite3.Connection,
    state: State,
    codec: TokenCodec,
    prepared: PreparedArticle,
    numbers: Mapping[str, int],
) -> State:
    article, number, first = prepared.article, state.next_article, state.next_row
    last = first + len(prepared.passages)
    entry = json.dumps(entry_record(prepared))
    connection.execute(
        "INSERT INTO article VALUES (?, ?, ?, ?, ?, ?)",
        (number, article.id, first, last, entry,
         crc_of(number, article.id, first, last, entry)),
    )  # fmt: skip
    connection.execute("INSERT INTO body VALUES (?, ?)", (number, pack_body(number, article)))
    for row, passage in enumerate(prepared.passages, first):
        packed, record, _ = recorded(
            row,
            passage,
            article=number,
            term_ids=[[numbers[term] for term in sentence] for sentence in passage.terms],
            codec=codec,
            codec_number=state.codec,
        )
        connection.execute("INSERT INTO vector VALUES (?, ?)", (row, packed))
        connection.execute("INSERT INTO passage VALUES (?, ?)", (row, record))
    return replace(
        state,
        next_row=last,
        next_article=number + 1,
        statistics=_moved(
            state.statistics,
            1,
            len(prepared.passages),
            sum(len(p.terms) for p in prepared.passages),
            sum(len(sentence) for p in prepared.passages for sentence in p.terms),
        ),
    )


def _take_away(
    connection: sqlite3.Connection,
    state: State,
    number: int,
    first: int,
    last: int,
    terms: Counter[int],
    pieces: Counter[int],
) -> State:
    found = connection.execute(
        "SELECT row, data FROM passage WHERE row >= ? AND row < ? ORDER BY row", (first, last)
    ).fetchall()
    if len(found) != last - first:
        raise ValueError(f"article {number} has {len(found)} passages, not {last - first}")
    layout = unpack_passages([row for row, _ in found], [data for _, data in found])
    term_starts = layout.term_starts[layout.sentence_starts]
    piece_starts = layout.token_starts[layout.sentence_starts]
    for i in range(len(found)):
        terms.update(set(layout.term_ids[term_starts[i] : term_starts[i + 1]].tolist()))
        pieces.update(set(layout.token_ids[piece_starts[i] : piece_starts[i + 1]].tolist()))
    connection.execute("DELETE FROM article WHERE number = ?", (number,))  # its body as well
    for table in ("passage", "vector"):
        connection.execute(
            f"DELETE FROM {table} WHERE row >= ? AND row < ?",  # noqa: S608 - a constant
            (first, last),
        )
    generation = state.generation + 1
    connection.execute(
        "INSERT INTO removed VALUES (?, ?, ?, ?)",
        (first, last, generation, crc_of(first, last, generation)),
    )
    return replace(
        state,
        n_removed=state.n_removed + 1,
        statistics=_moved(
            state.statistics,
            -1,
            first - last,
            -int(layout.sentence_starts[-1]),
            -len(layout.term_ids),
        ),
    )


def _moved(
    statistics: Statistics, articles: int, passages: int, sentences: int, terms: int
) -> Statistics:
    return Statistics(
        statistics.n_articles + articles,
        statistics.n_passages + passages,
        statistics.n_sentences + sentences,
        statistics.n_terms + terms,
    )


def _numbered(
    connection: sqlite3.Connection, articles: Iterable[PreparedArticle]
) -> dict[str, int]:
    """The number of every term; new ones are given the next."""
    wanted = sorted(
        {t for a in articles for p in a.passages for sentence in p.terms for t in sentence}
    )
    numbers: dict[str, int] = {}
    for start in range(0, len(wanted), _BATCH):
        some = wanted[start : start + _BATCH]
        marks = ",".join("?" * len(some))
        numbers.update(
            connection.execute(
                f"SELECT term, number FROM term WHERE term IN ({marks})",  # noqa: S608
                some,
            )
        )
    (largest,) = connection.execute("SELECT max(number) FROM term").fetchone()
    new = [term for term in wanted if term not in numbers]
    for number, term in enumerate(new, 0 if largest is None else largest + 1):
        numbers[term] = number
        connection.execute(
            "INSERT INTO term VALUES (?, ?, 0, ?)", (number, term, crc_of(number, term, 0))
        )
    return numbers


def _count_terms(connection: sqlite3.Connection, changes: Mapping[int, int]) -> None:
    for number, change in changes.items():
        row = connection.execute(
            "SELECT term, df, crc FROM term WHERE number = ?", (number,)
        ).fetchone()
        if row is None:
            raise ValueError(f"term {number} is missing")
        term, df, crc = row
        check_row("a term", crc, number, term, df)
        connection.execute(
            "UPDATE term SET df = ?, crc = ? WHERE number = ?",
            (df + change, crc_of(number, term, df + change), number),
        )


def _count_pieces(connection: sqlite3.Connection, changes: Mapping[int, int]) -> None:
    for number, change in changes.items():
        row = connection.execute("SELECT df, crc FROM piece WHERE number = ?", (number,)).fetchone()
        df = 0
        if row is not None:
            df = row[0]
            check_row("a word piece", row[1], number, df)
        connection.execute(
            "INSERT OR REPLACE INTO piece VALUES (?, ?, ?)",
            (number, df + change, crc_of(number, df + change)),
        )
