"""Workers of a Ray cluster that make shards, and what happens when they are lost.

Ray could restart actors and repeat their calls by itself, but not hand the call of a lost actor
to another that lives: the part would wait until its own can start somewhere. So an actor that
is lost stays lost, its part goes to whichever worker is free first, and another actor is asked
for, which starts when and where there is room.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Any, Final

from index.archive.shards.input import ArchiveInput, Part
from index.archive.shards.location import Place
from index.archive.shards.make_shard import make_shard
from index.archive.shards.manifest import Shard
from index.archive.store import ModelRef
from index.errors import ArticleQAError, LibraryError, OtherModel
from index.models.encoder import Encoder
from index.models.loading import load_encoder

__all__ = ["Workers"]

MAX_ATTEMPTS: Final = 4
"""After so many lost workers it is the part that loses them: it needs too much memory, perhaps."""
_START_SECONDS: Final = 600.0


class Workers:
    """Ray actors, each with the model loaded and one part at a time.

    Attributes:
        lost: How many were lost, and others asked for in their place.
    """

    def __init__(
        self,
        ray: Any,  # noqa: ANN401 - the module
        source: ArchiveInput,
        place: Place,
        model: ModelRef,
        tags: tuple[str, ...],
    ) -> None:
        """Prepare to hire.

        Args:
            ray: The module, connected.
            source: What the parts are of.
            place: Where the shards go.
            model: The workers' must have the same fingerprint.
            tags: Given to every article.
        """
        self.lost = 0
        self._ray = ray
        self._actor = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(_Worker)
        self._arguments = (source, place, model, tags)
        self._idle: list[Any] = []
        # What each of the others is at: a part, or None while it loads the model.
        self._at_work: dict[Any, tuple[Any, Part | None]] = {}
        self._attempts: Counter[int | None] = Counter()

    def make(self, parts: Sequence[Part], n_workers: int) -> Iterator[Shard]:
        """Make the shards of parts, in whatever order they end.

        Args:
            parts: Of the input.
            n_workers: How many to hire; as many as there is room for begin.

        Raises:
            LibraryError: A part cannot be made, or no worker can be started.
            SourceError: The input changed meanwhile.
            OtherModel: A node of the cluster has another model or version.
        """
        waiting = deque(parts)
        for _ in range(n_workers):
            self._hire()
        while waiting or any(part for _, part in self._at_work.values()):
            while waiting and self._idle:
                self._give(self._idle.pop(), waiting.popleft())
            call = self._next_call()
            worker, part = self._at_work.pop(call)
            try:
                shard: Shard | None = self._ray.get(call)
            except self._ray.exceptions.RayTaskError as error:
                self._check(part, error.cause)
                self._idle.append(worker)
            except self._ray.exceptions.RayError as error:
                self.lost += 1
                self._check(part, error)
                self._let_go(worker)
                self._hire()
            else:
                self._attempts[None] = 0
                self._idle.append(worker)
                if shard is not None:
                    yield shard
                continue
            if part is not None:
                waiting.appendleft(part)

    def dismiss(self) -> None:
        """End all workers, whatever they are at."""
        for worker in [*self._idle, *(worker for worker, _ in self._at_work.values())]:
            self._let_go(worker)
        self._idle.clear()
        self._at_work.clear()

    def _hire(self) -> None:
        worker = self._actor.remote(*self._arguments)
        self._at_work[worker.load.remote()] = (worker, None)

    def _give(self, worker: Any, part: Part) -> None:  # noqa: ANN401 - a handle of an actor
        self._at_work[worker.make.remote(part)] = (worker, part)

    def _next_call(self) -> Any:  # noqa: ANN401 - a reference of Ray's
        """Wait for a call to end.

        Raises:
            LibraryError: No worker starts.
        """
        began = time.monotonic()
        while True:
            done, _ = self._ray.wait(list(self._at_work), num_returns=1, timeout=5.0)
            if done:
                return done[0]
            working = any(part for _, part in self._at_work.values())
            if not working and time.monotonic() - began > _START_SECONDS:
                raise LibraryError(
                    f"no worker started in {_START_SECONDS / 60:.0f} minutes; the cluster has free"
                    f" {self._ray.available_resources()}, and a worker needs a processor"
                )

    def _check(self, part: Part | None, error: BaseException) -> None:
        """Count what went wrong with a part, or with starting a worker, and end where it must.

        Raises:
            ArticleQAError: The worker's own, or a LibraryError after too many attempts.
        """
        if isinstance(error, ArticleQAError):
            raise error
        key = None if part is None else part.number
        self._attempts[key] += 1
        if self._attempts[key] >= MAX_ATTEMPTS:
            what = "workers fail as they start" if part is None else f"{part} cannot be made"
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise LibraryError(
                f"{what}: {MAX_ATTEMPTS} attempts failed, the last with {type(error).__name__}:"
                f" {reason[0]}; what is done stays, run the same again to go on"
            ) from error

    def _let_go(self, worker: Any) -> None:  # noqa: ANN401 - a handle of an actor
        self._ray.kill(worker, no_restart=True)


class _Worker:
    """What runs on a node: one process, one thread of the model."""

    def __init__(
        self, source: ArchiveInput, place: Place, model: ModelRef, tags: tuple[str, ...]
    ) -> None:
        self._source, self._place, self._model, self._tags = source, place, model, tags
        self._encoder: Encoder | None = None

    def load(self) -> None:
        """Load the model; what goes wrong is then told like any error of a call.

        Raises:
            OtherModel: It is not the driver's.
        """
        os.environ["OMP_NUM_THREADS"] = "1"  # the processor that Ray has set aside
        self._encoder = load_encoder(self._model.name, fingerprint=self._model.fingerprint)
        if self._encoder.fingerprint != self._model.fingerprint:
            raise OtherModel(
                f"a node of the cluster has model {self._encoder.name!r} with fingerprint"
                f" {self._encoder.fingerprint}, not {self._model.fingerprint}; install the same"
                " article-qa and the same model on all nodes"
            )

    def make(self, part: Part) -> Shard:
        """See ``make_shard``."""
        assert self._encoder is not None  # noqa: S101 - load was called first
        return make_shard(self._source, part, self._encoder, self._place, self._tags)
