"""Keeping the derived files of a folder archive up to date, and the folder small."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from index.archive.folder import vector_index
from index.archive.folder.database import (
    State,
    connect,
    explained,
    read_state,
    write_state,
)
from index.archive.folder.derived_files import (
    DerivedFile,
    is_derived,
    pack_arrays,
    read_verified,
    sweep,
    write_derived,
)
from index.archive.folder.lexical_index import SEGMENT_ROWS
from index.archive.folder.vector_index import Kind, choose_kind
from index.archive.folder.view import read_segments, read_vectors
from index.archive.records.passage import unpack_vectors
from index.errors import LibraryError
from index.models.encoder import Float32, Progress

__all__ = ["compact", "flush", "needs_flush"]

MEMORY_BYTES: Final = 256 * 2**20
"""What the FAISS index of an archive may take."""
_SMALL: Final = 512
_LARGE_DELTA: Final = 8_192
_QUERIES: Final = 64
_CHUNK: Final = 16_384
_MAX_DEAD: Final = 0.2
_UNNAMED_SECONDS: Final = 3600
"""How long a file may be there before the database names it; making those of a million
passages takes a tenth of that."""


def needs_flush(state: State) -> bool:
    """Whether so much came since the derived files were made that making them pays."""
    manifest = state.derived
    upto = int(manifest["upto"]) if manifest else 0
    return state.next_row - upto > max(_SMALL, min(_LARGE_DELTA, upto // 10))


def flush(folder: Path, progress: Progress | None, *, rebuild: bool = False) -> None:
    """Make the derived files cover every row.

    Args:
        folder: The archive's.
        progress: Called as it advances.
        rebuild: Make them from nothing, whatever is there.

    Raises:
        LibraryError: They cannot be written; the archive is as it was.
    """
    with explained(folder), closing(connect(folder, write=True)) as connection:
        before = read_state(connection)
        if not rebuild and not needs_flush(before):
            return
        connection.execute("BEGIN")
        state = read_state(connection)
        try:
            manifest = _derive(folder, connection, state, progress, rebuild=rebuild)
        except OSError as error:
            raise LibraryError(
                f"cannot write the indexes of {str(folder)!r}: {error}; the articles are safe,"
                f" free some space and run: article-qa compact --library {folder}"
            ) from error
        finally:
            connection.execute("ROLLBACK")
        _publish(folder, connection, state, manifest)


def compact(folder: Path, progress: Progress | None) -> None:
    """Rebuild everything derived, forget what was removed, give back the space.

    Raises:
        LibraryError: The folder cannot be written; the archive is as it was.
    """
    flush(folder, progress, rebuild=True)
    with explained(folder), closing(connect(folder, write=True)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        state = read_state(connection)
        rebuilt = state.derived["rebuilt"] if state.derived else state.generation
        connection.execute("DELETE FROM removed WHERE generation <= ?", (rebuilt,))
        (n_removed,) = connection.execute("SELECT count(*) FROM removed").fetchone()
        write_state(
            connection, replace(state, generation=state.generation + 1, n_removed=n_removed)
        )
        connection.execute("COMMIT")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # Nobody else can say meanwhile that other files are in use than those named now.
        connection.execute("BEGIN IMMEDIATE")
        named = _names(read_state(connection).derived)
        sweep(folder, _strays(folder, named))
        connection.execute("ROLLBACK")


def _publish(
    folder: Path,
    connection: sqlite3.Connection,
    state: State,
    manifest: dict[str, Any] | None,
) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        now = read_state(connection)
        if now.derived != state.derived:
            return  # another process made them meanwhile
        write_state(connection, replace(now, generation=now.generation + 1, derived=manifest))
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    sweep(folder, _names(state.derived) - _names(manifest))


def _derive(
    folder: Path,
    connection: sqlite3.Connection,
    state: State,
    progress: Progress | None,
    *,
    rebuild: bool,
) -> dict[str, Any] | None:
    """Write the files that cover a snapshot's rows; what the database is to say of them."""
    if not state.statistics.n_passages:
        return None
    old = None if rebuild else state.derived
    vectors = _derive_vectors(folder, connection, state, old, progress)
    return vectors | {
        "upto": state.next_row,
        "n_alive": state.statistics.n_passages,
        "generation": state.generation,
        # What was removed before is in none of the files; what was removed since may be.
        "rebuilt": state.generation if old is None else old["rebuilt"],
        "segments": _derive_segments(folder, connection, state, old),
    }


def _derive_vectors(
    folder: Path,
    connection: sqlite3.Connection,
    state: State,
    old: dict[str, Any] | None,
    progress: Progress | None,
) -> dict[str, Any]:
    n, dimension = state.statistics.n_passages, state.model.dimension
    kind = choose_kind(n, MEMORY_BYTES, dimension)
    index = _reusable(folder, state, old, kind)
    start = int(old["upto"]) if old and index is not None else 0
    measured: dict[str, Any] = {key: old[key] for key in ("trained_on", "recall")} if old else {}
    if index is None:
        measured = {"trained_on": n}
        index = vector_index.train(kind, _sample(connection, state, kind), dimension)
    for rows, vectors in _chunks(connection, start, state.next_row, dimension):
        vector_index.extend(index, vectors, rows)
        if progress:
            progress("indexing vectors", index.ntotal, n)
    if start == 0:
        measured["recall"] = _measured(connection, state, index, kind)
    file = write_derived(folder, "vectors", "faiss", [vector_index.serialise(index)])
    return measured | {
        "kind": [kind.spec, kind.probes, kind.candidates],
        "n": index.ntotal,
        "vectors": asdict(file),
    }


def _reusable(
    folder: Path, state: State, old: dict[str, Any] | None, kind: Kind
) -> faiss.Index | None:
    """The index there is, where adding to it is as good as making it anew."""
    if old is None or Kind(*old["kind"]) != kind:
        return None
    dead = int(old["n"]) - (state.statistics.n_passages - (state.next_row - int(old["upto"])))
    if dead > _MAX_DEAD * int(old["n"]):
        return None
    try:
        with read_verified(folder, DerivedFile(**old["vectors"])) as data, memoryview(data) as v:
            return vector_index.load(v, kind, state.model.dimension)
    except (OSError, ValueError):
        return None


def _derive_segments(
    folder: Path, connection: sqlite3.Connection, state: State, old: dict[str, Any] | None
) -> list[Any]:
    kept = []
    for first, last, file in old["segments"] if old else []:
        if last - first == SEGMENT_ROWS and (folder / DerivedFile(**file).path).is_file():
            kept.append([first, last, file])
    covered = {first for first, _, _ in kept}
    for first in range(0, state.next_row, SEGMENT_ROWS):
        if first in covered:
            continue
        last = min(state.next_row, first + SEGMENT_ROWS)
        for segment in read_segments(connection, first, last):
            file = write_derived(folder, "terms", "arrays", pack_arrays(segment.arrays()))
            kept.append([segment.first, segment.last, asdict(file)])
    return sorted(kept)


def _chunks(
    connection: sqlite3.Connection, first: int, last: int, dimension: int
) -> Iterator[tuple[NDArray[np.int64], Float32]]:
    for start in range(first, last, _CHUNK):
        rows, vectors = read_vectors(connection, start, min(last, start + _CHUNK), dimension)
        if len(rows):
            yield rows, vectors


def _sample(connection: sqlite3.Connection, state: State, kind: Kind) -> Float32:
    """Vectors to train on, spread evenly over the rows."""
    wanted = vector_index.training_size(kind)
    every = max(1, state.next_row // max(1, wanted))
    found = connection.execute(
        "SELECT row, data FROM vector WHERE row % ? = 0 ORDER BY row", (every,)
    ).fetchall()
    return unpack_vectors([r for r, _ in found], [d for _, d in found], state.model.dimension)


def _measured(
    connection: sqlite3.Connection, state: State, index: faiss.Index, kind: Kind
) -> float:
    """recall@10 against exact search, for stored vectors as queries."""
    if kind.candidates == 1 and kind.probes == 0:
        return 1.0
    every = max(1, state.next_row // _QUERIES)
    dimension = state.model.dimension
    found = connection.execute(
        "SELECT row, data FROM vector WHERE row % ? = 0 ORDER BY row LIMIT ?", (every, _QUERIES)
    ).fetchall()
    queries = unpack_vectors([r for r, _ in found], [d for _, d in found], dimension)
    near = [vector_index.search(index, kind, query, 10 * kind.candidates)[0] for query in queries]
    return vector_index.recall(
        queries, near, lambda: _chunks(connection, 0, state.next_row, dimension)
    )


def _names(manifest: dict[str, Any] | None) -> set[str]:
    if not manifest:
        return set()
    return {manifest["vectors"]["path"], *(file["path"] for _, _, file in manifest["segments"])}


def _strays(folder: Path, named: set[str]) -> list[str]:
    """Derived files that nothing names, and that nobody can still be about to name."""
    found = []
    for path in folder.iterdir():
        if is_derived(path.name) and path.name not in named:
            with suppress(FileNotFoundError):  # made and gone meanwhile
                if time.time() - path.stat().st_mtime > _UNNAMED_SECONDS:
                    found.append(path.name)
    return found
