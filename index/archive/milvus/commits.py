"""What makes an archive on Milvus consistent, without transactions: states and claims.

A commit writes its rows first, each marked with the generation that it will be, and its state
last, in one row. A reader takes the newest state and ignores rows of later generations.

Writers insert a claim, then check for others: one that sees another's claim deletes its own
and waits for a random time. Of two that claim at once at least one sees the other, because a
claim is acknowledged before the check, and the check sees whatever was acknowledged. A claim
expires unless it is renewed; whoever finds an expired one removes what its writer left behind.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from index.archive.compatibility import check_segmenter, check_version
from index.archive.milvus.client import Milvus
from index.archive.milvus.filters import all_of, among, at_most
from index.archive.milvus.schema import VERSION
from index.archive.store import ModelRef, Statistics
from index.archive.typed_json import from_json
from index.errors import DamagedLibrary, LibraryBusy, LibraryError

__all__ = [
    "Claim",
    "State",
    "claimed",
    "publish",
    "read_state",
    "removal_key",
    "removal_row",
    "removals",
]

STATE, CLAIM, REMOVAL = 0, 1, 2
"""Kinds of commit rows. Keys of states are generations, those of claims negative."""
_REMOVED: Final = 2**62
"""Keys of removals begin here."""

LEASE_SECONDS: Final = 90.0
"""How long a claim lasts: more than a request may take, for a writer that hangs in one."""
_RENEW_SECONDS: Final = 30.0
_KEPT: Final = 8
_SKEW_SECONDS: Final = 1.0
"""By how much clocks may differ before reads wait in vain."""
_FIELDS: Final = ("key", "kind", "born", "record")


@dataclass(frozen=True, slots=True)
class State:
    """What an archive is, as of one commit.

    Attributes:
        sparse: Whether passages have sparse term weights.
        index: Kind of the dense index.
        statistics: Of what can be asked.
        generation: Grows by one with every commit.
        codec: Number of the codec for new passages.
        shortest: Smallest mean length that a stored term weight was computed with; 0 for none.
        published: When, in seconds since 1970 on the writer's clock.
        version: Of this layout.
    """

    model: ModelRef
    segmenter: str
    sparse: bool
    index: str = "FLAT"
    statistics: Statistics = field(default_factory=Statistics)
    generation: int = 0
    next_row: int = 0
    next_article: int = 0
    next_term: int = 0
    codec: int = 0
    shortest: float = 0.0
    published: float = 0.0
    version: int = VERSION

    @property
    def visible(self) -> int:
        """The server timestamp by which everything of this commit was written."""
        # Milvus counts milliseconds, shifted by 18 bits.
        return int((self.published + _SKEW_SECONDS) * 1000) << 18


def read_state(milvus: Milvus, *, at_least: int | None) -> State:
    """The newest state.

    One that is some seconds old will do if it is of generation ``at_least`` or a later one;
    None for the newest of all.

    Raises:
        DamagedLibrary: There is none, or it cannot be read.
        NewerFormat, OtherModel: Another version made it.
    """
    expression = among("kind", [STATE])
    rows = []
    if at_least is not None:
        with suppress(LibraryError):
            rows = milvus.call(
                "query",
                milvus.names.commits,
                filter=expression,
                output_fields=list(_FIELDS),
                consistency_level="Bounded",
            )
    if not rows or max(row["born"] for row in rows) < (at_least or 0):
        rows = milvus.query(milvus.names.commits, expression, _FIELDS)
    if not rows:
        raise DamagedLibrary(
            f"{milvus.address} holds the collections of a library but no state of it; its creation"
            " was interrupted: add articles to it, or choose another name"
        )
    newest = max(rows, key=lambda row: int(row["born"]))
    what, again = f"the library {milvus.address}", "article-qa add SOURCE --library URI"
    try:
        values = json.loads(newest["record"])
        check_version(what, int(values.get("version", 0)), VERSION, again)
        state = from_json(State, values)
    except (ValueError, TypeError, AttributeError) as error:
        raise DamagedLibrary(
            f"the state of {what} cannot be read ({error}); make a new one: {again}"
        ) from error
    check_segmenter(what, state.segmenter, again)
    return state


def publish(milvus: Milvus, state: State, claim: Claim | None = None) -> None:
    """Make a commit the newest: one row, the last that it writes.

    Only the very first state is published without a claim to write.
    """
    if claim:
        claim.held()
        claim.in_doubt = True
    record = json.dumps(asdict(replace(state, published=time.time())))
    milvus.call(
        "upsert", milvus.names.commits, [_row(state.generation, STATE, state.generation, record)]
    )
    if claim:
        claim.in_doubt = False
    if state.generation >= _KEPT:
        old = at_most("born", state.generation - _KEPT)
        with suppress(LibraryError):  # the next commit does it
            milvus.delete(milvus.names.commits, all_of(among("kind", [STATE]), old))


def removals(milvus: Milvus, state: State) -> dict[int, dict[str, Any]]:
    """Numbers of articles that were removed and whose rows may still exist, as of a state."""
    expression = all_of(among("kind", [REMOVAL]), at_most("born", state.generation))
    found = milvus.query(milvus.names.commits, expression, _FIELDS)
    return {int(row["key"]) - _REMOVED: json.loads(row["record"]) for row in found}


def removal_key(number: int) -> int:
    """The key of an article's removal."""
    return _REMOVED + number


def removal_row(number: int, generation: int, about: dict[str, Any]) -> dict[str, Any]:
    """A row that says that an article is gone from a generation on."""
    return _row(removal_key(number), REMOVAL, generation, json.dumps(about))


def _row(key: int, kind: int, born: int, record: str) -> dict[str, Any]:
    return {"key": key, "kind": kind, "born": born, "record": record, "unused": [0.0, 0.0]}


class Claim:
    """The right to write, as long as it lasts.

    Attributes:
        milvus: The connection to write with, as long as the claim is held.
        in_doubt: Whether a state was sent and nobody knows yet whether it arrived.
    """

    def __init__(self, milvus: Milvus) -> None:
        self.milvus = milvus.held_by(self.held)
        self.in_doubt = False
        self._milvus = milvus
        self._keys: list[int] = []
        self._expired: list[int] = []
        self._until = 0.0
        self._renew_at = 0.0

    def held(self) -> None:
        """Renew the claim where that is due.

        Raises:
            LibraryBusy: It has expired: another process may be writing.
        """
        now = time.time()
        if now >= self._until:
            raise LibraryBusy(
                f"writing to {self._milvus.address} was held up for longer than"
                f" {LEASE_SECONDS:.0f} s; nothing was changed, try again"
            )
        if now >= self._renew_at:
            self._insert()
            self._delete(self._keys[:-1])

    def take(self, busy_seconds: float) -> bool:
        """Claim the right to write, waiting for others.

        Returns:
            Whether a writer was interrupted before, whose rows are to be removed.

        Raises:
            LibraryBusy: Another goes on writing.
        """
        give_up = time.monotonic() + busy_seconds
        while True:
            self._insert()
            others = self._others()
            now = time.time()
            live = [other for other in others if other["until"] > now]
            if not live:
                self._expired = [other["key"] for other in others]
                return bool(others)
            self.release()
            if time.monotonic() > give_up:
                raise LibraryBusy(
                    f"{live[0]['owner']} has been writing to {self._milvus.address} for"
                    f" {busy_seconds:.0f} s; try again when it is done"
                )
            time.sleep(random.uniform(0.05, 0.6))  # noqa: S311 - spreads attempts, no secret

    def cleaned(self) -> None:
        """Delete the claims of interrupted writers, once their rows are removed."""
        if self._expired:
            self._milvus.delete(self._milvus.names.commits, among("key", self._expired))

    def release(self) -> None:
        """Let others write."""
        self._delete(list(self._keys))

    def _insert(self) -> None:
        key = -1 - secrets.randbits(62)
        until = time.time() + LEASE_SECONDS
        owner = f"process {os.getpid()} on {socket.gethostname()}"
        record = json.dumps({"until": until, "owner": owner})
        self._keys.append(key)
        self._milvus.call("upsert", self._milvus.names.commits, [_row(key, CLAIM, 0, record)])
        self._until = until - 5.0
        self._renew_at = time.time() + _RENEW_SECONDS

    def _delete(self, keys: list[int]) -> None:
        if keys:
            self._milvus.delete(self._milvus.names.commits, among("key", keys))
        self._keys = [key for key in self._keys if key not in keys]

    def _others(self) -> list[dict[str, Any]]:
        found = self._milvus.query(self._milvus.names.commits, among("kind", [CLAIM]), _FIELDS)
        return [
            json.loads(row["record"]) | {"key": int(row["key"])}
            for row in found
            if row["key"] not in self._keys
        ]


@contextmanager
def claimed(milvus: Milvus, busy_seconds: float, clean: Callable[[Claim], None]) -> Iterator[Claim]:
    """Hold the right to write.

    A writer that fails removes what it wrote, by ``clean``; if it cannot, its claim stays until it
    expires, which tells the next writer.

    Raises:
        LibraryBusy: Another goes on writing.
    """
    claim = Claim(milvus)
    if claim.take(busy_seconds):
        clean(claim)
        claim.cleaned()
    try:
        yield claim
    except BaseException:
        # A state in doubt may still arrive: what belongs to it must stay until it surely has.
        if not claim.in_doubt:
            with suppress(LibraryError):
                clean(claim)
                claim.release()
        raise
    # A claim that cannot be deleted expires: the commit stands, and must not seem to fail.
    with suppress(LibraryError):
        claim.release()
