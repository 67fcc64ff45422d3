"""What was read lately from an archive is kept, up to so much text."""

from __future__ import annotations

from index.archive.article_cache import RecentArticles
from index.reading.plaintext import article_from_text


def test_the_articles_used_last_are_kept_up_to_so_many_characters() -> None:
    articles = [article_from_text(f"{letter} sentence.") for letter in "ABCD"]
    recent = RecentArticles(max_characters=3 * len(articles[0].text))
    for number, article in enumerate(articles[:3]):
        recent.keep(number, article)
    assert recent.get(0) == articles[0]  # used again, so that 1 is the oldest now
    recent.keep(3, articles[3])
    assert [recent.get(n) for n in range(4)] == [articles[0], None, articles[2], articles[3]]


def test_keeping_an_article_twice_counts_it_once() -> None:
    one, other = article_from_text("One sentence."), article_from_text("A second.")
    recent = RecentArticles(max_characters=len(one.text) + len(other.text))
    for _ in range(5):
        recent.keep(0, one)
    recent.keep(1, other)
    assert recent.get(0) == one
    assert recent.get(1) == other


def test_an_article_too_long_to_keep_is_not_kept() -> None:
    short = article_from_text("Short.")
    recent = RecentArticles(max_characters=len(short.text))
    recent.keep(0, short)
    recent.keep(1, article_from_text("A whole sentence."))
    assert recent.get(1) is None
    assert recent.get(0) == short
