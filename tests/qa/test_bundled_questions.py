"""How well the bundled article is answered: questions in many wordings, with known answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from index import Article
from qa import Answer, ArticleBot

QUESTIONS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "bundled_questions.jsonl")
    .read_text("utf-8")
    .splitlines()
]
ANSWERABLE = [question for question in QUESTIONS if question["answerable"]]
FAR = [question for question in QUESTIONS if question["kind"] == "far"]
NEAR = [question for question in QUESTIONS if question["kind"] == "near"]


def place_of_answer(answer: Answer, gold: list[str]) -> int | None:
    """Number of the first citation that holds one of the gold spans."""
    return next((c.number for c in answer.citations if any(g in c.quote for g in gold)), None)


@pytest.fixture(scope="module")
def places(bot: ArticleBot) -> list[int | None]:
    return [place_of_answer(bot.ask(q["question"], k=3), q["gold"]) for q in ANSWERABLE]


def test_the_set_is_large_and_its_gold_stands_in_the_article(article: Article) -> None:
    assert len(ANSWERABLE) >= 60
    assert len(FAR) + len(NEAR) >= 30
    assert all(gold in article.text for question in ANSWERABLE for gold in question["gold"])
    assert all(not question["gold"] for question in FAR + NEAR)


def test_19_in_20_have_an_answer_among_the_first_three(places: list[int | None]) -> None:
    assert sum(place is not None for place in places) >= 0.95 * len(places)


def test_17_in_20_have_an_answer_first(places: list[int | None]) -> None:
    assert sum(place == 1 for place in places) >= 0.85 * len(places)


@pytest.mark.parametrize("question", FAR, ids=lambda question: question["id"])
def test_questions_about_something_else_are_not_answered(
    bot: ArticleBot, question: dict[str, Any]
) -> None:
    assert not bot.ask(question["question"]).found


def test_why_amazon_halted_police_use_is_answered_with_the_protests(bot: ArticleBot) -> None:
    answer = bot.ask("Why did Amazon halt police use of Rekognition?", k=3)
    assert any("at the height of protests" in citation.quote for citation in answer.citations)
