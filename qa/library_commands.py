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

from index.article import Article
from index.errors import LibraryBusy, QuestionError, SourceError, SourceNotFound
from index.folder_store import repair
from index.milvus_address import is_address
from index.reader import SUFFIXES, read_article
from index.store import Where
from qa.answer import Answer
from qa.archive_answer import PER_ARTICLE
from qa.library import Added, Library
from qa.one_line import one_line
from qa.terminal import render, terminal_progress

__all__ = ["add_library_commands", "add_library_options", "ask_library", "resumable"]

_SECONDS: Final = 2.0


def add_library_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    """Register the commands that work on a library."""
    add = _command(commands, "add", "add articles to a library", run_add)
    add.add_argument("sources", nargs="+", metavar="SOURCE", help="an article's file, or a folder")
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
    """Ask a library, and print the sentences that answer, best first."""
    library = Library.open(arguments.library, model=arguments.model, create=False)
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


def run_add(arguments: argparse.Namespace) -> int:
    """Add articles; those that are there already cost nothing."""
    paths = [path for source in arguments.sources for path in _files(Path(source))]
    if not any(path.exists() for path in paths):
        named = ", ".join(map(repr, arguments.sources))
        raise SourceNotFound(f"there is no article in {named}; check the path")
    with terminal_progress() as progress, resumable("what was added"):
        library = Library.open(arguments.library, model=arguments.model, progress=progress)
        refused: list[tuple[str, str]] = []
        added = library.add_from(
            _read(paths, refused), tags=arguments.tag, total=len(paths), progress=progress
        )
    return _report(added, refused)


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
    library = Library.open(arguments.library, create=False)
    library.remove(*arguments.ids)
    sys.stdout.write(f"{len(set(arguments.ids))} removed, {len(library)} left\n")
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """List articles in the order in which they were added."""
    library = Library.open(arguments.library, create=False)
    entries = library.articles(where_of(arguments))
    for entry in entries:
        if arguments.json:
            sys.stdout.write(json.dumps(asdict(entry)) + "\n")
        else:
            name = one_line(entry.title or entry.source or "")
            sys.stdout.write(f"{entry.id}  {(entry.published or '')[:10]:<10}  {name}\n")
    if sys.stderr.isatty():
        sys.stderr.write(f"{len(entries):,} of {len(library):,} articles\n")
    return 0


def run_sync(arguments: argparse.Namespace) -> int:
    """Add what is new or changed in a folder, and drop what is gone from it."""
    folder = Path(arguments.folder)
    _check_folder(folder)
    with terminal_progress() as progress:
        library = Library.open(arguments.library, model=arguments.model, progress=progress)
    if not arguments.watch:
        return sync_once(library, folder, map(str, _files(folder)))
    seen: dict[str, tuple[int, int]] | None = None
    while True:
        try:
            _check_folder(folder)
            stamps = {str(path): _stamp(path) for path in _files(folder)}
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


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise SourceError(f"{str(folder)!r} is no folder; name the one with the articles")


def sync_once(library: Library, folder: Path, paths: Iterable[str]) -> int:
    """Make a library hold just what a folder holds; articles from elsewhere stay.

    Raises:
        SourceError: The folder held articles, and holds none: a disk that is not there must
            not empty a library.
    """
    root = os.path.join(os.path.abspath(folder), "")
    before = {e.source: e.id for e in library.articles() if (e.source or "").startswith(root)}
    refused: list[tuple[str, str]] = []
    kept: dict[str, str] = {}
    new: list[tuple[Article, str]] = []
    replaced: list[str] = []
    for article, source in _read([Path(path) for path in paths], refused):
        kept[source] = article.id
        if before.get(source) != article.id:
            new.append((article, source))
            if source in before:
                replaced.append(before[source])
    if before and not kept and not refused:
        raise SourceError(
            f"{str(folder)!r} holds no article any more, and the library {len(before):,} from it;"
            " nothing was removed: article-qa remove does that"
        )
    unreadable = {source for source, _ in refused}
    staying = set(kept.values())
    gone = {key for source, key in before.items() if source not in kept | dict.fromkeys(unreadable)}
    gone = (gone | set(replaced)) - staying
    with terminal_progress() as progress, resumable("what was added"):
        added = library.add_from(
            new, total=len(new), replacing=sorted(gone) if new else (), progress=progress
        )
    if gone and not new:
        library.remove(*sorted(gone))
    same = tuple(kept[source] for source in kept if before.get(source) == kept[source])
    sys.stdout.write(f"{len(gone)} gone; ")
    return _report(replace(added, unchanged=added.unchanged + same), refused)


def run_compact(arguments: argparse.Namespace) -> int:
    """Rebuild the indexes of a library and give back the space of what was removed."""
    before = _megabytes(arguments.library)
    with terminal_progress() as progress:
        library = Library.open(arguments.library, create=False, progress=progress)
        library.compact(progress)
    after = _megabytes(arguments.library)
    sys.stdout.write(f"{len(library):,} articles; {before:.1f} MB before, {after:.1f} MB now\n")
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


def _files(path: Path) -> Iterator[Path]:
    """A file itself, or the articles of a folder, in order of their names."""
    if not path.is_dir():
        yield path
        return
    for entry in sorted(path.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _files(entry)
        elif entry.suffix.lower() in SUFFIXES and entry.is_file():
            yield entry


def _read(paths: Iterable[Path], refused: list[tuple[str, str]]) -> Iterator[tuple[Article, str]]:
    for path in paths:
        source = os.path.abspath(path)
        try:
            yield read_article(path), source
        except SourceError as error:
            refused.append((source, str(error)))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return status.st_mtime_ns, status.st_size


def _report(added: Added, refused: list[tuple[str, str]]) -> int:
    refused = [*refused, *added.refused]
    for source, why in refused:
        sys.stderr.write(f"article-qa: {source}: {why}\n")
    sys.stdout.write(
        f"{len(added.added)} added, {len(added.unchanged)} unchanged, {len(refused)} refused\n"
    )
    return 2 if refused else 0
