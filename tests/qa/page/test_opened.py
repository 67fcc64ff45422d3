"""What strangers can make a server hold is bounded."""

from __future__ import annotations

from qa import ArticleBot
from qa.page.opened import MAX_ARTICLES, MAX_CHARACTERS, OpenedArticles
from qa.page.source import ArticleSource


def test_two_hundred_articles_opened_in_turn_are_held_within_a_bound(bot: ArticleBot) -> None:
    opened, source = OpenedArticles(), ArticleSource(bot)
    for size in (MAX_CHARACTERS // 40, 100):
        handles = [opened.add_source(source, size) for _ in range(200)]
        held = [handle for handle in handles if opened.get(handle)]
        assert held == handles[-len(held) :]  # the latest
        assert len(held) * size <= MAX_CHARACTERS
        assert len(held) == min(MAX_ARTICLES, MAX_CHARACTERS // size)


def test_a_pdf_counts_with_its_bytes(bot: ArticleBot) -> None:
    opened = OpenedArticles()
    first = opened.add(bot, pdf=b"x" * 30_000_000)
    assert opened.get(first)
    opened.add(bot, pdf=b"x" * 30_000_000)
    assert opened.get(first) is None


def test_what_was_used_last_goes_last(bot: ArticleBot) -> None:
    opened, source = OpenedArticles(), ArticleSource(bot)
    first, second = (opened.add_source(source, 1) for _ in range(2))
    opened.get(first)
    for _ in range(MAX_ARTICLES - 1):
        opened.add_source(source, 1)
    assert opened.get(first)
    assert opened.get(second) is None
