"""Many people asking at once, through the page's real HTTP API.

    python -m benchmarks.load [--users 50] [--seconds 60] [-o benchmarks/results/load.md]

Starts the server as a user would, has every user open an article of their own and ask it
without pause, and looks into each answer: it must name the user's own harbour master, whom no
other article knows. What is reported are errors, answers from somebody else's article, the
time of a question as its asker sees it, and the server's resident memory minute by minute.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from benchmarks.speed.timing import load_average, machine
from index.reading.reader import bundled_article

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0
QUESTIONS = (
    "Who is the harbour master?",
    "What is the harbour master called?",
    "Why did Amazon halt police use of Rekognition?",
    "Which name does the master of the harbour have?",
    "When did the harbour open?",
)


@dataclass
class Seen:
    """What the users met.

    Attributes:
        seconds: Of each question that was answered.
        errors: What went wrong, and how often.
        strangers: Answers that were not from the asker's article.
        memory: Resident bytes of the server by seconds since the first question.
    """

    seconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    strangers: int = 0
    memory: list[tuple[float, int]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The page's server in a process of its own, ready to be asked."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "app.py", "--port", str(port), "--feedback", f"{folder}/f.jsonl"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{port}"
        try:
            while process.poll() is None:
                try:
                    if httpx.get(f"{address}/health").is_success:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield address, process
        finally:
            process.terminate()
            process.wait(30)


async def call(
    client: httpx.AsyncClient, session: str, name: str, *values: object
) -> dict[str, object]:
    """One call of an endpoint: what is asked for, then the event it ends with.

    The session is the user's, as a browser's tab or a client keeps one: without it the server
    would set up a new one for every call.
    """
    body = {"data": values, "session_hash": session}
    joined = await client.post(f"/gradio_api/call/{name}", json=body)
    joined.raise_for_status()
    event = joined.json()["event_id"]
    kind = ""
    async with client.stream("GET", f"/gradio_api/call/{name}/{event}") as stream:
        async for line in stream.aiter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: ") and kind in ("complete", "error"):
                if kind == "error":
                    raise RuntimeError(line)
                result: dict[str, object] = json.loads(line.removeprefix("data: "))[0]
                return result
    raise RuntimeError(f"{name} ended without a result")


async def use(address: str, number: int, until: float, seen: Seen) -> None:
    """One user: an article of one's own, then one question after the other."""
    name = f"Skipper{number:04d}"
    body = bundled_article().text
    text = f"Pier {number}\n\nThe harbour master of pier {number} is called {name}.\n\n{body}"
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        try:
            handle = (await call(client, name, "open", text, f"Pier {number}", ""))["article"]
        except (httpx.HTTPError, RuntimeError, KeyError) as error:
            seen.errors[repr(error)[:120]] += 1
            return
        asked = number
        while time.monotonic() < until:
            question = QUESTIONS[asked % len(QUESTIONS)]
            asked += 1
            began = time.monotonic()
            try:
                values = {"question": f"{question} ({asked})", "article": handle}
                answer = (await client.post("/api/ask", json=values)).raise_for_status().json()
            except (httpx.HTTPError, RuntimeError) as error:
                seen.errors[repr(error)[:120]] += 1
                continue
            seen.seconds.append(time.monotonic() - began)
            told = json.dumps(answer["citations"])
            others = told.count("Skipper") - told.count(name)
            missing = "harbour master" in question and name not in told
            seen.strangers += bool(others or missing)


async def watch(pid: int, began: float, until: float, seen: Seen) -> None:
    """The server's memory, every other second."""
    status = Path(f"/proc/{pid}/statm")
    while time.monotonic() < until and status.exists():
        pages = int(status.read_text().split()[1])
        seen.memory.append((time.monotonic() - began, pages * os.sysconf("SC_PAGE_SIZE")))
        await asyncio.sleep(2)


async def load(address: str, pid: int, users: int, seconds: float) -> Seen:
    """All users at once until the time is over."""
    seen = Seen()
    began = time.monotonic()
    until = began + seconds
    await asyncio.gather(
        watch(pid, began, until, seen),
        *(use(address, number, until, seen) for number in range(users)),
    )
    return seen


def report(seen: Seen, users: int, seconds: float) -> str:
    """The result as Markdown."""
    waited = np.asarray(seen.seconds or [np.nan]) * 1000
    # Articles are opened and threads started in the beginning; what grows later is a leak.
    settled = [size for at, size in seen.memory if at > seconds / 4]
    first, last = (settled[0], settled[-1]) if settled else (0, 0)
    lines = [
        "# Load",
        "",
        f"Made by `python -m benchmarks.load --users {users} --seconds {seconds:g}`: so many users"
        " at once, each with an",
        "article of their own, asking without pause through the HTTP API, server and users on the"
        " same cores.",
        "",
        "| | |",
        "| --- | --- |",
        f"| questions answered | {len(seen.seconds):,} |",
        f"| a second | {len(seen.seconds) / seconds:.0f} |",
        f"| errors | {sum(seen.errors.values())} |",
        f"| answers from somebody else's article | {seen.strangers} |",
        f"| a question as its asker sees it, median | {np.median(waited):.0f} ms |",
        f"| the same, p95 | {np.quantile(waited, 0.95):.0f} ms |",
        f"| server's memory after a quarter of the time | {first / 1e6:.0f} MB |",
        f"| server's memory at the end | {last / 1e6:.0f} MB |",
        "",
        *(f"- error, {count} times: `{what}`" for what, count in seen.errors.most_common(10)),
        *(f"- {name}: {value}" for name, value in machine().items()),
        f"- load average after: {load_average()}",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the load; status 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--users", type=int, default=50, help="users at once (50)")
    parser.add_argument("--seconds", type=float, default=60, help="how long they ask (60)")
    parser.add_argument("-o", "--output", type=Path, help="write the result there too")
    options = parser.parse_args()
    with serving() as (address, process):
        seen = asyncio.run(load(address, process.pid, options.users, options.seconds))
    text = report(seen, options.users, options.seconds)
    print(text, end="")
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    return int(bool(seen.errors or seen.strangers or not seen.seconds))


if __name__ == "__main__":
    sys.exit(main())
