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
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from index.errors import LibraryBusy, LibraryError, SourceError, SourceNotFound
from index.extras import extra
from index.files import private_folder, replace_file, sweep_unfinished

__all__ = ["Location"]

_LOCK = ".lock"


class Location:
    """A folder of files, or one file. Can be pickled."""

    def __init__(self, where: str | os.PathLike[str]) -> None:
        """Name a folder by its path or URL; it need not exist.

        Raises:
            MissingExtra: fsspec is not installed.
            LibraryError: No installed file system knows the URL's scheme.
        """
        self.where = os.fspath(where)
        fsspec = extra("fsspec", of="ray")
        try:
            if "://" in self.where:
                self._fs, self._root = fsspec.url_to_fs(self.where)
            else:
                # Absolute, because a worker may run in another folder; never read as a URL.
                self._fs = fsspec.filesystem("file")
                self._root = Path(os.path.abspath(self.where)).as_posix()
        except (ImportError, ValueError) as error:
            raise LibraryError(f"{self.where!r} cannot be reached: {error}") from error
        self._root = self._root.rstrip("/") or "/"

    def __reduce__(self) -> tuple[type[Location], tuple[str]]:
        # Another process opens connections of its own.
        return Location, (self.local_path or self.where,)

    def __str__(self) -> str:
        return self.where

    @property
    def local_path(self) -> str | None:
        """Its path, where it is on this machine."""
        protocol = self._fs.protocol
        is_local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)
        return str(Path(self._root)) if is_local else None

    def source_of(self, name: str) -> str:
        """The absolute path or the URL of a file, as a library notes it."""
        local = self.local_path
        if local is not None:
            return os.path.join(local, *name.split("/")) if name else local
        return str(self._fs.unstrip_protocol(self._path(name)))

    def names(self) -> list[str]:
        """The files directly in it that are not hidden; none if it does not exist."""
        with self._reached():
            try:
                found = self._fs.ls(self._root, detail=True)
            except FileNotFoundError:
                return []
        names = (posixpath.basename(one["name"]) for one in found if one["type"] == "file")
        return sorted(name for name in names if not name.startswith("."))

    def walk(self) -> Iterator[tuple[str, int]]:
        """Every file in it and in its folders, in order of their paths, with its size.

        Hidden files and folders are left out, links to folders are not followed.

        Raises:
            SourceNotFound: There is no such folder or file.
        """
        local = self.local_path
        found = _walk_here(local) if local is not None else self._walk_there()
        # "a/b" sorts where its folder does: "a" before "a.txt".
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
        """A file's size in bytes; None if it does not exist."""
        with self._reached():
            try:
                return int(self._fs.size(self._path(name)))
            except FileNotFoundError:
                return None

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading, at any position."""
        return cast("BinaryIO", self._fs.open(self._path(name), "rb"))

    def read(self, name: str, limit: int) -> bytes:
        """A file's bytes; of a longer one, one more than the limit."""
        with self.open(name) as file:
            return file.read(limit + 1)

    def write(self, name: str, data: bytes) -> None:
        """Replace a file, as atomically as its file system moves files."""
        try:
            local = self.local_path
            if local is not None:
                private_folder(Path(local))
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
        except OSError as error:
            raise LibraryError(f"cannot write into {self.where!r}: {error}") from error

    def remove(self, name: str) -> None:
        """Delete a file, if it exists."""
        with self._reached(), contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._path(name))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out, where that is possible.

        The operating system locks a folder here, until the process ends. Other file systems have no
        such lock.

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
            private_folder(Path(local))
            lock.acquire()
        except filelock.Timeout as error:
            raise LibraryBusy(
                f"another process is writing to {self.where!r}; wait until it is done"
            ) from error
        except OSError as error:
            raise LibraryError(f"{self.where!r} cannot be written: {error}") from error
        try:
            sweep_unfinished(Path(local), older_than=0)
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
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
