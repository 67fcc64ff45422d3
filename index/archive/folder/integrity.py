"""Whether the database of a folder archive is whole: every page, every row, every count."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

from index.archive.entries import entry_of
from index.archive.folder.database import (
    State,
    connect,
    explained_errors,
    read_state,
    select,
    select_rows,
)
from index.archive.folder.view import read_codecs
from index.archive.records.passage import unpack_body, unpack_passages, unpack_vectors
from index.archive.store import Statistics
from index.errors import DamagedLibrary
from index.models.encoder import Progress

__all__ = ["check_database"]

_BATCH: Final = 1_000


def check_database(folder: Path, progress: Progress | None = None) -> State:
    """Read everything; all that the returned state says of the database is true.

    Raises:
        DamagedLibrary: Something is missing or changed.
    """
    with explained_errors(folder), closing(connect(folder)) as connection:
        connection.execute("BEGIN")
        problems = connection.execute("PRAGMA integrity_check(1)").fetchall()
        if problems != [("ok",)]:
            raise DamagedLibrary(
                f"the library in {str(folder)!r} is damaged ({problems[0][0]}); restore it from a"
                " backup, or add its articles to a new one"
            )
        state = read_state(connection)
        read_codecs(connection, state)
        found, terms, pieces = Statistics(), Counter[int](), Counter[int]()
        rows: set[int] = set()
        for start in range(0, state.next_row, _BATCH):
            own, records = select_rows(connection, "passage", start, start + _BATCH)
            vector_rows, vectors = select_rows(connection, "vector", start, start + _BATCH)
            if vector_rows != own:
                raise ValueError("its vectors are not those of its passages")
            unpack_vectors(own, vectors, state.model.dimension)
            counts, own_terms, own_pieces = unpack_passages(own, records).counts()
            found += counts
            terms += own_terms
            pieces += own_pieces
            rows.update(own)
            if progress:
                progress("checking", min(start + _BATCH, state.next_row), state.next_row)
        found += Statistics(n_articles=_check_articles(connection, rows))
        if found != state.statistics:
            raise ValueError("its counts are not those of what it holds")
        _check_frequencies("term", ((n, df) for n, _, df in select(connection, "term")), terms)
        _check_frequencies("piece", select(connection, "piece"), pieces)
    return state


def _check_articles(connection: sqlite3.Connection, rows: set[int]) -> int:
    """Check the articles, and that their passages are the rows that are there; their number."""
    body = "SELECT data FROM body WHERE number = ?"
    n_articles = n_passages = 0
    for number, key, first, last, text in select(connection, "article"):
        (data,) = connection.execute(body, (number,)).fetchone() or (b"",)
        entry, article = entry_of(text), unpack_body(number, data, key)
        if (entry.id, entry.n_passages) != (key, last - first):
            raise ValueError(f"the metadata of article {key} is another's")
        if entry.n_characters != len(article.text) or not rows.issuperset(range(first, last)):
            raise ValueError(f"article {key} lacks passages")
        n_articles += 1
        n_passages += last - first
    if n_passages != len(rows):
        raise ValueError("its passages are not those of its articles")
    return n_articles


def _check_frequencies(what: str, found: Iterable[tuple[int, ...]], counted: Counter[int]) -> None:
    for number, df in found:
        if counted.pop(number, 0) != df:
            raise ValueError(f"the frequency of {what} {number} is wrong")
    if counted:
        raise ValueError(f"{len(counted)} rows of the table {what} are missing")
