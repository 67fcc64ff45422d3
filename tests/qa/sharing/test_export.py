"""A conversation that is taken away still proves its quotes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa import Answer, ArticleBot, Declared
from qa.sharing.conversation import conversation_as_dict
from qa.sharing.export import (
    Parts,
    conversation_as_html,
    conversation_as_markdown,
    html_parts,
    markdown_parts,
    quote_as_markdown,
    quote_as_text,
)


@pytest.fixture(scope="module")
def answers(bot: ArticleBot) -> list[Answer]:
    return [
        replace(bot.ask("Did Microsoft do the same?", k=2), found=True),
        replace(bot.ask("What is the capital of Mongolia?", k=1), found=False),
    ]


# ---- to read ----


def test_a_quote_names_its_source(answers: list[Answer]) -> None:
    citation = answers[0].citations[0]
    with_url = replace(citation, article=replace(citation.article, url="https://e.org/a(b)"))
    assert quote_as_text(with_url).endswith("Sayujya S, https://e.org/a(b)")
    assert "](<https://e.org/a%28b%29#:~:text=" in quote_as_markdown(with_url)


def test_markdown_has_every_question_and_quote(answers: list[Answer]) -> None:
    text = conversation_as_markdown(answers)
    assert "## Did Microsoft do the same?" in text
    assert "The article does not say" in text
    assert text.count("characters ") == 3
    assert text.partition("<!--")[0].count(answers[0].citations[0].article.hash) == 1


@pytest.mark.parametrize("parts_of", [markdown_parts, html_parts])
def test_it_says_what_was_asked_when_and_where_it_stands(
    answers: list[Answer], parts_of: Callable[..., Parts]
) -> None:
    first = answers[0].citations[0]
    printed = replace(first.passage, heading="What came of it", page=7)
    cited = replace(first, passage=printed)
    answer = replace(
        answers[0], interpreted_as="Did Microsoft sell it?", confidence=0.9, citations=(cited,)
    )
    parts = parts_of([answer], asked="2026-11-28T10:00:00+00:00")
    text = parts.joined([answer])
    for said in (
        first.article.title or "",
        "Asked on 28 November 2026",
        "Read as: Did Microsoft sell it?",
        "The article says so",
        "What came of it · page 7",
    ):
        assert said in text
    assert text.startswith(parts.head)


@given(st.text())
def test_no_text_becomes_markup(text: str) -> None:
    answer = Answer(text, None, True, 1.0, (), ())
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(conversation_as_html([answer]))
    page = ["html", "head", "meta", "meta", "title", "style", "body", "h1"]
    assert tags == [*page, "h2", "p", "b", "ol"]
    (line,) = [x for x in conversation_as_markdown([answer]).split("\n") if x.startswith("## ")]
    assert "<" not in line.replace("\\<", "")


def test_files_can_hold_what_a_text_can(answers: list[Answer]) -> None:
    answer = replace(answers[0], question="lone \ud800 surrogate")
    for write in (conversation_as_markdown, conversation_as_html):
        write([answer]).encode("utf-8")


def test_metadata_is_told_from_quotes_and_cannot_be_markup(answers: list[Answer]) -> None:
    declared = Declared("authors", "Ann <b>Poe</b> *", "JSON-LD author")
    citation = replace(answers[0].citations[0], metadata=(declared,))
    answer = replace(answers[0], citations=(citation,))
    html = conversation_as_html([answer])
    assert "Author: Ann &lt;b&gt;Poe&lt;/b&gt; * (metadata, not a quote: JSON-LD author)" in html
    assert html.index("No line of its text says so; it begins:") < html.index("<q>")
    markdown = conversation_as_markdown([answer])
    assert "Author: Ann \\<b\\>Poe\\</b\\> \\* (metadata, not a quote: JSON-LD author)" in markdown
    assert conversation_as_dict([answer])["answers"][0]["metadata"] == [
        {"name": "authors", "value": "Ann <b>Poe</b> *", "where": "JSON-LD author"}
    ]
