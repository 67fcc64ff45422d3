"""A connection to a Ray cluster that exists, or to one started on this machine for a while."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from index.errors import LibraryError
from index.extras import extra

__all__ = ["ray_cluster"]

_REACH_SECONDS: Final = 10.0
_OBJECT_STORE_BYTES: Final = 100 * 2**20
"""Nothing large goes through Ray: workers read and write files."""


@contextlib.contextmanager
def ray_cluster(address: str | None = None, *, n_cpus: int | None = None) -> Iterator[Any]:
    """Connect to a cluster, or start one that only this machine can reach; yields ``ray``.

    A cluster that the program has connected to already is used, and left as it is.

    Args:
        address: ``host:port``, or ``auto`` for the one that this machine belongs to; None to
            start one.
        n_cpus: Of one that is started; None for those of the machine.

    Raises:
        MissingExtra: Ray is not installed.
        LibraryError: The cluster cannot be reached or started.
    """
    # A part that needs too much memory must not be tried for ever, as Ray would.
    settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_task_oom_retries": "3"}
    # Some of the variables are read when Ray is imported.
    with _environment(settings | ({} if address else dict(_alone()))):
        ray = extra("ray", of="ray")
        if ray.is_initialized():
            yield ray
            return
        options: dict[str, Any] = {"address": address or "local"}
        if address is None:
            options |= {
                "num_cpus": n_cpus,
                "include_dashboard": False,
                "object_store_memory": _OBJECT_STORE_BYTES,
            }
        _reach(address)
        handler = signal.getsignal(signal.SIGTERM)
        try:
            try:
                ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
            except (ConnectionError, RuntimeError, ValueError, OSError) as error:
                what = f"reach the Ray cluster {address!r}" if address else "start Ray here"
                raise LibraryError(f"cannot {what}: {error}") from error
            yield ray
        finally:
            ray.shutdown()
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, handler)  # Ray puts its own in its place


def _reach(address: str | None) -> None:
    """Try to connect before Ray does, because Ray tries for minutes."""
    host, colon, port = (address or "").rpartition(":")
    if not colon or "/" in host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), _REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise LibraryError(
            f"nobody answers at {address!r} ({error}); give the address that ray start --head has"
            " shown, host:port"
        ) from error


@cache
def _alone() -> Mapping[str, str]:
    """Settings that keep others out of a local cluster: whoever reaches one can run anything.

    Without the first, Ray listens on every interface; the others keep out other users of this
    machine. The user's own choice stands. Ray reads them once in a process, when it is imported.
    """
    if "ray" in sys.modules:
        return {}
    wanted = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    if "RAY_AUTH_MODE" not in os.environ:
        wanted |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return wanted


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
