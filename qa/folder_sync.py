"""A folder of articles, and the library that follows it.

folder ─▶ files ─▶ read what is new or changed ─▶ library ─▶ what is gone is removed
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from index.cache_dir import cache_folder, cache_root, fallback_root
from index.errors import (
    DamagedLibrary,
    LibraryError,
    NewerFormat,
    NotALibrary,
    OtherModel,
    SourceError,
)
from index.files import SEVERAL, replace_file
from index.models.encoder import Progress
from index.models.loading import load_encoder
from index.reading.assembly import Metadata
from index.reading.reader import SUFFIXES
from index.segmentation.passages import SEGMENTATION
from qa.library import Added, Library, set_by_hand
from qa.sources import Item, Refused, article_files, read_each

__all__ = [
    "Synced",
    "open_folder",
    "stamps_of",
    "sync",
]

_UNUSABLE: Final = (DamagedLibrary, NewerFormat, NotALibrary, OtherModel)
KEPT_FOLDERS: Final = 8
"""Folders whose libraries stay in the cache."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of a library that follows a folder.

    Attributes:
        added: Its articles; those that could not be read are among the refused.
        gone: How many were removed.
        ids: The article of each file that was read, or known to be as it was; by path.
    """

    added: Added
    gone: int
    ids: Mapping[str, str]


def open_folder(
    folder: str | os.PathLike[str],
    *,
    model: str | None = None,
    reader: bool = True,
    refused: Callable[[str, str], None] | None = None,
    progress: Progress | None = None,
) -> Library:
    """A library of all the articles in a folder and the folders in it.

    It is kept in the user's cache and brought up to date each time: what did not change is
    neither read nor encoded again.

    >>> print(open_folder("articles").ask("Who objected?"))

    Args:
        folder: Holds files of any kind that ``ArticleBot.open`` takes.
        model: A sentence-transformers model; None for the bundled MiniLM.
        reader: As for ``ArticleBot.open``.
        refused: Told the path of each file that cannot be read, and why; None to be warned.
        progress: Called as preparing the model and adding articles advance.

    Raises:
        SourceError: There is no such folder, or no article in it that can be read.
        LibraryError: Neither the cache nor the temporary folder can be written.
        ModelError: The model cannot be loaded.
    """
    folder = Path(folder)
    files = list(article_files(folder))
    if not files:
        known = ", ".join(sorted(SUFFIXES | SEVERAL))
        raise SourceError(f"{str(folder)!r} holds no article; those read are {known}")
    encoder = load_encoder(model, progress=progress)
    parts = (os.path.abspath(folder), encoder.fingerprint, SEGMENTATION)
    key = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    library, place = _cached(key, model, reader)
    stamps, seen = stamps_of(files), _read_stamps(place)
    unchanged = {
        path: seen[path][2] for path, stamp in stamps.items() if seen.get(path, [])[:2] == stamp
    }
    synced = sync(library, folder, stamps, unchanged=unchanged, progress=progress)
    if not len(library):
        raise SourceError(
            f"no file in {str(folder)!r} can be read; the first, {synced.added.refused[0][0]}:"
            f" {synced.added.refused[0][1]}"
        )
    with contextlib.suppress(OSError):
        failed = {path for path, _ in synced.added.refused}
        kept = {
            path: [*stamp, synced.ids[path]]
            for path, stamp in stamps.items()
            if path in synced.ids and path not in failed
        }
        replace_file(_stamp_file(place), json.dumps(kept).encode("ascii"))
        _prune(place.parent)
    for path, why in synced.added.refused:
        if refused:
            refused(path, why)
        else:
            warnings.warn(f"{path}: {why}", stacklevel=2)
    return library


def stamps_of(files: Iterable[Path]) -> dict[str, list[int]]:
    """When each file was changed last, and its size; by absolute path."""
    stamps = {}
    for path in files:
        try:
            status = path.stat()
        except OSError:  # gone since it was listed
            continue
        stamps[os.path.abspath(path)] = [status.st_mtime_ns, status.st_size]
    return stamps


def sync(
    library: Library,
    folder: Path,
    files: Iterable[str],
    *,
    unchanged: Mapping[str, str] = MappingProxyType({}),
    known: Metadata | None = None,
    tags: Sequence[str] = (),
    progress: Progress | None = None,
) -> Synced:
    """Make a library hold just what a folder holds; articles from elsewhere stay.

    Args:
        library: To be brought up to date.
        folder: Where the files are.
        files: Absolute paths of its articles.
        unchanged: Those that are as they were when they were added, and need not be read; the
            id of the article in each.
        known: What goes before what the files say of themselves.
        tags: For filters; articles and new versions of them keep those that they have.
        progress: As for ``Library.add``.

    Raises:
        SourceError: The folder held articles, and holds none: a disk that is not there must
            not empty a library.
        LibraryError: The library cannot be written; what was acknowledged is there.
    """
    root = os.path.join(os.path.abspath(folder), "")
    owner = {e.id: e.source or "" for e in library.articles() if (e.source or "").startswith(root)}
    files = list(files)
    kept = {path: unchanged[path] for path in files if unchanged.get(path, "") in owner}
    refused: Refused = []
    read: list[Item] = []
    for article, source, own in read_each([path for path in files if path not in kept], refused):
        kept[source or article.id] = article.id
        read.append((article, source, own))
    if owner and not kept and not refused:
        raise SourceError(
            f"{str(folder)!r} holds no article any more, and the library {len(owner):,} from it;"
            " nothing was removed: article-qa remove does that"
        )
    # Where files hold the same text, the library has it from one of them.
    there = {key for key, source in owner.items() if kept.get(source) == key}
    before = {source: key for key, source in owner.items()}
    tagged = {entry.id: entry.tags for entry in library.articles()} if before else {}
    new: dict[str, Item] = {}
    for article, source, own in read:
        if article.id in there and not (known or tags):
            continue
        source = owner[article.id] if article.id in there else source
        earlier = before.get(source or "")
        if earlier and earlier != article.id:
            article = set_by_hand(library.article(earlier)).over(article)
            own = (*tagged[earlier], *own)
        new.setdefault(article.id, (article, source, own))
    unread = {source for source, _ in refused}
    lost = {
        key
        for key, source in owner.items()
        if source not in unread and source.rpartition("#")[0] not in unread
    }
    gone = lost - set(kept.values())
    added = library.add_from(
        new.values(),
        known=known,
        tags=tags,
        total=len(new),
        replacing=sorted(gone) if new else (),
        progress=progress,
    )
    if gone and not new:
        library.remove(*sorted(gone))
    same = tuple(key for key in kept.values() if key in owner and key not in new)
    return Synced(
        replace(added, unchanged=added.unchanged + same, refused=(*refused, *added.refused)),
        len(gone),
        kept,
    )


def _cached(key: str, model: str | None, reader: bool) -> tuple[Library, Path]:
    """The library of a folder in the cache, and where it is; made again where it is damaged."""
    for root in (cache_root(), fallback_root()):
        place = root / "folders" / key
        with contextlib.suppress(LibraryError, OSError):
            cache_folder(place.parent)
            try:
                return Library.open(place, model=model, reader=reader), place
            except _UNUSABLE:
                shutil.rmtree(place)
                _stamp_file(place).unlink(missing_ok=True)
                return Library.open(place, model=model, reader=reader), place
    return Library.open(place, model=model, reader=reader), place


def _stamp_file(place: Path) -> Path:
    return place.with_name(f"{place.name}.json")


def _read_stamps(place: Path) -> dict[str, list[Any]]:
    """Of each file: when it was changed last, its size, and the id of its article."""
    try:
        found = json.loads(_stamp_file(place).read_bytes())
    except (OSError, ValueError):
        return {}
    stamps = found.items() if isinstance(found, dict) else ()
    return {path: [*stamp] for path, stamp in stamps if list(map(type, stamp)) == [int, int, str]}


def _prune(folders: Path) -> None:
    """Forget the folders that were not asked for longest."""
    stamps = sorted(folders.glob("*.json"), key=lambda path: path.stat().st_mtime)
    for path in stamps[: max(0, len(stamps) - KEPT_FOLDERS)]:
        path.unlink(missing_ok=True)
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)
