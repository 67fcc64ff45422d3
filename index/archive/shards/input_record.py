"""An article from a record with named fields: a line of JSON, or a row of a Parquet table.

    text          required
    title, authors, published, modified, site, url, language
                  as in index.Article; if missing, taken from the text where it states them
    blocks        the structure of the text, as in Article.to_dict; inferred if missing
    tags          for filters
    source        where it was read from

Other fields are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from index.archive.entries import UNDATED, days_of
from index.article import Article
from index.errors import EmptyArticle, SourceError, UnreadableSource
from index.reading.plaintext import article_from_text
from index.reading.reader import MAX_BYTES

__all__ = ["FIELDS", "article_of_record"]

_NAMES: Final = ("title", "published", "modified", "site", "url", "language")
FIELDS: Final = ("text", *_NAMES, "authors", "blocks", "tags", "source")


def article_of_record(record: Mapping[str, Any]) -> tuple[Article, tuple[str, ...], str | None]:
    """An article with its tags and its source.

    Raises:
        SourceError: A field is missing or cannot be used; the message begins with its name.
        EmptyArticle: Nothing in the text can be cited.
    """
    text = record.get("text")
    if not isinstance(text, str):
        raise UnreadableSource(f"text must be the article's text, not {_shown(text)}")
    if len(text) > MAX_BYTES:
        raise SourceError(f"text has {len(text):,} characters, and may have {MAX_BYTES:,}")
    given: dict[str, Any] = {name: _name(record, name) for name in _NAMES}
    for name in ("published", "modified"):
        if given[name] is not None and days_of(given[name]) == UNDATED:
            raise UnreadableSource(
                f"{name} must be a date as ISO 8601 writes it, 2021-05-18, not {given[name]!r}"
            )
    given["authors"] = _names(record, "authors")
    tags, source = _names(record, "tags"), _name(record, "source")
    if record.get("blocks") is not None:
        return _whole(record, given), tags, source
    modified = given.pop("modified")
    article = article_from_text(text, **given)
    return replace(article, modified=modified), tags, source


def _whole(record: Mapping[str, Any], given: Mapping[str, Any]) -> Article:
    """An article whose structure is given as well."""
    try:
        blocks = [list(block) for block in record["blocks"]]
        for kind, start, end, level, page in blocks:
            numbers = (start, end, level, 1 if page is None else page)
            if not isinstance(kind, str) or any(type(number) is not int for number in numbers):
                raise TypeError("a block is [kind, start, end, level, page]")
        return Article.from_dict({"text": record["text"], **given, "blocks": blocks})
    except EmptyArticle:
        raise
    except (TypeError, ValueError) as error:
        raise UnreadableSource(f"blocks do not fit the text: {error}") from error


def _name(record: Mapping[str, Any], field: str) -> str | None:
    value = record.get(field)
    if value is not None and not isinstance(value, str):
        raise UnreadableSource(f"{field} must be a string, not {_shown(value)}")
    return value or None


def _names(record: Mapping[str, Any], field: str) -> tuple[str, ...]:
    value = record.get(field)
    if value is None:
        return ()
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, (list, tuple)) or not all(isinstance(v, str) and v for v in values):
        raise UnreadableSource(f"{field} must be a list of names, not {_shown(value)}")
    return tuple(values)


def _shown(value: object) -> str:
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
