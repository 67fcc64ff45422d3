from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa import Answer, ArticleBot
from qa.conversation.corrections import correction

AMAZON = "What did Amazon do?"


@pytest.fixture(scope="module")
def first(bot: ArticleBot) -> Answer:
    return bot.ask(AMAZON)


@pytest.mark.parametrize(
    "reply",
    [
        "No, I meant Microsoft.",
        "I meant Microsoft",
        "no, Microsoft",
        "Sorry, Microsoft",
        "No. Microsoft!",
        "Not Amazon but Microsoft",
        "Not Amazon, I mean Microsoft.",
        "Actually, make that Microsoft",
    ],
)
def test_another_name_is_put_in_the_place_of_the_one_before(
    bot: ArticleBot, first: Answer, reply: str
) -> None:
    mended = bot.ask(reply, history=[first])
    plain = bot.ask("What did Microsoft do?")
    assert mended.interpreted_as == "What did Microsoft do?"
    assert mended.citations == plain.citations


def test_a_name_may_have_little_words(first: Answer) -> None:
    mended = correction("No, the Bank of England", [first], lambda answer: True)
    assert mended is not None
    assert mended.question == "What did the Bank of England do?"


@pytest.mark.parametrize(
    "reply", ["No, the other one.", "the other one", "Not that one", "Another one"]
)
def test_the_other_one_is_another_answer_to_the_same_question(
    bot: ArticleBot, first: Answer, reply: str
) -> None:
    second = bot.ask(reply, history=[first])
    third = bot.ask(reply, history=[first, second])
    assert second.interpreted_as == f"{AMAZON} (another answer than before)"
    assert len({a.citations[0].quote for a in (first, second, third)}) == 3
    assert second.citations[0].quote == first.citations[1].quote


@pytest.mark.parametrize(
    "question",
    [
        "No, when did it begin?",
        "What about the other companies that sold software?",
        "Did Microsoft do the same?",
        "Who else?",
        "No one was asked, or was anyone?",
        "No charges filed?",
        "No comment from Google?",
        "Wait, tell me more",
        "Sorry, explain that again",
        "No. Tell me more.",
        "No, nothing else",
    ],
)
def test_a_question_is_a_question(first: Answer, question: str) -> None:
    assert correction(question, [first], lambda answer: True) is None


def test_where_there_is_no_other_sentence_nothing_is_found() -> None:
    bot = ArticleBot.from_text("Cats sleep all day.")
    answer = bot.ask("No, the other one", history=[bot.ask("Who sleeps?")])
    assert not answer.found
    assert answer.citations == ()


def test_without_anything_to_correct_a_reply_is_asked_as_it_stands(bot: ArticleBot) -> None:
    stranger = ArticleBot.from_text("Cats sleep all day. Dogs bark.").ask("Who barks?")
    for history in ([], [stranger]):
        answer = bot.ask("No, I meant Microsoft.", history=history)
        assert answer.question == "No, I meant Microsoft."
        assert "Microsoft" in answer.citations[0].quote


@given(st.text(max_size=60))
@settings(max_examples=50, deadline=None)
def test_whatever_is_replied_is_read_or_left_alone(first: Answer, reply: str) -> None:
    found = correction(reply, [first] * 20, lambda answer: True)
    assert found is None or found.question.strip()
