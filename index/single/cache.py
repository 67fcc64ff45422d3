"""Indexes of articles seen before, in the user's cache: an unchanged article costs nothing twice.

A cache is never the only place where anything is: it may be deleted at any time, and an
entry that is damaged or cannot be written is built anew rather than reported.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from index.article import Article
from index.cache_dir import cache_folder, cache_root
from index.errors import IndexFolderError
from index.models.attention_bias import READING
from index.models.encoder import Encoder, Progress
from index.scoring.terms import SPELLING
from index.segmentation.passages import SEGMENTATION
from index.single.article_index import ArticleIndex, build_index
from index.single.storage import MANIFEST, VERSION, open_index, save_index

__all__ = ["cached_index"]

MAX_ENTRIES = 64
MAX_CACHED_CHARS = 500_000
"""A longer article would take more of the disk than an unasked cache should."""


def cached_index(
    article: Article, encoder: Encoder, *, progress: Progress | None = None
) -> ArticleIndex:
    """The index of an article: from the cache, else built and kept there."""
    if len(article.text) > MAX_CACHED_CHARS:
        return build_index(article, encoder, progress=progress)
    folder = cache_root() / "indexes" / _key(article, encoder)
    with contextlib.suppress(IndexFolderError):
        index = open_index(folder, fingerprint=encoder.fingerprint)
        with contextlib.suppress(OSError):
            os.utime(folder)  # the least recently used goes first
        return index
    index = build_index(article, encoder, progress=progress)
    with contextlib.suppress(IndexFolderError, OSError):
        cache_folder(folder.parent)
        save_index(index, folder)
        _prune(folder.parent)
    return index


def _key(article: Article, encoder: Encoder) -> str:
    """Names everything an index is made from."""
    made_by = (encoder.fingerprint, SEGMENTATION, READING, SPELLING, str(VERSION))
    parts = (repr(article.to_dict()), *made_by)
    data = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:32]


def _prune(folder: Path) -> None:
    """Remove the entries that were not used for longest."""
    with contextlib.suppress(OSError):
        entries = [entry for entry in folder.iterdir() if (entry / MANIFEST).exists()]
        entries.sort(key=lambda entry: entry.stat().st_mtime)
        for entry in entries[: max(0, len(entries) - MAX_ENTRIES)]:
            shutil.rmtree(entry, ignore_errors=True)
