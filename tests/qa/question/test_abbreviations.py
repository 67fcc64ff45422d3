from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa import ArticleBot
from qa.question.abbreviations import as_written, initials_of_names

TEXT = (
    "The American Civil Liberties Union sued. The Bank of England waited, as did the IMF."
    " Nobody asked Mary Ann."
)
WORDS = frozenset(TEXT.lower().replace(".", "").replace(",", "").split())


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("Did the ACLU sue?", "Did the American Civil Liberties Union sue?"),
        ("Did the A.C.L.U. sue?", "Did the American Civil Liberties Union sue?"),
        ("What did the BoE do?", "What did the BoE do?"),  # no run of capitals: left alone
        ("What did the BOE do?", "What did the Bank of England do?"),
        ("What did the International Monetary Fund do?", "What did the IMF do?"),
        ("What did the IMF do?", "What did the IMF do?"),
        ("What did the American Civil Liberties Union do?",) * 2,
        ("What did NASA do?",) * 2,
        ("WHAT DID NOBODY ASK?",) * 2,
    ],
)
def test_a_name_is_as_long_as_the_article_has_it(question: str, read: str) -> None:
    assert as_written(question, TEXT, WORDS, initials_of_names(TEXT)) == read


@given(st.text())
def test_an_article_without_names_changes_no_question(question: str) -> None:
    assert as_written(question, "it rained", {"it", "rained"}, {}) == question


def test_the_bot_reads_initials_and_says_so(bot: ArticleBot) -> None:
    answer = bot.ask("Did the ACLU support the move?")
    assert answer.interpreted_as is not None
    assert "American Civil Liberties Union" in answer.interpreted_as
    assert "expressed support" in answer.citations[0].quote
    assert not any("not mentioned" in reason for reason in answer.why)
