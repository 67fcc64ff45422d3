"""The connection to a Milvus server: deadlines, retries, and its errors as ours.

All writes are upserts or deletions by key, so that each may be sent again when nobody knows
whether it arrived. pymilvus is imported here alone, and only when an archive is on a server.
"""

from __future__ import annotations

import logging
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any, Final

from index.archive.milvus.address import AUTHORITY_VARIABLE, TOKEN_VARIABLE, Address
from index.archive.milvus.filters import all_of, among
from index.errors import (
    LibraryAway,
    LibraryBusy,
    LibraryDenied,
    LibraryError,
    LibraryFull,
    UnsupportedServer,
)

__all__ = ["Milvus"]

DEADLINE: Final = 30.0
"""Seconds that a request may take, retries included."""
CONNECT_SECONDS: Final = 10.0
SLOW_SECONDS: Final = 600.0
"""The deadline for loading and indexing a collection."""
OLDEST: Final = (2, 3)
SPARSE_FROM: Final = (2, 4)
MOST_ROWS: Final = 16_384
"""Rows that a server gives for one request."""
_NEVER: Final = 2**31 - 1
_MAX_BYTES: Final = 8 * 2**20
"""Of rows written in one request; servers take 64 MiB."""

_IN_USE = re.compile(r"lock|in use|another process|already open", re.I)
_AWAY: Final = (
    "does not answer while {doing} ({text}); check that the server runs and can be reached, and"
    " whether it wants http:// or https://, then try again"
)
_ERRORS: Final[tuple[tuple[str, type[LibraryError], str], ...]] = (
    (r"goaway|too_many_pings|enhance_your_calm", LibraryAway, _AWAY),  # gRPC: resource exhausted
    (
        r"memory|quota|disk|force.?deny|no space"
        r"|resource.?(exhausted|insufficient|group)",
        LibraryFull,
        "is out of memory, disk or quota while {doing} ({text}); give it more, and do the same"
        " again: what was acknowledged is there",
    ),
    (  # before those about tokens: an error about a certificate may name its authority
        r"ssl|tls|certificate|handshake",
        LibraryAway,
        "gives no safe connection ({text}); check the certificate, name the authority's file in"
        f" {AUTHORITY_VARIABLE}, or write http:// for a server without TLS",
    ),
    (
        r"auth|permission|privilege|unauthenticated|user not found|token",
        LibraryDenied,
        f"refuses the token ({{text}}); give one as token=… or in {TOKEN_VARIABLE}",
    ),
    (
        r"unavailable|connect|deadline|timeout|timed out|retry run out|closed|reset|refused",
        LibraryAway,
        _AWAY,
    ),
)
_PASSING = re.compile(
    r"not (fully )?loaded|not ready|no available|not available|not healthy|not serving"
    r"|node (not found|offline)|channel .*(lack|not)|recover|shard delegator|distribution"
    r"|goaway|too_many_pings|enhance_your_calm|stream removed|connection reset|broken pipe",
    re.I,
)
"""Said of a server that is starting, or of a connection that was cut off: another try helps."""


class Milvus:
    """A connection; safe to share between threads."""

    def __init__(self, address: Address, connect_seconds: float = CONNECT_SECONDS) -> None:
        """Connect.

        Raises:
            LibraryError: pymilvus is missing, or as the server says.
        """
        self.address, self.names = address, address.names
        self._visible: int | None = None
        self._held: Callable[[], None] = lambda: None
        pymilvus = _pymilvus(address)
        # Its log repeats what the errors say, with a trace for every retry.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        self.exception: type[Exception] = pymilvus.MilvusException
        options: dict[str, Any] = {"token": address.token, "db_name": address.database}
        if address.authority:
            options["server_pem_path"] = address.authority
        if address.is_file:
            # pymilvus pings every ten seconds; the server of a file takes a ping in five minutes
            # and hangs up after three that come sooner.
            options = {"grpc_options": {"grpc.keepalive_time_ms": _NEVER}}

        def connect(timeout: float) -> None:
            self.client = pymilvus.MilvusClient(address.uri, timeout=timeout, **options)
            self.version: str = self.client.get_server_version(timeout=timeout)

        self._again("connecting", connect, connect_seconds)
        found = re.search(r"(\d+)\.(\d+)", self.version)
        numbers = (int(found[1]), int(found[2])) if found else (0, 0)
        if not self.is_lite and numbers < OLDEST:
            raise UnsupportedServer(
                f"{address} runs Milvus {self.version}; a library needs 2.3 or later"
            )
        self.has_sparse = self.is_lite or numbers >= SPARSE_FROM

    @property
    def is_lite(self) -> bool:
        """Whether it is a file on this machine rather than a server."""
        return self.address.is_file

    def seen_at(self, visible: int) -> Milvus:
        """The same connection, whose reads see all until a server timestamp, not until now."""
        seen = copy(self)
        seen._visible = visible
        return seen

    def held_by(self, held: Callable[[], None]) -> Milvus:
        """The same connection, which calls ``held`` before it writes; that raises to stop."""
        holding = copy(self)
        holding._held = held
        return holding

    def call(
        self,
        method: str,
        *args: Any,  # noqa: ANN401 - whatever the client takes and gives
        deadline: float = DEADLINE,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Call an idempotent method of ``pymilvus.MilvusClient``, again until the deadline.

        Raises:
            LibraryError: As the server says.
        """
        return self._again(
            method,
            lambda timeout: getattr(self.client, method)(*args, timeout=timeout, **kwargs),
            deadline,
        )

    def query(
        self, collection: str, expression: str, fields: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Rows that match an expression of `filters`, at most ``MOST_ROWS``, in no order."""
        found = self.call(
            "query",
            collection,
            filter=expression,
            output_fields=list(fields),
            limit=MOST_ROWS,
            **self._consistency(),
        )
        return [dict(row) for row in found]

    def rows(
        self,
        collection: str,
        field: str,
        keys: Sequence[int],
        fields: Sequence[str],
        *,
        also: str = "",
        batch: int = 256,
    ) -> Iterator[dict[str, Any]]:
        """Rows whose field has one of some values, in requests of a size that servers take."""
        for start in range(0, len(keys), batch):
            expression = all_of(among(field, keys[start : start + batch]), also)
            yield from self.query(collection, expression, fields)

    def search(
        self,
        collection: str,
        field: str,
        vector: Any,  # noqa: ANN401 - dense or sparse
        expression: str,
        fields: Sequence[str],
        *,
        limit: int,
        params: Mapping[str, Any],
    ) -> list[tuple[float, dict[str, Any]]]:
        """Rows of highest inner product with a vector, and the product; see ``query``."""
        (hits,) = self.call(
            "search",
            collection,
            data=[vector],
            anns_field=field,
            filter=expression,
            limit=min(limit, MOST_ROWS),
            output_fields=list(fields),
            search_params={"metric_type": "IP", "params": dict(params)},
            **self._consistency(),
        )
        return [(float(hit["distance"]), dict(hit["entity"])) for hit in hits]

    def write(self, collection: str, rows: Sequence[dict[str, Any]]) -> None:
        """Upsert rows."""
        for batch in _batches(rows):
            self._held()
            self.call("upsert", collection, batch)

    def delete(self, collection: str, expression: str) -> None:
        """Delete the rows that match an expression."""
        self._held()
        self.call("delete", collection, filter=expression)

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def _consistency(self) -> dict[str, Any]:
        if self._visible is None:
            return {"consistency_level": "Strong"}  # sees everything acknowledged before
        return {"consistency_level": "Customized", "guarantee_timestamp": self._visible}

    def _again(self, doing: str, call: Callable[[float], Any], seconds: float) -> Any:  # noqa: ANN401
        """Call with the seconds that are left, again while what is wrong may pass."""
        pause, end = 0.1, time.monotonic() + seconds
        with self.explained(doing):
            while True:
                try:
                    return call(max(0.1, end - time.monotonic()))
                except Exception as error:
                    if time.monotonic() + pause > end or not _PASSING.search(
                        f"{_said(error)} {error}"
                    ):
                        raise
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load, no secret
                pause = min(pause * 2, 3.0)

    @contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn the client's errors into this package's."""
        try:
            yield
        except LibraryError:
            raise
        except self.exception as error:
            raise self._typed(doing, _said(error)) from error
        except (OSError, RuntimeError, ValueError) as error:
            # Neither gRPC's errors nor those of a file in use are pymilvus's.
            raise self._typed(doing, f"{type(error).__name__}: {error}") from error
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in ("grpc", "pymilvus", "milvus_lite"):
                raise
            raise self._typed(doing, f"{type(error).__name__}: {error}") from error

    def _typed(self, doing: str, text: str) -> LibraryError:
        where, text = str(self.address), " ".join(text.split())[:300]
        if self.is_lite and _IN_USE.search(text):
            return LibraryBusy(f"another process uses {where}; close it first ({text})")
        for pattern, error, said in _ERRORS:
            if re.search(pattern, text, re.I):
                return error(f"{where} {said.format(doing=doing, text=text)}")
        return LibraryError(f"{where} failed while {doing}: {text}")


def _said(error: BaseException) -> str:
    """The message of an error; gRPC's own if there is one, because pymilvus shortens it."""
    details = getattr(error.__cause__, "details", None)
    known = details() if callable(details) else None
    return str(known or f"{getattr(error, 'message', '')} {error}")


def _batches(rows: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows in batches of a size that every server takes."""
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum(_size(value) for value in row.values())
        if size >= _MAX_BYTES or len(batch) >= 4096:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _size(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, (list, dict)):
        return 8 * len(value)
    return int(getattr(value, "nbytes", 8))


def _pymilvus(address: Address) -> Any:  # noqa: ANN401 - a module
    # gRPC writes to the terminal what it also raises.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        import pymilvus

        if address.is_file:
            import milvus_lite  # noqa: F401 - what pymilvus starts for a file
    except ImportError as error:
        extra = "milvus-lite" if address.is_file else "article-qa[milvus]"
        raise LibraryError(
            f"{address} needs {error.name}; install it with: pip install '{extra}'"
        ) from error
    return pymilvus
