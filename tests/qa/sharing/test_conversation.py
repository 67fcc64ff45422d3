"""A conversation as JSON names each article and passage once, and comes back whole."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import DataError
from qa import Answer, ArticleBot
from qa.sharing.conversation import (
    answers_of,
    as_comment,
    conversation_as_dict,
    conversation_in,
)


@pytest.fixture(scope="module")
def answers(bot: ArticleBot) -> list[Answer]:
    questions = ("Did Microsoft do the same?", "What did Gender Shades find?", "Who is Wessler?")
    return [bot.ask(question) for question in questions]


def test_answers_come_back_as_they_were(answers: list[Answer]) -> None:
    copy = replace(answers[0].citations[0].article, id="b" * 16, title="A copy")
    first = replace(answers[0].citations[0], also_in=(copy,))
    given = [replace(answers[0], citations=(first, *answers[0].citations[1:])), *answers[1:]]
    assert answers_of(json.loads(json.dumps(conversation_as_dict(given)))) == given


def test_each_article_and_passage_is_there_once(answers: list[Answer], bot: ArticleBot) -> None:
    text = json.dumps(conversation_as_dict(answers))
    assert text.count(bot.article.hash) == 1
    for passage in answers[0].passages:
        assert text.count(json.dumps(passage.text)) == 1
    assert len(text) < 0.6 * len(json.dumps([answer.to_dict() for answer in answers]))


def test_what_an_older_version_saved_is_still_read(answers: list[Answer]) -> None:
    older = {
        "schema": "article-qa/conversation/1",
        "answers": [answer.to_dict() for answer in answers],
    }
    assert answers_of(json.loads(json.dumps(older))) == answers


@pytest.mark.parametrize("missing", ["articles", "passages", "answers"])
def test_a_conversation_that_lacks_a_part_is_refused(answers: list[Answer], missing: str) -> None:
    export = conversation_as_dict(answers)
    del export[missing]
    with pytest.raises(DataError, match="export the conversation again"):
        answers_of(export)


@given(st.text())
def test_a_comment_hides_whatever_was_asked(text: str) -> None:
    conversation = {"answers": [{"question": text}]}
    comment = as_comment(conversation)
    assert comment.count(">") == 1
    assert conversation_in(f"# Title\n\n{comment}".encode()) == conversation
