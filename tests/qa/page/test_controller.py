"""A visit: a value goes in, a view and the next visit come out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qa import ArticleBot
from qa.evaluation.formats import read_dataset
from qa.page import Reception, View, Visit
from qa.page.source import ArticleSource
from qa.sharing.feedback import FeedbackFile

TIDES = "Tides\n\nThe Moon pulls the water. Fishermen print almanacs every winter."
EXAMPLES = ("Who wrote this article?", "Did Microsoft do the same?")


@pytest.fixture
def feedback(tmp_path: Path) -> FeedbackFile:
    return FeedbackFile(tmp_path / "feedback.jsonl")


@pytest.fixture
def reception(bot: ArticleBot, feedback: FeedbackFile) -> Reception:
    return Reception(ArticleSource(bot), examples=EXAMPLES, feedback=feedback, max_bytes=10_000)


def asked(reception: Reception, view: View, question: str) -> View:
    """The view after a question was answered, with the stamp and the visit it leaves behind."""
    assert view.visit is not None
    *_, last = reception.ask(question, view.stamp or "", view.visit)
    return last


def test_a_question_sent_before_the_last_answer_was_drawn_is_answered(
    reception: Reception,
) -> None:
    start = reception.arrive()
    first = asked(reception, start, "Who wrote this article?")
    assert first.visit is not None
    *_, last = reception.ask("Did Microsoft do the same?", start.stamp or "", first.visit)
    assert last.visit is not None
    assert len(last.visit.turns) == 2


def test_a_question_is_first_pending_then_answered(reception: Reception) -> None:
    start = reception.arrive()
    pending, done = reception.ask("Who wrote this article?", start.stamp or "", Visit())
    assert pending.question is None  # the page empties the box itself
    assert "Reading the article" in (pending.conversation or "")
    assert pending.visit is None
    assert done.visit is not None
    assert [turn.answer.question for turn in done.visit.turns] == ["Who wrote this article?"]
    assert done.article is None


def test_a_question_that_cannot_be_asked_is_given_back(reception: Reception) -> None:
    start = reception.arrive()
    _, refused = reception.ask("?", start.stamp or "", Visit())
    assert refused.question == "?"
    assert "The question is empty" in (refused.conversation or "")
    assert refused.visit is None


def test_suggestions_leave_out_what_was_asked(reception: Reception) -> None:
    view = asked(reception, reception.arrive(), "who wrote THIS article?")
    assert EXAMPLES[0] not in (view.conversation or "").split("suggestions")[1]
    assert EXAMPLES[1] in (view.conversation or "").split("suggestions")[1]


def test_a_page_older_than_the_server_is_told_so_and_begins_anew(
    reception: Reception, bot: ArticleBot
) -> None:
    (view,) = reception.ask("Why?", "0123456789abcdef 3", Visit())
    assert view.question == "Why?"
    assert "was restarted" in (view.conversation or "")
    assert f'data-id="{bot.article.id}"' in (view.article or "")
    assert (view.stamp, view.visit) == (f"{bot.article.id} 0", Visit())


def test_an_opened_article_belongs_to_its_visit_alone(reception: Reception) -> None:
    opened = reception.open_text(TIDES, "")
    assert "Fishermen" in (opened.article or "")
    answered = asked(reception, opened, "Who prints almanacs?")
    assert answered.visit is not None
    assert "Fishermen" in answered.visit.turns[0].answer.citations[0].quote
    assert "Fishermen" not in (reception.arrive().article or "")
    # The examples are about the first article.
    assert "suggestions" not in (opened.conversation or "")


def test_a_cleared_conversation_keeps_the_article(reception: Reception) -> None:
    opened = reception.open_text(TIDES, "")
    answered = asked(reception, opened, "Who prints almanacs?")
    assert answered.visit is not None
    cleared = reception.clear(answered.visit)
    assert cleared.visit == Visit(answered.visit.source)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda r: r.open_text(" ", ""), "could be cited"),
        (lambda r: r.open_text("Water rises. " * 1000, ""), "at most"),
        (lambda r: r.open_file("a<b>.bin", b"\0\1\2\3"), "a&lt;b&gt;.bin"),
        (lambda r: r.open_address("/etc/passwd"), "no address"),
        (lambda r: r.open_address("file:///etc/passwd"), "http"),
        (lambda r: r.open_address("http://127.0.0.1:1/"), "127.0.0.1"),
    ],
    ids=["blank", "large", "binary", "path", "file", "own machine"],
)
def test_what_is_no_article_is_refused_and_leaves_the_visit(
    reception: Reception, call: Callable[[Reception], View], words: str
) -> None:
    view = call(reception)
    assert words in (view.status or "")
    assert view.visit is None
    assert view.article is None


def test_a_verdict_is_kept_with_the_sentence_pointed_at(
    reception: Reception, bot: ArticleBot, feedback: FeedbackFile
) -> None:
    visit = asked(reception, reception.arrive(), "Did Microsoft do the same?").visit
    assert visit is not None
    sentence = bot.index.sentences[3]
    reception.judge(
        visit,
        {
            "turn": 0,
            "verdict": "corrected",
            "article": bot.article.id,
            "start": sentence.start,
            "end": sentence.end,
        },
    )
    (line,) = feedback.path.read_text().splitlines()
    assert json.loads(line)["gold"] == [bot.article.text[sentence.start : sentence.end]]


def test_the_article_that_a_verdict_is_about_is_kept_beside_it(
    reception: Reception, feedback: FeedbackFile
) -> None:
    opened = reception.open_text(TIDES, "")
    visit = asked(reception, opened, "Who prints almanacs?").visit
    assert visit is not None
    for _ in range(2):
        reception.judge(visit, {"turn": 0, "verdict": "right"})
    line, _ = feedback.path.read_text().splitlines()
    (kept,) = (feedback.path.parent / "feedback.articles").iterdir()
    assert kept.name == f"{json.loads(line)['article']}.json"
    (document,) = read_dataset(feedback.path).documents.values()
    assert "almanacs every winter" in document.article.text


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"turn": 1, "verdict": "right"},
        {"turn": 0, "verdict": "<script>"},
        {"turn": [0], "verdict": "right"},
        {"turn": 0, "verdict": "corrected", "start": 0, "end": 3},
        {"turn": 0, "verdict": "corrected", "start": 0},
        {"turn": 0, "verdict": "corrected", "article": "0" * 16, "start": 0, "end": 3},
    ],
)
def test_a_page_that_lies_is_ignored(
    reception: Reception, feedback: FeedbackFile, said: dict[str, Any]
) -> None:
    visit = asked(reception, reception.arrive(), "Did Microsoft do the same?").visit
    assert visit is not None
    reception.judge(visit, said)
    assert not feedback.path.exists()
