"""A conversation as HTML."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa import Answer, ArticleBot
from qa.answer import PassageRef
from qa.page import Turn, confidence_in_words, render_conversation


@pytest.fixture(scope="module")
def found(bot: ArticleBot) -> Answer:
    return replace(bot.ask("What did Gender Shades find?", k=3), found=True, confidence=0.9)


def test_the_best_sentence_comes_first_and_large(found: Answer) -> None:
    html = render_conversation([Turn(found, 0.012)])
    best, others = html.index('class="best"'), html.index('class="others"')
    assert best < html.index(found.citations[0].quote[:20]) < others
    assert html.count('class="cite"') == 3
    assert "12 ms" in html


def test_confidence_is_said_in_words_with_the_figure_in_a_tooltip(found: Answer) -> None:
    html = render_conversation([Turn(found, 0.1)])
    assert ">Clear answer<" in html
    assert 'data-tip="The first three citations hold the answer with probability 90%"' in html


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(1.0, "Clear answer"), (0.85, "Clear answer"), (0.49, "Likely answer"),
     (0.3, "Likely answer"), (0.29, "Uncertain answer"), (0.2, "Uncertain answer")],
)  # fmt: skip
def test_words_of_confidence(confidence: float, words: str) -> None:
    assert confidence_in_words(confidence) == words


def test_what_was_not_found_folds_the_nearest_away(found: Answer) -> None:
    html = render_conversation([Turn(replace(found, found=False), 1.23)])
    assert "The article does not say<" in html
    assert "answer</summary>" in html
    assert html.index("<details") < html.index('class="cite"')
    assert 'class="best"' not in html
    assert "Clear answer" not in html
    assert "1.2 s" in html


def test_nothing_at_all_to_cite_is_still_an_answer(found: Answer) -> None:
    html = render_conversation([Turn(replace(found, found=False, citations=()), 0.0)])
    assert "The article does not say<" in html
    assert 'class="closest"' not in html


def test_a_follow_up_says_what_it_was_read_as(found: Answer) -> None:
    html = render_conversation([Turn(replace(found, interpreted_as="Did <Amazon>?"), 0.0)])
    assert "Read as: Did &lt;Amazon&gt;?" in html


def test_a_citation_says_where_it_stands(found: Answer) -> None:
    first = found.citations[0]
    passage = PassageRef("x", 0, 1, None, 4, 2, 1.0)
    html = render_conversation(
        [Turn(replace(found, citations=(replace(first, passage=passage),)), 0.0)]
    )
    assert ">Paragraph 5 · page 2<" in html


def test_a_new_page_welcomes_and_offers_questions() -> None:
    html = render_conversation([], ["Why <b>?"])
    assert "Ask the article a question." in html
    assert ">Why &lt;b&gt;?</button>" in html


def test_a_question_being_answered_offers_none(found: Answer) -> None:
    html = render_conversation([Turn(found, 0.1)], ["Next?"], pending="Now?")
    assert "Now?" in html
    assert "Next?" not in html
    assert 'data-turns="1"' in html


def test_a_notice_is_an_alert() -> None:
    assert '<p class="notice" role="alert" dir="auto">Too &lt;long&gt;</p>' in render_conversation(
        [], notice="Too <long>"
    )


def test_why_is_told_behind_a_fold_and_escaped(found: Answer) -> None:
    html = render_conversation([Turn(replace(found, why=("‘<b>’ is not mentioned",)), 0.0)])
    assert '<summary>Why this</summary><ul><li dir="auto">‘&lt;b&gt;’ is not mentioned' in html


def test_where_else_a_quote_stands_is_said_beside_it(found: Answer) -> None:
    first = found.citations[0]
    copy = replace(first.article, id="other", title="The <wire> copy")
    cited = replace(first, also_in=(copy,))
    html = render_conversation([Turn(replace(found, citations=(cited,)), 0.0)])
    assert "also in The &lt;wire&gt; copy" in html
