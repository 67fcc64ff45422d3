"""An archive on a Milvus server, a cluster, or a file of Milvus Lite.

Any number of processes may ask and add: writers take turns by claims (see
`index.archive.milvus.commits`), and each question sees one commit, at most some seconds old if
another machine made it. Ranking is the same as in a folder: vectors are rounded alike, lexical
scores are computed by us from the archive's own counts, and everything above is shared.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from index.archive.milvus import schema
from index.archive.milvus.address import Address
from index.archive.milvus.blobs import Blob, blob_rows, blobs_between, read_blobs
from index.archive.milvus.changes import Change, clean, purge
from index.archive.milvus.client import SLOW_SECONDS, Milvus
from index.archive.milvus.commits import Claim, State, claimed, publish, read_state
from index.archive.milvus.schema import choose_index, index_params
from index.archive.milvus.snapshot import Connection, MilvusSnapshot
from index.archive.records.passage import learn_codec, recode, unpack_passages
from index.archive.records.token_codec import MAX_SAMPLE, TRAIN_AT, ResidualCodec
from index.archive.store import ModelRef, PreparedArticle, StoredSnapshot
from index.errors import DamagedLibrary, NotALibrary
from index.models.encoder import Progress
from index.segmentation.sentences import SEGMENTER

__all__ = ["MilvusStore", "NoLibraryYet", "Tuning"]

_CODEC: Final = 1
_BATCH: Final = 64


@dataclass(frozen=True, slots=True)
class Tuning:
    """When an archive on Milvus does what.

    Attributes:
        connect_seconds: How long to wait for a connection.
        busy_seconds: How long a writer waits for another.
        grace_seconds: How long rows of removed articles stay for questions that began before.
        train_at: Passages at which the token codec is trained.
    """

    connect_seconds: float = 10.0
    busy_seconds: float = 60.0
    grace_seconds: float = 60.0
    train_at: int = TRAIN_AT


class NoLibraryYet(NotALibrary):
    """The server answers, and holds nothing of that name."""


class MilvusStore:
    """A `Store` on Milvus."""

    def __init__(
        self, address: Address, *, model: ModelRef | None = None, tuning: Tuning | None = None
    ) -> None:
        """Open an archive, or make an empty one for the vectors of a model if there is none.

        Raises:
            NotALibrary: There is none, or the collections belong to something else.
            NewerFormat, OtherModel: Another version made it.
            LibraryError: As the server says.
        """
        self.address = address
        self._tuning = tuning or Tuning()
        self._write_lock = threading.Lock()
        self._milvus = Milvus(address, self._tuning.connect_seconds)
        try:
            state = self._opened(model)
        except BaseException:
            self._milvus.close()
            raise
        self._connection = Connection(self._milvus, state.model)

    @property
    def model(self) -> ModelRef:
        return self._connection.model

    @property
    def sparse(self) -> bool:
        """Whether the server finds passages by term weights."""
        return self._milvus.has_sparse

    @contextmanager
    def read(self) -> Iterator[StoredSnapshot]:
        yield MilvusSnapshot(self._connection, self._connection.state())

    def add(self, articles: Sequence[PreparedArticle], *, replacing: Sequence[str] = ()) -> None:
        unique = {prepared.article.id: prepared for prepared in articles}

        def write(change: Change) -> None:
            change.remove(replacing)
            change.remove([key for key in unique if key not in replacing], missing_ok=True)
            change.add(list(unique.values()))

        self._commit(write)

    def remove(self, article_ids: Sequence[str]) -> None:
        self._commit(lambda change: change.remove(article_ids))

    def flush(self, progress: Progress | None = None) -> None:
        """Train the codec where that is due; the server does the rest by itself."""
        if self._needs_codec(self._connection.state()):
            with self._writing() as (claim, state):
                if self._needs_codec(state):
                    self._train(claim, state)

    def compact(self, progress: Progress | None = None) -> None:
        """See `Store.compact`; questions fail for the moment in which the index changes."""
        self.flush(progress)
        with self._writing() as (claim, state):
            self._purge(claim, state)
            for place, name in enumerate(self._milvus.names.all()):
                if progress:
                    progress("compacting collections", place, len(self._milvus.names.all()))
                claim.held()
                self._milvus.call("flush", name, deadline=SLOW_SECONDS)
                if not self._milvus.is_lite:
                    self._milvus.call("compact", name, deadline=SLOW_SECONDS)
            kind = choose_index(state.statistics.n_passages)
            if kind != state.index and not self._milvus.is_lite:
                self._reindex(kind)
                self._publish(claim, replace(state, index=kind, generation=state.generation + 1))

    def index_state(self) -> str:
        name = self._milvus.names.passages
        found = self._milvus.call("describe_index", name, "vector")
        loaded = self._milvus.call("get_load_state", name)["state"]
        said = f"{found.get('index_type', 'unknown')}, {getattr(loaded, 'name', loaded)}"
        if "indexed_rows" in found:  # rows that were removed count until they are compacted away
            said += f", {found['indexed_rows']:,} of {found['total_rows']:,} rows indexed"
        return said

    def close(self) -> None:
        self._milvus.close()

    def drop(self) -> None:
        """Delete the archive with everything in it."""
        schema.drop(self._milvus)

    def _opened(self, model: ModelRef | None) -> State:
        milvus = self._milvus
        if not schema.exists(milvus):
            if model is None:
                raise NoLibraryYet(
                    f"there is no library {self.address}; make one with: article-qa add SOURCE"
                    f" --library {self.address}"
                )
            schema.create(milvus, model.dimension)
        schema.load(milvus)
        try:
            state = read_state(milvus, at_least=None)
        except DamagedLibrary:
            if model is None:
                raise
            with claimed(milvus, self._tuning.busy_seconds, lambda claim: None) as claim:
                try:
                    state = read_state(milvus, at_least=None)  # another was quicker
                except DamagedLibrary:
                    state = State(model=model, segmenter=SEGMENTER, sparse=milvus.has_sparse)
                    publish(milvus, state, claim)
        return state

    def _commit(self, write: Callable[[Change], None]) -> None:
        with self._writing() as (claim, state):
            snapshot = MilvusSnapshot(self._connection, state)
            change = Change(claim.milvus, state, snapshot.codec(state.codec))
            with snapshot.explaining():
                write(change)
                changed = change.finish()
            self._publish(claim, changed)
            self._purge(claim, state)

    @contextmanager
    def _writing(self) -> Iterator[tuple[Claim, State]]:
        milvus = self._milvus

        def undo(claim: Claim) -> None:
            newest = read_state(milvus, at_least=None)
            clean(claim.milvus, newest.generation)

        with self._write_lock, claimed(milvus, self._tuning.busy_seconds, undo) as claim:
            yield claim, read_state(milvus, at_least=None)

    def _publish(self, claim: Claim, state: State) -> None:
        publish(self._milvus, state, claim)
        self._connection.newest = max(self._connection.newest, state.generation)

    def _purge(self, claim: Claim, state: State) -> None:
        purge(claim.milvus, state, self._tuning.grace_seconds)

    def _needs_codec(self, state: State) -> bool:
        return not state.codec and state.statistics.n_passages >= self._tuning.train_at

    def _train(self, claim: Claim, state: State) -> None:
        """Train the token codec, and re-encode the passages that were stored without it."""
        every = max(1, state.statistics.n_passages // MAX_SAMPLE)
        snapshot = MilvusSnapshot(self._connection, state)
        rows = np.concatenate(list(snapshot.rows()))
        data = learn_codec(*snapshot.stored(rows[rows % every == 0][:MAX_SAMPLE]))
        codec = ResidualCodec.from_bytes(data, state.model.dimension)
        born = state.generation + 1
        blobs = self._milvus.names.blobs
        pieces = list(blob_rows(Blob.CODEC, _CODEC, born, data))
        claim.milvus.write(blobs, pieces)
        self._publish(claim, replace(state, codec=_CODEC, generation=born))
        # Either form of a record can be read from now on: these are replaced one by one.
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            _, vectors = snapshot.stored(some)
            records = read_blobs(self._milvus, Blob.PASSAGE, some.tolist())
            for row, vector in zip(some.tolist(), vectors, strict=True):
                if unpack_passages([row], [records[row]]).codecs[0]:
                    continue
                record = recode(row, records[row], vector, codec, _CODEC)
                new = list(blob_rows(Blob.PASSAGE, row, state.generation, record))
                claim.milvus.write(blobs, new)
                leftover = blobs_between(Blob.PASSAGE, row, row + 1, place=len(new))
                claim.milvus.delete(blobs, leftover)

    def _reindex(self, kind: str) -> None:
        milvus, name = self._milvus, self._milvus.names.passages
        index = milvus.client.prepare_index_params()
        index.add_index("vector", index_type=kind, metric_type="IP", params=index_params(kind))
        milvus.call("release_collection", name)
        milvus.call("drop_index", name, "vector")
        milvus.call("create_index", name, index, deadline=SLOW_SECONDS)
        milvus.call("load_collection", name, deadline=SLOW_SECONDS)
