"""The page of a library: one question to all articles, each citation one click from its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from index.reading.plaintext import article_from_text
from qa import Library
from qa.sharing.verification import Standing, among, verify
from tests.support.served import (
    MONGOLIA,
    PATIENCE,
    Server,
    ask,
    axe_findings,
    back_to_first,
    serving,
    visiting,
)

HARBOUR = """\
The harbour of Brest is dredged

Dredgers began to deepen the harbour of Brest on Monday. The work will cost nine million euros.
"""
LANTERN = """\
A lantern for the lighthouse

The lighthouse of Ouessant has a new lantern. Its lamp shines thirty nautical miles over the sea.

The old lamp is kept in the museum, where children may climb the stairs to see it. The Creach \
Lighthouse was built in 1863.
"""
ORCHARD = """\
Cider makers fear the frost

A late frost destroyed half of the apple blossom in the orchards of Cornouaille. The cider makers
asked the region for help.
"""
OF_TWO = "What did the cider makers ask for, and when did dredgers begin?"


@pytest.fixture(scope="module")
def folder(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of three articles."""
    path = tmp_path_factory.mktemp("library") / "archive"
    library = Library.open(path)
    for text, author, site, day, tag in (
        (HARBOUR, "Ada Brook", "Herald", "2021-05-18", "sea"),
        (LANTERN, "Ida Stone", "Courier", "2022-03-01", "sea"),
        (ORCHARD, "Ada Brook", "Courier", "2023-04-20", "land"),
    ):
        article = article_from_text(text)
        known = type(article)(
            text=article.text,
            blocks=article.blocks,
            title=article.title,
            authors=(author,),
            site=site,
            published=day,
        )
        assert library.add([known], tags=[tag]).added
    library.close()
    return path


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served"), "--library", str(folder)) as server:
        yield server


def titles(page: Page) -> list[str]:
    return page.locator(".catalogue .entry").all_inner_texts()


def test_a_visit_begins_with_the_articles_there_are(page: Page) -> None:
    expect(page.locator("#article h2")).to_have_text("3 articles")
    assert len(titles(page)) == 3
    page.get_by_role("button", name="A lantern for the lighthouse").click()
    expect(page.locator("#article h2")).to_have_text("A lantern for the lighthouse")
    page.locator(".all-articles").click()
    expect(page.locator("#article h2")).to_have_text("3 articles")


def test_what_was_added_since_the_server_began_is_there_after_a_reload(
    tmp_path: Path, browser: Browser
) -> None:
    with Library.open(tmp_path / "empty"):
        pass
    with (
        serving(tmp_path, "--library", str(tmp_path / "empty")) as server,
        visiting(browser, server.url) as page,
    ):
        expect(page.locator("#article h2")).to_have_text("The library is empty")
        with Library.open(tmp_path / "empty") as library:
            library.add([article_from_text(HARBOUR)])
        page.reload()
        expect(page.locator("#article h2")).to_have_text("1 article")
        ask(page, "What does the work in the harbour cost?")
        expect(page.locator(".best")).to_contain_text("nine million euros")


def test_questions_are_suggested_about_the_newest_articles_and_then_about_what_was_cited(
    page: Page,
) -> None:
    suggested = page.locator(".suggestion")
    expect(suggested.first).to_be_visible()
    question = suggested.first.inner_text()
    suggested.first.click()
    expect(page.locator(".turn .question")).to_have_text(question)
    expect(page.locator(".best")).to_be_visible()
    assert question not in suggested.all_inner_texts()


def test_a_citation_names_its_article_and_opens_it_at_the_sentence(page: Page) -> None:
    ask(page, "How far does the lamp of the lighthouse shine?")
    expect(page.locator(".best")).to_contain_text("thirty nautical miles")
    expect(page.locator(".sure cite")).to_have_text("A lantern for the lighthouse · 1 March 2022")
    # The article of the best sentence is there with the answer, the question box keeps the focus.
    expect(page.locator(".unit[data-numbers='1']")).to_contain_text("thirty nautical miles")
    expect(page.locator("#question textarea")).to_be_focused()
    ask(page, OF_TWO)
    other = page.locator(".others li", has_text="Dredgers").locator(".cite")
    other.click()
    number = other.inner_text()
    expect(page.locator("#article h2").first).to_have_text("The harbour of Brest is dredged")
    current = page.locator(".unit.current")
    expect(current).to_be_focused()
    expect(current).to_have_attribute("data-numbers", number)
    page.locator(".turn[data-turn='0'] .best .cite").click()
    expect(current).to_contain_text("thirty nautical miles")


def test_the_keyboard_walks_through_evidence_in_several_articles(page: Page) -> None:
    ask(page, OF_TWO)
    page.locator(".best .cite").focus()
    page.keyboard.press("Enter")
    for number in range(2, page.locator(".cite").count() + 1):
        page.keyboard.press("n")
        current = page.locator(".unit.current")
        expect(current).to_have_attribute("data-numbers", str(number))
        expect(current).to_be_focused()


def test_a_filter_chooses_what_is_asked_and_shown(page: Page) -> None:
    page.locator("#filters summary").click()
    page.get_by_label("Author").fill("Ada Brook")
    page.get_by_label("Author").press("Tab")
    expect(page.locator("#article h2")).to_have_text("2 articles fit")
    expect(page.locator("#filters .asked")).to_have_text("only articles by Ada Brook")
    page.get_by_label("From").fill("2022-01-01")
    page.get_by_label("From").press("Tab")
    expect(page.locator("#article h2")).to_have_text("1 article fits")
    assert titles(page) == ["Cider makers fear the frost"]
    ask(page, "How far does the lamp of the lighthouse shine?")
    expect(page.locator(".silent")).to_have_text("The articles do not say")
    ask(page, "What did the frost destroy?")
    expect(page.locator(".turn[data-turn='1'] .best")).to_contain_text("apple blossom")
    page.locator("#filters .all").click()
    expect(page.locator("#filters .asked")).to_have_text("all articles")
    expect(page.locator("#article h2")).to_have_text("3 articles")


def test_a_filter_that_nothing_fits_says_so(page: Page) -> None:
    page.locator("#filters summary").click()
    page.get_by_label("Tag").fill("space")
    page.get_by_label("Tag").press("Tab")
    expect(page.locator("#article h2")).to_have_text("No article fits")
    ask(page, MONGOLIA)
    expect(page.locator(".silent")).to_have_text("The articles do not say")
    expect(page.locator(".closest")).to_have_count(0)


def test_a_filter_that_contradicts_itself_is_met_in_words(page: Page) -> None:
    page.locator("#filters summary").click()
    page.get_by_label("From").fill("2022-01-01")
    page.get_by_label("Until").fill("2021-01-01")
    page.get_by_label("Until").press("Tab")
    expect(page.locator("#article [role='alert']")).to_contain_text("swap them")
    page.fill("#question textarea", MONGOLIA)
    page.press("#question textarea", "Enter")
    expect(page.locator("#conversation [role='alert']")).to_contain_text("swap them")


def test_an_own_article_is_asked_and_the_library_is_one_click_back(page: Page) -> None:
    page.click("#open-button")
    page.get_by_label("Text of an article").fill("Tides\n\nThe Moon pulls the water.")
    page.click("#open-this")
    expect(page.locator("#article h2")).to_have_text("Tides")
    expect(page.locator("#filters")).to_have_count(0)
    ask(page, "What does the Moon pull?")
    expect(page.locator(".best")).to_contain_text("The Moon pulls the water.")
    back_to_first(page)
    expect(page.locator("#article h2")).to_have_text("3 articles")
    expect(page.locator("#filters")).to_have_count(1)


def test_an_export_quotes_each_article_by_its_hash(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    ask(page, "How far does the lamp of the lighthouse shine?")
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON", exact=True).click()
    download.value.save_as(tmp_path / "c.json")
    export = json.loads((tmp_path / "c.json").read_text())
    with Library.open(folder, create=False) as library:
        known = {entry.hash for entry in library.articles()}
        assert {article["hash"] for article in export["articles"].values()} <= known
        checks = verify(export, among(library.articles(), library.article))
    assert {check.standing for check in checks} == {Standing.STANDS}


def test_a_verdict_names_the_article_of_the_right_sentence(
    page: Page, server: Server, folder: Path
) -> None:
    ask(page, "How far does the lamp of the lighthouse shine?")
    page.locator(".unit", has_text="The old lamp is kept").click()
    page.get_by_role("button", name="This is the right one").click()
    expect(page.locator("#evidence .count")).to_have_text("Noted as the right sentence")
    page.wait_for_timeout(PATIENCE / 60)
    line = json.loads(server.feedback.read_text().splitlines()[-1])
    assert line["gold"][0].startswith("The old lamp is kept")
    library = Library.open(folder, create=False)
    assert line["article"] in {entry.hash for entry in library.articles()}
    library.close()


@pytest.mark.parametrize("viewport", [(1280, 800), (390, 800), (320, 256)])
def test_axe_finds_nothing_in_a_library(
    browser: Browser, server: Server, viewport: tuple[int, int]
) -> None:
    size = dict(zip(("width", "height"), viewport, strict=True))
    with visiting(browser, server.url, viewport=size) as page:
        assert axe_findings(page) == []
        page.locator("#filters summary").click()
        assert axe_findings(page) == []
        ask(page, "What will the work in Brest cost?")
        assert axe_findings(page) == []
