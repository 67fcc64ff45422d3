"""The engine for programs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from index.errors import QuestionError, SourceError
from qa import Answer, ArticleBot
from qa.page.api import Endpoints
from qa.page.opened import OpenedArticles
from qa.page.source import ArticleSource

TIDES = "Tides\n\nThe Moon pulls the water. Fishermen print almanacs every winter."


@pytest.fixture
def endpoints(bot: ArticleBot) -> Endpoints:
    return Endpoints(ArticleSource(bot), opened=OpenedArticles(), max_bytes=1000)


def test_ask_is_the_answer_of_python(endpoints: Endpoints, bot: ArticleBot) -> None:
    question = "Who wrote this article?"
    assert Answer.from_dict(endpoints.ask(question, k=3)) == bot.ask(question, k=3)


def test_evidence_shows_a_quote_in_its_passage(endpoints: Endpoints, bot: ArticleBot) -> None:
    citation = bot.ask("Did Microsoft do the same?").citations[0]
    shown = endpoints.evidence(citation.start, citation.end)
    assert shown["quote"] == citation.quote
    assert shown["before"] + shown["quote"] + shown["after"] == citation.passage.text
    assert shown["heading"] == citation.passage.heading


@pytest.mark.parametrize("span", [(0, 0), (-1, 5), (5, 4), (0, 10**9)])
def test_evidence_outside_the_article_is_refused(
    endpoints: Endpoints, span: tuple[int, int]
) -> None:
    with pytest.raises(QuestionError, match="not in the article"):
        endpoints.evidence(*span)


def test_what_is_of_another_kind_is_refused_in_words(endpoints: Endpoints) -> None:
    wrong: Any = (None, 5, 1.0, ["Why?"])
    for value in wrong:
        with pytest.raises(QuestionError, match="question must be a text"):
            endpoints.ask(value)
        with pytest.raises(SourceError, match="text must be a text"):
            endpoints.open(value)
        with pytest.raises(QuestionError, match="article must be a text"):
            endpoints.ask("Why?", article=value)
    for number in wrong[0], wrong[2]:
        with pytest.raises(QuestionError, match="k must be a whole number"):
            endpoints.ask("Why?", k=number)
        with pytest.raises(QuestionError, match="whole numbers"):
            endpoints.evidence(number, 5)


def test_a_handle_cannot_be_guessed_from_the_text(endpoints: Endpoints) -> None:
    one, two = endpoints.open(TIDES), endpoints.open(TIDES)
    assert one["id"] == two["id"]
    assert one["article"] != two["article"]
    assert one["article"] != one["id"]
    with pytest.raises(QuestionError, match="call open again"):
        endpoints.ask("Why?", article=one["id"])


def test_the_oldest_article_is_forgotten_first(
    endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qa.page.opened.MAX_ARTICLES", 2)
    first, second = (endpoints.open(TIDES)["article"] for _ in range(2))
    endpoints.ask("Who prints?", article=first)
    third = endpoints.open(TIDES)["article"]
    for kept in (first, third):
        assert endpoints.ask("Who prints?", article=kept)["citations"]
    with pytest.raises(QuestionError):
        endpoints.ask("Who prints?", article=second)


def test_what_is_too_large_or_empty_is_refused(endpoints: Endpoints) -> None:
    with pytest.raises(SourceError, match="1,000 bytes"):
        endpoints.open("é" * 501)
    with pytest.raises(SourceError):
        endpoints.open(" \n")


def test_everything_that_comes_back_can_be_sent(endpoints: Endpoints) -> None:
    opened = endpoints.open("Tides \ud800\n\nWater \udfff rises twice a day.", title="T\ud800")
    answer = endpoints.ask("What \ud800 rises?", article=opened["article"])
    json.dumps([opened, answer], ensure_ascii=False).encode("utf-8")
    assert "\ufffd rises" in answer["citations"][0]["quote"]
