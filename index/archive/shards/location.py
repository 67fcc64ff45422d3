"""A folder, on this machine or behind any URL that fsspec knows.

archive                 a folder here
file:///data/archive    the same
s3://bucket/archive     an object store, where its package (s3fs) is installed
memory://archive        in this process, for trying things out

Secrets do not belong in a URL; each file system reads its own from the environment.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from index.errors import LibraryBusy, LibraryError, SourceError, SourceNotFound
from index.extras import extra
from index.single.storage import replace_file

__all__ = ["Place"]

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}")
_LOCK = ".lock"


class Place:
    """A folder whose files are named without paths. Safe to send to another process."""

    def __init__(self, where: str | os.PathLike[str]) -> None:
        """Name a folder; it need not be there.

        Args:
            where: A path or a URL.

        Raises:
            MissingExtra: fsspec is not installed.
            LibraryError: Nothing here knows the URL's scheme.
        """
        self.where = os.fspath(where)
        fsspec = extra("fsspec", of="ray")
        try:
            if "://" in self.where:
                self._fs, self._root = fsspec.url_to_fs(self.where)
            else:
                # Absolute, for a worker may stand in another folder; and never read as a URL.
                self._fs = fsspec.filesystem("file")
                self._root = Path(os.path.abspath(self.where)).as_posix()
        except (ImportError, ValueError) as error:
            raise LibraryError(f"{self.where!r} cannot be reached: {error}") from error
        self._root = self._root.rstrip("/") or "/"

    def __reduce__(self) -> tuple[type[Place], tuple[str]]:
        """For another process, which opens connections of its own."""
        return Place, (self.local_path or self.where,)

    def __str__(self) -> str:
        """As it was named."""
        return self.where

    @property
    def local_path(self) -> str | None:
        """Its path, where it is on this machine."""
        protocol = self._fs.protocol
        is_local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)
        return str(Path(self._root)) if is_local else None

    def source_of(self, name: str) -> str:
        """Where a file is, as a library notes it: an absolute path or a URL."""
        local = self.local_path
        if local is not None:
            return os.path.join(local, *name.split("/")) if name else local
        return str(self._fs.unstrip_protocol(self._path(name)))

    def names(self) -> list[str]:
        """The files that lie in it, without what begins with a dot; none where it is not."""
        with self._reached():
            try:
                found = self._fs.ls(self._root, detail=True)
            except FileNotFoundError:
                return []
        names = (posixpath.basename(one["name"]) for one in found if one["type"] == "file")
        return sorted(name for name in names if not name.startswith("."))

    def walk(self) -> Iterator[tuple[str, int]]:
        """Every file in it and in its folders, in order of their paths, with its size.

        Hidden files and folders are passed over, links to folders are not followed.

        Raises:
            SourceNotFound: There is no such folder or file.
        """
        local = self.local_path
        found = _walk_here(local) if local is not None else self._walk_there()
        # "a/b" stands where its folder does: "a" before "a.txt".
        yield from sorted(found, key=lambda one: one[0].split("/"))

    def _walk_there(self) -> Iterator[tuple[str, int]]:
        with self._reached():
            try:
                found = self._fs.find(self._root, detail=True)
            except FileNotFoundError:
                found = {}
        if not found:
            raise SourceNotFound(f"there is nothing at {self.where!r}; check the address")
        for path, about in found.items():
            name = path[len(self._root) :].lstrip("/")
            if not any(part.startswith(".") for part in name.split("/")):
                yield name, int(about.get("size") or 0)

    def size(self, name: str) -> int | None:
        """A file's size in bytes; None where it is not there."""
        with self._reached():
            try:
                return int(self._fs.size(self._path(name)))
            except FileNotFoundError:
                return None

    def open(self, name: str) -> BinaryIO:
        """A file to read from, at any position.

        Raises:
            OSError: It cannot be read.
        """
        return cast("BinaryIO", self._fs.open(self._path(name), "rb"))

    def read(self, name: str, limit: int) -> bytes:
        """A file's bytes; of a longer one, one more than the limit.

        Raises:
            OSError: It cannot be read.
        """
        with self.open(name) as file:
            return file.read(limit + 1)

    def write(self, name: str, data: bytes) -> None:
        """Put a file in its place: whole, or as it was before.

        As atomic as the file system's own move; on this machine the bytes are on the disk
        before the name is.

        Raises:
            OSError: It cannot be written.
        """
        local = self.local_path
        if local is not None:
            Path(local).mkdir(parents=True, exist_ok=True)
            replace_file(Path(local, name), data)
            return
        self._fs.makedirs(self._root, exist_ok=True)
        temporary = self._path(f".{name}.{secrets.token_hex(6)}")
        try:
            self._fs.pipe_file(temporary, data)
            self._fs.mv(temporary, self._path(name))
        except BaseException:
            with contextlib.suppress(OSError):
                self._fs.rm_file(temporary)
            raise

    def remove(self, name: str) -> None:
        """Take a file away; one that is gone already is no error."""
        with self._reached(), contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._path(name))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out for as long as the block runs, where that is possible.

        A folder here is locked by its system, which lets go when a process dies, however it
        dies. Elsewhere there is no lock that does, and nobody is kept out.

        Raises:
            LibraryBusy: Another process is writing.
        """
        local = self.local_path
        if local is None:
            yield
            return
        filelock = extra("filelock", of="ray")
        lock = filelock.FileLock(os.path.join(local, _LOCK), timeout=0)
        try:
            Path(local).mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except filelock.Timeout as error:
            raise LibraryBusy(
                f"another process is writing to {self.where!r}; wait until it is done"
            ) from error
        except OSError as error:
            raise LibraryError(f"{self.where!r} cannot be written: {error}") from error
        try:
            self._tidy(Path(local))
            yield
        finally:
            lock.release()

    def _tidy(self, folder: Path) -> None:
        """Remove what writers left behind that were killed: while the lock is held, none writes."""
        for path in folder.glob(".*"):
            if _TEMPORARY.fullmatch(path.name):
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        """Say which place it is that cannot be reached."""
        try:
            yield
        except OSError as error:
            raise LibraryError(f"{self.where!r} cannot be reached: {error}") from error

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root


def _walk_here(root: str) -> Iterator[tuple[str, int]]:
    if os.path.isfile(root):
        yield "", os.path.getsize(root)
        return
    if not os.path.isdir(root):
        raise SourceNotFound(f"there is no file or folder {root!r}; check the path")
    try:
        for parent, folders, files in os.walk(root, onerror=_refuse):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                path = os.path.join(parent, name)
                if not name.startswith(".") and os.path.isfile(path):
                    yield os.path.relpath(path, root).replace(os.sep, "/"), os.path.getsize(path)
    except OSError as error:
        raise SourceError(f"cannot list {root!r}: {error}") from error


def _refuse(error: OSError) -> None:
    raise error
