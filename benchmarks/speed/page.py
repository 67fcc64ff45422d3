"""How long the page takes until it answers, from the start of its process."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence

from benchmarks.speed.timing import Cost, own_environment
from index.errors import ArticleQAError

__all__ = ["start_page"]

HOST = "127.0.0.1"
MOST_SECONDS = 300.0
_PAUSE = 0.01
# A proxy that the environment names is for other hosts than this one.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def start_page(options: Sequence[str] = ()) -> Cost:
    """What passes until ``article-qa serve`` is healthy; its process is then ended.

    Args:
        options: Of ``serve``, besides its port.

    Returns:
        Seconds by the clock.

    Raises:
        ArticleQAError: It ended, or was not healthy after five minutes.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "qa.cli", "serve", "--port", str(port), *options]
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=own_environment()
    ) as process:
        try:
            while not _healthy(port):
                if process.poll() is not None or time.perf_counter() - began > MOST_SECONDS:
                    raise ArticleQAError(
                        "the benchmark's page did not start; see whether this runs:"
                        f" article-qa serve {' '.join(options)}".rstrip()
                    )
                time.sleep(_PAUSE)
            return Cost(time.perf_counter() - began)
        finally:
            process.kill()


def _healthy(port: int) -> bool:
    with (
        contextlib.suppress(OSError),
        _OPENER.open(f"http://{HOST}:{port}/health", timeout=5) as reply,
    ):
        return bool(reply.status == 200)
    return False
