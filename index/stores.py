"""One URI chooses where an archive is kept; everything above is the same."""

from __future__ import annotations

import os

from index.folder_store import FolderStore, is_library_folder
from index.milvus_address import Address, is_address
from index.store import ModelRef, Store

__all__ = ["create_store", "open_store"]


def open_store(where: str | os.PathLike[str], *, token: str | None = None) -> Store | None:
    """The archive that is there; None where there is none.

    Args:
        where: A folder, or an address as in `index.milvus_address`.
        token: For a server; None for that of the environment.

    Raises:
        LibraryError: It cannot be opened.
    """
    if is_address(where):
        from index.milvus_store import MilvusStore, NoLibraryYet

        try:
            return MilvusStore(Address.parse(str(where), token))
        except NoLibraryYet:
            return None
    return FolderStore(where) if is_library_folder(where) else None


def create_store(
    where: str | os.PathLike[str], model: ModelRef, *, token: str | None = None
) -> Store:
    """An empty archive, or the one that is there; otherwise as ``open_store``."""
    if is_address(where):
        from index.milvus_store import MilvusStore

        return MilvusStore(Address.parse(str(where), token), model=model)
    return FolderStore.create(where, model)
