"""A conversation as HTML."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa import Answer, ArticleBot
from qa.answer import PassageRef
from qa.page.answer_view import (
    confidence_in_words,
    render_suggestions,
    render_turn,
    render_welcome,
)


@pytest.fixture(scope="module")
def found(bot: ArticleBot) -> Answer:
    return replace(bot.ask("What did Gender Shades find?", k=3), found=True, confidence=0.9)


def test_the_best_sentence_comes_first_and_large(found: Answer) -> None:
    html = render_turn(found)
    best, others = html.index('class="best"'), html.index('class="others"')
    assert best < html.index(found.citations[0].quote[:20]) < others
    assert html.count('class="cite"') == 3


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(1.0, "clear"), (0.85, "clear"), (0.49, "likely"), (0.3, "likely"), (0.29, "weak"),
     (0.2, "weak")],
)  # fmt: skip
def test_how_sure_it_is_is_said_of_the_first_sentence_in_words(
    found: Answer, confidence: float, words: str
) -> None:
    assert confidence_in_words(confidence).startswith(f"A {words} answer")
    best, _, after = render_turn(replace(found, confidence=confidence)).partition("</blockquote>")
    assert 'class="best"' in best
    assert f">A {words} answer" in after


def test_what_was_not_found_folds_the_nearest_away(found: Answer) -> None:
    html = render_turn(replace(found, found=False))
    assert "The article does not say<" in html
    assert "answer</summary>" in html
    assert html.index("<details") < html.index('class="cite"')
    assert 'class="best"' not in html
    assert "clear answer" not in html


def test_nothing_at_all_to_cite_is_still_an_answer(found: Answer) -> None:
    html = render_turn(replace(found, found=False, citations=()))
    assert "The article does not say<" in html
    assert 'class="closest"' not in html


def test_a_follow_up_says_what_it_was_read_as(found: Answer) -> None:
    html = render_turn(replace(found, interpreted_as="Did <Amazon>?"))
    assert "Read as: Did &lt;Amazon&gt;?" in html


def test_a_citation_says_where_it_stands(found: Answer) -> None:
    first = found.citations[0]
    passage = PassageRef("x", first.start, first.end, None, 4, 2, 1.0)
    html = render_turn(replace(found, citations=(replace(first, passage=passage),)))
    assert ">Paragraph 5 · page 2<" in html


def test_a_sentence_is_in_its_own_paragraph_not_in_the_first_of_its_passage(found: Answer) -> None:
    text = f"A paragraph.\n\nAnother.\n\n{found.citations[0].quote}"
    start = found.citations[0].end - len(text)
    passage = PassageRef(text, start, start + len(text), None, 0, None, 1.0)
    cited = replace(found.citations[0], passage=passage)
    assert ">Paragraph 3<" in render_turn(replace(found, citations=(cited,)))


def test_a_new_page_welcomes_and_offers_questions() -> None:
    html = render_welcome(["Why <b>?"])
    assert "Ask this article, or drop your own" in html
    assert ">Why &lt;b&gt;?</button>" in html
    assert render_suggestions([]) == ""


def test_why_is_told_behind_a_fold_and_escaped(found: Answer) -> None:
    html = render_turn(replace(found, why=("‘<b>’ is not mentioned",)))
    assert '<summary>Why this</summary><ul><li dir="auto">‘&lt;b&gt;’ is not mentioned' in html


def test_where_else_a_quote_stands_is_said_beside_it(found: Answer) -> None:
    first = found.citations[0]
    copy = replace(first.article, id="other", title="The <wire> copy")
    cited = replace(first, also_in=(copy,))
    html = render_turn(replace(found, citations=(cited,)))
    assert "also in The &lt;wire&gt; copy" in html
