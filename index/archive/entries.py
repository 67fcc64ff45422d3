"""The metadata of an archive's articles, and which of them a filter lets through."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta, timezone
from typing import Final

from index.archive.store import Entry, PreparedArticle, Where
from index.archive.typed_json import from_json
from index.article import Article

__all__ = ["UNDATED", "days_of", "described", "entry_json", "entry_of", "matches"]

UNDATED: Final = (1, 0)
"""The empty range of days of an article without a usable date."""


def described(
    article: Article,
    *,
    tags: Sequence[str] = (),
    source: str | None = None,
    added: str = "",
    n_passages: int = 0,
) -> Entry:
    """The entry of an article."""
    return Entry(
        id=article.id,
        hash=article.hash,
        title=article.title,
        authors=article.authors,
        published=article.published,
        modified=article.modified,
        site=article.site,
        url=article.url,
        language=article.language,
        tags=tuple(tags),
        source=source,
        added=added,
        n_passages=n_passages,
        n_characters=len(article.text),
    )


def entry_json(prepared: PreparedArticle, added: str | None = None) -> str:
    """The entry of an article as ASCII JSON; ``added`` is now unless given."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    entry = described(
        prepared.article,
        tags=prepared.tags,
        source=prepared.source,
        added=now if added is None else added,
        n_passages=len(prepared.passages),
    )
    return json.dumps(asdict(entry))


def entry_of(text: str) -> Entry:
    """Parse what ``entry_json`` gave; it may have been forged.

    Raises:
        ValueError, TypeError: It is malformed.
    """
    return from_json(Entry, json.loads(text))


def matches(entry: Entry, where: Where) -> bool:
    """Whether a filter lets an article through."""
    first, last = days_of(entry.published)
    if (where.published_from or where.published_until) and last < first:
        return False
    if where.published_from and last < where.published_from.toordinal():
        return False
    if where.published_until and first > where.published_until.toordinal():
        return False
    if where.ids and entry.id not in where.ids:
        return False
    named = (
        (where.authors, entry.authors),
        (where.sites, (entry.site or "",)),
        (where.tags, entry.tags),
    )
    return all(
        not wanted or not {*map(str.casefold, wanted)}.isdisjoint(map(str.casefold, names))
        for wanted, names in named
    )


def days_of(published: str | None) -> tuple[int, int]:
    """First and last day that an ISO 8601 date, month or year allows, as ordinals.

    >>> [date.fromordinal(day).isoformat() for day in days_of("2021-05")]
    ['2021-05-01', '2021-05-31']
    """
    parts = (published or "")[:10].split("-")
    try:
        numbers = [int(part) for part in parts]
        first = date(*(numbers + [1, 1])[:3])
        if len(numbers) == 1:
            last = date(first.year, 12, 31)
        elif len(numbers) == 2:
            later = date(first.year + first.month // 12, first.month % 12 + 1, 1)
            last = later - timedelta(days=1)
        else:
            last = first
    except (ValueError, OverflowError):
        return UNDATED
    return first.toordinal(), last.toordinal()
