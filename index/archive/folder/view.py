"""A folder archive in memory: what every question needs, as of one commit.

A view is never changed. After a commit the next question makes a new one from the last, by
reading only what came since: the derived files cover the rows below ``Base.upto``; the rows
from there on are the delta, searched exactly; rows that were removed are masked.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

from index.archive.folder.database import State, Tuning, select, select_rows
from index.archive.folder.derived_files import Manifest, read_verified, unpack_arrays
from index.archive.folder.lexical_index import Segment, build_segment
from index.archive.folder.vector_index import load
from index.archive.records.passage import unpack_passages, unpack_vectors
from index.archive.records.token_codec import ByteCodec, ResidualCodec, TokenCodec
from index.archive.typed_json import from_json
from index.errors import DamagedLibrary
from index.models.encoder import Float32

__all__ = [
    "Base",
    "Delta",
    "UnusableIndex",
    "View",
    "load_view",
    "read_codecs",
    "read_segments",
    "read_vectors",
]

MAX_DELTA: Final = 50_000
"""Rows that are searched without derived files when these are damaged and cannot be made."""
_MAX_DELTA_SEGMENTS: Final = 8
_AT_ONCE: Final = 4_096


class UnusableIndex(DamagedLibrary):
    """The database may be whole, but the files made from it cannot be used, and are missed."""


@dataclass(frozen=True, slots=True)
class Base:
    """The derived files, opened: an index to find rows by vector, segments to find them by term."""

    manifest: Manifest
    index: faiss.Index
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Delta:
    """The rows that came since.

    Attributes:
        rows: int64 ``(n,)``, ascending.
        vectors: float32 ``(n, dim)``, L2-normalised.
        segments: Their postings.
    """

    rows: NDArray[np.int64]
    vectors: Float32
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class View:
    """An archive as of one commit.

    Attributes:
        state: The row of that name.
        base: The derived files, or None where they are missing.
        delta: What they do not cover.
        alive: bool ``(next_row,)``: rows that were not removed; None where none was.
        codecs: By number.
        problem: Why the derived files are not used, or None.
    """

    state: State
    base: Base | None
    delta: Delta
    alive: NDArray[np.bool_] | None
    codecs: dict[int, TokenCodec]
    problem: str | None = None


def load_view(
    folder: Path, connection: sqlite3.Connection, state: State, last: View | None, tuning: Tuning
) -> View:
    """The view of a transaction's snapshot, built upon an earlier one.

    Raises:
        ValueError, LookupError, TypeError: The database is damaged.
        UnusableIndex: See there.
    """
    try:
        return _view(folder, connection, state, last, tuning)
    except ValueError:
        # What was kept may hold rows that were removed and then, by compaction, forgotten.
        if last is None:
            raise
        return _view(folder, connection, state, None, tuning)


def _view(
    folder: Path, connection: sqlite3.Connection, state: State, last: View | None, tuning: Tuning
) -> View:
    base, problem = _base(folder, state, last)
    upto = base.manifest.upto if base else 0
    last_upto = last.base.manifest.upto if last and last.base else 0
    keep = last.delta if last and last_upto == upto else None
    if base is None and state.next_row > MAX_DELTA and state.derived is not None:
        raise UnusableIndex(
            f"an index of the library in {str(folder)!r} cannot be used ({problem}); its articles"
            f" are safe, run: article-qa repair --library {folder}"
        )
    delta = _delta(connection, state, keep, upto, tuning)
    alive, n_removed = _alive(connection, state, base)
    n_alive = len(delta.rows) if alive is None else int(alive[delta.rows].sum())
    n_base = base.manifest.n_alive - n_removed if base else 0
    if n_base + n_alive != state.statistics.n_passages:
        raise ValueError(
            f"{n_base + n_alive} passages are there, and {state.statistics.n_passages} should be"
        )
    codecs = last.codecs if last and state.codec in last.codecs else read_codecs(connection, state)
    return View(state, base, delta, alive, codecs, problem)


def _base(folder: Path, state: State, last: View | None) -> tuple[Base | None, str | None]:
    if state.derived is None:
        return None, None
    try:
        manifest = from_json(Manifest, state.derived)
        if last and last.base and last.base.manifest == manifest:
            return last.base, None
        return _open_base(folder, manifest, state), None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        return None, str(error)


def _open_base(folder: Path, manifest: Manifest, state: State) -> Base:
    files = [manifest.vectors, *(file for _, _, file in manifest.segments)]
    with ThreadPoolExecutor() as pool:  # hashing lets other threads run
        vectors, *terms = pool.map(lambda file: read_verified(folder, file), files)
    with vectors, memoryview(vectors) as data:
        index = load(data, manifest.kind, state.model.dimension)
    if index.ntotal != manifest.n or manifest.upto > state.next_row:
        raise ValueError(f"the index holds {index.ntotal} vectors, not {manifest.n}")
    segments = [
        Segment(first, last, **unpack_arrays(data))
        for (first, last, _), data in zip(manifest.segments, terms, strict=True)
    ]
    return Base(manifest, index, tuple(segments))


def _delta(
    connection: sqlite3.Connection, state: State, keep: Delta | None, upto: int, tuning: Tuning
) -> Delta:
    """What was kept, and the rows that came since."""
    dimension = state.model.dimension
    if keep is None:
        keep = Delta(np.zeros(0, np.int64), np.zeros((0, dimension), np.float32), ())
    after = max(upto, int(keep.rows[-1]) + 1 if len(keep.rows) else 0)
    if after >= state.next_row:
        return keep
    rows, vectors = read_vectors(connection, after, state.next_row, dimension)
    if not len(rows):
        return keep
    start, segments = after, keep.segments
    if len(segments) >= _MAX_DELTA_SEGMENTS:
        start, segments = upto, ()
    return Delta(
        rows=np.concatenate([keep.rows, rows]),
        vectors=np.concatenate([keep.vectors, vectors]),
        segments=segments + read_segments(connection, start, state.next_row, tuning.segment_rows),
    )


def read_vectors(
    connection: sqlite3.Connection, first: int, last: int, dimension: int
) -> tuple[NDArray[np.int64], Float32]:
    """The rows ``first <= row < last`` that exist, and their vectors."""
    rows, data = select_rows(connection, "vector", first, last)
    return np.asarray(rows, dtype=np.int64), unpack_vectors(rows, data, dimension)


def read_segments(
    connection: sqlite3.Connection, first: int, last: int, segment_rows: int
) -> tuple[Segment, ...]:
    """Postings of the rows ``first <= row < last`` that exist."""
    segments = []
    for start in range(first, last, segment_rows):
        end = min(last, start + segment_rows)
        rows, term_ids = [], []
        for begin in range(start, end, _AT_ONCE):
            found, data = select_rows(connection, "passage", begin, min(end, begin + _AT_ONCE))
            layout = unpack_passages(found, data)
            numbers = np.asarray(found, dtype=np.int64)
            rows.append(np.repeat(numbers, np.diff(layout.term_starts[layout.sentence_starts])))
            term_ids.append(layout.term_ids)
        if sum(map(len, rows)):
            occurrences = np.concatenate(rows), np.concatenate(term_ids)
            segments.append(build_segment(start, end, *occurrences))
    return tuple(segments)


def _alive(
    connection: sqlite3.Connection, state: State, base: Base | None
) -> tuple[NDArray[np.bool_] | None, int]:
    """Which rows were not removed, and how many of the base's were since it was made."""
    found = list(select(connection, "removed"))
    if len(found) != state.n_removed:
        raise ValueError(f"{len(found)} removals are noted, and {state.n_removed} should be")
    if not found:
        return None, 0
    alive = np.ones(state.next_row, dtype=np.bool_)
    n_removed = 0
    for first, last, generation in found:
        alive[first:last] = False
        if base and first < base.manifest.upto and generation > base.manifest.generation:
            n_removed += last - first
    return alive, n_removed


def read_codecs(connection: sqlite3.Connection, state: State) -> dict[int, TokenCodec]:
    """The archive's codecs by number."""
    codecs: dict[int, TokenCodec] = {0: ByteCodec(state.model.dimension)}
    for number, data in select(connection, "codec"):
        codecs[number] = ResidualCodec.from_bytes(data, state.model.dimension)
    if state.codec not in codecs:
        raise ValueError("its codec is missing")
    return codecs
