"""An article as a store keeps it: its text and structure in a checked blob."""

from __future__ import annotations

import json
import zlib
from typing import Final

from index.article import Article

__all__ = ["pack_body", "unpack_body"]

_MAX_BODY_BYTES: Final = 2**30


def pack_body(number: int, article: Article) -> bytes:
    """An article's text and structure, compressed behind a CRC-32 that covers its number."""
    data = zlib.compress(json.dumps(article.to_dict(), ensure_ascii=True).encode("ascii"))
    return zlib.crc32(data, number & 0xFFFFFFFF).to_bytes(4, "little") + data


def unpack_body(number: int, data: bytes, article_id: str) -> Article:
    """Read what ``pack_body`` gave.

    Raises:
        ValueError, KeyError, TypeError: It is damaged, or another article's.
    """
    if zlib.crc32(memoryview(data)[4:], number & 0xFFFFFFFF) != int.from_bytes(data[:4], "little"):
        raise ValueError(f"the text of article {article_id} is missing or damaged")
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data[4:], _MAX_BODY_BYTES)
    except zlib.error as error:
        raise ValueError(f"the text of article {article_id} is damaged") from error
    if inflater.unconsumed_tail:
        raise ValueError(f"the text of article {article_id} is too long")
    article = Article.from_dict(json.loads(text))
    if article.id != article_id:
        raise ValueError(f"the text of article {article_id} is another's")
    return article
