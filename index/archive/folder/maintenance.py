"""When a folder archive learns its codec, makes its derived files anew, and gives back space."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from index.archive.folder import changes, vector_index
from index.archive.folder.database import (
    State,
    Tuning,
    connect,
    explained_errors,
    read_state,
    write_head,
    write_state,
)
from index.archive.folder.derived_files import (
    DerivedFile,
    Manifest,
    pack_arrays,
    read_verified,
    sweep,
    write_derived,
)
from index.archive.folder.vector_index import Kind, choose_kind
from index.archive.folder.view import read_segments, read_vectors
from index.archive.records.passage import unpack_vectors
from index.errors import LibraryError
from index.models.encoder import Float32, Progress

__all__ = ["changing", "compact", "flush"]

MEMORY_BYTES: Final = 256 * 2**20
"""What the FAISS index of an archive may take."""
_LARGE_DELTA: Final = 8_192
_QUERIES: Final = 64
_CHUNK: Final = 16_384
_MAX_DEAD: Final = 0.2


@contextmanager
def _writable(folder: Path, tuning: Tuning) -> Iterator[sqlite3.Connection]:
    with (
        explained_errors(folder),
        closing(connect(folder, write=True, busy_seconds=tuning.busy_seconds)) as connection,
    ):
        yield connection


@contextmanager
def changing(folder: Path, tuning: Tuning) -> Iterator[tuple[sqlite3.Connection, State]]:
    """A connection in a transaction that may write; committed if nothing goes wrong.

    Raises:
        LibraryError: The folder cannot be written; the archive is as it was.
    """
    with _writable(folder, tuning) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            state = read_state(connection)
            yield connection, state
            generation = read_state(connection).generation
            connection.execute("COMMIT")
            if generation > state.generation:
                write_head(folder, generation)
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def flush(
    folder: Path, tuning: Tuning, progress: Progress | None = None, *, rebuild: bool = False
) -> None:
    """Train the codec where that is due, and make the derived files cover every row.

    With ``rebuild`` they are made from nothing, whatever is there.

    Raises:
        LibraryError: They cannot be written; the archive is as it was.
    """
    with _writable(folder, tuning) as connection:
        before = read_state(connection)
        if _needs_codec(before, tuning):
            with changing(folder, tuning) as (writing, state):
                if _needs_codec(state, tuning):
                    write_state(writing, changes.train_codec(writing, state))
        if not rebuild and not _needs_files(before, tuning):
            return
        connection.execute("BEGIN")
        state = read_state(connection)
        try:
            old = None if rebuild else Manifest.usable(state.derived)
            manifest = _Derivation(folder, connection, state, old, tuning, progress).manifest()
        except OSError as error:
            raise LibraryError(
                f"cannot write the indexes of {str(folder)!r}: {error}; the articles are safe,"
                f" free some space and run: article-qa compact --library {folder}"
            ) from error
        finally:
            connection.execute("ROLLBACK")
    with changing(folder, tuning) as (connection, now):
        if now.derived != state.derived:
            return  # another process made them meanwhile
        derived = asdict(manifest) if manifest else None
        write_state(connection, replace(now, generation=now.generation + 1, derived=derived))
    sweep(folder, manifest, last=Manifest.usable(state.derived))


def compact(folder: Path, tuning: Tuning, progress: Progress | None) -> None:
    """Rebuild everything derived, forget what was removed, give back the space.

    Raises:
        LibraryError: The folder cannot be written; the archive is as it was.
    """
    flush(folder, tuning, progress, rebuild=True)
    with changing(folder, tuning) as (connection, state):
        manifest = Manifest.usable(state.derived)
        rebuilt = manifest.rebuilt if manifest else state.generation
        connection.execute("DELETE FROM removed WHERE generation <= ?", (rebuilt,))
        (n_removed,) = connection.execute("SELECT count(*) FROM removed").fetchone()
        write_state(
            connection, replace(state, generation=state.generation + 1, n_removed=n_removed)
        )
    with _writable(folder, tuning) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _needs_codec(state: State, tuning: Tuning) -> bool:
    return not state.codec and state.statistics.n_passages >= tuning.train_at


def _needs_files(state: State, tuning: Tuning) -> bool:
    """Whether so much came since the derived files were made that making them pays."""
    manifest = Manifest.usable(state.derived)
    upto = manifest.upto if manifest else 0
    return state.next_row - upto > max(tuning.flush_after, min(_LARGE_DELTA, upto // 10))


@dataclass(frozen=True, slots=True)
class _Derivation:
    """Writes the files that cover a snapshot's rows, reusing what the old ones have."""

    folder: Path
    connection: sqlite3.Connection
    state: State
    old: Manifest | None
    tuning: Tuning
    progress: Progress | None

    def manifest(self) -> Manifest | None:
        state, old = self.state, self.old
        if not state.statistics.n_passages:
            return None
        return Manifest(
            upto=state.next_row,
            n_alive=state.statistics.n_passages,
            generation=state.generation,
            rebuilt=old.rebuilt if old else state.generation,
            **self._vectors(),
            segments=self._segments(),
        )

    def _vectors(self) -> dict[str, Any]:
        n, dimension = self.state.statistics.n_passages, self.state.model.dimension
        kind = choose_kind(n, MEMORY_BYTES, dimension, self.tuning.scan_up_to)
        index = self._reusable(kind)
        start, trained_on, recall = 0, n, 1.0
        if self.old and index is not None:
            start, trained_on, recall = self.old.upto, self.old.trained_on, self.old.recall
        else:
            sample = self._spread(vector_index.training_size(kind), limit=-1)
            index = vector_index.train(kind, sample, dimension)
        for rows, vectors in self._chunks(start):
            index.add_with_ids(vectors, rows)
            if self.progress:
                self.progress("indexing vectors", index.ntotal, n)
        if start == 0:
            recall = self._recall(index, kind)
        data = faiss.serialize_index(index).tobytes()
        return {
            "kind": kind,
            "n": index.ntotal,
            "trained_on": trained_on,
            "recall": recall,
            "vectors": write_derived(self.folder, "vectors", "faiss", [data]),
        }

    def _reusable(self, kind: Kind) -> faiss.Index | None:
        """The index there is, where adding to it is as good as making it anew."""
        old, state = self.old, self.state
        if old is None or old.kind != kind:
            return None
        dead = old.n - (state.statistics.n_passages - (state.next_row - old.upto))
        if dead > _MAX_DEAD * old.n:
            return None
        try:
            with read_verified(self.folder, old.vectors) as data, memoryview(data) as view:
                return vector_index.load(view, kind, state.model.dimension)
        except (OSError, ValueError):
            return None

    def _segments(self) -> tuple[tuple[int, int, DerivedFile], ...]:
        width = self.tuning.segment_rows
        # A segment that is full never changes.
        segments = [
            (first, last, file)
            for first, last, file in (self.old.segments if self.old else ())
            if last - first == width and (self.folder / file.path).is_file()
        ]
        covered = {first for first, _, _ in segments}
        for first in range(0, self.state.next_row, width):
            if first not in covered:
                last = min(self.state.next_row, first + width)
                for segment in read_segments(self.connection, first, last, width):
                    parts = pack_arrays(segment.arrays())
                    file = write_derived(self.folder, "terms", "arrays", parts)
                    segments.append((segment.first, segment.last, file))
        return tuple(sorted(segments, key=lambda segment: segment[0]))

    def _chunks(self, first: int) -> Iterator[tuple[NDArray[np.int64], Float32]]:
        last, dimension = self.state.next_row, self.state.model.dimension
        for start in range(first, last, _CHUNK):
            end = min(last, start + _CHUNK)
            rows, vectors = read_vectors(self.connection, start, end, dimension)
            if len(rows):
                yield rows, vectors

    def _spread(self, n: int, limit: int) -> Float32:
        """Stored vectors, about ``n`` of them, spread evenly over the rows."""
        every = max(1, self.state.next_row // max(1, n))
        query = "SELECT row, data FROM vector WHERE row % ? = 0 ORDER BY row LIMIT ?"
        found = self.connection.execute(query, (every, limit)).fetchall()
        rows, data = [row for row, _ in found], [data for _, data in found]
        return unpack_vectors(rows, data, self.state.model.dimension)

    def _recall(self, index: faiss.Index, kind: Kind) -> float:
        """recall@10 against exact search, for stored vectors as queries."""
        if kind.candidates == 1 and kind.probes == 0:
            return 1.0
        queries = self._spread(_QUERIES, limit=_QUERIES)
        near = [vector_index.search(index, kind, q, 10 * kind.candidates)[0] for q in queries]
        return vector_index.recall(queries, near, self._chunks(0))
