"""An archive in one folder: SQLite is the truth, everything else is made from it.

    DIR/library.sqlite               the database (and its -wal and -shm while it is in use)
    DIR/vectors-<sha256>.faiss       finds passages by vector, for rows below a certain one
    DIR/terms-<sha256>.arrays        finds passages by term, for a segment of rows
    DIR/library.head                 the number of the last commit

Many may read while one writes, in any number of processes; each question sees the last
commit before it. A commit is on the disk before it is acknowledged. Files are readable by
their owner alone, or by whoever is allowed to read the database.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from index.archive.article_cache import RecentArticles
from index.archive.compatibility import check_segmenter
from index.archive.folder import changes, maintenance
from index.archive.folder.catalogue import Catalogue
from index.archive.folder.database import (
    AGAIN,
    DATABASE,
    Frozen,
    State,
    Tuning,
    checkpoint,
    connect,
    create,
    explained_errors,
    read_head,
    read_state,
    write_head,
    write_state,
)
from index.archive.folder.integrity import check_database
from index.archive.folder.snapshot import FolderSnapshot
from index.archive.folder.view import UnusableIndex, View, load_view, read_codecs
from index.archive.store import ModelRef, PreparedArticle, StoredSnapshot
from index.errors import DamagedLibrary, LibraryBusy, ReadOnlyLibrary
from index.models.encoder import Progress
from index.segmentation.sentences import SEGMENTER

__all__ = ["FolderStore", "Tuning", "is_library_folder", "repair"]


def is_library_folder(path: str | os.PathLike[str]) -> bool:
    """Whether an archive seems to be there."""
    return os.path.isfile(Path(path) / DATABASE)  # whatever string: pathlib raises on some


class FolderStore:
    """A `Store` in a folder."""

    def __init__(self, folder: str | os.PathLike[str], *, tuning: Tuning | None = None) -> None:
        """Open an archive that is there; derived files that are missing or damaged are made again.

        Raises:
            NewerFormat, OtherModel: Another version made it.
            LibraryError: It cannot be opened.
        """
        self.folder = Path(folder)
        self._tuning = tuning or Tuning()
        self._lock = threading.RLock()
        self._free: list[sqlite3.Connection] = []
        self._view: View | None = None
        self._catalogue = Catalogue()
        self._articles = RecentArticles()
        head = read_head(self.folder)
        with self._transaction() as connection, explained_errors(self.folder):
            state = read_state(connection)
        self._model = state.model
        check_segmenter(f"the library in {str(self.folder)!r}", state.segmenter, AGAIN)
        if state.generation < head:
            raise DamagedLibrary(
                f"the last {head - state.generation} changes of the library in"
                f" {str(self.folder)!r} are lost: its end is damaged, or it is an older copy; to"
                f" go on with what is left, run: article-qa repair --library {self.folder}"
            )
        if not self._derived_files_work():
            # Who cannot write may still ask, as long as there is little to search.
            with contextlib.suppress(ReadOnlyLibrary, LibraryBusy):
                maintenance.flush(self.folder, self._tuning, rebuild=True)

    @classmethod
    def create(
        cls, folder: str | os.PathLike[str], model: ModelRef, *, tuning: Tuning | None = None
    ) -> FolderStore:
        """Make an empty archive, or open the one that is there.

        Raises:
            LibraryError: The folder cannot be written, or holds something else.
        """
        folder = Path(folder)
        if not is_library_folder(folder):
            create(folder, State(model=model, segmenter=SEGMENTER))
        return cls(folder, tuning=tuning)

    @property
    def model(self) -> ModelRef:
        return self._model

    @contextmanager
    def read(self) -> Iterator[StoredSnapshot]:
        with self._transaction() as connection:
            with explained_errors(self.folder):
                view = self._current(connection)
            # What goes wrong above this line is not the archive's fault.
            yield FolderSnapshot(self.folder, connection, view, self._catalogue, self._articles)

    def add(self, articles: Sequence[PreparedArticle], *, replacing: Sequence[str] = ()) -> None:
        with maintenance.changing(self.folder, self._tuning) as (connection, state):
            view = self._view
            known = view is not None and state.codec in view.codecs
            codecs = view.codecs if view and known else read_codecs(connection, state)
            changed = changes.add(connection, state, codecs, articles, replacing)
            write_state(connection, replace(changed, generation=state.generation + 1))

    def remove(self, article_ids: Sequence[str]) -> None:
        with maintenance.changing(self.folder, self._tuning) as (connection, state):
            changed = changes.remove(connection, state, article_ids)
            write_state(connection, replace(changed, generation=state.generation + 1))

    def flush(self, progress: Progress | None = None) -> None:
        maintenance.flush(self.folder, self._tuning, progress)

    def compact(self, progress: Progress | None = None) -> None:
        maintenance.compact(self.folder, self._tuning, progress)

    def index_state(self) -> str:
        with self._transaction() as connection, explained_errors(self.folder):
            view = self._current(connection)
        newer = f"{len(view.delta.rows):,}"
        if view.base is None:
            why = f" ({view.problem})" if view.problem else ""
            return f"none{why}; {newer} passages compared exactly"
        manifest = view.base.manifest
        return (
            f"{manifest.kind.spec} of {manifest.n:,} passages, recall@10 {manifest.recall:.3f} when"
            f" it was built; {newer} newer ones compared exactly"
        )

    def close(self) -> None:
        with self._lock:
            for connection in self._free:
                connection.close()
            self._free.clear()
            self._view = None
        checkpoint(self.folder)

    def _derived_files_work(self) -> bool:
        try:
            with self.read():
                return self._view is None or self._view.problem is None
        except UnusableIndex:
            return False

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection in a read transaction of its own."""
        with explained_errors(self.folder):
            with self._lock:
                connection = self._free.pop() if self._free else None
            if connection is None:
                connection = connect(self.folder, busy_seconds=self._tuning.busy_seconds)
            connection.execute("BEGIN")
        try:
            yield connection
            connection.execute("ROLLBACK")
        except BaseException:
            connection.close()
            raise
        if isinstance(connection, Frozen):
            connection.close()
            return
        with self._lock:
            self._free.append(connection)

    def _current(self, connection: sqlite3.Connection) -> View:
        """The view of a connection's transaction."""
        state = read_state(connection)
        last = self._view
        if last is not None and last.state == state:
            return last
        with self._lock:
            last = self._view
            if last is not None and last.state.generation > state.generation:
                last = None  # a question that began before the last commit
            view = load_view(self.folder, connection, state, last, self._tuning)
            if self._view is None or self._view.state.generation <= state.generation:
                self._view = view
            return view


def repair(folder: str | os.PathLike[str], progress: Progress | None = None) -> None:
    """Check every byte of the database, and make everything else anew.

    Raises:
        DamagedLibrary: The database itself is not whole.
        LibraryError: The folder cannot be written.
    """
    folder = Path(folder)
    state = check_database(folder, progress)
    maintenance.compact(folder, Tuning(), progress)
    write_head(folder, state.generation)
