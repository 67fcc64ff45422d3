"""What the page costs whoever opens it first: bytes, and seconds until the box takes a question.

    python -m benchmarks.page [-o benchmarks/results/page.md]

A server as a user starts it, a browser with nothing cached, with the network of this machine and
with that of a slow telephone. Status 1 where a bound is not kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.speed.timing import load_average, machine
from tests.support.served import browsing, serving

MOST_BYTES = 350_000
MOST_SECONDS, MOST_SECONDS_SLOWLY = 2.0, 6.0
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
"""Slow 3G, as Chromium calls it: milliseconds, and bytes a second."""
RUNS = 3


def visit(browser: Browser, url: str, *, slowly: bool) -> tuple[float, float, int, int]:
    """Seconds until the box takes a question and until it is asked, bytes and requests."""
    context = browser.new_context()
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    sizes: list[int] = []
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    if slowly:
        network.send("Network.emulateNetworkConditions", SLOW)
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("#question textarea", timeout=120_000)
    seconds = time.perf_counter() - began
    page.wait_for_function("globalThis.articlePage?.ready()", timeout=120_000)
    ready = time.perf_counter() - began
    page.wait_for_load_state("networkidle")
    context.close()
    return seconds, ready, int(sum(sizes)), len(sizes)


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, help="also write the table into a file")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as server,
        browsing() as browser,
    ):
        visit(browser, server.url, slowly=False)  # the server compresses its files once
        fast = min(visit(browser, server.url, slowly=False) for _ in range(RUNS))
        slow = min(visit(browser, server.url, slowly=True) for _ in range(RUNS))
    rows = [
        ("bytes, compressed", f"{fast[2]:,}", f"{MOST_BYTES:,}"),
        ("requests", str(fast[3]), ""),
        (
            "the article is there, the box takes a question",
            f"{fast[0]:.1f} s",
            f"{MOST_SECONDS:g} s",
        ),
        ("the same on slow 3G", f"{slow[0]:.1f} s", f"{MOST_SECONDS_SLOWLY:g} s"),
        ("the question is asked", f"{fast[1]:.1f} s", ""),
        ("the same on slow 3G", f"{slow[1]:.1f} s", ""),
    ]
    lines = [
        "# The page's weight",
        "",
        "Made by `python -m benchmarks.page`: a cold visit, the best of three.",
        "",
        "| | | at most |",
        "| --- | --- | --- |",
        *(f"| {what} | {measured} | {most} |" for what, measured, most in rows),
        "",
        *(f"- {name}: {value}" for name, value in machine().items()),
        f"- load average after: {load_average()}",
    ]
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    kept = fast[2] <= MOST_BYTES and fast[0] <= MOST_SECONDS and slow[0] <= MOST_SECONDS_SLOWLY
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
