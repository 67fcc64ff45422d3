"""The chat page in a real browser, from the question to the sentence and back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from fpdf import FPDF
from playwright.sync_api import Browser, Locator, Page, expect

from index.reading.reader import bundled_article
from qa.cli import main
from tests.support.served import (
    MONGOLIA,
    PATIENCE,
    REKOGNITION,
    Server,
    ask,
    axe_findings,
    back_to_first,
    free_port,
    open_text,
    serving,
    visiting,
    wait_until_shown,
)

PHONE = {"width": 390, "height": 844}
HARBOUR_IN_ARABIC = "قالت المدينة يوم الثلاثاء إن الميناء سيغلق في مارس. ويعمل فيه مئة عامل."
TIDES = """\
Why the sea rises twice a day

By Ada Brook

The Moon pulls the water on the near side of the Earth more strongly than it pulls the Earth.

Two bulges

A second bulge stands on the far side, where the Moon pulls the water least of all. \
Fishermen in Brittany print the times of high water in almanacs every winter.
"""


@pytest.fixture(scope="module")
def server(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


def in_sight(target: Locator) -> bool:
    """Whether all of an element is visible: inside the window and not scrolled out of its pane."""
    seen = """(element) => new Promise((resolve) => {
        const watch = new IntersectionObserver(([entry]) => {
            watch.disconnect(); resolve(entry.intersectionRatio > 0.98);
        });
        watch.observe(element);
    })"""
    target.page.wait_for_timeout(800)  # scrolling is smooth
    return bool(target.evaluate(seen))


# ---- asking ----


def test_a_question_is_answered_by_a_sentence_of_the_article(page: Page) -> None:
    ask(page, REKOGNITION)
    cited = page.locator("#article .unit.cited[data-numbers='1']")
    assert cited.inner_text() in bundled_article().text
    expect(page.locator(".best")).to_contain_text(cited.inner_text())
    expect(page.locator(".confidence")).to_have_text(re.compile("^The article (says|may say) so"))
    expect(page.locator("#question textarea")).to_have_value("")


def test_the_exact_words_are_marked_in_the_answer_and_in_the_article(page: Page) -> None:
    ask(page, "What have civil liberties advocates warned?")
    expect(page.locator(".confidence")).to_have_text("The article says so")
    words = page.locator(".best mark").inner_text()
    expect(page.locator("#article .exact")).to_have_text(words)
    expect(page.locator("#article .unit.first .exact")).to_have_count(1)
    ask(page, MONGOLIA)  # of which the article says nothing
    expect(page.locator("#article .exact")).to_have_count(0)
    page.locator(".turn[data-turn='0'] .best .cite").click()
    expect(page.locator("#article .exact")).to_have_text(words)


def test_thanks_are_answered_with_a_kind_line(page: Page) -> None:
    ask(page, "Thank you!")
    expect(page.locator(".silent")).to_have_text("You are welcome.")
    expect(page.locator(".thumb, .cite")).to_have_count(0)


def test_what_the_article_does_not_say_is_said_so(page: Page) -> None:
    ask(page, MONGOLIA)
    expect(page.locator(".silent")).to_have_text("The article does not say")
    expect(page.locator(".others li").first).to_be_hidden()
    expect(page.locator(".unit[data-numbers]")).to_have_count(0)
    page.locator(".closest summary").click()
    page.locator(".closest .cite").first.click()
    expect(page.locator(".unit.current")).to_be_focused()


def test_a_suggestion_asks_itself_and_is_not_offered_again(page: Page) -> None:
    suggestion = page.locator(".suggestion").first
    question = suggestion.inner_text()
    suggestion.click()
    expect(page.locator(".turn[data-turn='0'] .question")).to_have_text(question)
    expect(page.locator(".suggestion").first).to_be_visible()
    assert question not in page.locator(".suggestion").all_inner_texts()


@pytest.mark.parametrize(
    ("question", "words"),
    [("", "is empty"), ("?!…", "is empty"), ("why " * 600, "at most 2,000")],
    ids=["empty", "no word", "too long"],
)
def test_a_question_that_cannot_be_asked_is_met_in_words(
    page: Page, question: str, words: str
) -> None:
    page.fill("#question textarea", question)
    page.click("#ask")
    expect(page.locator(".notice[role='alert']:visible")).to_contain_text(words)
    expect(page.locator("#question textarea")).to_have_value(question)


def test_a_thousand_lines_are_refused_and_kept_for_mending(page: Page) -> None:
    page.fill("#question textarea", "line\n" * 1000)
    page.click("#ask")
    expect(page.locator(".notice:visible")).to_contain_text("shorten it")
    assert in_sight(page.locator("#ask"))


def test_a_second_question_follows_the_first(page: Page) -> None:
    ask(page, REKOGNITION)
    ask(page, "What did Gender Shades find?")
    expect(page.locator(".turn[data-turn]")).to_have_count(2)
    assert in_sight(page.locator(".turn[data-turn='1'] .question"))


def test_a_question_sent_the_instant_an_answer_appears_is_answered(page: Page) -> None:
    page.fill("#question textarea", REKOGNITION)
    # Sooner than any reader: in the very task in which the page draws the answer.
    page.evaluate(
        """() => new MutationObserver((_, observer) => {
            if (!document.querySelector(".turn[data-turn='0'] .best")) return;
            observer.disconnect();
            articlePage.put("What did Gender Shades find?");
            document.querySelector("#ask").click();
        }).observe(document, { childList: true, subtree: true })"""
    )
    page.press("#question textarea", "Enter")
    expect(page.locator(".turn[data-turn='1'] .question")).to_have_text(
        "What did Gender Shades find?"
    )
    expect(page.locator(".turn[data-turn]")).to_have_count(2)


@pytest.mark.parametrize("n", [2, 3])
def test_questions_sent_at_once_are_answered_one_after_the_other(page: Page, n: int) -> None:
    sent = [REKOGNITION, "What did Gender Shades find?", "Who is Nathan Freed Wessler?"][:n]
    for question in sent:
        page.fill("#question textarea", question)
        page.press("#question textarea", "Enter")
    expect(page.locator(".turn[data-turn] .question")).to_have_text(sent)
    expect(page.locator("#question textarea")).to_have_value("")
    page.wait_for_timeout(1500)
    expect(page.locator(".turn")).to_have_count(n)
    expect(page.locator(".notice:visible")).to_have_count(0)


def test_enter_pressed_twice_asks_once(page: Page) -> None:
    page.fill("#question textarea", REKOGNITION)
    for _ in range(3):
        page.press("#question textarea", "Enter")
    expect(page.locator(".turn[data-turn='0'] .best")).to_be_visible()
    page.wait_for_timeout(1500)
    page.press("#question textarea", "Enter")  # in the box that the question has left
    page.wait_for_timeout(500)
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".notice:visible")).to_have_count(0)


def test_a_follow_up_can_be_asked_alone(page: Page) -> None:
    ask(page, REKOGNITION)
    ask(page, "Why?")
    expect(page.locator(".turn[data-turn='1'] .read-as")).to_contain_text("following")
    page.get_by_role("button", name="Ask it alone").click()
    again = page.locator(".turn[data-turn='2']")
    expect(again.locator(".question")).to_have_text("Why?")
    expect(again.locator(".read-as")).to_have_count(0)
    ask(page, "When?")  # what comes next is read after those before it as ever
    expect(page.locator(".turn[data-turn='3'] .read-as")).to_contain_text("following")


def test_on_a_slow_network_the_page_is_there_and_takes_a_question_before_it_is_ready(
    tab: Page, server: Server
) -> None:
    network = tab.context.new_cdp_session(tab)
    network.send("Network.enable")
    slow = {"latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
    network.send("Network.emulateNetworkConditions", {"offline": False, **slow})
    tab.goto(server.url, wait_until="commit")
    expect(tab.locator("#article h2")).to_have_text(bundled_article().title or "")
    tab.fill("#question textarea", "Who wrote this article?")
    tab.press("#question textarea", "Enter")
    expect(tab.locator(".turn.pending .question")).to_have_text("Who wrote this article?")
    tab.fill("#question textarea", "And a half ques")
    assert not tab.evaluate("articlePage.ready()")
    wait_until_shown(tab)
    expect(tab.locator(".turn[data-turn='0'] .best")).to_contain_text("Sayujya S")
    expect(tab.locator(".turn")).to_have_count(1)
    expect(tab.locator("#question textarea")).to_have_value("And a half ques")


# ---- citations ----


def test_every_citation_leads_to_its_sentence(page: Page) -> None:
    ask(page, REKOGNITION)
    page.locator(".also summary").click()
    cites = page.locator(".cite")
    assert cites.count() >= 3
    for cite in cites.all():
        cite.click()
        unit = page.locator(f"#article #u{cite.get_attribute('data-start')}")
        assert in_sight(unit)
        expect(unit).to_be_focused()
        quote = bundled_article().text[
            int(cite.get_attribute("data-start") or -1) : int(cite.get_attribute("data-end") or -1)
        ]
        assert unit.text_content() == quote


def test_the_keyboard_alone_reads_the_evidence_and_comes_back(page: Page) -> None:
    ask(page, REKOGNITION)
    page.locator(".best .cite").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".unit.current")).to_be_focused()
    expect(page.locator(".unit.current")).to_have_attribute("data-numbers", "1")
    page.keyboard.press("n")
    expect(page.locator(".unit.current")).to_have_attribute("data-numbers", "2")
    page.keyboard.press("p")
    expect(page.locator(".unit.current")).to_have_attribute("data-numbers", "1")
    page.keyboard.press("Escape")
    expect(page.locator("#question textarea")).to_be_focused()


def test_buttons_walk_through_the_evidence(page: Page) -> None:
    ask(page, REKOGNITION)
    expect(page.locator("#evidence .count")).to_have_text(re.compile("^1 of "))
    page.get_by_role("button", name="Next sentence").click()
    expect(page.locator(".unit.current")).to_have_attribute("data-numbers", "2")
    page.get_by_role("button", name="Previous sentence").click()
    expect(page.locator(".unit.current")).to_have_attribute("data-numbers", "1")
    page.get_by_role("button", name="Back to question").click()
    expect(page.locator("#question textarea")).to_be_focused()


def test_a_sentence_of_the_article_tells_which_citations_use_it(page: Page) -> None:
    ask(page, REKOGNITION)
    page.locator(".unit[data-numbers='2']").click()
    expect(page.locator("#evidence .count")).to_have_text("Cited as 2 of question 1")
    expect(page.locator(".cite.current")).to_have_text("2")
    page.locator(".unit:not([data-numbers])").first.click()
    expect(page.locator("#evidence .count")).to_have_text("Not cited in this conversation")


def test_an_earlier_answer_shows_its_own_evidence_again(page: Page) -> None:
    ask(page, REKOGNITION)
    first = page.locator(".unit[data-numbers='1']").get_attribute("id")
    ask(page, "What did Nathan Freed Wessler say?")
    assert page.locator(".unit[data-numbers='1']").get_attribute("id") != first
    page.locator(".turn[data-turn='0'] .best .cite").click()
    assert page.locator(".unit[data-numbers='1']").get_attribute("id") == first


# ---- other articles ----


def test_a_pasted_article_is_asked_and_the_first_is_one_click_back(page: Page) -> None:
    open_text(page, TIDES)
    expect(page.locator("#article h2")).to_have_text("Why the sea rises twice a day")
    ask(page, "Who prints the times of high water?")
    expect(page.locator(".best")).to_contain_text("Fishermen in Brittany")
    back_to_first(page)
    expect(page.locator("#article h2")).to_have_text(bundled_article().title or "")
    expect(page.locator(".turn")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#article h2")).to_have_text("Why the sea rises twice a day")
    expect(page.locator(".best")).to_contain_text("Fishermen in Brittany")


def test_an_uploaded_file_is_asked(page: Page) -> None:
    page.click("#open-button")
    page.set_input_files(
        "#files",
        {"name": "t.txt", "mimeType": "text/plain", "buffer": TIDES.encode()},
    )
    expect(page.locator("#article h2")).to_have_text(
        "Why the sea rises twice a day", timeout=60_000
    )


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0", "picture.png is a binary file"),
        ("empty.txt", b"  \n ", "could be cited"),
    ],
)
def test_a_file_that_is_no_article_is_refused_in_words(
    page: Page, name: str, data: bytes, words: str
) -> None:
    page.click("#open-button")
    page.set_input_files("#files", {"name": name, "mimeType": "text/plain", "buffer": data})
    expect(page.locator("#status")).to_contain_text(words, ignore_case=True)
    expect(page.locator("#article h2")).to_have_text(bundled_article().title or "")


def test_two_visits_never_see_each_other(browser: Browser, server: Server) -> None:
    with visiting(browser, server.url) as one, visiting(browser, server.url) as two:
        open_text(one, TIDES)
        ask(two, REKOGNITION)
        ask(one, "Who prints the times of high water?")
        ask(two, "Who wrote this article?")
        expect(one.locator(".best")).to_contain_text("Fishermen")
        expect(two.locator(".turn[data-turn='1'] .best")).to_contain_text("Sayujya S")
        expect(one.locator(".question")).to_have_count(1)
        expect(two.locator(".question")).to_have_count(2)


# ---- nothing a reader did is lost ----


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A tab that outlives its server."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def visit(tab: Page, server: Server) -> Page:
    tab.goto(server.url)
    wait_until_shown(tab)
    return tab


def test_a_reload_keeps_conversation_article_verdict_folds_and_draft(page: Page) -> None:
    open_text(page, TIDES)
    ask(page, "Who prints the times of high water?")
    page.locator(".thumb[data-verdict='right']").click()
    page.locator(".why summary").click()
    page.fill("#question textarea", "And in")
    page.wait_for_timeout(300)
    for leave in (page.reload, lambda: page.goto("about:blank")):
        leave()
        if page.url == "about:blank":
            page.go_back()
        expect(page.locator(".turn[data-turn='0'] .best")).to_contain_text("Fishermen in Brittany")
        expect(page.locator("#article h2")).to_have_text("Why the sea rises twice a day")
        expect(page.locator(".thumb[data-verdict='right']")).to_have_attribute(
            "aria-pressed", "true"
        )
        expect(page.locator(".why[open]")).to_have_count(1)
        expect(page.locator("#question textarea")).to_have_value("And in")
    ask(page, "Where does the second bulge stand?")
    expect(page.locator(".turn[data-turn='1'] .best")).to_contain_text("second bulge")


def test_a_restart_of_the_server_loses_neither_conversation_nor_article(
    tab: Page, cache: Path, tmp_path: Path
) -> None:
    port = free_port()
    with serving(tmp_path, port=port) as server:
        visit(tab, server)
        open_text(tab, TIDES)
        ask(tab, "Who prints the times of high water?")
    tab.fill("#question textarea", "Where does the second bulge stand?")
    tab.press("#question textarea", "Enter")
    told = tab.get_by_role("alert").filter(has_text="connection to the server is lost")
    expect(told).to_be_visible()
    with tab.expect_download() as download:  # what was answered needs no server
        tab.get_by_role("button", name="JSON", exact=True).click()
    assert len(json.loads(Path(download.value.path()).read_text())["answers"]) == 1
    with serving(tmp_path, port=port):
        # The question that met no server is asked as soon as there is one.
        expect(tab.locator(".turn[data-turn='1'] .best")).to_contain_text("second bulge")
        expect(told).to_be_hidden()
        expect(tab.locator("#article h2")).to_have_text("Why the sea rises twice a day")


def test_a_drop_at_the_moment_of_asking_costs_no_more_than_the_wait(
    tab: Page, server: Server
) -> None:
    visit(tab, server)
    ask(tab, REKOGNITION)
    tab.context.set_offline(True)
    tab.fill("#question textarea", "Who wrote this article?")
    tab.press("#question textarea", "Enter")
    tab.wait_for_timeout(300)
    tab.context.set_offline(False)
    expect(tab.locator(".turn[data-turn='1'] .best")).to_contain_text("Sayujya S")
    expect(tab.locator(".turn")).to_have_count(2)


def test_a_page_closed_while_it_asks_goes_on_when_it_is_opened_again(
    tab: Page, server: Server
) -> None:
    visit(tab, server)
    tab.context.set_offline(True)
    tab.fill("#question textarea", "Who wrote this article?")
    tab.press("#question textarea", "Enter")
    expect(tab.locator(".turn.pending")).to_be_visible()
    tab.wait_for_timeout(500)
    tab.context.set_offline(False)
    tab.reload()
    expect(tab.locator(".turn[data-turn='0'] .best")).to_contain_text("Sayujya S")
    expect(tab.locator(".turn")).to_have_count(1)


def test_two_tabs_show_one_conversation_alike(tab: Page, server: Server) -> None:
    visit(tab, server)
    ask(tab, REKOGNITION)
    other = tab.context.new_page()
    visit(other, server)
    other.click("#switch")
    other.locator("#menu .entry", has_text=REKOGNITION).click()
    ask(other, "Who wrote this article?")
    expect(tab.locator(".turn[data-turn='1'] .best")).to_contain_text("Sayujya S")
    expect(tab.locator(".turn")).to_have_count(2)


def test_new_conversations_and_deleted_turns_can_be_undone(page: Page) -> None:
    ask(page, REKOGNITION)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".question")).to_have_text([REKOGNITION])
    page.locator(".more summary").click()
    page.locator(".turn .delete").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("#question textarea")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".question")).to_have_text([REKOGNITION])


def test_past_conversations_are_listed_and_deleted_one_by_one_or_all(page: Page) -> None:
    for question in (REKOGNITION, "Who wrote this article?"):
        ask(page, question)
        page.get_by_role("button", name="New conversation").click()
        expect(page.locator(".turn")).to_have_count(0)
    page.click("#switch")
    past = page.locator("#menu .entry")
    expect(past).to_have_count(3)  # the article, and two conversations
    page.get_by_role("button", name=f"Delete {REKOGNITION}").click()
    expect(past).to_have_count(2)
    past.last.click()
    expect(page.locator(".question")).to_have_text(["Who wrote this article?"])
    page.click("#switch")
    page.get_by_role("button", name="Delete all").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.reload()
    page.click("#switch")
    expect(past).to_have_count(1)


def test_a_suggestion_leaves_what_is_being_typed(page: Page) -> None:
    page.fill("#question textarea", "Half a ques")
    page.locator(".suggestion").first.click()
    expect(page.locator(".turn[data-turn='0'] .question")).to_be_visible()
    expect(page.locator("#question textarea")).to_have_value("Half a ques")


def test_the_arrow_up_brings_the_last_question_back(page: Page) -> None:
    ask(page, REKOGNITION)
    page.press("#question textarea", "ArrowUp")
    expect(page.locator("#question textarea")).to_have_value(REKOGNITION)


def test_the_two_hundredth_question_costs_little_more_than_the_first(page: Page) -> None:
    ask(page, REKOGNITION)
    page.evaluate(
        """async () => {
            const [one] = await articleStore.all("turns");
            for (let n = 100; n < 299; n++)
                await articleStore.put("turns", { ...one, id: `${one.id}-${n}` });
        }"""
    )
    page.reload()
    expect(page.locator(".turn[data-turn]")).to_have_count(200)
    sent: list[int] = []
    page.on("request", lambda r: sent.append(len(r.post_data or "")) if "page_ask" in r.url else 0)
    ask(page, "Who wrote this article?")
    assert 0 < max(sent) < 60_000


# ---- documents ----

FERRY = """\
<html><head><title>Prices of the ferry</title></head><body><article><h1>Prices of the ferry</h1>
<p>The ferry of Velm has new prices from Monday on, said the harbour master in a letter.</p>
<table><tr><th>Who</th><th>One way</th></tr><tr><td>Adults</td><td>12 euros</td></tr>
<tr><td>Children</td><td>7 euros</td></tr></table><p>To book a place, run this program:</p>
<pre><code>def book(name):
    return ferry.book(name)</code></pre></article></body></html>
"""


def open_file(page: Page, name: str, data: bytes, title: str) -> None:
    page.click("#open-button")
    page.set_input_files("#files", {"name": name, "mimeType": "", "buffer": data})
    expect(page.locator("#switch .title")).to_have_text(title)
    expect(page.locator("#open")).to_be_hidden()


def test_a_pdf_is_shown_as_its_pages_with_the_sentence_drawn_on_them(page: Page) -> None:
    pdf = FPDF()
    pdf.set_font("times", size=12)
    for n in range(30):
        pdf.add_page()
        pdf.set_y(100)
        pdf.multi_cell(0, 6, f"Berth {n} of the harbour costs {n + 20} crowns a night.")
    open_file(page, "harbour.pdf", bytes(pdf.output()), "harbour.pdf")
    sheets = page.locator("#article .sheet")
    expect(sheets).to_have_count(30)
    expect(sheets.first.locator("img")).to_have_attribute("src", re.compile("^data:image/webp"))
    assert sheets.last.locator("img").get_attribute("src") is None  # not before it is needed
    ask(page, "How much does berth 27 cost?")
    page.locator(".best .cite").click()
    current = page.locator(".sheet[data-page='28'] .unit.first.current")
    expect(current).to_be_focused()
    assert in_sight(current.locator("rect").first)
    expect(sheets.nth(27).locator("img")).to_have_attribute("src", re.compile("^data:image/webp"))
    expect(current).to_have_text("Berth 27 of the harbour costs 47 crowns a night.")
    page.click("#view")
    expect(page.locator(".text .unit.first")).to_be_visible()
    expect(sheets.first).to_be_hidden()
    page.reload()
    expect(sheets.nth(27).locator("img")).to_have_attribute("src", re.compile("^data:image/webp"))


def test_a_table_is_a_table_and_code_keeps_its_indentation(page: Page) -> None:
    open_file(page, "ferry.html", FERRY.encode(), "Prices of the ferry")
    expect(page.locator("#article th")).to_have_count(2)
    cells = page.locator("#article td").all_inner_texts()
    assert cells == ["Adults", "12 euros", "Children", "7 euros"]
    code = page.locator("#article pre")
    assert code.inner_text() == "def book(name):\n    return ferry.book(name)"
    assert "mono" in code.evaluate("(pre) => getComputedStyle(pre).fontFamily")
    ask(page, "What do children pay one way?")
    row = page.locator("#article tr", has_text="Children")
    expect(row.locator(".unit.first")).to_have_count(3)  # two cells, and what parts them
    page.locator(".best .cite").click()
    expect(row.locator(".unit.current").first).to_be_focused()


# ---- opening ----


def test_files_dropped_anywhere_are_asked_together_or_one_by_one(page: Page) -> None:
    page.evaluate(
        """(text) => {
            const given = new DataTransfer();
            given.items.add(new File([text], "tides.txt", { type: "text/plain" }));
            given.items.add(new File(["Harbour\\n\\nThe harbour closes in March."], "harbour.txt"));
            document.body.dispatchEvent(
                new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true }));
        }""",
        TIDES,
    )
    # Several are a small library of the visit: asked together, or one by one.
    expect(page.locator("#article h2")).to_have_text("2 articles")
    ask(page, "Who prints the times of high water?")
    expect(page.locator(".best")).to_contain_text("Fishermen in Brittany")
    expect(page.locator(".sure cite")).to_contain_text("Why the sea rises")
    ask(page, "When does the harbour close?")
    expect(page.locator("#article .unit.first")).to_have_text("The harbour closes in March.")
    page.locator(".only").click()
    expect(page.locator("#filters .asked")).to_have_text("only “Harbour”")
    page.reload()
    expect(page.locator("#filters .asked")).to_have_text("all articles")
    expect(page.locator(".turn[data-turn='1'] .best")).to_contain_text("March")
    page.click("#switch")
    page.locator("#menu .entry", has_text="sea rises").first.click()
    expect(page.locator("#article h2")).to_have_text("Why the sea rises twice a day")


def test_what_is_being_opened_can_be_cancelled(page: Page) -> None:
    page.route("**/gradio_api/call/page_open", lambda route: None)  # it takes its time
    page.click("#open-button")
    page.get_by_label("Text of an article").fill(TIDES)
    page.click("#open-this")
    expect(page.locator("#news .text")).to_have_text("Reading the text…")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#news .text")).to_contain_text("Cancelled")
    ask(page, REKOGNITION)
    expect(page.locator("#article h2")).to_have_text(bundled_article().title or "")


def test_an_address_typed_as_a_question_is_offered_to_be_opened(page: Page) -> None:
    page.fill("#question textarea", "127.0.0.1.example.invalid/news")
    page.press("#question textarea", "Enter")
    page.get_by_role("button", name="Open it").click()
    expect(page.locator("#news.wrong")).to_contain_text("127.0.0.1.example.invalid")
    expect(page.locator("#article h2")).to_have_text(bundled_article().title or "")


def test_a_link_asks_its_question_and_another_opens_a_place(page: Page, server: Server) -> None:
    page.goto(f"{server.url}?q=Who+wrote+this+article%3F")
    expect(page.locator(".best")).to_contain_text("Sayujya S")
    unit = page.locator("#article .unit").nth(12)
    start, end = (unit.get_attribute(f"data-{side}") for side in ("start", "end"))
    page.goto("about:blank")
    page.goto(f"{server.url}#cite={start}-{end}")
    expect(unit).to_be_focused()


def test_the_article_is_searched(page: Page) -> None:
    page.fill("#search", "rekognition")
    expect(page.locator("#tools .hits")).to_have_text(re.compile(r"^1 of \d"))
    page.press("#search", "Enter")
    expect(page.locator("#tools .hits")).to_have_text(re.compile(r"^2 of \d"))
    page.locator("#article-pane section").focus()
    page.keyboard.press("n")
    expect(page.locator("#tools .hits")).to_have_text(re.compile(r"^3 of \d"))
    page.keyboard.press("p")
    expect(page.locator("#tools .hits")).to_have_text(re.compile(r"^2 of \d"))
    page.fill("#search", "Mongolia")
    expect(page.locator("#tools .hits")).to_have_text("No hits")


def test_a_table_of_contents_leads_to_each_part_and_back(page: Page) -> None:
    expect(page.locator("#contents")).to_be_hidden()  # of two headings there is none
    parts = "".join(f"## Part {n}\n\n{'A sentence of it. ' * 150}\n\n" for n in range(1, 6))
    open_file(page, "parts.md", f"# Parts\n\n{parts}".encode(), "Parts")
    page.locator("#contents summary").click()
    page.locator("#contents").get_by_role("button", name="Part 4").click()
    heading = page.locator("#article .heading .unit", has_text="Part 4")
    expect(heading).to_be_focused()
    assert in_sight(heading)
    page.get_by_role("button", name="Back to where I was").click()
    expect(page.locator("#article .heading").first).to_be_in_viewport()


def test_what_is_written_from_right_to_left_is_shown_so(page: Page) -> None:
    open_text(page, HARBOUR_IN_ARABIC)
    ask(page, "متى سيغلق الميناء؟")
    expect(page.locator("#question textarea")).to_have_attribute("dir", "auto")
    for place in ("#article p", ".turn .question", ".turn .best"):
        text = page.locator(place).first
        expect(text).to_be_visible()
        # The first line begins at the right edge of what it stands in.
        first, around = text.evaluate("""(place) => {
            const range = document.createRange();
            range.selectNodeContents(place);
            return [range.getClientRects()[0].right, place.getBoundingClientRect().right];
        }""")
        assert around - first < 40, place
    assert page.evaluate("getComputedStyle(document.body).direction") == "ltr"  # the page's own


# ---- taking away, saying what was right ----


def test_a_quote_is_copied_with_its_source(browser: Browser, server: Server) -> None:
    with visiting(browser, server.url, permissions=["clipboard-read", "clipboard-write"]) as page:
        ask(page, "Who wrote this article?")
        page.get_by_role("button", name="Copy: quote 1").click()
        expect(page.locator(".copy.done")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == "“By Sayujya S, Desk Reporter”\n— " + (
            f"{bundled_article().title}, Sayujya S"
        )
        page.locator(".more summary").click()
        page.get_by_role("button", name="Markdown: quote 1").click()
        assert page.evaluate("navigator.clipboard.readText()").startswith("> By Sayujya S")


@pytest.mark.parametrize("form", ["md", "html", "json"])
def test_every_form_of_a_saved_conversation_stands_up_to_verification(
    page: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    ask(page, REKOGNITION)
    ask(page, MONGOLIA)
    with page.expect_download() as download:
        page.locator(f"[data-save='{form}']").click()
    assert download.value.suggested_filename == f"conversation.{form}"
    download.value.save_as(tmp_path / "saved")
    text = (tmp_path / "saved").read_text(encoding="utf-8")
    assert text.count(bundled_article().hash) <= 2  # to read, and to check
    if form != "json":
        assert bundled_article().title in text
        assert "Asked on " in text
        assert "The article may say so" in text
    assert main(["verify", str(tmp_path / "saved")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 6
    assert {line.split()[0] for line in lines} == {"stands"}


def test_a_verdict_becomes_a_line_of_a_question_set(page: Page, server: Server) -> None:
    ask(page, "Which firm follows the rules?")
    page.locator(".thumb[data-verdict='wrong']").click()
    page.locator(".unit", has_text="Rival software company Microsoft").first.click()
    page.get_by_role("button", name="This is the right one").click()
    expect(page.locator("#evidence .count")).to_have_text("Noted as the right sentence")
    page.wait_for_timeout(500)
    lines = [json.loads(line) for line in server.feedback.read_text().splitlines()]
    wrong, right = lines[-2:]
    assert wrong["verdict"] == "wrong"
    assert right["verdict"] == "corrected"
    assert right["answerable"] is True
    assert right["gold"][0].startswith("Rival software company Microsoft")


# ---- looks and access ----


def test_on_a_phone_the_article_is_a_sheet_that_a_citation_raises(
    browser: Browser, server: Server
) -> None:
    with visiting(browser, server.url, viewport={"width": 390, "height": 844}) as page:
        handle = page.locator("#sheet-handle")
        expect(handle).to_have_attribute("aria-expanded", "false")
        expect(page.locator("#article")).to_be_hidden()
        ask(page, REKOGNITION)
        page.locator(".best .cite").click()
        expect(handle).to_have_attribute("aria-expanded", "true")
        assert in_sight(page.locator(".unit.current"))
        handle.click()
        expect(page.locator("#article")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_zoomed_to_200_percent_nothing_is_cut_off(browser: Browser, server: Server) -> None:
    with visiting(browser, server.url, viewport={"width": 640, "height": 400}) as page:
        ask(page, REKOGNITION)
        assert in_sight(page.locator("#ask"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 640


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_never_shown_in_the_wrong_scheme(
    browser: Browser, server: Server, scheme: str
) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.add_init_script(
        """globalThis.grounds = [];
        const look = () => {
            if (document.body) {
                const ground = getComputedStyle(document.body).backgroundColor;
                if (ground !== grounds.at(-1)) grounds.push(ground);
            }
            requestAnimationFrame(look);
        };
        look();"""
    )
    page.goto(server.url)
    wait_until_shown(page)
    page.wait_for_timeout(500)
    expected = {"light": "rgb(251, 250, 247)", "dark": "rgb(22, 24, 26)"}[scheme]
    assert page.evaluate("grounds") == [expected]
    context.close()


def test_a_chosen_scheme_holds_against_the_system_and_is_remembered(
    browser: Browser, server: Server
) -> None:
    light, dark = "rgb(251, 250, 247)", "rgb(22, 24, 26)"
    with visiting(browser, server.url, color_scheme="light") as page:
        ground = "getComputedStyle(document.body).backgroundColor"
        page.click("#scheme")
        assert page.evaluate(ground) == dark
        page.add_init_script(
            f"""globalThis.grounds = new Set();
            (function look() {{
                if (document.body) grounds.add({ground});
                requestAnimationFrame(look);
            }})();"""
        )
        page.reload()
        wait_until_shown(page)
        page.wait_for_timeout(500)
        assert page.evaluate("[...grounds]") == [dark]
        expect(page.locator("#scheme")).to_have_attribute("aria-label", "Colours: dark")
        page.click("#scheme")
        page.click("#scheme")
        assert page.evaluate(ground) == light
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(f"{ground} === '{dark}'")


def test_nothing_moves_when_an_answer_arrives(page: Page) -> None:
    page.evaluate(
        """() => { globalThis.shift = 0;
        new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) globalThis.shift += entry.value;
        }).observe({ type: "layout-shift", buffered: false }); }"""
    )
    composer = page.locator("#composer").bounding_box()
    ask(page, REKOGNITION)
    page.wait_for_timeout(800)
    assert page.locator("#composer").bounding_box() == composer
    assert page.evaluate("globalThis.shift") < 0.1


def test_an_answer_is_announced(page: Page) -> None:
    ask(page, "Who wrote this article?")
    expect(page.get_by_role("status").filter(has_text="Sayujya")).to_have_count(1)


def test_the_sheet_follows_the_finger_and_closes_on_back_and_on_a_tap_outside(
    browser: Browser, server: Server
) -> None:
    with visiting(browser, server.url, viewport=PHONE) as page:
        handle = page.locator("#sheet-handle")
        expect(handle).to_have_text(bundled_article().title or "")
        page.mouse.move(195, 825)
        page.mouse.down()
        page.mouse.move(195, 500)
        expect(page.locator("#article h2")).to_be_visible()
        assert abs((handle.bounding_box() or {})["y"] - 480) < 60
        page.mouse.move(195, 400)
        page.mouse.up()
        expect(handle).to_have_attribute("aria-expanded", "true")
        page.go_back()
        expect(handle).to_have_attribute("aria-expanded", "false")
        handle.click()
        expect(handle).to_have_attribute("aria-expanded", "true")
        page.mouse.click(195, 150)
        expect(handle).to_have_attribute("aria-expanded", "false")


def test_on_a_phone_everything_can_be_touched_and_no_keyboard_hides_an_answer(
    browser: Browser, server: Server
) -> None:
    with visiting(browser, server.url, viewport=PHONE) as page:
        ask(page, REKOGNITION)
        expect(page.locator("#question textarea")).not_to_be_focused()
        page.locator(".best .cite").click()
        page.wait_for_timeout(500)
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, summary, input, select, textarea, a")]
                .filter((one) => one.checkVisibility({ visibilityProperty: true }))
                .filter((one) => !one.matches(".cite"))  // in a line, with room around it
                .map((one) => [one.outerHTML.slice(0, 60), one.getBoundingClientRect()])
                .filter(([, { width, height }]) => width < 44 || height < 44)"""
        )
        assert small == []


def test_at_four_times_the_size_there_is_room_for_the_conversation(
    browser: Browser, server: Server
) -> None:
    with visiting(browser, server.url, viewport={"width": 320, "height": 256}) as page:
        ask(page, REKOGNITION)
        page.locator(".best .cite").scroll_into_view_if_needed()
        assert in_sight(page.locator(".best .cite"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.locator(".best .cite").click()
        assert in_sight(page.locator("#evidence"))
        page.get_by_role("button", name="Back to question").click()
        expect(page.locator("#sheet-handle")).to_be_in_viewport()


def test_the_focus_never_falls_to_the_body(page: Page) -> None:
    page.locator(".suggestion").first.click()
    expect(page.locator(".turn[data-turn='0'] .best")).to_be_visible()

    def act(selector: str) -> None:
        page.locator(selector).last.click()
        page.wait_for_timeout(150)
        assert page.evaluate("document.activeElement.tagName") != "BODY", selector

    assert page.evaluate("document.activeElement.tagName") != "BODY"
    for selector in (
        ".best .cite",
        "#tools .return",
        ".unit:not([data-numbers])",
        ".right-one",
        ".thumb",
        ".more summary",
        ".turn .delete",
        "#news .act",
        "#new",
        "#news .act",
        "#switch",
        "#menu .entry",
    ):
        act(selector)


def test_forced_colours_keep_the_marks(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    ask(page, "What have civil liberties advocates warned?")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for mark in (".best mark", "#article .unit.first", "#article .exact"):
        shown = page.locator(mark).evaluate("(mark) => getComputedStyle(mark).backgroundColor")
        assert shown not in (ground, "rgba(0, 0, 0, 0)"), mark


def test_the_whole_conversation_and_article_are_printed(page: Page) -> None:
    for question in (REKOGNITION, MONGOLIA, "What did Gender Shades find?"):
        ask(page, question)
    printed = pdfium.PdfDocument(page.pdf())
    text = " ".join(sheet.get_textpage().get_text_range() for sheet in printed)
    text = " ".join(text.split())
    for words in (REKOGNITION, MONGOLIA, "The article does not say", "American eCommerce mammoth"):
        assert words in text
    assert "before selling its face recognition software to police." in text
    assert "Ask this article" not in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [(1280, 800), (390, 800), (320, 256)])
def test_axe_finds_nothing_in_any_state(
    browser: Browser, server: Server, scheme: str, viewport: tuple[int, int]
) -> None:
    size = dict(zip(("width", "height"), viewport, strict=True))
    with visiting(browser, server.url, color_scheme=scheme, viewport=size) as page:
        assert axe_findings(page) == []
        ask(page, "What have civil liberties advocates warned?")
        ask(page, MONGOLIA)
        page.locator(".closest summary").click()
        page.locator(".best .cite").click()
        assert axe_findings(page) == []
        for button in ("#open-button", "#switch", "#help"):
            page.keyboard.press("Escape")
            page.click(button)
            assert axe_findings(page) == []
