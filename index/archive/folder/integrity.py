"""Whether the database of a folder archive is whole: every page, every row, every count."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

from index.archive.entries import entry_of
from index.archive.folder.database import State, connect, explained, read_state, select
from index.archive.folder.view import read_codecs
from index.archive.records.article import unpack_body
from index.archive.records.passage import unpack_passages, unpack_vectors
from index.errors import DamagedLibrary
from index.models.encoder import Progress

__all__ = ["check_database"]

_BATCH: Final = 1_000


def check_database(folder: Path, progress: Progress | None = None) -> State:
    """Read everything.

    Returns:
        What the database says of itself, all of which is true.

    Raises:
        DamagedLibrary: Something is missing or changed.
    """
    with explained(folder), closing(connect(folder)) as connection:
        connection.execute("BEGIN")
        problems = connection.execute("PRAGMA integrity_check(1)").fetchall()
        if problems != [("ok",)]:
            raise DamagedLibrary(
                f"the library in {str(folder)!r} is damaged ({problems[0][0]}); restore it from a"
                " backup, or add its articles to a new one"
            )
        state = read_state(connection)
        read_codecs(connection, state)
        counts: Counter[str] = Counter()
        terms: Counter[int] = Counter()
        pieces: Counter[int] = Counter()
        rows: set[int] = set()
        for start in range(0, state.next_row, _BATCH):
            rows |= _check_passages(connection, state, start, counts, terms, pieces)
            if progress:
                progress("checking", min(start + _BATCH, state.next_row), state.next_row)
        (strays,) = connection.execute(
            "SELECT count(*) FROM vector WHERE row NOT IN (SELECT row FROM passage)"
        ).fetchone()
        if strays:
            raise ValueError(f"{strays} vectors belong to no passage")
        _check_articles(connection, state, rows)
        statistics = state.statistics
        if (len(rows), counts["sentences"], counts["terms"]) != (
            statistics.n_passages, statistics.n_sentences, statistics.n_terms,
        ):  # fmt: skip
            raise ValueError("its counts are not those of its passages")
        _check_frequencies("term", ((n, df) for n, _, df in select(connection, "term")), terms)
        _check_frequencies("piece", select(connection, "piece"), pieces)
    return state


def _check_passages(
    connection: sqlite3.Connection,
    state: State,
    start: int,
    counts: Counter[str],
    terms: Counter[int],
    pieces: Counter[int],
) -> set[int]:
    found = connection.execute(
        "SELECT row, passage.data, vector.data FROM passage LEFT JOIN vector USING (row)"
        " WHERE row >= ? AND row < ? ORDER BY row",
        (start, start + _BATCH),
    ).fetchall()
    rows = [row for row, _, _ in found]
    unpack_vectors(rows, [vector or b"" for _, _, vector in found], state.model.dimension)
    layout = unpack_passages(rows, [data for _, data, _ in found])
    counts["sentences"] += int(layout.sentence_starts[-1])
    counts["terms"] += len(layout.term_ids)
    for own in layout.by_passage(layout.term_ids, layout.term_starts):
        terms.update(own)
    for own in layout.by_passage(layout.token_ids, layout.token_starts):
        pieces.update(own)
    return set(rows)


def _check_articles(connection: sqlite3.Connection, state: State, rows: set[int]) -> None:
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
    if (n_articles, n_passages) != (state.statistics.n_articles, len(rows)):
        raise ValueError("its counts are not those of its articles")


def _check_frequencies(what: str, found: Iterable[tuple[int, ...]], counted: Counter[int]) -> None:
    for number, df in found:
        if counted.pop(number, 0) != df:
            raise ValueError(f"the frequency of {what} {number} is wrong")
    if counted:
        raise ValueError(f"{len(counted)} rows of the table {what} are missing")
