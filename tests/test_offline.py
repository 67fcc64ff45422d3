"""Nothing leaves the machine and nothing is written outside our folders, by system call."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.served import ROOT, free_port, wait_until_ready

STRACE = shutil.which("strace")
pytestmark = pytest.mark.skipif(not STRACE, reason="needs Debian's package strace")

CALLS = "connect,sendto,sendmsg,sendmmsg,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2"
ADDRESS = re.compile(r'inet_addr\("([\d.]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
WRITTEN = re.compile(
    r'(?:open|openat)\((?:AT_FDCWD, |\d+, )?"([^"]+)", [^)]*O_(?:WRONLY|RDWR|CREAT)[^)]*\)\s+= \d'
    r'|(?:creat|mkdir|mkdirat)\((?:AT_FDCWD, )?"([^"]+)"[^)]*\)\s+= \d'
)
LOOPBACK = {"127.0.0.1", "::1"}
DEVICES = ("/dev/", "/proc/", "/sys/")

ARTICLE = "The bridge at Velm opened in 1931. Ida Morrow drew it.\n"


class Watched:
    """Runs our commands in a home of their own and tells what they touched."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.log = folder, folder / "calls"
        self.home, self.own = folder / "home", [folder / "own", cache]
        self.home.mkdir()
        self.own[0].mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        for name in ("ORT_DISABLE_TELEMETRY", "GRADIO_ANALYTICS_ENABLED", "CI", "DO_NOT_TRACK"):
            kept.pop(name, None)  # what would silence them without us
        self.environment = kept | {
            "HOME": str(self.home),
            "TMPDIR": str(self.own[0]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        assert STRACE
        traced = ("-f", "--seccomp-bpf", "-qq", "-e", f"trace={CALLS}", "-o", str(self.log))
        return subprocess.Popen(
            [STRACE, *traced, sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # strace passes no signals on
        )

    def run(self, *arguments: str) -> str:
        process = self.start("-m", "qa.cli", *arguments)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        return out

    def addresses(self) -> set[str]:
        return {one or other for one, other in ADDRESS.findall(self.log.read_text("utf-8"))}

    def written_elsewhere(self) -> list[str]:
        paths = (one or other for one, other in WRITTEN.findall(self.log.read_text("utf-8")))
        own = tuple(map(str, self.own))
        absolute = (os.path.normpath(ROOT / path) for path in paths)
        return sorted({path for path in absolute if not path.startswith((*own, *DEVICES))})

    def check(self) -> None:
        assert self.log.stat().st_size > 0
        assert self.addresses() <= LOOPBACK
        assert self.written_elsewhere() == []
        assert list(self.home.rglob("*")) == []


@pytest.fixture
def watched(tmp_path: Path, cache: Path) -> Watched:
    return Watched(tmp_path, cache.resolve())


def test_asking_calls_nobody(watched: Watched) -> None:
    assert "[1]" in watched.run("ask", "Who protested?")
    watched.check()


def test_building_calls_nobody(watched: Watched) -> None:
    watched.run("build", "-o", str(watched.own[0] / "index"))
    watched.check()


def test_adding_to_a_library_calls_nobody(watched: Watched) -> None:
    article = watched.own[0] / "bridge.txt"
    article.write_text(ARTICLE, encoding="utf-8")
    watched.run("add", str(article), "--library", str(watched.own[0] / "library"))
    watched.check()


def test_evaluating_calls_nobody(watched: Watched) -> None:
    watched.run("evaluate", "tests/data/bundled_questions.jsonl", "--limit", "3")
    watched.check()


@contextmanager
def _served(watched: Watched) -> Iterator[str]:
    port = free_port()
    feedback = str(watched.own[0] / "feedback.jsonl")
    process = watched.start("app.py", "--port", str(port), "--feedback", feedback)
    address = f"http://127.0.0.1:{port}/"
    try:
        wait_until_ready(address, process)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)


def test_serving_a_question_calls_nobody(watched: Watched) -> None:
    with _served(watched) as address:
        data = json.dumps({"question": "Who protested?"}).encode()
        request = urllib.request.Request(  # noqa: S310
            f"{address}api/ask", data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
            assert json.load(reply)["citations"]
        time.sleep(2)  # what is sent is sent by a thread of its own
    watched.check()


def test_a_caller_who_imported_onnxruntime_first_is_silenced_too(watched: Watched) -> None:
    code = "import onnxruntime, os; from qa import ask; ask('Who protested?'); print('asked')"
    process = watched.start("-c", code)
    out, err = process.communicate(timeout=300)
    assert "asked" in out, err
    assert watched.addresses() <= LOOPBACK
