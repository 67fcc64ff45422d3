"""A conversation that is taken away still proves its quotes."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Article
from index.errors import DataError
from index.plaintext import article_from_text
from qa import Answer, ArticleBot
from qa.export import (
    Standing,
    conversation_as_dict,
    conversation_as_html,
    conversation_as_markdown,
    quote_as_markdown,
    quote_as_text,
    verify,
)


@pytest.fixture(scope="module")
def answers(bot: ArticleBot) -> list[Answer]:
    return [
        replace(bot.ask("Did Microsoft do the same?", k=2), found=True),
        replace(bot.ask("What is the capital of Mongolia?", k=1), found=False),
    ]


def through_json(answers: list[Answer]) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(json.dumps(conversation_as_dict(answers)))
    return values


# ---- verification ----


def test_every_quote_stands_in_the_article_it_is_from(
    answers: list[Answer], article: Article
) -> None:
    checks = verify(through_json(answers), article)
    assert [check.standing for check in checks] == [Standing.STANDS] * 3
    assert [check.question for check in checks] == [answers[0].question] * 2 + [answers[1].question]


def test_a_quote_that_moved_is_found_again(answers: list[Answer], article: Article) -> None:
    later = article_from_text(f"Corrected.\n\n{article.text}")
    checks = verify(through_json(answers), later)
    assert {check.standing for check in checks} == {Standing.MOVED}
    for check in checks:
        assert check.start is not None
        assert later.text[check.start :].startswith(check.quote)


def test_a_quote_that_was_changed_is_gone(answers: list[Answer], article: Article) -> None:
    export = through_json(answers)
    quote = export["answers"][0]["citations"][0]["quote"]
    export["answers"][0]["citations"][0]["quote"] = quote.replace("Microsoft", "Nobody").replace(
        "Amazon", "Nobody"
    )
    first, *others = verify(export, article)
    assert (first.standing, first.start) == (Standing.GONE, None)
    assert {check.standing for check in others} == {Standing.STANDS}


def test_a_quote_cut_short_after_export_does_not_stand_where_it_was(
    answers: list[Answer], article: Article
) -> None:
    export = through_json(answers[:1])
    citation = export["answers"][0]["citations"][0]
    citation["quote"] = citation["quote"][:-5]
    assert verify(export, article)[0].standing is Standing.MOVED


def test_one_answer_can_be_verified_alone(answers: list[Answer], article: Article) -> None:
    assert {c.standing for c in verify(answers[0].to_dict(), article)} == {Standing.STANDS}


@pytest.mark.parametrize(
    "export", [{}, {"schema": "article-qa/conversation/1"}, {"schema": "other"}, []]
)
def test_what_is_no_export_is_refused(export: dict[str, Any], article: Article) -> None:
    with pytest.raises(DataError):
        verify(export, article)


# ---- to read ----


def test_a_quote_names_its_source(answers: list[Answer]) -> None:
    citation = answers[0].citations[0]
    with_url = replace(citation, article=replace(citation.article, url="https://e.org/a(b)"))
    assert quote_as_text(with_url).endswith("Sayujya S, https://e.org/a(b)")
    assert "](<https://e.org/a(b)#:~:text=" in quote_as_markdown(with_url)


def test_markdown_has_every_question_and_quote(answers: list[Answer]) -> None:
    text = conversation_as_markdown(answers)
    assert "## Did Microsoft do the same?" in text
    assert "The article does not say." in text
    assert text.count("characters ") == 3
    assert text.count(answers[0].citations[0].article.hash) == 1


@given(st.text())
def test_no_text_becomes_markup(text: str) -> None:
    answer = Answer(text, None, True, 1.0, (), ())
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(conversation_as_html([answer]))
    assert tags == ["html", "head", "meta", "meta", "title", "style", "body", "h2", "ol"]
    (line,) = [x for x in conversation_as_markdown([answer]).split("\n") if x.startswith("## ")]
    assert "<" not in line.replace("\\<", "")


def test_files_can_hold_what_a_text_can(answers: list[Answer]) -> None:
    answer = replace(answers[0], question="lone \ud800 surrogate")
    for write in (conversation_as_markdown, conversation_as_html):
        write([answer]).encode("utf-8")
