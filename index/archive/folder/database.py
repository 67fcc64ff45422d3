"""The database of a folder archive: its tables, how it is opened, and its errors in words.

    state     one row: model, counts, which derived files belong to it
    article   id, rows of its passages, metadata        body    text and structure
    passage   offsets, terms, word pieces, token codes  vector  one int8 vector each
    term      number and document frequency             piece   the same for word pieces
    codec     how token codes are read                  removed rows of passages taken away

Rows of passages and numbers of articles only ever grow and are never used again. Every row
carries a CRC-32 over its key and content, because SQLite does not notice a changed byte.

SQLite also drops the end of a write-ahead log whose checksum fails, because it cannot tell
damage from an unfinished commit. So the number of the last commit is noted in a file of its
own, `HEAD`, which may lag behind after a crash and never runs ahead.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from index.archive.compatibility import check_version
from index.archive.records.token_codec import TRAIN_AT
from index.archive.store import ModelRef, Statistics
from index.archive.typed_json import from_json
from index.errors import (
    ArticleQAError,
    DamagedLibrary,
    LibraryBusy,
    LibraryError,
    NotALibrary,
    ReadOnlyLibrary,
)
from index.files import PRIVATE, private_folder, replace_file

__all__ = [
    "DATABASE",
    "HEAD",
    "Frozen",
    "State",
    "Tuning",
    "checkpoint",
    "connect",
    "create",
    "explained_errors",
    "insert",
    "read_head",
    "read_state",
    "select",
    "select_in",
    "select_rows",
    "write_head",
    "write_state",
]

DATABASE: Final = "library.sqlite"
HEAD: Final = "library.head"
VERSION: Final = 3
AGAIN: Final = "article-qa add SOURCE --library NEW_DIR"
APPLICATION_ID: Final = 0x41514C42  # "AQLB"
MAX_ROWS: Final = 2**28
MAX_DIMENSION: Final = 2**14
"""Bounds on what a folder may make us allocate: a byte a row, some megabytes a passage."""
_CACHE_KIB: Final = 16 * 1024
_BATCH: Final = 500

_TABLES: Final = {
    "state": "only INTEGER PRIMARY KEY CHECK (only = 1), record TEXT NOT NULL",
    "article": "number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, entry TEXT NOT NULL",
    "term": "number INTEGER PRIMARY KEY, term TEXT NOT NULL UNIQUE, df INTEGER NOT NULL",
    "piece": "number INTEGER PRIMARY KEY, df INTEGER NOT NULL",
    "codec": "number INTEGER PRIMARY KEY, data BLOB NOT NULL",
    "removed": "first INTEGER PRIMARY KEY, last INTEGER NOT NULL, generation INTEGER NOT NULL",
}
"""Tables whose last column is the row's checksum."""
_BLOBS: Final = {
    "body": "number INTEGER PRIMARY KEY REFERENCES article (number) ON DELETE CASCADE",
    "passage": "row INTEGER PRIMARY KEY",
    "vector": "row INTEGER PRIMARY KEY",
}
"""Tables of blobs that hold their own checksums."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """When a folder archive does what; smaller numbers make small archives behave like large ones.

    Attributes:
        busy_seconds: How long a writer waits for another.
        flush_after: New passages from which on making the derived files anew may pay.
        segment_rows: Passages of a segment of postings, at most 65,536.
        scan_up_to: Passages up to which a dense search compares every vector.
        train_at: Passages at which the token codec is trained.
    """

    busy_seconds: float = 10.0
    flush_after: int = 512
    segment_rows: int = 65_536
    scan_up_to: int = 20_000
    train_at: int = TRAIN_AT


@dataclass(frozen=True, slots=True)
class State:
    """What an archive is, as of its last commit.

    Attributes:
        statistics: Of what can be asked.
        generation: Grows by one with every commit.
        n_removed: Ranges in the table of removed rows.
        codec: Number of the codec for new passages.
        derived: The manifest of the derived files (see `derived_files`), or None.
    """

    model: ModelRef
    segmenter: str
    statistics: Statistics = field(default_factory=Statistics)
    generation: int = 0
    next_row: int = 0
    next_article: int = 0
    n_removed: int = 0
    codec: int = 0
    derived: dict[str, Any] | None = None


class Frozen(sqlite3.Connection):
    """A connection to a database that cannot be locked: it sees no later commit."""


def connect(folder: Path, *, write: bool = False, busy_seconds: float = 10.0) -> sqlite3.Connection:
    """Open the database of a folder.

    Raises:
        NotALibrary, NewerFormat, DamagedLibrary, ReadOnlyLibrary, LibraryBusy: As they say.
    """
    path = folder / DATABASE
    if not path.is_file():
        raise NotALibrary(
            f"{str(folder)!r} holds no library; make one with: article-qa add SOURCE --library DIR"
        )
    with explained_errors(folder):
        if write:
            return _open(path, "rw", busy_seconds)
        try:
            return _open(path, "ro", busy_seconds)
        except sqlite3.OperationalError as error:
            wal = path.with_name(f"{DATABASE}-wal")
            if not _unwritable(error) or (wal.exists() and wal.stat().st_size):
                raise
            # A reader of a WAL database writes beside it, unless nobody can.
            return _open(path, "ro&immutable=1", busy_seconds, Frozen)


def checkpoint(folder: Path) -> None:
    """Move the write-ahead log into the database, if that can be done now."""
    with contextlib.suppress(ArticleQAError, OSError):
        connection = connect(folder, write=True, busy_seconds=0)
        with explained_errors(folder), contextlib.closing(connection):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def create(folder: Path, state: State) -> None:
    """Make an empty database that only its owner can read; keep one that is there.

    Raises:
        LibraryError: The folder cannot be written.
    """
    ours = (DATABASE, HEAD, f".{HEAD}")
    try:
        private_folder(folder)
        foreign = [p.name for p in folder.iterdir() if not p.name.startswith(ours)]
        if not foreign:
            # SQLite gives its log the permissions of the database.
            os.close(os.open(folder / DATABASE, os.O_CREAT, PRIVATE))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise LibraryError(f"cannot make a library in {str(folder)!r}: {error}") from error
    if foreign:
        raise NotALibrary(
            f"{str(folder)!r} holds {foreign[0]!r} and no library; name a new or an empty folder"
        )
    with (
        explained_errors(folder),
        contextlib.closing(_open(folder / DATABASE, "rw", 10.0, new=True)) as connection,
    ):
        connection.execute("PRAGMA page_size = 8192")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            for name, columns in _TABLES.items():
                connection.execute(f"CREATE TABLE {name} ({columns}, crc INTEGER NOT NULL)")
            for name, key in _BLOBS.items():
                connection.execute(f"CREATE TABLE {name} ({key}, data BLOB NOT NULL)")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            write_state(connection, state)
        connection.execute("COMMIT")


def _open(
    path: Path,
    mode: str,
    busy_seconds: float,
    kind: type[sqlite3.Connection] = sqlite3.Connection,
    *,
    new: bool = False,
) -> sqlite3.Connection:
    """A connection to what is certainly an archive, unless it is a new one."""
    connection = sqlite3.connect(
        # Percent-encoded by as_uri, so that a "?" in the path adds no option.
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
        factory=kind,
    )
    try:
        for pragma in (
            "synchronous = FULL",
            "foreign_keys = ON",
            # The file may be anyone's: nothing in its schema may run a function.
            "trusted_schema = OFF",
            "cell_size_check = ON",
            "mmap_size = 0",
            f"cache_size = -{_CACHE_KIB}",
        ):
            connection.execute(f"PRAGMA {pragma}")
        if not new:
            _check(connection, path.parent)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, folder: Path) -> None:
    """Refuse what is not an archive that this version reads."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise NotALibrary(f"{str(folder / DATABASE)!r} is not a library of article-qa")
    check_version(f"the library in {str(folder)!r}", version, VERSION, AGAIN)
    schema = connection.execute("SELECT name, type FROM sqlite_schema").fetchall()
    tables = {name for name, _ in schema if not name.startswith("sqlite_")}
    if tables != {*_TABLES, *_BLOBS} or {kind for _, kind in schema} - {"table", "index"}:
        raise DamagedLibrary(_damaged(folder, "its tables are not those of a library"))


def _unwritable(error: sqlite3.Error) -> bool:
    text = str(error)
    return "readonly" in text or "unable to open" in text or "read-only" in text


def _damaged(folder: Path, what: str) -> str:
    return (
        f"the library in {str(folder)!r} is damaged ({what}); try: article-qa repair --library"
        f" {folder}"
    )


@contextmanager
def explained_errors(folder: Path) -> Iterator[None]:
    """Turn the errors of the database and of damaged records into this package's."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text, place = str(error), repr(str(folder))
        if "locked" in text or "busy" in text:
            raise LibraryBusy(
                f"another process is writing to {place}; try again when it is done"
            ) from error
        if _unwritable(error):
            raise ReadOnlyLibrary(
                f"{place} cannot be written ({text}); check its permissions, or ask it as it is"
            ) from error
        if "full" in text or "disk I/O" in text:
            raise LibraryError(
                f"cannot write to {place} ({text}); free some space and try again: what was"
                " there before is unchanged"
            ) from error
        raise DamagedLibrary(_damaged(folder, text)) from error
    except ArticleQAError:
        raise
    except (
        sqlite3.DatabaseError, ValueError, KeyError, TypeError, AttributeError, OverflowError,
        IndexError, RecursionError, zlib.error,
    ) as error:  # fmt: skip
        raise DamagedLibrary(_damaged(folder, str(error))) from error


def insert(connection: sqlite3.Connection, table: str, *values: str | int | bytes) -> None:
    """Write a row with its checksum, in place of one with its key."""
    marks = "?, " * len(values)
    connection.execute(
        f"INSERT OR REPLACE INTO {table} VALUES ({marks}?)",  # noqa: S608 - a constant
        (*values, _crc_of(values)),
    )


def select(
    connection: sqlite3.Connection, table: str, rest: str = "", arguments: Sequence[Any] = ()
) -> Iterator[tuple[Any, ...]]:
    """Rows of a table, without their checksums.

    Raises:
        ValueError: A row is not what was written.
    """
    query = f"SELECT * FROM {table} {rest}"  # noqa: S608 - constants
    for *values, crc in connection.execute(query, arguments):
        if _crc_of(tuple(values)) != crc:
            raise ValueError(f"a row of the table {table} was changed")
        yield tuple(values)


def select_in(
    connection: sqlite3.Connection, table: str, column: str, keys: Sequence[Any]
) -> Iterator[tuple[Any, ...]]:
    """The rows whose column has one of some values, in batches that SQLite takes."""
    for start in range(0, len(keys), _BATCH):
        some = keys[start : start + _BATCH]
        rest = f"WHERE {column} IN ({','.join('?' * len(some))})"
        if table in _BLOBS:
            yield from connection.execute(f"SELECT * FROM {table} {rest}", some)  # noqa: S608
        else:
            yield from select(connection, table, rest, some)


def select_rows(
    connection: sqlite3.Connection, table: str, first: int, last: int
) -> tuple[list[int], list[bytes]]:
    """The rows ``first <= row < last`` of passages or vectors that exist, and their blobs."""
    query = f"SELECT row, data FROM {table} WHERE row >= ? AND row < ? ORDER BY row"  # noqa: S608
    found = connection.execute(query, (first, last)).fetchall()
    return [row for row, _ in found], [data for _, data in found]


def _crc_of(values: tuple[str | int | bytes, ...]) -> int:
    # repr tells every tuple from every other, and is one call.
    return zlib.crc32(repr(values).encode("utf-8", "surrogatepass"))


def read_state(connection: sqlite3.Connection) -> State:
    """The state as of the transaction's snapshot.

    Raises:
        ValueError, KeyError, TypeError: It is damaged.
    """
    found = list(select(connection, "state"))
    if not found:
        raise ValueError("its state is missing")
    state = from_json(State, json.loads(found[0][1]))
    if state.next_row > MAX_ROWS or not 0 < state.model.dimension <= MAX_DIMENSION:
        raise ValueError(f"it cannot have {state.next_row} rows of {state.model.dimension} numbers")
    return state


def write_state(connection: sqlite3.Connection, state: State) -> None:
    """Replace the state; the caller commits."""
    if state.next_row > MAX_ROWS:
        raise LibraryError(
            f"a library holds {MAX_ROWS:,} passages in its lifetime; add the rest to a new one"
        )
    insert(connection, "state", 1, json.dumps(asdict(state)))


def read_head(folder: Path) -> int:
    """The number of the last commit that was noted; 0 if none was."""
    try:
        with (folder / HEAD).open("rb") as file:
            number, crc = file.read(64).split()
        # A damaged note says nothing: it is written again with the next commit.
        return int(number) if int(crc) == zlib.crc32(number) else 0
    except (OSError, ValueError):
        return 0


def write_head(folder: Path, generation: int) -> None:
    """Note a commit; an archive without the note is as good as before."""
    number = str(generation).encode()
    with contextlib.suppress(OSError):
        mode = (folder / DATABASE).stat().st_mode & 0o666
        replace_file(folder / HEAD, b"%s %d\n" % (number, zlib.crc32(number)), mode=mode)
