"""``article-qa migrate FROM TO`` and ``article-qa doctor --library URI``."""

from __future__ import annotations

import argparse
import sys

from index.archive.health_check import check_up
from index.archive.migration import Moved, migrate
from index.archive.opening import create_target, open_source, open_store
from index.archive.store import Store
from index.errors import NotALibrary
from qa.commands.options import Command
from qa.commands.terminal import terminal_progress

__all__ = ["COMMANDS", "doctor_library", "existing_store", "print_moved"]


def _migrate_options(parser: argparse.ArgumentParser) -> None:
    where = (
        "a library's folder or address (http://host:19530/archive), or shards: a folder or URL"
        " that ends in .shards"
    )
    parser.add_argument("source", metavar="FROM", help=where)
    parser.add_argument("target", metavar="TO", help=f"{where}; made if missing")


def migrate_library(arguments: argparse.Namespace) -> int:
    """Copy a library to another place without encoding it again; run it again to resume.

    Copying to a folder whose name ends in .shards exports a library as Parquet files, copying
    from one imports them (extra [ray]).
    """
    with terminal_progress() as progress:
        source = open_source(arguments.source, progress=progress)
        target = create_target(arguments.target, source.model)
        moved = migrate(source, target, progress)
    source.close()
    target.close()
    print_moved(moved, arguments.target)
    return 0


def print_moved(moved: Moved, target: str) -> None:
    """Say what a migration did; it has checked that the counts agree."""
    sys.stdout.write(f"{moved.copied} copied, {moved.present} already there, counts agree\n")
    if moved.left:
        sys.stdout.write(f"{moved.left} others in {target} were left as they are\n")


def doctor_library(where: str) -> int:
    """Say what a library holds, and whether it is sound; status 2 where it is not."""
    store = existing_store(where)
    with terminal_progress() as progress:
        found = check_up(store, progress=progress)
    said = found.statistics
    lines = [
        f"library     {where}",
        f"model       {store.model.name} (fingerprint {store.model.fingerprint[:16]})",
        f"articles    {found.n_articles:,} listed, {said.n_articles:,} counted",
        f"passages    {found.n_passages:,} listed, {said.n_passages:,} counted",
        f"index       {store.index_state()}",
        f"read whole  {found.n_sampled:,} articles, {len(found.problems)} damaged",
    ]
    if found.recall is not None:
        lines.append(f"recall      {found.recall:.1%} of their passages found by their vectors")
    lines += [f"problem     {problem}" for problem in found.problems]
    lines.append("sound" if found.sound else "not sound: what is listed is not what is counted"
                 if not found.problems else "not sound")  # fmt: skip
    sys.stdout.writelines(f"{line}\n" for line in lines)
    store.close()
    return 0 if found.sound else 2


def existing_store(where: str) -> Store:
    """The library at a place; without its model, which only asking and adding need.

    Raises:
        NotALibrary: There is none.
        LibraryError: It cannot be opened.
    """
    store = open_store(where)
    if store is None:
        raise NotALibrary(f"{where!r} holds no library; check the name")
    return store


COMMANDS = {"migrate": Command(migrate_library, _migrate_options)}
