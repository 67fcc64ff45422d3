"""Which articles are asked, as people and programs say it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from index.archive.store import Where
from index.errors import QuestionError

__all__ = ["day_of", "where_of"]


def where_of(
    *,
    since: str | None = None,
    until: str | None = None,
    author: Iterable[str] = (),
    site: Iterable[str] = (),
    tag: Iterable[str] = (),
    only: Iterable[str] = (),
) -> Where:
    """The filter that is asked for; false where none is.

    Args:
        since: Published on that day or later, ISO 8601.
        until: Published on that day or earlier.
        author: By any of these.
        site: Of any of these.
        tag: With any of these.
        only: With any of these ids.

    Raises:
        QuestionError: A date is not one.
    """
    return Where(
        published_from=day_of(since),
        published_until=day_of(until),
        authors=tuple(author),
        sites=tuple(site),
        tags=tuple(tag),
        ids=tuple(only),
    )


def day_of(text: str | None) -> date | None:
    """A day out of ISO 8601; None where none is given.

    Raises:
        QuestionError: It is not a date.
    """
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise QuestionError(f"{text!r} is not a date; write it as 2021-05-18") from error
