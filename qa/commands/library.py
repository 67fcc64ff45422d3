"""``article-qa add``, ``remove``, ``list``, ``sync``, ``compact`` and ``repair``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from index.archive.folder.store import repair
from index.archive.milvus.address import is_address
from index.errors import LibraryBusy, QuestionError, SourceError, SourceNotFound
from index.reading.reader import is_address as is_url
from qa.commands.options import (
    NEW_LIBRARY,
    Command,
    add_allow_private,
    add_filters,
    add_given,
    add_json,
    add_library,
    add_model,
    given_by,
    where_of,
)
from qa.commands.store import existing_store
from qa.commands.terminal import complain, terminal_progress
from qa.folder_sync import stamps_of, sync
from qa.library import Added, Library, undated
from qa.sources import Refused, article_files, read_each
from qa.text import one_line

__all__ = ["COMMANDS", "resumable", "sync_once"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="an article's file or address, a folder, a mailbox (.mbox), or records (.jsonl)",
    )
    add_allow_private(parser)
    add_given(parser)
    add_model(parser, NEW_LIBRARY)
    add_library(parser, required=True)


def run_add(arguments: argparse.Namespace) -> int:
    """Add articles; those that are there already cost nothing."""
    sources = [found for source in arguments.sources for found in _sources(source)]
    if not any(is_url(source) or os.path.exists(source) for source in sources):
        named = ", ".join(map(repr, arguments.sources))
        raise SourceNotFound(f"there is no article in {named}; check the path")
    with terminal_progress() as progress, resumable("what was added"):
        library = Library.open(arguments.library, model=arguments.model, progress=progress)
        refused: Refused = []
        items = read_each(sources, refused, allow_private=arguments.allow_private)
        added = library.add_from(
            items,
            known=given_by(arguments),
            tags=arguments.tag,
            total=len(sources),
            progress=progress,
        )
    return _report(replace(added, refused=(*refused, *added.refused)))


def _sources(source: str) -> Iterable[str]:
    """An address, a file's absolute path, or those of all the articles in a folder."""
    if is_url(source):
        return [source]
    found = article_files(Path(source)) if os.path.isdir(source) else [source]
    return map(os.path.abspath, found)


@contextmanager
def resumable(what: str) -> Iterator[None]:
    """Tell whoever interrupts that nothing is lost: "what was added is kept"."""
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write(f"\narticle-qa: interrupted; {what} is kept, run it again to go on\n")
        raise


def _remove_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="+", metavar="ID", help="as article-qa list shows them")
    add_library(parser, required=True)


def run_remove(arguments: argparse.Namespace) -> int:
    """Remove articles by their ids, all or none."""
    store = existing_store(arguments.library)
    store.remove(arguments.ids)
    with store.read() as snapshot:
        left = snapshot.statistics.n_articles
    sys.stdout.write(f"{len(set(arguments.ids))} removed, {left} left\n")
    return 0


def _list_options(parser: argparse.ArgumentParser) -> None:
    add_library(parser, required=True)
    add_json(parser, "each article on a line")
    add_filters(parser)


def run_list(arguments: argparse.Namespace) -> int:
    """List articles: id, date, length in characters, title and tags, the oldest entry first."""
    where = where_of(arguments)
    with existing_store(arguments.library).read() as snapshot:
        entries, total = snapshot.entries(where or None), snapshot.statistics.n_articles
        note = undated(snapshot, where)
    for entry in entries:
        if arguments.json:
            sys.stdout.write(json.dumps(asdict(entry)) + "\n")
        else:
            name = one_line(entry.title or entry.source or "")
            tags = one_line(f"  [{', '.join(entry.tags)}]", keep_ends=True) if entry.tags else ""
            sys.stdout.write(
                f"{entry.id}  {(entry.published or '')[:10]:<10}  {entry.n_characters:>9,}"
                f"  {name}{tags}\n"
            )
    if sys.stderr.isatty():
        sys.stderr.write(f"{len(entries):,} of {total:,} articles\n")
    if note:
        sys.stderr.write(f"article-qa: {note}\n")
    return 0


def _sync_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="searched with all its folders")
    parser.add_argument("--watch", action="store_true", help="go on until interrupted")
    parser.add_argument(
        "--every",
        type=float,
        default=2.0,
        metavar="SECONDS",
        help="how often --watch looks (default %(default)g)",
    )
    add_given(parser)
    add_model(parser, NEW_LIBRARY)
    add_library(parser, required=True)


def run_sync(arguments: argparse.Namespace) -> int:
    """Add what is new or changed in a folder, and drop what is gone from it."""
    folder = Path(arguments.folder)
    stamps = stamps_of(article_files(folder))
    with terminal_progress() as progress:
        library = Library.open(arguments.library, model=arguments.model, progress=progress)
    given = {"known": given_by(arguments), "tags": arguments.tag}
    if not arguments.watch:
        return sync_once(library, folder, stamps, **given)
    seen: dict[str, list[int]] | None = None
    while True:
        try:
            stamps = stamps_of(article_files(folder))
            if stamps != seen:
                sync_once(library, folder, stamps, **given)
                seen = stamps
        except (OSError, LibraryBusy, SourceError) as error:
            # The folder may be out of reach for a while, or another may be writing.
            if seen != {}:
                complain(f"{error}; trying again")
            seen = {}
        sys.stdout.flush()
        time.sleep(max(0.0, arguments.every))


def sync_once(library: Library, folder: Path, files: Iterable[str], **given: Any) -> int:  # noqa: ANN401
    """Sync, and say what became of it; the exit status. ``given`` is as for ``sync``."""
    with terminal_progress() as progress, resumable("what was added"):
        synced = sync(library, folder, files, progress=progress, **given)
    sys.stdout.write(f"{synced.gone} gone; ")
    return _report(synced.added)


def _library_option(parser: argparse.ArgumentParser) -> None:
    add_library(parser, required=True)


def run_compact(arguments: argparse.Namespace) -> int:
    """Rebuild the indexes of a library and give back the space of what was removed."""
    before = _megabytes(arguments.library)
    with terminal_progress() as progress:
        store = existing_store(arguments.library)
        store.compact(progress)
    with store.read() as snapshot:
        n_articles = snapshot.statistics.n_articles
    after = _megabytes(arguments.library)
    sys.stdout.write(f"{n_articles:,} articles; {before:.1f} MB before, {after:.1f} MB now\n")
    return 0


def run_repair(arguments: argparse.Namespace) -> int:
    """Check every byte of a library's database and rebuild everything else from it."""
    if is_address(arguments.library):
        raise QuestionError(
            "a library on a server is repaired by its server; look into it with: article-qa doctor"
            f" --library {arguments.library}"
        )
    with terminal_progress() as progress:
        repair(arguments.library, progress)
    sys.stdout.write("the library is whole\n")
    return 0


def _megabytes(folder: str) -> float:
    return sum(path.stat().st_size for path in Path(folder).glob("*")) / 1e6


def _report(added: Added) -> int:
    for source, why in added.refused:
        complain(f"{source}: {why}")
    counts = len(added.added), len(added.unchanged), len(added.refused)
    sys.stdout.write("{} added, {} unchanged, {} refused\n".format(*counts))
    return 2 if added.refused else 0


COMMANDS = {
    "add": Command(run_add, _add_options),
    "remove": Command(run_remove, _remove_options),
    "list": Command(run_list, _list_options),
    "sync": Command(run_sync, _sync_options),
    "compact": Command(run_compact, _library_option),
    "repair": Command(run_repair, _library_option),
}
