"""What a terminal and a pipe get to see: answers, each quote in its place, and warnings."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace

import pytest

from qa.answer import Answer, ArticleRef, Citation, Declared, PassageRef
from qa.commands.terminal import plain_warnings, render


def shown(answer: Answer) -> list[str]:
    file = io.StringIO()
    render(answer, file)
    return file.getvalue().splitlines()


def cited(title: str, quote: str, number: int, heading: str | None = None) -> Citation:
    article = ArticleRef(title[0] * 16, title[0] * 64, title, (), "2021-03-04T08:00:00", None)
    passage = PassageRef(quote, 0, len(quote), heading, 0, None, 1.0, article)
    return Citation(number, quote, 0, len(quote), 1.0, passage, article)


ONE, OTHER = cited("Rust", "The bridge is shut.", 1, "Cables"), cited("Ferries", "Ferries sail.", 2)


def answered(*citations: Citation, found: bool = True) -> Answer:
    return Answer("Why?", None, found, 0.9, citations, tuple(c.passage for c in citations))


def test_one_article_is_named_once_at_the_end() -> None:
    assert shown(answered(ONE)) == [
        "[1] The bridge is shut.",
        "    Cables",
        "",
        "Rust — 2021-03-04T08:00:00",
    ]


def test_of_several_articles_each_quote_names_its_own_and_the_copies() -> None:
    copy = replace(OTHER.article, title="Wire\x1b[2J copy")
    assert shown(answered(ONE, replace(OTHER, also_in=(copy,)))) == [
        "[1] The bridge is shut.",
        "    Rust, 2021-03-04 · Cables",
        "[2] Ferries sail.",
        "    Ferries, 2021-03-04",
        "    also in: Wire [2J copy, 2021-03-04",
    ]


def test_silence_is_that_of_one_article_or_of_several() -> None:
    assert shown(answered(ONE, found=False))[0] == "The article does not say."
    assert shown(answered(ONE, OTHER, found=False))[0] == "The articles do not say."
    assert shown(answered(found=False)) == ["The articles do not say."]


def test_silence_without_anything_that_comes_close_says_why() -> None:
    answer = replace(answered(found=False), why=("no article passes the filters",))
    assert shown(answer) == ["The articles do not say.", "No article passes the filters."]


def test_on_a_terminal_a_quote_links_to_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    article = replace(ONE.article, url="https://a.example/rust\x1b[2J")
    file = Terminal()
    render(answered(replace(ONE, article=article)), file)
    assert "\x1b]8;" in file.getvalue()
    assert "https://a.example/rust" in file.getvalue()
    assert "\x1b[2J" not in file.getvalue()


def test_our_own_warnings_are_one_plain_line() -> None:
    usual = warnings.formatwarning
    place = ("models.py", 12)
    with plain_warnings():
        ours = warnings.formatwarning("it runs\non torch", UserWarning, *place)
        others = warnings.formatwarning("old", DeprecationWarning, *place)
    assert ours == "article-qa: it runs on torch\n"
    assert others == usual("old", DeprecationWarning, *place)
    assert warnings.formatwarning is usual


def test_metadata_is_told_from_quotes() -> None:
    declared = Declared("published", "2021-03-04", "mail header\x1b[2J Date")
    assert shown(answered(replace(ONE, metadata=(declared,))))[:3] == [
        "Published: 2021-03-04 (metadata, not a quote: mail header [2J Date)",
        "No line of its text says so; it begins:",
        "",
    ]
