"""The database of an archive: its tables, how it is opened, and its errors in words.

    state     one row: model, counts, which derived files belong to it
    article   id, rows of its passages, metadata        body    text and structure
    passage   offsets, terms, word pieces, token codes  vector  one int8 vector each
    term      number and document frequency             piece   the same for word pieces
    codec     how token codes are read                  removed rows of passages taken away

Rows of passages and numbers of articles only ever grow and are never used again. Every row
carries a CRC-32 over its key and content, for SQLite itself does not notice a changed byte.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

from index.archive.store import ModelRef, Statistics
from index.errors import (
    ArticleQAError,
    DamagedLibrary,
    LibraryBusy,
    LibraryError,
    NewerFormat,
    NotALibrary,
    OtherModel,
    ReadOnlyLibrary,
)

__all__ = [
    "DATABASE",
    "Frozen",
    "State",
    "check_row",
    "checkpoint",
    "connect",
    "crc_of",
    "create",
    "explained",
    "read_state",
    "write_state",
]

DATABASE: Final = "library.sqlite"
VERSION: Final = 2
APPLICATION_ID: Final = 0x41514C42  # "AQLB"
BUSY_SECONDS: Final = 10.0
MAX_ROWS: Final = 2**28
MAX_DIMENSION: Final = 2**14
"""Bounds on what a folder may make us allocate: a byte a row, some megabytes a passage."""
_CACHE_KIB: Final = 16 * 1024

_OURS: Final = (DATABASE, "library.head", ".library.head")

_SCHEMA = """
CREATE TABLE state (
    only INTEGER PRIMARY KEY CHECK (only = 1), record TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE article (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, first INTEGER NOT NULL,
    last INTEGER NOT NULL, entry TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE body (
    number INTEGER PRIMARY KEY REFERENCES article (number) ON DELETE CASCADE, data BLOB NOT NULL);
CREATE TABLE passage (row INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE vector (row INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE term (
    number INTEGER PRIMARY KEY, term TEXT NOT NULL UNIQUE, df INTEGER NOT NULL,
    crc INTEGER NOT NULL);
CREATE TABLE piece (number INTEGER PRIMARY KEY, df INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE codec (number INTEGER PRIMARY KEY, data BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE removed (
    first INTEGER PRIMARY KEY, last INTEGER NOT NULL, generation INTEGER NOT NULL,
    crc INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class State:
    """What an archive is, as of its last commit.

    Attributes:
        model: Whose vectors it holds.
        segmenter: Which sentence splitter cut its articles.
        statistics: Of what can be asked.
        generation: Grows by one with every commit.
        next_row: The next passage's.
        next_article: The next article's number.
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
    """A connection that takes the database as it found it: no later commit is seen by it."""


def connect(folder: Path, *, write: bool = False) -> sqlite3.Connection:
    """Open the database of a folder.

    Raises:
        NotALibrary, NewerFormat, DamagedLibrary, ReadOnlyLibrary, LibraryBusy: As they say.
    """
    path = folder / DATABASE
    if not path.is_file():
        raise NotALibrary(
            f"{str(folder)!r} holds no library; make one with: article-qa add SOURCE --library DIR"
        )
    with explained(folder):
        if write:
            return _opened(path, "rw", folder)
        try:
            return _opened(path, "ro", folder)
        except sqlite3.OperationalError as error:
            wal = path.with_name(f"{DATABASE}-wal")
            if not _unwritable(error) or (wal.exists() and wal.stat().st_size):
                raise
            # A reader of a WAL database writes beside it, unless nobody can.
            return _opened(path, "ro&immutable=1", folder, Frozen)


def checkpoint(folder: Path) -> None:
    """Bring the write-ahead log home, where that can be done now."""
    with contextlib.suppress(ArticleQAError, OSError):
        connection = connect(folder, write=True)
        with explained(folder), contextlib.closing(connection):
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def create(folder: Path, state: State) -> None:
    """Make an empty database; nothing happens where there is one.

    Raises:
        LibraryError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        foreign = [p.name for p in folder.iterdir() if not p.name.startswith(_OURS)]
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise LibraryError(f"cannot make a library in {str(folder)!r}: {error}") from error
    if foreign:
        raise NotALibrary(
            f"{str(folder)!r} holds {foreign[0]!r} and no library; name a new or an empty folder"
        )
    with explained(folder):
        connection = _open(folder / DATABASE, "rwc")
        try:
            _set_up(connection)
            connection.execute("PRAGMA page_size = 8192")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in _SCHEMA.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
                write_state(connection, state)
            connection.execute("COMMIT")
        finally:
            connection.close()


def _opened(
    path: Path, mode: str, folder: Path, kind: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """A connection to what is certainly an archive."""
    connection = _open(path, mode, kind)
    try:
        _set_up(connection)
        _check(connection, folder)
    except BaseException:
        connection.close()
        raise
    return connection


def _open(
    path: Path, mode: str, kind: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    # Percent-encoded by as_uri, so that a "?" in the path adds no option.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        factory=kind,
    )


def _set_up(connection: sqlite3.Connection) -> None:
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


def _check(connection: sqlite3.Connection, folder: Path) -> None:
    """Refuse what is not an archive that this version reads."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise NotALibrary(f"{str(folder / DATABASE)!r} is not a library of article-qa")
    if version > VERSION:
        raise NewerFormat(
            f"the library in {str(folder)!r} has format {version}, and this version reads up to"
            f" {VERSION}; upgrade article-qa"
        )
    if version < VERSION:
        raise OtherModel(
            f"the library in {str(folder)!r} was made by an earlier version, whose passages are"
            " kept otherwise; add its articles to a new one"
        )
    names = {row[0]: row[1] for row in connection.execute("SELECT name, type FROM sqlite_schema")}
    tables = {"state", "article", "body", "passage", "vector", "term", "piece", "codec", "removed"}
    if {n for n in names if not n.startswith("sqlite_")} != tables or set(names.values()) - {
        "table",
        "index",
    }:
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
def explained(folder: Path) -> Iterator[None]:
    """Turn what the database and the records say into this package's errors."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text, place = str(error), repr(str(folder))
        if "locked" in text or "busy" in text:
            raise LibraryBusy(
                f"another process has been writing to {place} for {BUSY_SECONDS:.0f} s;"
                " try again when it is done"
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
    except sqlite3.DatabaseError as error:
        raise DamagedLibrary(_damaged(folder, str(error))) from error
    except (ValueError, KeyError, TypeError, OverflowError, IndexError, BadZipFile) as error:
        if isinstance(error, LibraryError):
            raise
        raise DamagedLibrary(_damaged(folder, str(error))) from error


def crc_of(*values: str | int) -> int:
    """CRC-32 of a row's key and content."""
    # repr tells every tuple from every other, and is one call.
    return zlib.crc32(repr(values).encode("utf-8", "surrogatepass"))


def check_row(what: str, crc: int, *values: str | int) -> None:
    """Refuse a row that is not what was written.

    Raises:
        ValueError: It is damaged.
    """
    if crc_of(*values) != crc:
        raise ValueError(f"{what} is damaged")


def read_state(connection: sqlite3.Connection) -> State:
    """The state as of the transaction's snapshot.

    Raises:
        ValueError, KeyError, TypeError: It is damaged.
    """
    row = connection.execute("SELECT record, crc FROM state").fetchone()
    if row is None:
        raise ValueError("its state is missing")
    check_row("its state", row[1], row[0])
    values = json.loads(row[0])
    values["model"] = ModelRef(**values["model"])
    values["statistics"] = Statistics(**values["statistics"])
    state = State(**values)
    if not 0 <= state.next_row <= MAX_ROWS or not 0 < state.model.dimension <= MAX_DIMENSION:
        raise ValueError(f"it cannot have {state.next_row} rows of {state.model.dimension} numbers")
    return state


def write_state(connection: sqlite3.Connection, state: State) -> None:
    """Put a state in place of the one before; the caller commits."""
    if state.next_row > MAX_ROWS:
        raise LibraryError(
            f"a library holds {MAX_ROWS:,} passages in its lifetime; add the rest to a new one"
        )
    record = json.dumps(asdict(state))
    connection.execute("INSERT OR REPLACE INTO state VALUES (1, ?, ?)", (record, crc_of(record)))
