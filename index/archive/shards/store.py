"""A folder of shards as something to copy articles from, or into; see `index.archive.migration`.

An article that stands in several shards counts once, as it stands in the last: just what
adding one shard after another to a library would leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, islice

from index.archive.shards.location import Place
from index.archive.shards.manifest import Manifest, Shard
from index.archive.shards.parquet_file import OpenShard, read_counts, read_entries, write_shard
from index.archive.store import Entry, ModelRef, PreparedArticle, Statistics, Where
from index.errors import LibraryError, NotALibrary, UnknownArticle
from index.models.encoder import Progress

__all__ = ["ShardStore"]


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where an article stands, and what it counts for."""

    shard: int
    row: int
    n_passages: int
    n_sentences: int
    n_terms: int


class ShardStore:
    """See `index.archive.migration.Source` and `index.archive.migration.Target`."""

    def __init__(self, place: Place, manifest: Manifest, progress: Progress | None = None) -> None:
        """Open shards; use ``open`` or ``create``.

        Args:
            place: Where they are.
            manifest: What they are.
            progress: Called as their lists of articles are read.

        Raises:
            DamagedLibrary: One is missing or damaged.
        """
        self.place = place
        self._manifest = manifest
        self._shards = {shard.number: shard for shard in manifest.shards}
        self._standing: dict[str, _Standing] = {}
        self._lock = ExitStack()
        self._opened = lru_cache(maxsize=1)(self._open_shard)
        self._entries = lru_cache(maxsize=2)(self._read_entries)
        for done, shard in enumerate(manifest.shards, 1):
            self._list(shard)
            if progress:
                progress("listing shards", done, len(manifest.shards))

    @classmethod
    def open(cls, place: Place, progress: Progress | None = None) -> ShardStore:
        """The shards that are there.

        Raises:
            NotALibrary: There are none.
            LibraryError: They cannot be read.
        """
        manifest = Manifest.read(place)
        if manifest is None:
            raise NotALibrary(
                f"{str(place)!r} holds no shards; make them with: article-qa build-archive INPUT"
                f" --shards {place}"
            )
        if not manifest.input and any(shard.part for shard in manifest.shards):
            raise LibraryError(
                f"the build of {str(place)!r} was not finished; run the same build-archive again"
            )
        return cls(place, manifest, progress)

    @classmethod
    def create(cls, place: Place, model: ModelRef) -> ShardStore:
        """The shards that are there, or none yet; nobody else may write until it is closed.

        Raises:
            LibraryBusy: Another process is writing.
            LibraryError: The folder cannot be written, or holds something else.
        """
        with ExitStack() as stack:
            stack.enter_context(place.locked())
            manifest = Manifest.read(place)
            if manifest is None:
                if place.names():
                    raise NotALibrary(
                        f"{str(place)!r} is not empty and holds no shards; name a new folder"
                    )
                manifest = Manifest(model)
                manifest.write(place)
            store = cls(place, manifest)
            store._lock = stack.pop_all()
        return store

    @property
    def model(self) -> ModelRef:
        """The model whose vectors they hold."""
        return self._manifest.model

    @contextmanager
    def read(self) -> Iterator[ShardStore]:
        """What is there now."""
        yield self

    @property
    def statistics(self) -> Statistics:
        """What there is to copy."""
        articles = self._standing.values()
        return Statistics(
            len(articles),
            sum(article.n_passages for article in articles),
            sum(article.n_sentences for article in articles),
            sum(article.n_terms for article in articles),
        )

    def entries(
        self, where: Where | None = None, *, limit: int | None = None, offset: int = 0
    ) -> tuple[Entry, ...]:
        """Articles in the order in which a library would list them.

        Args:
            where: For certain ``ids``; nothing else is looked for here.
            limit: At most so many.
            offset: Leave out so many first.
        """
        found: Iterable[tuple[str, _Standing]] = self._standing.items()
        if where is not None:
            if where != Where(ids=where.ids):
                raise ValueError("shards are searched by id alone")
            found = [(i, self._standing[i]) for i in where.ids if i in self._standing]
        chosen = islice(found, offset, None if limit is None else offset + limit)
        entries: list[Entry] = []
        for number, group in groupby(chosen, key=lambda one: one[1].shard):
            listed = self._entries(number)
            entries += [listed[standing.row] for _, standing in group]
        return tuple(entries)

    def prepared(self, article_id: str) -> PreparedArticle:
        """An article with all that was computed for it.

        Raises:
            UnknownArticle: It is not there.
            DamagedLibrary: It is not as it was written.
        """
        if article_id not in self._standing:
            raise UnknownArticle(f"the shards in {str(self.place)!r} hold no {article_id!r}")
        standing = self._standing[article_id]
        return self._opened(standing.shard).prepared(standing.row)

    def add(self, articles: Sequence[PreparedArticle]) -> None:
        """Write a shard; on return it is in the manifest.

        Raises:
            LibraryError: It cannot be written.
        """
        try:
            shard = write_shard(self.place, self._manifest.next_number, [articles])
        except OSError as error:
            raise LibraryError(f"cannot write into {str(self.place)!r}: {error}") from error
        self._manifest = self._manifest.with_shards([*self._manifest.shards, shard])
        self._manifest.write(self.place)
        self._shards[shard.number] = shard
        self._list(shard)

    def flush(self, progress: Progress | None = None) -> None:
        """Nothing is derived from shards."""

    def close(self) -> None:
        """Let others write."""
        self._lock.close()

    def _list(self, shard: Shard) -> None:
        for row, (key, *counts) in enumerate(read_counts(self.place, shard)):
            self._standing.pop(key, None)
            self._standing[key] = _Standing(shard.number, row, *counts)

    def _open_shard(self, number: int) -> OpenShard:
        return OpenShard(self.place, self._shards[number], self.model.dimension)

    def _read_entries(self, number: int) -> list[Entry]:
        return read_entries(self.place, self._shards[number])
