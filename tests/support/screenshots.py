"""Take a picture of every state of the page.

python -m tests.support.screenshots FOLDER [STATE ...]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from fpdf import FPDF
from PIL import Image
from playwright.sync_api import Browser, Page

from index.article import BlockKind
from index.reading.plaintext import article_from_text
from index.reading.reader import bundled_article
from qa import Library
from tests.support.served import (
    MONGOLIA,
    REKOGNITION,
    ask,
    browsing,
    free_port,
    open_text,
    serving,
    visiting,
    wait_until_shown,
)

ADVOCATES = "What have civil liberties advocates warned?"
CAMERAS = """\
The council of Brest will buy forty cameras for the harbour. The police may not use facial
recognition on their pictures, said the mayor.
"""
TIDES = """\
The Moon pulls the water on the near side of the Earth more strongly than the Earth.
The water on the far side is left behind, so the sea rises on both sides at once.
"""
SLOW = """
import sys, time
import app, qa.bot
at_once = qa.bot.ArticleBot.ask
def ask(*args, **options):
    time.sleep(5)
    return at_once(*args, **options)
qa.bot.ArticleBot.ask = ask
sys.exit(app.main())
"""
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
ZOOMED = {"width": 640, "height": 400}


def answer(page: Page) -> None:
    ask(page, ADVOCATES)


def not_said(page: Page) -> None:
    ask(page, MONGOLIA)
    page.click(".closest summary")


def follow_up(page: Page) -> None:
    ask(page, REKOGNITION)
    ask(page, "Why?")
    page.locator(".why summary").last.click()


def open_form(page: Page) -> None:
    page.click("#open-button")


def dead_address(page: Page) -> None:
    open_form(page)
    page.get_by_label("Address of a page").fill("https://no-such-host.invalid/article")
    page.click("#open-this")
    page.wait_for_selector("#news.wrong")


def wrong_file(page: Page) -> None:
    open_form(page)
    page.set_input_files(
        "#files",
        {"name": "picture.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n\0\0\0"},
    )
    page.wait_for_selector("#news.wrong")


def empty_question(page: Page) -> None:
    page.click("#ask")
    page.wait_for_selector("#conversation .notice")


def thousand_lines(page: Page) -> None:
    page.fill("#question textarea", "line\n" * 1000)
    page.click("#ask")
    page.wait_for_selector("#conversation .notice")


def sheet_open(page: Page) -> None:
    ask(page, ADVOCATES)
    page.click(".best .cite")


def too_large(page: Page) -> None:
    open_form(page)
    page.set_input_files(
        "#files",
        {"name": "archive.txt", "mimeType": "text/plain", "buffer": b"A word. " * 1_500_000},
    )
    page.wait_for_selector("#news.wrong")


def another_article(page: Page) -> None:
    open_text(page, TIDES, "Why the sea rises twice a day")
    ask(page, "What pulls the water?")


def printed(page: Page) -> None:
    """The bundled article as somebody may have printed it."""
    pdf = FPDF()
    pdf.add_page()
    for block in bundled_article().blocks:
        large = block.kind in (BlockKind.TITLE, BlockKind.HEADING)
        pdf.set_font("times", "B" if large else "", 18 if large else 13)
        text = bundled_article().text[block.start : block.end]
        text = text.translate(str.maketrans("“”’–•", '""\'--'))
        pdf.multi_cell(0, 8 if large else 6, text, new_x="LMARGIN", new_y="NEXT")
        pdf.ln(3)
    open_form(page)
    data = {"name": "moratorium.pdf", "mimeType": "", "buffer": bytes(pdf.output())}
    page.set_input_files("#files", data)  # type: ignore[arg-type]
    page.wait_for_selector(".sheet img[src]")
    ask(page, ADVOCATES)
    page.click(".best .cite")


def right_sentence(page: Page) -> None:
    ask(page, REKOGNITION)
    page.click("#reader .unit >> nth=12")
    page.click(".right-one")


def sent(page: Page) -> None:
    page.fill("#question textarea", REKOGNITION)
    page.press("#question textarea", "Enter")
    page.wait_for_selector(".turn.pending")


def sent_twice(page: Page) -> None:
    sent(page)
    page.fill("#question textarea", "What did Gender Shades find?")
    page.press("#question textarea", "Enter")


def catalogue(page: Page) -> None:
    page.click("#filters summary")
    page.get_by_label("Author").fill("Ada Brook")
    page.get_by_label("Author").press("Tab")
    page.wait_for_timeout(500)


STATES: dict[str, tuple[Callable[[Page], None] | None, dict[str, object]]] = {
    "start": (None, {}),
    "chat": (answer, {}),
    "chat-dark": (not_said, {"color_scheme": "dark"}),
    "chat-phone": (sheet_open, {"viewport": PHONE, "has_touch": True}),
    "phone-start": (None, {"viewport": PHONE, "has_touch": True}),
    "phone-answer": (answer, {"viewport": PHONE, "has_touch": True}),
    "not-said": (not_said, {}),
    "follow-up": (follow_up, {}),
    "open-form": (open_form, {}),
    "dead-address": (dead_address, {}),
    "wrong-file": (wrong_file, {}),
    "empty-question": (empty_question, {}),
    "thousand-lines": (thousand_lines, {}),
    "too-large": (too_large, {}),
    "another-article": (another_article, {}),
    "pdf": (printed, {}),
    "right-sentence": (right_sentence, {}),
    "zoomed": (answer, {"viewport": ZOOMED}),
}
LIBRARY_STATES: dict[str, tuple[Callable[[Page], None] | None, dict[str, object]]] = {
    "library": (answer, {}),
    "library-filters": (catalogue, {}),
    "library-phone": (sheet_open, {"viewport": PHONE, "has_touch": True}),
}
SLOW_STATES: dict[str, tuple[Callable[[Page], None] | None, dict[str, object]]] = {
    "pending": (sent, {}),
    "second-question": (sent_twice, {}),
}


@contextmanager
def archive(folder: Path) -> Iterator[Path]:
    """A library of the bundled article and two small ones."""
    library = Library.open(folder / "archive")
    library.add([replace(bundled_article(), authors=("Sayujya S",))], tags=["technology"])
    for title, text, day in (
        ("Council buys cameras for the harbour", CAMERAS, "2022-03-01"),
        ("Why the sea rises twice a day", TIDES, "2021-05-18"),
    ):
        article = article_from_text(text, title=title)
        known = replace(article, authors=("Ada Brook",), site="Herald", published=day)
        library.add([known], tags=["sea"])
    library.close()
    yield folder / "archive"


def keep(page: Page, path: Path) -> None:
    """One picture, in few colours: it lies in the repository."""
    page.screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(96, dither=Image.Dither.NONE).save(path, optimize=True)


def take(browser: Browser, url: str, folder: Path, name: str, **options: object) -> None:
    """One picture, once scrolling has come to rest."""
    act, viewport = {**STATES, **LIBRARY_STATES, **SLOW_STATES}[name]
    with visiting(browser, url, **{"viewport": DESK} | viewport | options) as page:
        if act:
            act(page)
        page.wait_for_timeout(1000)
        keep(page, folder / f"{name}.png")


def lost(browser: Browser, folder: Path, scratch: Path) -> None:
    """A server that ends under an open page, and is back."""
    page = browser.new_context(viewport=DESK).new_page()  # type: ignore[arg-type]
    port = free_port()
    with serving(scratch, port=port) as server:
        page.goto(server.url)
        wait_until_shown(page)
        ask(page, REKOGNITION)
    page.fill("#question textarea", "What did Gender Shades find?")
    page.press("#question textarea", "Enter")
    page.wait_for_timeout(4000)
    keep(page, folder / "lost-server.png")
    with serving(scratch, port=port):
        page.wait_for_selector(".turn[data-turn='1']")
        page.wait_for_timeout(1000)
        keep(page, folder / "server-back.png")


def main() -> None:
    """Write a picture of each state into a folder, or of those that are named."""
    folder = Path(sys.argv[1])
    names = sys.argv[2:] or [*STATES, *LIBRARY_STATES, *SLOW_STATES, "lost-server"]
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        browser = stack.enter_context(browsing())
        server = stack.enter_context(serving(scratch))
        for name in (name for name in names if name in STATES):
            take(browser, server.url, folder, name)
        path = stack.enter_context(archive(scratch))
        library = stack.enter_context(serving(scratch, "--library", str(path)))
        for name in (name for name in names if name in LIBRARY_STATES):
            take(browser, library.url, folder, name)
        # Answers come too fast for a picture of waiting.
        slow = stack.enter_context(serving(scratch, program=("-c", SLOW)))
        for name in (name for name in names if name in SLOW_STATES):
            take(browser, slow.url, folder, name)
        if "lost-server" in names:
            lost(browser, folder, scratch)


if __name__ == "__main__":
    main()
