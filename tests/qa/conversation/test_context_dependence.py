"""How a question leans on the one before it can be told from its words."""

from __future__ import annotations

import pytest

from qa.conversation.context_dependence import LEANING, asks_for_more, is_short, leaning_of


def test_short_is_four_words() -> None:
    assert is_short("And where was that?")
    assert not is_short("And where was he born?")


def test_what_leans_is_named() -> None:
    named = dict(zip(LEANING, leaning_of("And did he support it?", 1).tolist(), strict=True))
    assert [name for name, there in named.items() if there] == [
        "always",
        "pronoun",
        "opener",
        "words<=7",
        "known<=1",
        "known<=2",
    ]


@pytest.mark.parametrize(
    "question",
    [
        "Are there any other interesting aspects about this article?",
        "Is there anything else of interest?",
        "What else did they do?",
        "What did he do after that?",
        "What can you tell me about that?",
        "What\u2019s the most important fact in this story?",
    ],
)
def test_a_question_without_a_subject_asks_for_more(question: str) -> None:
    assert asks_for_more(question)


@pytest.mark.parametrize(
    "question",
    [
        "And who else?",  # of what the last answer listed
        "Who else did they tell about it?",
        "What other albums did they make?",
        "What did Microsoft do after that?",
        "When did he tell them about it?",
        "Did they do any more of this in 1998?",
        "What did he do with them?",
        "",
    ],
)
def test_a_question_about_something_does_not(question: str) -> None:
    assert not asks_for_more(question)
