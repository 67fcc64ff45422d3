"""A process that changes an archive, until somebody kills it.

As a program it reads lines ``folder acks seed first`` and for each forks a child that works
from operation ``first`` on; it answers with the child's id. An operation is noted in the
file ``acks`` once it is acknowledged.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from index.archive.folder.store import FolderStore, Tuning
from index.archive.store import PreparedArticle
from tests.support.archive import MODEL, generated

Operation = tuple[str, list[PreparedArticle], list[str]]


def operations(seed: int) -> Iterator[tuple[Operation, frozenset[str]]]:
    """Operations without end, and the articles that are there after each."""
    rng = np.random.default_rng(seed)
    there: list[str] = []
    number = 0
    while True:
        number += 1
        kind = rng.choice(["add", "add", "add", "update", "remove", "flush", "compact"])
        new: list[PreparedArticle] = []
        old: list[str] = []
        if kind in {"update", "remove"} and there:
            old = [there.pop(int(rng.integers(len(there))))]
        if kind in {"add", "update"}:
            new = generated(int(rng.integers(1, 4)), seed=seed * 1000 + number, paragraphs=2)
            there += [prepared.article.id for prepared in new]
        yield (str(kind), new, old), frozenset(there)


def apply(store: FolderStore, operation: Operation) -> None:
    kind, new, old = operation
    if kind in {"add", "update"}:
        store.add(new, replacing=old)
    elif kind == "remove" and old:
        store.remove(old)
    elif kind == "flush":
        store.flush()
    elif kind == "compact":
        store.compact()


def work(folder: Path, acks: Path, seed: int, first: int) -> None:
    store = FolderStore.create(folder, MODEL, tuning=Tuning(flush_after=6))
    note = os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number, (operation, _) in enumerate(operations(seed)):
        if number >= first:
            apply(store, operation)
            os.write(note, b"%d\n" % number)


if __name__ == "__main__":
    for line in sys.stdin:
        folder, acks, seed, first = line.split()
        child = os.fork()
        if child == 0:
            work(Path(folder), Path(acks), int(seed), int(first))
        print(child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)
