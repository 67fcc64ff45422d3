"""Open or create an archive by its URI, wherever it is kept."""

from __future__ import annotations

import os

from index.archive.folder.store import FolderStore, is_library_folder
from index.archive.migration import Archive
from index.archive.milvus.address import Address, is_address
from index.archive.shards.location import Location
from index.archive.shards.manifest import is_shards
from index.archive.shards.store import ShardStore
from index.archive.store import ModelRef, Store
from index.errors import NotALibrary
from index.models.encoder import Progress

__all__ = ["create_store", "create_target", "open_source", "open_store"]


def open_store(where: str | os.PathLike[str], *, token: str | None = None) -> Store | None:
    """Open an archive, in a folder or at an address (see `index.archive.milvus.address`).

    A server's token is taken from the environment unless given. None if there is no archive.

    Raises:
        LibraryError: It cannot be opened.
    """
    _refuse_shards(where)
    if is_address(where):
        from index.archive.milvus.store import MilvusStore, NoLibraryYet

        try:
            return MilvusStore(Address.parse(str(where), token))
        except NoLibraryYet:
            return None
    return FolderStore(where) if is_library_folder(where) else None


def create_store(
    where: str | os.PathLike[str], model: ModelRef, *, token: str | None = None
) -> Store:
    """Create an archive, or open the one that is there; otherwise as ``open_store``."""
    _refuse_shards(where)
    if is_address(where):
        from index.archive.milvus.store import MilvusStore

        return MilvusStore(Address.parse(str(where), token), model=model)
    return FolderStore.create(where, model)


def open_source(where: str, *, progress: Progress | None = None) -> Archive:
    """Open an archive, or shards if the path or URL ends in ``.shards``, to copy from.

    Raises:
        NotALibrary: There is none.
        LibraryError: It cannot be opened.
    """
    if is_shards(where):
        return ShardStore.open(Location(where), progress)
    store = open_store(where)
    if store is None:
        raise NotALibrary(f"{where!r} holds no library; check the name")
    return store


def create_target(where: str, model: ModelRef) -> Archive:
    """Create or open an archive, or shards, to copy into."""
    if is_shards(where):
        return ShardStore.create(Location(where), model)
    return create_store(where, model)


def _refuse_shards(where: str | os.PathLike[str]) -> None:
    if is_shards(where):
        raise NotALibrary(
            f"{str(where)!r} names shards, which nothing searches; copy them into a library:"
            f" article-qa migrate {where} DIR"
        )
