"""Check whether the quotes of an exported conversation still stand in their articles.

citation ─▶ its article, as it is now ─▶ stands │ moved │ gone
└─▶ not there ──▶ absent
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, TypeAlias

from index.archive.store import Entry
from index.article import Article
from qa.answer import ArticleRef, Citation
from qa.sharing.conversation import answers_of

__all__ = ["Check", "Current", "Standing", "among", "verify"]

Current: TypeAlias = Callable[[ArticleRef], "Article | None"]
"""Gives the article that a citation is from, as it is now; None where it is not there."""


class Standing(str, Enum):
    """How a quote fares."""

    STANDS = "stands"
    MOVED = "moved"
    GONE = "gone"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Check:
    """One quote of an export, looked up in its article.

    Attributes:
        question: What was asked.
        quote: What was quoted in reply.
        article: What it was quoted from.
        standing: ``STANDS`` where it was, ``MOVED`` to another place of the article, ``GONE``
            from it, or ``ABSENT`` with it.
        start: Its first code point in the article now; None where it is gone or absent.
    """

    question: str
    quote: str
    article: ArticleRef
    standing: Standing
    start: int | None


def verify(export: Mapping[str, Any], article: Article | Current) -> tuple[Check, ...]:
    """Which quotes of an exported conversation still stand.

    Args:
        export: What ``conversation_as_dict`` gave, or one answer's ``to_dict``.
        article: The article as it is now; or what gives it, where a conversation may quote
            several (see `among`).

    Returns:
        One check for each quote, in the order of the export.

    Raises:
        DataError: The mapping is neither, or is not whole.
    """
    answers = answers_of(export)
    if isinstance(article, Article):
        quoted = {citation.article.id for answer in answers for citation in answer.citations}
        # An export of one article is taken to be of this one, whatever became of its text.
        only = article
        article = among([only], lambda _: only) if len(quoted) > 1 else lambda _: only
    return tuple(
        _check(answer.question, citation, article(citation.article))
        for answer in answers
        for citation in answer.citations
    )


def among(known: Iterable[Article | Entry], read: Callable[[str], Article]) -> Current:
    """The articles there are, one of which a citation may be from.

    It is the article of the same text; else, as its text was changed, the one of the same
    address; else the only one of the same title.
    """
    by_id: set[str] = set()
    by_url: dict[str, str] = {}
    by_title: dict[str, str | None] = {}
    for one in known:
        by_id.add(one.id)
        if one.url:
            by_url[one.url] = one.id
        if one.title:
            by_title[one.title] = None if one.title in by_title else one.id

    @lru_cache(maxsize=32)
    def current(ref: ArticleRef) -> Article | None:
        found = ref.id if ref.id in by_id else by_url.get(ref.url or "")
        found = found or by_title.get(ref.title or "")
        return read(found) if found else None

    return current


def _check(question: str, citation: Citation, article: Article | None) -> Check:
    quote, start, end = citation.quote, citation.start, citation.end
    if article is None:
        return Check(question, quote, citation.article, Standing.ABSENT, None)
    # A quote that is not as long as its span was edited after it was exported.
    if quote and len(quote) == end - start and article.text[start:end] == quote:
        return Check(question, quote, citation.article, Standing.STANDS, start)
    found = article.text.find(quote) if quote else -1
    if found < 0:
        return Check(question, quote, citation.article, Standing.GONE, None)
    return Check(question, quote, citation.article, Standing.MOVED, found)
