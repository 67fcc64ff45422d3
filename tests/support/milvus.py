"""Milvus for tests: a file of Milvus Lite, or whatever ``ARTICLE_QA_MILVUS_URI`` names.

The URI is a server's with or without a database: ``http://host:19530``. Making collections
takes seconds, so a store that a test is done with is emptied for the next.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
import warnings
from contextlib import suppress
from functools import lru_cache

from index.archive.milvus.address import Address
from index.archive.milvus.commits import State, publish
from index.archive.milvus.filters import at_least
from index.archive.milvus.store import MilvusStore
from index.archive.store import ModelRef
from index.errors import LibraryError
from index.segmentation.sentences import SEGMENTER

with warnings.catch_warnings():
    # What pymilvus imports warns of its own future.
    warnings.simplefilter("ignore")
    import pymilvus  # noqa: F401

_free: list[Address] = []


@lru_cache(maxsize=1)
def base_uri() -> str:
    """What a slash and a name are added to."""
    given = os.environ.get("ARTICLE_QA_MILVUS_URI")
    if given:
        return given.rstrip("/")
    folder = tempfile.mkdtemp(prefix="article-qa-milvus-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return f"milvus-lite://{folder}/test.db"


def temporary_uri() -> str:
    """The address of an archive that is not there yet."""
    return f"{base_uri()}/test_{secrets.token_hex(4)}"


def temporary_store(model: ModelRef) -> MilvusStore:
    """An empty archive."""
    if model.dimension == 32 and _free:
        return MilvusStore(_free.pop())
    return MilvusStore(Address.parse(temporary_uri()), model=model)


def give_back(store: MilvusStore) -> None:
    """Empty a store for the next test, or remove it."""
    milvus, names = store._milvus, store._milvus.names
    if store.model.dimension != 32:
        store.drop()
        return
    for name, key in zip(names.all(), ("row", "number", "key", "digest", "key"), strict=True):
        milvus.delete(name, at_least(key, -(2**63) + 1))
    publish(milvus, State(store.model, SEGMENTER, milvus.has_sparse))
    if not _free:
        atexit.register(_remove)
    _free.append(store.address)


def _remove() -> None:
    with suppress(LibraryError, OSError, RuntimeError):
        for address in _free:
            if not address.is_file:
                MilvusStore(address).drop()
