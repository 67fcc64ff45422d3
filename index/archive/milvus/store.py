"""An archive on a Milvus server, a cluster, or a file of Milvus Lite.

Any number of processes may ask and add: writers take turns by claims (see
`index.archive.milvus.commits`), and each question sees one commit, at most some seconds old where
another machine made it. Ranking is the same as in a folder: vectors are rounded alike, lexical
scores are computed by us from the archive's own counts, and everything above is shared.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.archive.milvus import schema as milvus_schema
from index.archive.milvus.address import Address
from index.archive.milvus.blobs import Blob, blob_range, blob_rows, read_blobs
from index.archive.milvus.changes import Change, clean, purge
from index.archive.milvus.client import SLOW_SECONDS, Milvus
from index.archive.milvus.commits import Claim, State, claimed, publish, read_state
from index.archive.milvus.dense_index import choose_index, index_params
from index.archive.milvus.filters import all_of, at_least, at_most
from index.archive.milvus.schema import Names
from index.archive.milvus.snapshot import MilvusSnapshot
from index.archive.records.codec_training import MAX_SAMPLE, TRAIN_AT, learn, recoded
from index.archive.records.passage import unpack_passages
from index.archive.records.token_codec import ByteCodec, ResidualCodec, TokenCodec
from index.archive.store import ModelRef, PreparedArticle, StoredSnapshot
from index.article import Article
from index.errors import DamagedLibrary, NotALibrary, OtherModel
from index.models.encoder import Progress
from index.segmentation.sentences import SEGMENTER

__all__ = ["MilvusStore", "NoLibraryYet"]

_MAX_ARTICLES: Final = 64
_BATCH: Final = 64


@dataclass(slots=True)
class Connected:
    """A server, and what is known of an archive on it.

    Attributes:
        milvus: The server.
        names: Of the collections.
        model: Whose vectors the archive holds.
        articles: Read lately, by number.
        newest: The last generation that was seen.
    """

    milvus: Milvus
    names: Names
    model: ModelRef
    articles: OrderedDict[int, Article] = field(default_factory=lambda: _Recent())
    newest: int = 0
    _codecs: dict[int, TokenCodec] = field(default_factory=dict)

    def codecs(self, wanted: NDArray[np.int64], visible: int | None) -> dict[int, TokenCodec]:
        """Codecs by number, those that are wanted among them.

        Raises:
            DamagedLibrary: One is missing or damaged.
        """
        self._codecs.setdefault(0, ByteCodec(self.model.dimension))
        missing = [n for n in np.unique(wanted).tolist() if n not in self._codecs]
        if missing:
            found = read_blobs(self.milvus, self.names.blobs, Blob.CODEC, missing, visible)
            try:
                for number in missing:
                    data = found[number]
                    self._codecs[number] = ResidualCodec.from_bytes(data, self.model.dimension)
            except (ValueError, KeyError, OSError) as error:
                raise DamagedLibrary(
                    f"a codec of the library {self.milvus.address} cannot be read ({error}); make"
                    " a new one and add its articles again"
                ) from error
        return self._codecs

    def moved_on(self, state: State) -> bool:
        """Whether there is a later commit than a state's."""
        return read_state(self.milvus, self.names, at_least=None).generation > state.generation


class NoLibraryYet(NotALibrary):
    """The server answers, and holds nothing of that name."""


class MilvusStore:
    """See `index.archive.store.Store`."""

    def __init__(self, address: Address, *, model: ModelRef | None = None) -> None:
        """Open an archive.

        Args:
            address: Where it is.
            model: Make an empty one for its vectors, where there is none; None to make none.

        Raises:
            NotALibrary: There is none, or the collections are something else's.
            OtherModel: Another sentence splitter cut its articles.
            LibraryError: As the server says.
        """
        self.address = address
        self._write_lock = threading.Lock()
        self._milvus = Milvus(address)
        self._names = Names(address.name)
        try:
            state = self._opened(model)
        except BaseException:
            self._milvus.close()
            raise
        self._connected = Connected(self._milvus, self._names, state.model)

    @property
    def model(self) -> ModelRef:
        """See `index.archive.store.Store`."""
        return self._connected.model

    @property
    def sparse(self) -> bool:
        """Whether the server finds passages by term weights."""
        return self._milvus.has_sparse

    @contextmanager
    def read(self) -> Iterator[StoredSnapshot]:
        """See `index.archive.store.Store`."""
        state = read_state(self._milvus, self._names, at_least=self._connected.newest)
        self._connected.newest = max(self._connected.newest, state.generation)
        yield MilvusSnapshot(self._connected, state)

    def add(self, articles: Sequence[PreparedArticle], *, replacing: Sequence[str] = ()) -> None:
        """See `index.archive.store.Store`."""
        unique = {prepared.article.id: prepared for prepared in articles}

        def write(change: Change) -> None:
            change.remove(replacing)
            change.remove([key for key in unique if key not in replacing], missing_ok=True)
            change.add(list(unique.values()))

        self._commit(write)

    def remove(self, article_ids: Sequence[str]) -> None:
        """See `index.archive.store.Store`."""
        self._commit(lambda change: change.remove(article_ids))

    def flush(self, progress: Progress | None = None) -> None:
        """See `index.archive.store.Store`; a server does the rest by itself."""
        state = read_state(self._milvus, self._names, at_least=self._connected.newest)
        if not state.codec and state.statistics.n_passages >= TRAIN_AT:
            with self._writing() as (claim, current):
                if not current.codec:
                    self._train(claim, current)

    def compact(self, progress: Progress | None = None) -> None:
        """See `index.archive.store.Store`.

        Questions fail for the moment in which the kind of index changes.
        """
        self.flush(progress)
        with self._writing() as (claim, state):
            purge(self._milvus, self._names, state, claim.held)
            for place, name in enumerate(self._names.all()):
                if progress:
                    progress("compacting collections", place, len(self._names.all()))
                claim.held()
                self._milvus.call("flush", name, deadline=SLOW_SECONDS)
                if not self._milvus.is_lite:
                    self._milvus.call("compact", name, deadline=SLOW_SECONDS)
            kind = choose_index(state.statistics.n_passages)
            if kind != state.index and not self._milvus.is_lite:
                self._reindex(kind)
                self._publish(claim, replace(state, index=kind, generation=state.generation + 1))

    def index_state(self) -> str:
        """See `index.archive.store.Store`."""
        name = self._names.passages
        found = self._milvus.call("describe_index", name, "vector")
        loaded = self._milvus.call("get_load_state", name)["state"]
        said = f"{found.get('index_type', 'unknown')}, {getattr(loaded, 'name', loaded)}"
        if "indexed_rows" in found:  # rows that were removed count until they are compacted away
            said += f", {found['indexed_rows']:,} of {found['total_rows']:,} rows indexed"
        return said

    def close(self) -> None:
        """See `index.archive.store.Store`."""
        self._milvus.close()

    def drop(self) -> None:
        """Remove the archive altogether, with everything in it."""
        milvus_schema.drop(self._milvus, self._names)

    def _opened(self, model: ModelRef | None) -> State:
        milvus, names = self._milvus, self._names
        if not milvus_schema.exists(milvus, names):
            if model is None:
                raise NoLibraryYet(
                    f"there is no library {self.address}; make one with: article-qa add SOURCE"
                    f" --library {self.address}"
                )
            milvus_schema.create(milvus, names, model.dimension)
        milvus_schema.load(milvus, names)
        try:
            state = read_state(milvus, names, at_least=None)
        except DamagedLibrary:
            if model is None:
                raise
            with claimed(milvus, names, lambda claim: None) as claim:
                try:
                    state = read_state(milvus, names, at_least=None)  # another was quicker
                except DamagedLibrary:
                    state = State(model=model, segmenter=SEGMENTER, sparse=milvus.has_sparse)
                    publish(milvus, names, state, claim)
        if state.segmenter != SEGMENTER:
            raise OtherModel(
                f"the library {self.address} was cut by {state.segmenter!r}, this version uses"
                f" {SEGMENTER!r}; add its articles to a new one"
            )
        return state

    def _commit(self, write: Callable[[Change], None]) -> None:
        with self._writing() as (claim, state):
            codecs = self._connected.codecs(np.asarray([state.codec]), None)
            change = Change(self._milvus, self._names, state, codecs[state.codec], claim.held)
            write(change)
            self._publish(claim, change.finish())
            purge(self._milvus, self._names, state, claim.held)

    @contextmanager
    def _writing(self) -> Iterator[tuple[Claim, State]]:
        def undo(claim: Claim) -> None:
            newest = read_state(self._milvus, self._names, at_least=None)
            clean(self._milvus, self._names, newest.generation, claim.held)

        with self._write_lock, claimed(self._milvus, self._names, undo) as claim:
            yield claim, read_state(self._milvus, self._names, at_least=None)

    def _publish(self, claim: Claim, state: State) -> None:
        publish(self._milvus, self._names, state, claim)
        self._connected.newest = max(self._connected.newest, state.generation)

    def _train(self, claim: Claim, state: State) -> None:
        """Learn how to keep word pieces in few bytes, and rewrite those kept without it."""
        every = max(1, state.statistics.n_passages // MAX_SAMPLE)
        snapshot = MilvusSnapshot(self._connected, state)
        rows = np.concatenate(list(snapshot.rows()))
        sample = rows[rows % every == 0][:MAX_SAMPLE]
        layout, vectors = snapshot.stored(sample)
        data = learn(layout, vectors)
        codec = ResidualCodec.from_bytes(data, state.model.dimension)
        number, born = 1, state.generation + 1
        write = self._milvus.write
        pieces = list(blob_rows(Blob.CODEC, number, born, data))
        write(self._names.blobs, pieces, held=claim.held)
        self._publish(claim, replace(state, codec=number, generation=born))
        # Either form of a record can be read from now on: these are replaced one by one.
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            _, vectors = snapshot.stored(some)
            records = read_blobs(self._milvus, self._names.blobs, Blob.PASSAGE, some.tolist(), None)
            for row, vector in zip(some.tolist(), vectors, strict=True):
                if unpack_passages([row], [records[row]]).codecs[0]:
                    continue
                record = recoded(row, records[row], vector, codec, number)
                new = list(blob_rows(Blob.PASSAGE, row, state.generation, record))
                write(self._names.blobs, new, held=claim.held)
                low, high = blob_range(Blob.PASSAGE, row, row + 1)
                self._milvus.delete(
                    self._names.blobs,
                    all_of(at_least("key", low + len(new)), at_most("key", high)),
                )

    def _reindex(self, kind: str) -> None:
        milvus, name = self._milvus, self._names.passages
        index = milvus.client.prepare_index_params()
        index.add_index("vector", index_type=kind, metric_type="IP", params=index_params(kind))
        milvus.call("release_collection", name)
        milvus.call("drop_index", name, "vector")
        milvus.call("create_index", name, index, deadline=SLOW_SECONDS)
        milvus.call("load_collection", name, deadline=SLOW_SECONDS)


class _Recent(OrderedDict[int, Article]):
    """The articles that were read last; one step for a thread at a time."""

    def __setitem__(self, number: int, article: Article) -> None:
        super().__setitem__(number, article)
        while len(self) > _MAX_ARTICLES:
            self.popitem(last=False)
