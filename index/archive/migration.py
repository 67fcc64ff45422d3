"""Copy an archive to another store, such as from a folder to a cluster, without encoding again.

Either side can be a store or a folder of shards (`index.archive.shards.store`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Protocol

from index.archive.store import Entry, ModelRef, PreparedArticle, Statistics, Where
from index.errors import LibraryError, OtherModel
from index.models.encoder import Progress

__all__ = ["Holding", "Moved", "Source", "Target", "migrate"]

_BATCH: Final = 32
_PAGE: Final = 4_096


class Holding(Protocol):
    """The part of `index.archive.store.Snapshot` that copying needs."""

    @property
    def statistics(self) -> Statistics:
        """Of all articles."""
        ...

    def prepared(self, article_id: str) -> PreparedArticle:
        """An article with all that was computed for it."""
        ...

    def entries(
        self, where: Where | None = None, *, limit: int | None = None, offset: int = 0
    ) -> tuple[Entry, ...]:
        """Articles in the order in which they were added; ``where`` names ``ids`` alone."""
        ...


class Source(Protocol):
    """What articles are copied from."""

    @property
    def model(self) -> ModelRef:
        """The model whose vectors it holds."""
        ...

    def read(self) -> AbstractContextManager[Holding]:
        """A consistent view."""
        ...

    def close(self) -> None:
        """Close files and connections."""
        ...


class Target(Source, Protocol):
    """What articles are copied to."""

    def add(self, articles: Sequence[PreparedArticle]) -> None:
        """Store articles, all or none, each in place of the one of its id."""
        ...

    def flush(self) -> None:
        """Update the derived indexes where that pays."""
        ...


@dataclass(frozen=True, slots=True)
class Moved:
    """The outcome of a migration.

    Attributes:
        copied: Articles that the target lacked.
        present: Articles that it had already, with the same metadata.
        left: Articles of the target that the source lacks; they stay.
    """

    copied: int
    present: int
    left: int


def migrate(source: Source, target: Target, progress: Progress | None = None) -> Moved:
    """Copy every article that the target lacks; call again to go on after an interruption.

    Args:
        source: Read as it is now; later changes are not copied.
        target: Gets a batch at a time.
        progress: Called after each batch.

    Raises:
        OtherModel: The archives are of different models; nothing was copied.
        LibraryError: A store fails, or in the end the counts are not equal.
    """
    if source.model.fingerprint != target.model.fingerprint:
        raise OtherModel(
            f"the libraries are of different models, {source.model.name!r}"
            f" ({source.model.fingerprint}) and {target.model.name!r}"
            f" ({target.model.fingerprint}); migrate to a new one"
        )
    copied = present = 0
    with source.read() as snapshot:
        total = snapshot.statistics.n_articles
        offset = 0
        while page := snapshot.entries(limit=_PAGE, offset=offset):
            offset += len(page)
            entries = iter(page)
            while batch := list(islice(entries, _BATCH)):
                there = _there(target, batch)
                missing = [e for e in batch if there.get(e.id) != _comparable(e)]
                if missing:
                    target.add([snapshot.prepared(entry.id) for entry in missing])
                    target.flush()
                copied += len(missing)
                present += len(batch) - len(missing)
                if progress:
                    progress("copying articles", copied + present, total)
        left = _verified(snapshot, target)
    return Moved(copied, present, left)


def _there(target: Target, batch: list[Entry]) -> dict[str, Entry]:
    with target.read() as snapshot:
        found = snapshot.entries(Where(ids=tuple(entry.id for entry in batch)))
    return {entry.id: _comparable(entry) for entry in found}


def _comparable(entry: Entry) -> Entry:
    return replace(entry, added="")


def _verified(source: Holding, target: Target) -> int:
    """Compare counts; returns how many articles only the target has.

    Raises:
        LibraryError: It lacks some.
    """
    with target.read() as snapshot:
        ours, theirs = source.statistics, snapshot.statistics
        left = theirs.n_articles - ours.n_articles
        if left < 0 or (left == 0 and theirs != ours):
            raise LibraryError(
                f"the target holds {theirs.n_articles:,} articles with {theirs.n_passages:,}"
                f" passages, the source {ours.n_articles:,} with {ours.n_passages:,}: one of them"
                " was changed meanwhile; run the same again"
            )
    return left
