"""Nothing that an article, a question or a file name holds is ever run by the page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from index.article import Article
from index.reading.plaintext import article_from_text
from qa import Library
from tests.support.served import PATIENCE, ROOT, Server, ask, free_port, serving, visiting

EVAL = Path(os.environ.get("ARTICLE_QA_EVAL") or ROOT.parent / "shared" / "eval") / "hostile"

SAMPLES = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "${alert(1)}",
    "`${alert(1)}`",
    "{{constructor.constructor('alert(1)')()}}",
    "{{{value}}} {{#each value}}{{this}}{{/each}} \\u{ \\x \\",
    "[x](javascript:alert(1)) ![y](http://example.com/y.png)",
    "</article></div><h1>out</h1>",
    "<!-- ]]> --> <![CDATA[ <style>body{display:none}</style>",
    "\u202eright to left\u202c \u0000 nul \ufeff",
    "BODY <textarea></title>",
]
CANARIES = """() => {
    globalThis.ran = [];
    for (const name of ["alert", "confirm", "prompt", "print", "open"])
        globalThis[name] = (...args) => { ran.push([name, ...args.map(String)]); };
}"""


@pytest.fixture(scope="module")
def server(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("hostile")) as server:
        yield server


def hostile_lines() -> list[str]:
    """Every line of the shared lists, each once."""
    if not EVAL.is_dir():
        pytest.skip(f"no shared evaluation data at {EVAL}; name it in ARTICLE_QA_EVAL")
    payloads = (EVAL / "xss-payload-list.txt").read_text(encoding="utf-8", errors="replace")
    naughty = json.loads((EVAL / "blns.json").read_text(encoding="utf-8"))
    lines = dict.fromkeys([*SAMPLES, *payloads.split("\n"), *naughty])
    return [line for line in lines if line.strip()]


def assert_nothing_ran(page: Page) -> None:
    assert page.evaluate("globalThis.ran") == []
    inside = "#conversation, #article-pane, #status, #reader"
    assert (
        page.locator(f":is({inside}) :is(script, iframe, img, object, embed, form, style)").count()
        == 0
    )
    attributes = page.evaluate(
        """(inside) => [...document.querySelectorAll(`:is(${inside}) .conversation *, #article *`)]
            .flatMap((element) => element.getAttributeNames())
            .filter((name) => name.startsWith("on"))""",
        inside,
    )
    assert attributes == []


def test_every_hostile_line_is_shown_as_text(browser: Browser, tmp_path: Path) -> None:
    lines = hostile_lines()
    (tmp_path / "lines.json").write_text(json.dumps(lines))
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "tests/support/hostile_page.py", str(port), str(tmp_path / "lines.json")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
    )
    context = browser.new_context()
    context.set_default_timeout(5 * PATIENCE)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: (errors.append(dialog.message), dialog.dismiss()))
    try:
        for _ in range(600):
            try:
                page.goto(f"http://127.0.0.1:{port}/")
                break
            except Exception:
                time.sleep(0.5)
        page.wait_for_selector("button:has-text('Show')")
        page.evaluate(CANARIES)
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.get_by_role("button", name="Show").click()
        page.wait_for_selector("#article")
        page.wait_for_timeout(3000)
        assert_nothing_ran(page)
        assert errors == []
        assert [url for url in requests if not re.search("/gradio_api/|/static/fonts/", url)] == []

        # HTML has no NUL; all else is carried to the character.
        expected = [line.replace("\0", "\ufffd") for line in lines]
        assert (
            page.locator("#article .unit").evaluate_all(
                "(units) => units.map((unit) => unit.textContent)"
            )
            == expected
        )
        assert (
            page.locator(".turn .question").evaluate_all(
                "(all) => all.map((question) => question.textContent)"
            )
            == expected
        )
        assert (
            page.locator(".suggestion").evaluate_all(
                "(all) => all.map((suggestion) => suggestion.textContent)"
            )
            == expected
        )
        assert page.locator(".turn[data-turn]").count() == len(lines)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    finally:
        context.close()
        process.kill()
        process.wait()


def test_hostile_text_stays_text_in_every_place_of_the_real_page(
    browser: Browser, server: Server
) -> None:
    with visiting(browser, server.url) as page:
        page.evaluate(CANARIES)
        page.click("#open-button")
        page.get_by_label("Its title (optional)").fill(SAMPLES[1])
        page.get_by_label("Text of an article").fill("\n\n".join(f"{s} is here." for s in SAMPLES))
        page.click("#open-this")
        expect(page.locator("#article h2.title")).to_have_text(SAMPLES[1], timeout=60_000)
        for sample in SAMPLES[:8]:
            ask(page, f"Where is {sample}")
        for cite in page.locator(".cite:visible").all()[:10]:
            cite.click()
        assert_nothing_ran(page)
        expect(page.locator(".question").first).to_have_text(f"Where is {SAMPLES[0]}")


def test_a_hostile_file_name_stays_text(browser: Browser, server: Server) -> None:
    with visiting(browser, server.url) as page:
        page.evaluate(CANARIES)
        page.click("#open-button")
        for name in ("<img src=x onerror=alert(1)>.png", "${alert(1)}.txt"):
            page.set_input_files(
                "#files",
                {"name": name, "mimeType": "image/png", "buffer": b"\x89PNG\0\0"},
            )
            expect(page.locator("#status")).to_contain_text("alert(1)")
            page.wait_for_timeout(300)
        assert_nothing_ran(page)


def test_hostile_articles_of_a_library_stay_text(
    browser: Browser, cache: Path, tmp_path: Path
) -> None:
    library = Library.open(tmp_path / "archive")
    for number, sample in enumerate(SAMPLES):
        read = article_from_text(f"Notes\n\nHarbour {number} is called {sample} by everybody.")
        known = Article(
            text=read.text, blocks=read.blocks, title=sample, authors=(sample,), site=sample
        )
        library.add([known], tags=[sample])
    library.close()
    with (
        serving(tmp_path, "--library", str(tmp_path / "archive")) as served,
        visiting(browser, served.url) as page,
    ):
        page.evaluate(CANARIES)
        expect(page.locator(".catalogue .entry")).to_have_count(len(SAMPLES))
        ask(page, "What is harbour 1 called?")
        for cite in page.locator(".cite:visible").all():
            cite.click()
            page.wait_for_timeout(200)
        page.locator(".all-articles").click()
        expect(page.locator(".catalogue .entry")).to_have_count(len(SAMPLES))
        assert_nothing_ran(page)
