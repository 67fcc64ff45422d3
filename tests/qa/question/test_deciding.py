"""Yes or no and up or down are decided by the sentence that says how much, when or how."""

from __future__ import annotations

import pytest

from qa import ArticleBot
from qa.question.deciding import deciding_question

DAM = """Dam of Ulva is inspected
By Karl Lie

The dam of Ulva is 310 metres long and was finished in 1964. Engineer Mona Beck inspected it on
Monday. The lake behind it supplies 42,000 homes, down from 50,000 a decade ago.

Visitors may walk on the dam. Swimming in the lake is forbidden, fishing is allowed. The dam has
eleven gates. A night at the inn costs 95 euros.
"""


@pytest.fixture(scope="module")
def dam(bot: ArticleBot) -> ArticleBot:
    return ArticleBot.from_text(DAM)


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("Is the dam longer than 500 metres?", "How long is the dam?"),
        ("Was he more than 30 years old?", "How old was he?"),
        ("Are there fewer than 20 gates?", "How many gates are there?"),
        ("Does the dam have more than 5 gates?", "How many gates does the dam have?"),
        ("Did more than 400 people drown in 1971?", "How many people did drown in 1971?"),
        ("Does a night cost less than $ 100?", "How much does a night cost?"),
        ("Was it finished before 1970?", "When was it finished?"),
        ("Did prices rise or fall in May?", "How did prices change in May?"),
        ("Have fares gone up or down?", "How have fares changed?"),
        ("May dogs come in?", "Can dogs come in?"),
    ],
)
def test_it_is_read_as_the_question_that_decides_it(question: str, read: str) -> None:
    assert deciding_question(question) == read


@pytest.mark.parametrize(
    "question",
    ["Is swimming or fishing free?", "Was it better than in 1964?", "Do cats eat more than dogs?",
     "How long is it?", "Is it more than a dam?", "Did she come before Monday?",
     "May 1964?"],
)  # fmt: skip
def test_any_other_stays_as_it_is(question: str) -> None:
    assert deciding_question(question) == question


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Is the dam longer than 500 metres?", "310 metres"),
        ("Was the dam finished before 1970?", "1964"),
        ("Does a night at the inn cost more than 80 euros?", "95 euros"),
        ("Did the number of homes go up or down?", "down from 50,000"),
        ("Does the dam have more than 20 gates?", "eleven gates"),
        ("Is swimming allowed or forbidden?", "Swimming in the lake"),
        ("Is fishing allowed?", "fishing is allowed"),
    ],
)
def test_the_sentence_that_decides_is_first(dam: ArticleBot, question: str, words: str) -> None:
    answer = dam.ask(question)
    assert answer.found
    assert words in " ".join(answer.citations[0].quote.split())
