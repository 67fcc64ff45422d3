"""Check that an archive holds what it lists, and finds what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from index.archive.store import Entry, Statistics, Store, StoredSnapshot
from index.errors import LibraryError
from index.models.encoder import Progress

__all__ = ["Checkup", "check_up"]

_PAGE: Final = 4_096
_SAME: Final = 0.999


@dataclass(frozen=True, slots=True)
class Checkup:
    """The result of a check.

    Attributes:
        statistics: As the archive states them; the counts are of what it lists.
        n_sampled: Articles of which every byte was read.
        problems: What is wrong with them, in words.
        recall: Share of the sampled passages that the dense search finds first by their own
            vectors; None if there are none.
    """

    statistics: Statistics
    n_articles: int
    n_passages: int
    n_sampled: int
    problems: tuple[str, ...]
    recall: float | None

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        counted = (self.n_articles, self.n_passages)
        said = (self.statistics.n_articles, self.statistics.n_passages)
        return not self.problems and counted == said


def check_up(store: Store, *, sample: int = 50, progress: Progress | None = None) -> Checkup:
    """Count an archive's articles, and read ``sample`` of them whole, spread evenly."""
    with store.read() as snapshot:
        n_articles = n_passages = 0
        chosen: list[Entry] = []
        step = max(1, snapshot.statistics.n_articles // max(1, sample))
        while page := snapshot.entries(limit=_PAGE, offset=n_articles):
            chosen += page[-n_articles % step :: step]
            n_articles += len(page)
            n_passages += sum(entry.n_passages for entry in page)
        problems: list[str] = []
        found: list[bool] = []
        for done, entry in enumerate(chosen[:sample], 1):
            try:
                found += _read(snapshot, entry)
            except LibraryError as error:
                problems.append(str(error))
            if progress:
                progress("reading articles", done, min(len(chosen), sample))
        return Checkup(
            snapshot.statistics,
            n_articles,
            n_passages,
            min(len(chosen), sample),
            tuple(problems),
            float(np.mean(found)) if found else None,
        )


def _read(snapshot: StoredSnapshot, entry: Entry) -> list[bool]:
    """Whether the vector of each passage of an article finds it, or its equal, first.

    Raises:
        LibraryError: Something is missing or changed.
    """
    prepared = snapshot.prepared(entry.id)
    if prepared.article.hash != entry.hash or len(prepared.passages) != entry.n_passages:
        raise LibraryError(f"article {entry.id} is not the one that was added")
    found = []
    for passage in prepared.passages:
        hits = snapshot.dense(passage.vector, 1)
        found.append(bool(len(hits.scores)) and float(hits.scores[0]) > _SAME)
    return found
