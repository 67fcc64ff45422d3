"""Copy an archive to another store, such as from a folder to a cluster, without encoding again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, TypeAlias

from index.archive.shards.store import ShardStore
from index.archive.store import Entry, Statistics, Store, Where
from index.errors import LibraryError, OtherModel
from index.models.encoder import Progress

__all__ = ["Archive", "Moved", "migrate"]

Archive: TypeAlias = Store | ShardStore
"""What articles are copied from or to."""
_BATCH: Final = 32
_PAGE: Final = 4_096


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


def migrate(source: Archive, target: Archive, progress: Progress | None = None) -> Moved:
    """Copy every article that the target lacks; call again to go on after an interruption.

    The source is read as it is now, and copied batch by batch.

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
        left = _verified(snapshot.statistics, target)
    return Moved(copied, present, left)


def _there(target: Archive, batch: list[Entry]) -> dict[str, Entry]:
    with target.read() as snapshot:
        found = snapshot.entries(Where(ids=tuple(entry.id for entry in batch)))
    return {entry.id: _comparable(entry) for entry in found}


def _comparable(entry: Entry) -> Entry:
    return replace(entry, added="")


def _verified(ours: Statistics, target: Archive) -> int:
    """How many articles only the target has, once it has all of the source."""
    with target.read() as snapshot:
        theirs = snapshot.statistics
        left = theirs.n_articles - ours.n_articles
        if left < 0 or (left == 0 and theirs.n_passages != ours.n_passages):
            raise LibraryError(
                f"the target holds {theirs.n_articles:,} articles with {theirs.n_passages:,}"
                f" passages, the source {ours.n_articles:,} with {ours.n_passages:,}: one of them"
                " was changed meanwhile; run the same again"
            )
    return left
