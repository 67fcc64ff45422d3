"""When an archive is large enough: learn how to keep its word pieces in few bytes."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from index.archive.folder.database import State, connect, crc_of, explained, read_state, write_state
from index.archive.records.codec_training import MAX_SAMPLE, TRAIN_AT, learn, recoded
from index.archive.records.passage import unpack_passages, unpack_vectors
from index.archive.records.token_codec import ResidualCodec

__all__ = ["train_codec"]


def train_codec(folder: Path) -> bool:
    """Learn the codec and rewrite what was kept without it, in one transaction.

    Returns:
        Whether that was due.

    Raises:
        LibraryError: The folder cannot be written; the archive is as it was.
    """
    with explained(folder), closing(connect(folder, write=True)) as connection:
        state = read_state(connection)
        if state.codec or state.statistics.n_passages < TRAIN_AT:
            return False
        connection.execute("BEGIN IMMEDIATE")
        try:
            state = read_state(connection)
            if state.codec == 0:
                _adopt(connection, state)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    return True


def _adopt(connection: sqlite3.Connection, state: State) -> None:
    every = max(1, state.statistics.n_passages // MAX_SAMPLE)
    data = _learnt(connection, state, every)
    # As it will be read back, so that encoding and decoding use the same numbers.
    codec = ResidualCodec.from_bytes(data, state.model.dimension)
    number = 1
    connection.execute(
        "INSERT INTO codec VALUES (?, ?, ?)", (number, data, crc_of(number, zlib.crc32(data)))
    )
    rows = [row for (row,) in connection.execute("SELECT row FROM passage ORDER BY row")]
    for row in rows:
        passage, vector = connection.execute(
            "SELECT passage.data, vector.data FROM passage JOIN vector USING (row) WHERE row = ?",
            (row,),
        ).fetchone()
        (unpacked,) = unpack_vectors([row], [vector], state.model.dimension)
        record = recoded(row, passage, unpacked, codec, number)
        connection.execute("UPDATE passage SET data = ? WHERE row = ?", (record, row))
    write_state(connection, replace(state, generation=state.generation + 1, codec=number))


def _learnt(connection: sqlite3.Connection, state: State, every: int) -> bytes:
    found = connection.execute(
        "SELECT row, passage.data, vector.data FROM passage JOIN vector USING (row)"
        " WHERE row % ? = 0 ORDER BY row LIMIT ?",
        (every, MAX_SAMPLE),
    ).fetchall()
    rows = [row for row, _, _ in found]
    vectors = unpack_vectors(rows, [data for _, _, data in found], state.model.dimension)
    return learn(unpack_passages(rows, [data for _, data, _ in found]), vectors)
