"""An article as a store keeps it: its metadata in a line of JSON, its text in a checked blob."""

from __future__ import annotations

import json
import zlib
from datetime import datetime, timezone
from typing import Any, Final

from index.archive.store import PreparedArticle
from index.article import Article

__all__ = ["entry_record", "pack_body", "unpack_body"]

_MAX_BODY_BYTES: Final = 2**30


def entry_record(prepared: PreparedArticle) -> dict[str, Any]:
    """What `index.archive.store.Entry` holds of an article that is added now."""
    article = prepared.article
    return {
        "id": article.id,
        "hash": article.hash,
        "title": article.title,
        "authors": list(article.authors),
        "published": article.published,
        "modified": article.modified,
        "site": article.site,
        "url": article.url,
        "language": article.language,
        "tags": list(prepared.tags),
        "source": prepared.source,
        "added": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "n_passages": len(prepared.passages),
        "n_characters": len(article.text),
    }


def pack_body(number: int, article: Article) -> bytes:
    """An article's text and structure as bytes."""
    data = zlib.compress(json.dumps(article.to_dict(), ensure_ascii=True).encode("ascii"))
    return zlib.crc32(data, number & 0xFFFFFFFF).to_bytes(4, "little") + data


def unpack_body(number: int, data: bytes) -> Article:
    """Read what ``pack_body`` gave.

    Raises:
        ValueError, KeyError, TypeError: It is damaged.
    """
    if zlib.crc32(memoryview(data)[4:], number & 0xFFFFFFFF) != int.from_bytes(data[:4], "little"):
        raise ValueError("the text of an article is damaged")
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data[4:], _MAX_BODY_BYTES)
    except zlib.error as error:
        raise ValueError("the text of an article is damaged") from error
    if inflater.unconsumed_tail:
        raise ValueError("the text of an article is too long")
    return Article.from_dict(json.loads(text))
