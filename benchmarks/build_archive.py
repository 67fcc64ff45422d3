"""Building an archive on Ray beside adding to a library: time, and bytes on the disk.

    python -m benchmarks.build_archive --squad squad1.json -o benchmarks/results/build_archive.md

The same articles, each a few paragraphs of a SQuAD 1.1 file, are added to a library as
``article-qa add`` does, which uses all cores in one process, and built into shards with one
worker and with two; then added once more, which shows how far the machine was the same. Rates
leave out what comes before the first articles are done (Ray takes seconds to start), and are
given as ratios to the mean of the two: for absolute ones, see ``python -m benchmarks.speed``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from index.archive.migration import migrate
from index.archive.opening import create_store
from index.archive.shards.build import build_shards
from index.archive.shards.input import ArchiveInput, Limits
from index.archive.shards.location import Location
from index.archive.shards.store import ShardStore
from index.archive.store import ModelRef
from index.models.loading import load_encoder
from qa.library import Library

PARAGRAPHS = 3


class Clock:
    """When how many articles were done; a progress callback."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.perf_counter()
        self._seen: list[tuple[float, int]] = []

    def __call__(self, what: str, done: int, total: int) -> None:
        """Note it."""
        if what == self._what and done:
            self._seen.append((time.perf_counter(), done))

    @property
    def rate(self) -> float:
        """Articles a second between the first that were done and the last."""
        (first, n_first), (last, n_last) = self._seen[0], self._seen[-1]
        return (n_last - n_first) / (last - first)

    @property
    def start(self) -> float:
        """Seconds until the first were done."""
        return self._seen[0][0] - self._began


def write_articles(data: list[dict[str, Any]], n: int, folder: Path) -> int:
    """Files of a few paragraphs each; how many characters they hold."""
    paragraphs = [p["context"] for entry in data for p in entry["paragraphs"]]
    size = 0
    for number in range(n):
        own = paragraphs[number * PARAGRAPHS : (number + 1) * PARAGRAPHS]
        text = "\n\n".join(own)
        (folder / f"{number:06}.txt").write_text(text)
        size += len(text)
    return size


def added(source: ArchiveInput, library: Path) -> Clock:
    """Add the articles to a library, all cores at work."""
    clock = Clock("adding articles")

    def items() -> Iterator[Any]:
        for part in source.parts(Limits()):
            for one in source.read(part):
                yield one.found, one.source

    Library.open(library).add_from(items(), progress=clock)
    return clock


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--squad", required=True, metavar="FILE", help="SQuAD 1.1, as JSON")
    parser.add_argument("--articles", type=int, default=300, metavar="N", help="to build from")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the tables here")
    arguments = parser.parse_args()
    data = json.loads(Path(arguments.squad).read_text())["data"]
    with tempfile.TemporaryDirectory() as folder:
        text = measured(data, arguments.articles, Path(folder))
    print(text)
    if arguments.output:
        Path(arguments.output).write_text(text)


def measured(data: list[dict[str, Any]], n: int, folder: Path) -> str:
    """Build and add; the result file."""
    (folder / "articles").mkdir()
    n_characters = write_articles(data, n, folder / "articles")
    source = ArchiveInput(Location(folder / "articles"))
    encoder = load_encoder()
    clocks = {"added, first": added(source, folder / "first")}
    for workers in (1, 2):
        clock = Clock("preparing articles")
        shards = Location(folder / f"{workers}.shards")
        # Smaller parts than usual, for rates of a few hundred articles.
        build_shards(source, shards, workers=workers, limits=Limits(articles=8), progress=clock)
        clocks[f"built, {workers} worker{'s' * (workers > 1)}"] = clock
    clocks["added, again"] = added(source, folder / "again")
    n_bytes = sum(shards.size(name) or 0 for name in shards.names())
    store = create_store(
        folder / "loaded", ModelRef(encoder.name, encoder.fingerprint, encoder.dimension)
    )
    began = time.perf_counter()
    migrate(ShardStore.open(shards), store)
    loading = time.perf_counter() - began
    with store.read() as snapshot:
        n_passages = snapshot.statistics.n_passages
        tokens = [
            len(p.token_ids) for e in snapshot.entries() for p in snapshot.prepared(e.id).passages
        ]
    base = np.mean([clocks[name].rate for name in ("added, first", "added, again")])
    rows = [
        f"| {name} | {clock.rate * n_passages / n:.1f} | {clock.rate / base:.2f} |"
        f" {clock.start:.1f} |"
        for name, clock in clocks.items()
    ]
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return "\n".join(
        [
            "# Building an archive on Ray",
            "",
            f"    {' '.join(['python', *sys.argv])}",
            "",
            f"{n:,} articles, {n_passages:,} passages of {np.mean(tokens):.0f} word pieces in the"
            f" mean. {os.cpu_count()} cores; load average at the end {load}.",
            "",
            "| | passages a second | ratio | seconds to the first |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            "| | |",
            "| --- | --- |",
            f"| bytes of shards a passage | {n_bytes / n_passages:,.0f} |",
            f"| bytes of shards a word piece | {n_bytes / sum(tokens):,.0f} |",
            f"| bytes of text a passage | {n_characters / n_passages:,.0f} |",
            f"| passages a second copied from shards into a folder | {n_passages / loading:,.0f} |",
            "",
        ]
    )


if __name__ == "__main__":
    main()
