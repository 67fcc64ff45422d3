"""What the page asks of its server, and what comes back."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF

from qa import ArticleBot
from qa.answer import Answer
from qa.evaluation.formats import read_dataset
from qa.page import PageController
from qa.page.opened import OpenedArticles
from qa.page.source import ArticleSource
from qa.sharing.feedback import FeedbackFile

TIDES = "Tides\n\nThe Moon pulls the water. Fishermen print almanacs every winter."
EXAMPLES = ("Who wrote this article?", "Did Microsoft do the same?")
Json = dict[str, Any]


@pytest.fixture
def feedback(tmp_path: Path) -> FeedbackFile:
    return FeedbackFile(tmp_path / "feedback.jsonl")


@pytest.fixture
def opened() -> OpenedArticles:
    return OpenedArticles()


@pytest.fixture
def controller(bot: ArticleBot, feedback: FeedbackFile, opened: OpenedArticles) -> PageController:
    return PageController(
        ArticleSource(bot), opened=opened, examples=EXAMPLES, feedback=feedback, max_bytes=10_000
    )


def ask(controller: PageController, question: str, **more: Any) -> Json:
    served = {} if more.get("article") else {"key": controller.start()["key"]}
    return controller.ask({"question": question, **served, **more})


def open_article(controller: PageController, **request: Any) -> Json:
    *_, last = controller.open(request)
    return last


def test_an_answer_comes_as_html_for_the_page_and_as_values_to_be_kept(
    controller: PageController, bot: ArticleBot
) -> None:
    reply = ask(controller, "Who wrote this article?")
    answer = Answer.from_dict(reply["answer"])
    assert answer == bot.ask("Who wrote this article?")
    assert answer.citations[0].quote in reply["saved"]["md"]["sections"][0]
    assert 'class="best ' in reply["turn"]
    json.dumps(reply)


def test_a_question_that_cannot_be_asked_is_refused_in_words(controller: PageController) -> None:
    assert "The question is empty" in ask(controller, "?")["error"]


def test_suggestions_leave_out_what_was_asked(controller: PageController) -> None:
    suggested = ask(controller, "who wrote THIS article?")["next"]
    assert EXAMPLES[0] not in suggested
    assert EXAMPLES[1] in suggested


def test_a_question_leans_on_the_answers_that_the_page_sends(controller: PageController) -> None:
    first = ask(controller, "Why did Amazon halt police use of Rekognition?")["answer"]
    alone, after = ask(controller, "Why?"), ask(controller, "Why?", history=[first])
    assert alone["answer"]["interpreted_as"] is None
    assert "following" in after["answer"]["interpreted_as"]


@pytest.mark.parametrize("history", ["no list", [{}], [None], [{"schema": "other"}], 5])
def test_a_history_that_is_none_is_refused(controller: PageController, history: Any) -> None:
    assert "cannot be read" in ask(controller, "Why?", history=history)["error"]


def test_a_conversation_about_another_article_than_is_served_is_told_so(
    controller: PageController,
) -> None:
    assert "another article" in controller.ask({"question": "Why?", "key": "0" * 16})["error"]


def test_an_article_that_the_server_let_go_is_opened_again_from_what_the_browser_kept(
    controller: PageController, opened: OpenedArticles
) -> None:
    first = open_article(controller, text=TIDES)
    assert "Fishermen" in first["article"]
    assert ask(controller, "Who prints?", article="guess") == {"gone": True}
    record = json.loads(json.dumps(first["record"]))
    again = open_article(controller, record=record)
    assert again["id"] == first["id"]
    assert again["handle"] != first["handle"]
    answer = ask(controller, "Who prints almanacs?", article=again["handle"])["answer"]
    assert "Fishermen" in answer["citations"][0]["quote"]


def test_the_examples_are_about_the_first_article_alone(controller: PageController) -> None:
    assert EXAMPLES[0] in controller.start()["welcome"]
    assert EXAMPLES[0] not in open_article(controller, text=TIDES)["welcome"]


def test_what_is_open_is_bounded_by_its_size(
    controller: PageController, opened: OpenedArticles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qa.page.opened.MAX_CHARACTERS", len(TIDES) * 2 + 10)
    first, second, third = (open_article(controller, text=TIDES)["handle"] for _ in range(3))
    assert opened.get(first) is None
    assert opened.get(second)
    assert opened.get(third)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"text": " "}, "could be cited"),
        ({}, "could be cited"),
        ({"text": "Water rises. " * 1000}, "at most"),
        ({"name": "a<b>.bin", "data": base64.b64encode(b"\0\1\2\3").decode()}, "a<b>.bin"),
        ({"name": "a.txt", "data": "no base64!"}, "did not arrive whole"),
        ({"address": "/etc/passwd"}, "no address"),
        ({"address": "file:///etc/passwd"}, "http"),
        ({"address": "http://127.0.0.1:1/"}, "own machine"),
        ({"record": {}}, "damaged"),
        ({"record": None}, "damaged"),
        ({"record": {"text": 5, "blocks": [["paragraph", 0, 9, 0, None]]}}, "damaged"),
    ],
)
def test_what_is_no_article_is_refused_in_words(
    controller: PageController, request_: Json, words: str
) -> None:
    reply = open_article(controller, **request_)
    assert words in reply["error"]
    assert "handle" not in reply


def test_several_articles_are_asked_together_and_can_be_sent_again(
    controller: PageController, opened: OpenedArticles
) -> None:
    harbour = "Harbour\n\nThe harbour closes in March, and its hundred workers go home."
    records = [open_article(controller, text=text)["record"] for text in (TIDES, harbour)]
    for _ in range(2):  # the second time after the server has forgotten them
        group = open_article(controller, records=records)
        assert group["title"] == "2 articles"
        assert 'id="filters"' in group["filters"]
        for question, words in (
            ("Who prints almanacs?", "Fishermen"),
            ("When does the harbour close?", "March"),
        ):
            reply = ask(controller, question, article=group["handle"])
            assert words in reply["answer"]["citations"][0]["quote"]
            assert words in reply["article"]
    only = {"article": open_article(controller, text=TIDES)["id"]}
    reply = ask(controller, "What closes?", article=group["handle"], filters=only)
    assert {c["article"]["title"] for c in reply["answer"]["citations"]} == {"Tides"}


def test_several_articles_that_cannot_be_asked_together_are_refused(
    controller: PageController,
) -> None:
    record = open_article(controller, text=TIDES)["record"]
    assert "damaged" in open_article(controller, records=[record, {"text": 1}])["error"]
    for records in ([record] * 51, [], "all"):
        assert "At most 50" in open_article(controller, records=records)["error"]


def test_headings_and_rows_are_offered_where_no_sentence_makes_a_question(
    controller: PageController,
) -> None:
    table = "# Fares\n\n| Who | Fare |\n| --- | --- |\n| Adults | 12 euros |\n| Dogs | 3 euros |\n"
    data = base64.b64encode(table.encode()).decode()
    welcome = open_article(controller, name="fares.md", data=data)["welcome"]
    assert ">Adults</button>" in welcome
    assert ">Dogs</button>" in welcome


def test_the_pages_of_a_pdf_are_drawn_one_by_one(controller: PageController) -> None:
    pdf = FPDF()
    for words in ("The bridge opened in 1931.", "Ida Morrow drew it."):
        pdf.add_page()
        pdf.set_font("helvetica", size=12)
        pdf.text(30, 100, words)
    data = base64.b64encode(bytes(pdf.output())).decode()
    opened = open_article(controller, name="bridge.pdf", data=data)
    assert opened["pages"]
    assert opened["article"].count('class="sheet"') == 2
    again = open_article(controller, record=opened["record"], data=data)  # after a restart
    for handle in (opened["handle"], again["handle"]):
        picture = controller.picture({"article": handle, "id": opened["id"], "page": 2})["picture"]
        assert picture.startswith("data:image/webp;base64,")
    for page in (0, 3, "1", None):
        asked = {"article": opened["handle"], "id": opened["id"], "page": page}
        assert "picture" not in controller.picture(asked)


def test_a_private_address_is_refused_by_what_its_reader_can_do(
    controller: PageController,
) -> None:
    error = open_article(controller, address="http://127.0.0.1:9/news")["error"]
    assert "save the page, and drop the file" in error
    assert "--" not in error


def test_a_verdict_is_kept_with_the_sentence_pointed_at(
    controller: PageController, bot: ArticleBot, feedback: FeedbackFile
) -> None:
    answer = ask(controller, "Did Microsoft do the same?")["answer"]
    sentence = bot.index.sentences[3]
    where = {"id": bot.article.id, "start": sentence.start, "end": sentence.end}
    key = controller.start()["key"]
    assert controller.judge({"answer": answer, "verdict": "corrected", "key": key, **where})["kept"]
    (line,) = feedback.path.read_text().splitlines()
    assert json.loads(line)["gold"] == [bot.article.text[sentence.start : sentence.end]]


def test_the_article_that_a_verdict_is_about_is_kept_beside_it(
    controller: PageController, feedback: FeedbackFile
) -> None:
    handle = open_article(controller, text=TIDES)["handle"]
    answer = ask(controller, "Who prints almanacs?", article=handle)["answer"]
    for _ in range(2):
        controller.judge({"answer": answer, "verdict": "right", "article": handle})
    line, _ = feedback.path.read_text().splitlines()
    (kept,) = (feedback.path.parent / "feedback.articles").iterdir()
    assert kept.name == f"{json.loads(line)['article']}.json"
    (document,) = read_dataset(feedback.path).documents.values()
    assert "almanacs every winter" in document.article.text


@pytest.mark.parametrize(
    "said",
    [
        {"answer": {}},
        {"verdict": "<script>"},
        {"verdict": ["right"]},
        {"verdict": "corrected", "id": "", "start": 0, "end": 3},
        {"verdict": "corrected", "start": 0},
        {"verdict": "corrected", "id": "0" * 16, "start": 0, "end": 3},
    ],
)
def test_a_page_that_lies_is_ignored(
    controller: PageController, feedback: FeedbackFile, said: Json
) -> None:
    answer = ask(controller, "Did Microsoft do the same?")["answer"]
    key = controller.start()["key"]
    controller.judge({"answer": answer, "verdict": "right", "key": key, **said})
    forged = json.loads(json.dumps(answer))
    forged["citations"][0]["quote"] = "Nobody said this."
    controller.judge({"answer": forged, "verdict": "right", "key": key})
    assert not feedback.path.exists()
