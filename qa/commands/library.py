"""``article-qa add | remove | list | sync | compact | repair`` and ``ask --library``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Final

from index.archive.folder.store import is_library_folder, repair
from index.archive.milvus.address import is_address
from index.archive.store import Where
from index.errors import LibraryBusy, QuestionError, SourceError, SourceNotFound
from index.reading.reader import is_address as is_url
from qa.answer import Answer
from qa.commands.store import existing_store
from qa.commands.terminal import render, terminal_progress
from qa.engine import PER_ARTICLE
from qa.folder_sync import Refused, article_files, open_folder, read_each, stamps_of, sync
from qa.library import Added, Library
from qa.text import one_line

__all__ = ["add_library_commands", "add_library_options", "ask_library", "resumable"]

_SECONDS: Final = 2.0


def add_library_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    """Register the commands that work on a library."""
    add = _command(commands, "add", "add articles to a library", run_add)
    add.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="an article's file or address, or a folder"
    )
    add.add_argument(
        "--allow-private",
        action="store_true",
        help="also fetch addresses of this machine and the local network",
    )
    add.add_argument("--tag", action="append", default=[], metavar="TAG", help="for filters")
    _add_model(add)
    remove = _command(commands, "remove", "remove articles from a library", run_remove)
    remove.add_argument("ids", nargs="+", metavar="ID", help="as article-qa list shows them")
    listed = _command(commands, "list", "list the articles of a library", run_list)
    listed.add_argument("--json", action="store_true", help="one JSON object a line")
    _add_filters(listed)
    sync = _command(commands, "sync", "make a library follow a folder", run_sync)
    sync.add_argument("folder", metavar="FOLDER", help="searched with all its folders")
    sync.add_argument("--watch", action="store_true", help="go on until interrupted")
    _add_model(sync)
    _command(commands, "compact", "rebuild a library's indexes and shrink it", run_compact)
    _command(commands, "repair", "check a library and rebuild what can be", run_repair)


def add_library_options(ask: argparse.ArgumentParser) -> None:
    """Give the ask command what it needs to ask a library."""
    ask.add_argument(
        "--library", metavar="DIR", help="ask all articles of a library: a folder or an address"
    )
    ask.add_argument(
        "--per-article",
        type=int,
        metavar="N",
        help=f"citations from one article at most (default {PER_ARTICLE})",
    )
    _add_filters(ask)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    run: object,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=run.__doc__)
    parser.add_argument(
        "--library", required=True, metavar="DIR", help="its folder, or http://host:19530/name"
    )
    parser.set_defaults(command=run)
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="for a new library (default: MiniLM)")


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="DATE", help="published on that day or later")
    parser.add_argument("--until", metavar="DATE", help="published on that day or earlier")
    for name in ("author", "site", "tag"):
        parser.add_argument(
            f"--{name}", action="append", default=[], metavar=name.upper(), help="any of these"
        )


def where_of(arguments: argparse.Namespace) -> Where | None:
    """The filter that the options ask for; None where they ask for none.

    Raises:
        QuestionError: A date is none.
    """
    where = Where(
        published_from=_day(arguments.since),
        published_until=_day(arguments.until),
        authors=tuple(arguments.author),
        sites=tuple(arguments.site),
        tags=tuple(arguments.tag),
    )
    return where if where else None


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise QuestionError(f"{text!r} is no date; write it as 2021-05-18") from error


def ask_library(arguments: argparse.Namespace) -> Answer:
    """Ask a library, or a folder of articles, and print the sentences that answer."""
    library = _library(arguments)
    answer = library.ask(
        arguments.question,
        k=arguments.k,
        where=where_of(arguments),
        per_article=arguments.per_article,
        min_confidence=arguments.min_confidence,
    )
    if arguments.json:
        json.dump(answer.to_dict(), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        render(answer, sys.stdout)
    return answer


def _library(arguments: argparse.Namespace) -> Library:
    """The library that is named, or that of the folder which is the source."""
    if arguments.library or is_library_folder(arguments.source):
        place = arguments.library or arguments.source
        return Library.open(place, model=arguments.model, create=False)

    def refused(path: str, why: str) -> None:
        sys.stderr.write(f"article-qa: {path}: {why}\n")

    with terminal_progress() as progress:
        return open_folder(
            arguments.source, model=arguments.model, refused=refused, progress=progress
        )


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
        added = library.add_from(items, tags=arguments.tag, total=len(sources), progress=progress)
    return _report(replace(added, refused=(*refused, *added.refused)))


def _sources(source: str) -> Iterable[str]:
    """An address, a file's absolute path, or those of all the articles in a folder."""
    if is_url(source):
        return [source]
    found = article_files(Path(source)) if os.path.isdir(source) else [source]
    return map(os.path.abspath, found)


@contextmanager
def resumable(what: str) -> Iterator[None]:
    """Say to somebody who interrupts that nothing is lost: "what was added stays"."""
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write(f"\narticle-qa: interrupted; {what} stays, run it again to go on\n")
        raise


def run_remove(arguments: argparse.Namespace) -> int:
    """Remove articles by their ids, all or none."""
    store = existing_store(arguments.library)
    store.remove(arguments.ids)
    with store.read() as snapshot:
        left = snapshot.statistics.n_articles
    sys.stdout.write(f"{len(set(arguments.ids))} removed, {left} left\n")
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """List articles in the order in which they were added."""
    with existing_store(arguments.library).read() as snapshot:
        entries, total = snapshot.entries(where_of(arguments)), snapshot.statistics.n_articles
    for entry in entries:
        if arguments.json:
            sys.stdout.write(json.dumps(asdict(entry)) + "\n")
        else:
            name = one_line(entry.title or entry.source or "")
            sys.stdout.write(f"{entry.id}  {(entry.published or '')[:10]:<10}  {name}\n")
    if sys.stderr.isatty():
        sys.stderr.write(f"{len(entries):,} of {total:,} articles\n")
    return 0


def run_sync(arguments: argparse.Namespace) -> int:
    """Add what is new or changed in a folder, and drop what is gone from it."""
    folder = Path(arguments.folder)
    stamps = stamps_of(article_files(folder))
    with terminal_progress() as progress:
        library = Library.open(arguments.library, model=arguments.model, progress=progress)
    if not arguments.watch:
        return sync_once(library, folder, stamps)
    seen: dict[str, list[int]] | None = None
    while True:
        try:
            stamps = stamps_of(article_files(folder))
            if stamps != seen:
                sync_once(library, folder, stamps)
                seen = stamps
        except (OSError, LibraryBusy, SourceError) as error:
            # The folder may be out of reach for a while, or another may be writing.
            if seen != {}:
                sys.stderr.write(f"article-qa: {error}; trying again\n")
            seen = {}
        sys.stdout.flush()
        time.sleep(_SECONDS)


def sync_once(library: Library, folder: Path, files: Iterable[str]) -> int:
    """Sync, and say what became of it; the exit status."""
    with terminal_progress() as progress, resumable("what was added"):
        synced = sync(library, folder, files, progress=progress)
    sys.stdout.write(f"{synced.gone} gone; ")
    return _report(synced.added)


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
        sys.stderr.write(f"article-qa: {source}: {why}\n")
    counts = len(added.added), len(added.unchanged), len(added.refused)
    sys.stdout.write("{} added, {} unchanged, {} refused\n".format(*counts))
    return 2 if added.refused else 0
