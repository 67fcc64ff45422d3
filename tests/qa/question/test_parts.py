"""Several questions in one line are answered one after the other."""

from __future__ import annotations

import pytest

from qa import Answer, ArticleBot
from qa.question.parts import parts_of

MARKET = """Night market of Lorn moves to the quay
By Odd Vik

The night market of Lorn moved to the quay on Friday. Mayor Greta Sand opened it. A stall costs
eleven crowns a night. Baker Jon Ek refused to move because the quay is windy.
"""


@pytest.fixture(scope="module")
def market(bot: ArticleBot) -> ArticleBot:
    return ArticleBot.from_text(MARKET)


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Who refused, and why?", ["Who refused?", "and why?"]),
        ("Who opened it? What does a stall cost?", ["Who opened it?", "What does a stall cost?"]),
        ("When and where did it move?", ["When did it move?", "where did it move?"]),
        ("How long and how wide is it?", ["How long is it?", "how wide is it?"]),
        ("Did it move and are stalls dear?", ["Did it move?", "and are stalls dear?"]),
    ],
)
def test_a_line_of_several_questions_is_taken_apart(question: str, parts: list[str]) -> None:
    assert list(parts_of(question)) == parts


@pytest.mark.parametrize(
    "question",
    [
        "Do cats and dogs get in?",
        "Did it move or did it stay?",
        "What did she say about who came and why they left?",
        "Did he know when and how to stop?",
        "Who was born in Bern and was trained in Basel?",
        "The bell rang. Who rang it?",
        "Why?",
    ],
)
def test_one_question_stays_whole(question: str) -> None:
    assert parts_of(question) == (question,)


def quotes(answer: Answer) -> list[str]:
    return [" ".join(citation.quote.split()) for citation in answer.citations]


def test_each_part_is_answered_in_its_order(market: ArticleBot) -> None:
    answer = market.ask("Who opened the market, and what does a stall cost?")
    assert answer.found
    assert "Greta Sand" in quotes(answer)[0]
    assert "eleven crowns" in quotes(answer)[1]
    assert answer.interpreted_as is not None
    assert answer.interpreted_as.startswith("Who opened the market? · and what does")
    assert [c.number for c in answer.citations] == list(range(1, len(answer.citations) + 1))
    scores = [c.score for c in answer.citations]
    assert scores == sorted(scores, reverse=True)
    assert len({*quotes(answer)}) == len(quotes(answer))


def test_a_part_follows_the_one_before_it(market: ArticleBot) -> None:
    assert "windy" in quotes(market.ask("Who refused to move, and why?"))[0]


def test_what_is_not_answered_is_named(market: ArticleBot) -> None:
    answer = market.ask("What does a stall cost? What is the capital of Mongolia?")
    assert answer.found
    assert "eleven crowns" in quotes(answer)[0]
    assert answer.why[0] == "“What is the capital of Mongolia?” is not answered"
    assert not market.ask("Who won? What is the capital of Mongolia?").found
