"""The page behind a proxy that serves it under a path of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect

from tests.support.served import (
    REKOGNITION,
    ask,
    browsing,
    free_port,
    serving,
    visiting,
    wait_until_ready,
)

DARK = re.compile(r"\bdark\b")


@contextmanager
def proxying(upstream: str, prefix: str) -> Iterator[str]:
    """A proxy that takes a prefix off and passes the rest on; gives its address."""
    port = free_port()
    script = Path(__file__).parents[1] / "support" / "path_proxy.py"
    process = subprocess.Popen(
        [sys.executable, str(script), str(port), upstream, prefix], text=True
    )
    address = f"http://127.0.0.1:{port}{prefix}/"
    try:
        wait_until_ready(address, process)
        yield address
    finally:
        process.kill()
        process.wait()


def test_a_page_under_a_path_answers_and_opens_its_citations(cache: Path, tmp_path: Path) -> None:
    with (
        browsing() as browser,
        serving(tmp_path, "--root-path", "/qa") as server,
        proxying(server.url, "/qa") as address,
        visiting(browser, address) as page,
    ):
        ask(page, REKOGNITION)
        page.locator(".best .cite").click()
        expect(page.locator(".unit.current")).to_have_attribute("data-numbers", "1")
        page.click("#scheme")
        expect(page.locator("body")).to_have_class(DARK)
        page.reload()
        expect(page.locator("body")).to_have_class(DARK)
