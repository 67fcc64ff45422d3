"""Whether the database of a folder archive is whole: every page, every row, every count."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np

from index.archive.folder.database import State, check_row, connect, explained, read_state
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
        rows, counts, terms, pieces = _check_passages(connection, state, progress)
        _check_articles(connection, state, rows)
        counted = (len(rows), *counts)
        statistics = state.statistics
        if counted != (statistics.n_passages, statistics.n_sentences, statistics.n_terms):
            raise ValueError("its counts are not those of its passages")
        _check_frequencies(connection, "term", terms)
        _check_frequencies(connection, "piece", pieces)
    return state


def _check_passages(
    connection: sqlite3.Connection, state: State, progress: Progress | None
) -> tuple[set[int], tuple[int, int], Counter[int], Counter[int]]:
    rows: set[int] = set()
    sentences = occurrences = 0
    terms: Counter[int] = Counter()
    pieces: Counter[int] = Counter()
    for start in range(0, state.next_row, _BATCH):
        found = connection.execute(
            "SELECT row, passage.data, vector.data FROM passage LEFT JOIN vector USING (row)"
            " WHERE row >= ? AND row < ? ORDER BY row",
            (start, start + _BATCH),
        ).fetchall()
        numbers = [row for row, _, _ in found]
        unpack_vectors(numbers, [v or b"" for _, _, v in found], state.model.dimension)
        if found:
            layout = unpack_passages(numbers, [data for _, data, _ in found])
            sentences += int(layout.sentence_starts[-1])
            occurrences += len(layout.term_ids)
            for ids, starts, counter in (
                (layout.term_ids, layout.term_starts, terms),
                (layout.token_ids, layout.token_starts, pieces),
            ):
                ends = starts[layout.sentence_starts]
                owner = np.repeat(np.arange(len(found)), np.diff(ends))
                pairs = np.unique(ids * len(found) + owner)
                values, counts = np.unique(pairs // len(found), return_counts=True)
                counter.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        rows.update(numbers)
        if progress:
            progress("checking", min(start + _BATCH, state.next_row), state.next_row)
    (strays,) = connection.execute(
        "SELECT count(*) FROM vector WHERE row NOT IN (SELECT row FROM passage)"
    ).fetchone()
    if strays:
        raise ValueError(f"{strays} vectors belong to no passage")
    return rows, (sentences, occurrences), terms, pieces


def _check_articles(connection: sqlite3.Connection, state: State, rows: set[int]) -> None:
    n_articles = 0
    claimed = 0
    found = connection.execute(
        "SELECT number, id, first, last, entry, crc, body.data FROM article"
        " LEFT JOIN body USING (number)"
    )
    for number, key, first, last, entry, crc, body in found:
        check_row("an article", crc, number, key, first, last, entry)
        if body is None or unpack_body(number, body).id != key:
            raise ValueError(f"the text of article {key} is missing or damaged")
        if not rows.issuperset(range(first, last)):
            raise ValueError(f"article {key} lacks passages")
        n_articles += 1
        claimed += last - first
    if (n_articles, claimed) != (state.statistics.n_articles, len(rows)):
        raise ValueError("its counts are not those of its articles")


def _check_frequencies(connection: sqlite3.Connection, table: str, counted: Counter[int]) -> None:
    columns = "number, term, df, crc" if table == "term" else "number, df, crc"
    for row in connection.execute(f"SELECT {columns} FROM {table}"):  # noqa: S608 - a constant
        check_row(f"a {table}", row[-1], *row[:-1])
        if counted.pop(row[0], 0) != row[-2]:
            raise ValueError(f"the frequency of {table} {row[0]} is wrong")
    if counted:
        raise ValueError(f"{len(counted)} rows of {table} are missing")
