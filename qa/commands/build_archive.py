"""``article-qa build-archive INPUT --library URI --workers N``: a large archive, in steps.

input ─▶ shards, on all processors of this machine or of a Ray cluster ─▶ library
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from index.archive.migration import migrate
from index.archive.milvus.address import is_address
from index.archive.opening import create_store, open_store
from index.archive.shards.build import Built, build_shards
from index.archive.shards.input import ArchiveInput
from index.archive.shards.location import Location
from index.archive.shards.manifest import is_shards
from index.archive.shards.store import ShardStore
from index.errors import QuestionError
from index.models.loading import load_encoder
from qa.commands.library import resumable
from qa.commands.options import NEW_LIBRARY, Command, add_library, add_model
from qa.commands.store import print_moved
from qa.commands.terminal import complain, terminal_progress
from qa.library import Library

__all__ = ["COMMANDS"]


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input",
        metavar="INPUT",
        help="a folder of articles, or a .jsonl or .parquet file with the fields text, title,"
        " authors, published, url, tags …: a path, or a URL such as s3://bucket/articles",
    )
    add_library(parser, "its folder, or http://host:19530/name; made if missing")
    parser.add_argument(
        "--shards",
        metavar="DIR",
        help="where the result is kept as Parquet files, a folder or URL that ends in .shards and"
        " that every node can write to (default: the library's name with .shards behind it)",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes (default: one a processor)"
    )
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="of a Ray cluster (default: this machine alone, reachable by nobody else)",
    )
    add_model(parser, NEW_LIBRARY)
    parser.add_argument("--tag", action="append", default=[], metavar="TAG", help="for filters")


def run(arguments: argparse.Namespace) -> int:
    """Build a library from many articles, on all processors or on a Ray cluster.

    The articles are read, cut and encoded into shards, and the shards copied into the library.
    Whatever interrupts it, the same command goes on where it was. Needs the extra [ray].
    """
    place = Location(_shards_of(arguments))
    if arguments.workers is not None and arguments.workers < 1:
        raise QuestionError(f"--workers must be a whole number from 1, not {arguments.workers}")
    # A client of Milvus complains on standard error when Ray starts processes beside it.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    model, fingerprint = _model_of(arguments)
    began = time.monotonic()
    with terminal_progress() as progress, resumable("what is done"):
        built = build_shards(
            ArchiveInput(Location(arguments.input)),
            place,
            workers=arguments.workers,
            address=arguments.address,
            model=model,
            fingerprint=fingerprint,
            tags=arguments.tag,
            progress=progress,
        )
    _report(built, place, time.monotonic() - began)
    if arguments.library:
        with terminal_progress() as progress, resumable("what was copied"):
            shards = ShardStore.open(place, progress)
            library = create_store(arguments.library, shards.model)
            moved = migrate(shards, library, progress)
            library.close()
        print_moved(moved, arguments.library)
    return 2 if built.refused else 0


def _shards_of(arguments: argparse.Namespace) -> str:
    """Where the shards go: what the user says, or beside the library."""
    library, shards = arguments.library, arguments.shards
    if shards is not None:
        if not is_shards(shards):
            raise QuestionError(f"--shards {shards!r} must end in .shards: {shards}.shards")
        return str(shards)
    if library is None:
        raise QuestionError("name a library with --library, or shards with --shards, or both")
    # A server has no folder beside it: here, under the library's name.
    name = library.rstrip("/").rpartition("/")[2] if is_address(library) else Path(library)
    return f"{name}.shards"


def _model_of(arguments: argparse.Namespace) -> tuple[str | None, str | None]:
    """Name and fingerprint of the model of the library that is there, or the name for a new one.

    Raises:
        LibraryError: The library cannot be opened: better now than after the work.
        OtherModel: It was made with another model than the one asked for.
    """
    store = open_store(arguments.library) if arguments.library else None
    if store is None:
        return arguments.model, None
    made_by = store.model
    encoder = load_encoder(arguments.model, recorded=made_by.name, fingerprint=made_by.fingerprint)
    Library(store, encoder).close()
    return arguments.model or made_by.name, made_by.fingerprint


def _report(built: Built, place: Location, seconds: float) -> None:
    for name, why in built.refused:
        complain(f"{name}: {why}")
    sys.stdout.write(
        f"{built.made} shards made, {built.kept} already there: {built.articles:,} articles,"
        f" {built.passages:,} passages, {len(built.refused)} refused in {place}"
        f" ({seconds:.0f} s)\n"
    )


COMMANDS = {"build-archive": Command(run, _options)}
