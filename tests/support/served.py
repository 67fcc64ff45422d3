"""The chat page as its readers meet it: a server of its own process and a real browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("ARTICLE_QA_CHROMIUM") or shutil.which("chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
REKOGNITION = "Why did Amazon halt police use?"
MONGOLIA = "What is the capital of Mongolia?"
PATIENCE = 60_000
"""Milliseconds until what does not come is missing: tests pass on slow machines too."""

expect.set_options(timeout=PATIENCE)


@dataclass
class Server:
    """A page that is being served.

    Attributes:
        url: Its address, with a slash at the end.
        process: What serves it.
        feedback: Where it keeps feedback.
    """

    url: str
    process: subprocess.Popen[str]
    feedback: Path


@contextmanager
def serving(
    folder: Path, *options: str, port: int | None = None, program: Sequence[str] = ("app.py",)
) -> Iterator[Server]:
    """Serve the page with some options until the block ends; ready when it begins."""
    port = port or free_port()
    feedback = folder / "feedback.jsonl"
    command = [sys.executable, *program, "--port", str(port), "--feedback", str(feedback)]
    process = subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    server = Server(f"http://127.0.0.1:{port}/", process, feedback)
    try:
        wait_until_ready(server.url, process)
        yield server
    finally:
        process.terminate()
        process.communicate(timeout=30)


def wait_until_ready(url: str, process: subprocess.Popen[str], seconds: float = 300) -> None:
    """Return when what a process serves under an address is healthy."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended: {process.communicate()}")
        try:
            with urllib.request.urlopen(f"{url}health", timeout=5) as reply:  # noqa: S310
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"not ready after {seconds} s")


def free_port() -> int:
    """A port of the loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser, or a skip that says what is missing."""
    if CHROMIUM is None:
        pytest.skip("no chromium: apt-get install chromium, or name one in ARTICLE_QA_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def visiting(browser: Browser, url: str, **options: object) -> Iterator[Page]:
    """A fresh visit to the page, which must load, run without an error and stay at home."""
    context: BrowserContext = browser.new_context(
        **{"viewport": {"width": 1280, "height": 800}} | options  # type: ignore[arg-type]
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    strangers: list[str] = []
    errors: list[str] = []
    context.on(
        "request", lambda r: r.url.startswith((url, "data:", "blob:")) or strangers.append(r.url)
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: (errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.goto(url)
    wait_until_shown(page)
    yield page
    context.close()
    assert strangers == [], "the page asked other hosts"
    assert errors == []


def wait_until_shown(page: Page) -> None:
    """Return when a page has taken over from what stands in for it while it loads."""
    page.wait_for_function("globalThis.articlePage?.ready()")


def ask(page: Page, question: str) -> None:
    """Type a question, press Enter and wait for its answer."""
    before = page.locator("#conversation .turn[data-turn]").count()
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")
    page.wait_for_selector(f"#conversation .turn[data-turn='{before}']")


def open_text(page: Page, text: str, title: str = "") -> None:
    """Open an article by pasting it; returns once the page has switched to it."""
    before = page.locator("#article").get_attribute("data-id")
    page.click("#open-button")
    page.get_by_label("Its title (optional)").fill(title)
    page.get_by_label("Text of an article").fill(text)
    page.click("#open-this")
    expect(page.locator("#article")).not_to_have_attribute("data-id", before or "")
    expect(page.locator("#open")).to_be_hidden()


def back_to_first(page: Page) -> None:
    """Choose what the server serves in the list of articles."""
    page.click("#switch")
    page.locator("#menu .entry").first.click()


def axe_findings(page: Page) -> list[tuple[str, str, list[object]]]:
    """What axe-core finds on a page as it stands, or a skip."""
    axe = os.environ.get("ARTICLE_QA_AXE")
    if not axe:
        pytest.skip("no axe-core: npm install axe-core and name its axe.min.js in ARTICLE_QA_AXE")
    page.wait_for_timeout(600)  # colours fade in
    page.evaluate(Path(axe).read_text(encoding="utf-8"))
    return [
        (found["id"], found["help"], [node["target"] for node in found["nodes"]][:5])
        for found in page.evaluate("axe.run().then((result) => result.violations)")
    ]
