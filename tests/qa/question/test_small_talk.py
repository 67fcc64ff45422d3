"""What is said to the program gets a reply; what is asked of the article does not."""

from __future__ import annotations

import pytest

from qa import Answer, ArticleBot
from qa.question.small_talk import small_talk


@pytest.mark.parametrize(
    "line",
    ["hi", "Good evening!", "thx", "Thank you so much", "ok", "cool, thanks", "haha", "goodbye",
     "that is not true", "who are you?", "help", "write me a poem", "Merci beaucoup", "Hola",
     "спасибо", "that makes no sense", "are you sure?", "can you help me?", "What can I ask?",
     "have a nice day", "got it, thanks a lot", "never mind, sorry", "dank je wel", "wer bist du?"],
)  # fmt: skip
def test_small_talk_is_replied_to(line: str) -> None:
    assert small_talk(line)


@pytest.mark.parametrize(
    "line",
    ["Why?", "And Bern?", "Who thanked the mayor?", "Is it good?", "What does help cost?",
     "Hello Kitty sales", "No, I meant Bern", "Who is the president?",
     "Why not?", "Nice?", "What time is it in Bern?", "Never mind the cost?",
     "Have a look at page two", "How does it work in winter?"],
)  # fmt: skip
def test_a_question_is_not(line: str) -> None:
    assert small_talk(line) is None


def test_a_reply_cites_nothing_and_leaves_the_conversation_as_it_was(bot: ArticleBot) -> None:
    first = bot.ask("Who protested?")
    thanks = bot.ask("thanks", history=[first])
    assert (thanks.found, thanks.citations, thanks.kind) == (False, (), "small talk")
    assert str(thanks) == thanks.reply
    assert Answer.from_dict(thanks.to_dict()) == thanks
    assert bot.ask("Why?", history=[first, thanks]) == bot.ask("Why?", history=[first])
