"""When an archive is large enough: learn how to keep its word pieces in few bytes."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from index.passage_record import Layout, pack_passage, unpack_passages, unpack_vectors
from index.sqlite_schema import State, connect, crc_of, explained, read_state, write_state
from index.token_codec import ByteCodec, ResidualCodec, train

__all__ = ["train_codec"]

TRAIN_AT: Final = 1_000
"""Passages that an archive holds when its codec is learnt."""
_MAX_SAMPLE: Final = 2_000


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
    plain = ByteCodec(state.model.dimension)
    every = max(1, state.statistics.n_passages // _MAX_SAMPLE)
    codec = _learnt(connection, state, plain, every)
    data = codec.to_bytes()
    # As it will be read back, so that encoding and decoding use the same numbers.
    codec = ResidualCodec.from_bytes(data, state.model.dimension)
    number = 1
    connection.execute(
        "INSERT INTO codec VALUES (?, ?, ?)", (number, data, crc_of(number, zlib.crc32(data)))
    )
    rows = [row for (row,) in connection.execute("SELECT row FROM passage ORDER BY row")]
    for row in rows:
        _rewrite(connection, state, row, plain, codec, number)
    write_state(connection, replace(state, generation=state.generation + 1, codec=number))


def _learnt(
    connection: sqlite3.Connection, state: State, plain: ByteCodec, every: int
) -> ResidualCodec:
    found = connection.execute(
        "SELECT row, passage.data, vector.data FROM passage JOIN vector USING (row)"
        " WHERE row % ? = 0 ORDER BY row LIMIT ?",
        (every, _MAX_SAMPLE),
    ).fetchall()
    rows = [row for row, _, _ in found]
    layout = unpack_passages(rows, [data for _, data, _ in found])
    vectors = unpack_vectors(rows, [data for _, _, data in found], state.model.dimension)
    starts = layout.token_starts[layout.sentence_starts]
    pieces = [layout.token_ids[a:b] for a, b in zip(starts, starts[1:], strict=False)]
    return train(
        vectors,
        plain.decode(vectors, layout.codes, pieces),
        layout.token_ids.astype(np.int32),
        np.repeat(np.arange(len(rows)), np.diff(starts)).astype(np.int32),
    )


def _rewrite(
    connection: sqlite3.Connection,
    state: State,
    row: int,
    plain: ByteCodec,
    codec: ResidualCodec,
    number: int,
) -> None:
    passage, vector = connection.execute(
        "SELECT passage.data, vector.data FROM passage JOIN vector USING (row) WHERE row = ?",
        (row,),
    ).fetchone()
    layout: Layout = unpack_passages([row], [passage])
    vectors = unpack_vectors([row], [vector], state.model.dimension)
    tokens = plain.decode(vectors, layout.codes, [layout.token_ids])
    pieces = layout.token_ids.astype(np.int32)
    (span,) = layout.passage_spans.tolist()
    record = pack_passage(
        row,
        article=int(layout.articles[0]),
        span=(span[0], span[1]),
        paragraph=int(layout.paragraphs[0]),
        page=int(layout.pages[0]) or None,
        sentence_spans=layout.sentence_spans,
        token_starts=layout.token_starts,
        traits=layout.traits,
        term_ids=[
            layout.term_ids[a:b].tolist()
            for a, b in zip(layout.term_starts, layout.term_starts[1:], strict=False)
        ],
        token_ids=pieces,
        codec=number,
        codes=codec.encode(vectors[0], tokens, pieces),
    )
    connection.execute("UPDATE passage SET data = ? WHERE row = ?", (record, row))
