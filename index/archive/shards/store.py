"""A folder of shards as the source or the target of a migration.

An article that is in several shards counts once, as it is in the last: the same that adding
one shard after another to a library would leave.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from itertools import groupby, islice
from typing import NamedTuple

from index.archive.shards.location import Location
from index.archive.shards.manifest import Manifest, Shard
from index.archive.shards.parquet_file import OpenShard, read_entries, write_shard
from index.archive.store import Entry, ModelRef, PreparedArticle, Statistics, Where
from index.errors import LibraryError, NotALibrary, UnknownArticle
from index.models.encoder import Progress

__all__ = ["ShardStore"]


class _Position(NamedTuple):
    shard: int
    row: int
    n_passages: int


class ShardStore:
    """A `Source` and a `Target` of `index.archive.migration`."""

    def __init__(
        self, location: Location, manifest: Manifest, progress: Progress | None = None
    ) -> None:
        """List the articles of all shards; use ``open`` or ``create``."""
        self.location = location
        self._manifest = manifest
        self._shards = {shard.number: shard for shard in manifest.shards}
        self._positions: dict[str, _Position] = {}
        self._lock = ExitStack()
        self._opened = lru_cache(maxsize=1)(
            lambda number: OpenShard(location, self._shards[number], self.model.dimension)
        )
        self._entries = lru_cache(maxsize=2)(
            lambda number: read_entries(location, self._shards[number])
        )
        for done, shard in enumerate(manifest.shards, 1):
            self._list(shard)
            if progress:
                progress("listing shards", done, len(manifest.shards))

    @classmethod
    def open(cls, location: Location, progress: Progress | None = None) -> ShardStore:
        """The shards that are there.

        Raises:
            NotALibrary: There are none.
            LibraryError: They cannot be read.
        """
        manifest = Manifest.read(location)
        if manifest is None:
            raise NotALibrary(
                f"{str(location)!r} holds no shards; make them with: article-qa build-archive INPUT"
                f" --shards {location}"
            )
        if not manifest.complete:
            raise LibraryError(
                f"the build of {str(location)!r} was not finished; run the same build-archive again"
            )
        return cls(location, manifest, progress)

    @classmethod
    def create(cls, location: Location, model: ModelRef) -> ShardStore:
        """The shards that are there, or none yet; nobody else may write until it is closed.

        Raises:
            LibraryBusy: Another process is writing.
            LibraryError: The folder cannot be written, or holds something else.
        """
        with ExitStack() as stack:
            stack.enter_context(location.locked())
            store = cls(location, Manifest.read_or_create(location, model))
            store._lock = stack.pop_all()
        return store

    @property
    def model(self) -> ModelRef:
        return self._manifest.model

    @contextmanager
    def read(self) -> Iterator[ShardStore]:
        yield self

    @property
    def statistics(self) -> Statistics:
        """Articles and passages; nothing else is listed."""
        n_passages = sum(position.n_passages for position in self._positions.values())
        return Statistics(len(self._positions), n_passages)

    def entries(
        self, where: Where | None = None, *, limit: int | None = None, offset: int = 0
    ) -> tuple[Entry, ...]:
        positions = list(self._positions.values())
        if where is not None:
            if where != Where(ids=where.ids):
                raise ValueError("shards are searched by id alone")
            positions = [self._positions[i] for i in where.ids if i in self._positions]
        chosen = islice(positions, offset, None if limit is None else offset + limit)
        entries: list[Entry] = []
        for number, group in groupby(chosen, key=lambda position: position.shard):
            listed = self._entries(number)
            entries += [listed[position.row] for position in group]
        return tuple(entries)

    def prepared(self, article_id: str) -> PreparedArticle:
        if article_id not in self._positions:
            raise UnknownArticle(f"the shards in {str(self.location)!r} hold no {article_id!r}")
        position = self._positions[article_id]
        return self._opened(position.shard).prepared(position.row)

    def add(self, articles: Sequence[PreparedArticle]) -> None:
        """Write a shard; on return it is in the manifest."""
        number = max(self._shards, default=-1) + 1
        shard = write_shard(self.location, number, [articles])
        self._manifest = self._manifest.with_shards([*self._manifest.shards, shard])
        self._manifest.write(self.location)
        self._shards[number] = shard
        self._list(shard)

    def flush(self, progress: Progress | None = None) -> None:
        """Do nothing: shards have no derived files."""

    def close(self) -> None:
        self._lock.close()

    def _list(self, shard: Shard) -> None:
        for row, entry in enumerate(read_entries(self.location, shard)):
            self._positions.pop(entry.id, None)
            self._positions[entry.id] = _Position(shard.number, row, entry.n_passages)
