"""A conversation as HTML."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa import Answer, ArticleBot, Declared
from qa.answer import Exact, PassageRef
from qa.page.answer_view import render_suggestions, render_turn, render_welcome


@pytest.fixture(scope="module")
def found(bot: ArticleBot) -> Answer:
    answer = bot.ask("What did Gender Shades find?", k=3)
    alike = tuple(replace(citation, score=1.0) for citation in answer.citations)
    return replace(answer, found=True, confidence=0.9, citations=alike)


def test_the_best_sentence_comes_first_and_large(found: Answer) -> None:
    html = render_turn(found)
    best, others = html.index('class="best'), html.index('class="others"')
    assert best < html.index(found.citations[0].quote[:20]) < others
    assert html.count('class="cite"') == 3


@pytest.mark.parametrize(
    ("confidence", "several", "words"),
    [
        (1.0, False, "The article says so"),
        (0.5, True, "The articles say so"),
        (0.49, False, "The article may say so"),
        (0.1, True, "The articles may say so"),
    ],
)
def test_how_sure_it_is_is_said_of_the_first_sentence_in_words(
    found: Answer, confidence: float, several: bool, words: str
) -> None:
    html = render_turn(replace(found, confidence=confidence), several=several)
    best, _, after = html.partition("</blockquote>")
    assert 'class="best' in best
    assert f">{words}" in after


def test_what_has_little_to_do_with_the_question_is_not_shown(found: Answer) -> None:
    first, second, third = found.citations
    answer = replace(found, citations=(first, second, replace(third, score=0.3)))
    assert 'data-number="2"' in render_turn(answer)
    assert 'data-number="3"' not in render_turn(answer)


def test_the_exact_words_are_marked_in_the_quote_and_lead_to_their_place(found: Answer) -> None:
    first = found.citations[0]
    words = first.quote[8:20]
    exact = Exact(words, first.start + 8, first.start + 20)
    html = render_turn(replace(found, citations=(replace(first, exact=exact),)))
    assert f"<mark>{words}</mark>" in html
    assert f'data-exact="{exact.start}-{exact.end}"' in html


def test_thanks_are_met_with_thanks_and_no_verdict(bot: ArticleBot) -> None:
    html = render_turn(bot.ask("Thank you!"))
    assert "You are welcome" in html
    assert "does not say" not in html
    assert "thumb" not in html


def test_what_was_not_found_folds_the_nearest_away(found: Answer) -> None:
    html = render_turn(replace(found, found=False))
    assert "The article does not say<" in html
    assert "answer</summary>" in html
    assert html.index("<details") < html.index('class="cite"')
    assert 'class="best' not in html
    assert "may say" not in html


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


def test_metadata_is_told_from_quotes(found: Answer) -> None:
    declared = Declared("authors", "Ann <Poe>", "JSON-LD author")
    citation = replace(found.citations[0], metadata=(declared,))
    html = render_turn(replace(found, citations=(citation,)))
    assert "Author: Ann &lt;Poe&gt; (metadata, not a quote: JSON-LD author)" in html
    assert html.index("No line of its text says so") < html.index("<q>")
    assert 'class="best"' not in html


def test_an_overview_lists_its_sentences_and_is_called_one(bot: ArticleBot) -> None:
    answer = bot.ask("What is this about?")
    assert answer.kind == "overview"
    html = render_turn(answer)
    assert "In short, in sentences of its own" in html
    assert "says so" not in html
    assert html.count('class="cite"') == len(answer.citations)
    assert 'class="also"' not in html


def test_all_of_a_list_is_shown_unfolded(bot: ArticleBot) -> None:
    answer = bot.ask("List all companies.")
    assert answer.found
    assert len(answer.citations) > 2
    html = render_turn(answer)
    assert html.count('class="cite"') == len(answer.citations)
    assert '<details class="also" open>' in html


def test_each_of_several_questions_that_are_put_as_one_has_its_answer_shown(
    bot: ArticleBot,
) -> None:
    html = render_turn(bot.ask("When was the practice halted? Who wrote the article?"))
    assert "June 2020" in html
    assert "By Sayujya S" in html
    assert '<details class="also" open>' in html
