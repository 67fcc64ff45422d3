"""The page within somebody else's app, as docs/programs.md has it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from qa import Answer
from tests.support.served import ROOT, ask, free_port, visiting, wait_until_ready

EXAMPLE = re.search(
    r"```python\n(from fastapi.*?)```", (ROOT / "docs/programs.md").read_text("utf-8"), re.DOTALL
)
ARTICLE = "<h1>Tides</h1><p>The Moon pulls the water. Fishermen print almanacs every winter.</p>"


@pytest.fixture(scope="module")
def mounted(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the page in the example's app."""
    folder = tmp_path_factory.mktemp("site")
    assert EXAMPLE is not None
    (folder / "site_of_ours.py").write_text(EXAMPLE[1])
    (folder / "article.html").write_text(ARTICLE)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "site_of_ours:site", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    url = f"http://127.0.0.1:{port}/ask/"
    try:
        wait_until_ready(url, process)
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_the_page_answers_where_it_is_mounted(mounted: str, browser: Browser) -> None:
    with visiting(browser, mounted) as page:
        ask(page, "Who prints almanacs?")
        best = page.locator("#conversation .best").inner_text()
    assert best.startswith("Fishermen print almanacs every winter.")


def test_programs_are_answered_there_too(mounted: str) -> None:
    question = json.dumps({"question": "Who prints almanacs?", "k": 1}).encode()
    with urllib.request.urlopen(f"{mounted}api/ask", question, timeout=60) as reply:  # noqa: S310
        answer = Answer.from_dict(json.load(reply))
    assert answer.citations[0].quote == "Fishermen print almanacs every winter."
