"""Web pages: the article, its structure and what the page says about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace

import lxml.html
from lxml import etree
from trafilatura import bare_extraction

from index.article import Article, BlockKind
from index.errors import EmptyArticle
from index.reading.assembly import Metadata, Piece, article_from_pieces
from index.reading.encodings import decode_html
from index.reading.html.blocks import Leaf, leaves_of
from index.reading.html.main_content import is_article
from index.reading.html.metadata import page_metadata

__all__ = ["parse_page", "read_html", "trafilatura_text"]

MIN_CAPTION = 60
"""Characters; what is shorter is a label or a credit as a rule."""
MAX_HEADING = 90
MAX_HEADING_WORDS = 14
_TERMINAL = re.compile(r"[.!;:,…。！؟।][\"'”’»)\]]*$")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>", re.IGNORECASE)


def read_html(
    data: bytes | str,
    *,
    url: str | None = None,
    charset: str | None = None,
    known: Metadata | None = None,
) -> Article:
    """Read a web page.

    Args:
        data: The page as it was saved or fetched.
        url: Where it came from; the page's own canonical address is preferred.
        charset: The encoding that the server named.
        known: What is known of the article from elsewhere; goes before what the page says.

    Raises:
        EmptyArticle: No article was found in the page.
    """
    root = parse_page(data, charset)
    metadata = page_metadata(root, url)
    if known is not None:
        given = {f.name: getattr(known, f.name) for f in fields(known) if getattr(known, f.name)}
        metadata = replace(metadata, **given)
    leaves = leaves_of(root)
    keep = _with_captions(leaves, is_article(leaves, trafilatura_text(root)))
    pieces = _pieces(
        [leaf for leaf, kept in zip(leaves, keep, strict=True) if kept and not leaf.place.noted],
        metadata.title,
    )
    return article_from_pieces(pieces, metadata)


def _with_captions(leaves: Sequence[Leaf], keep: Sequence[bool]) -> list[bool]:
    """Captions within the article kept where they say something; credits and labels are not."""
    rows = [row for row, kept in enumerate(keep) if kept]
    within = range(rows[0], rows[-1]) if rows else range(0)
    return [
        kept
        or (
            row in within
            and "figcaption" in leaf.place.within
            and len(leaf.text) >= MIN_CAPTION
            and leaf.text.endswith((".", "!", "?"))
            and leaf.linked < len(leaf.text) / 3
            and not leaf.place.posted
        )
        for row, (leaf, kept) in enumerate(zip(leaves, keep, strict=True))
    ]


def parse_page(data: bytes | str, charset: str | None = None) -> etree._Element:
    """The tree of a page.

    Raises:
        EmptyArticle: There is nothing in it.
    """
    text = data if isinstance(data, str) else decode_html(data, charset)
    text = _DECLARATION.sub("", _NOT_XML.sub(" ", text), count=1)
    try:
        # Without this, what stands more than 256 elements deep would be lost in silence.
        parser = lxml.html.HTMLParser(huge_tree=True)
        return lxml.html.document_fromstring(text, parser)
    except etree.ParserError as error:
        raise EmptyArticle("the page is empty; save it again, or give its address") from error


def trafilatura_text(root: etree._Element) -> str:
    """What trafilatura takes for the article, one block a line."""
    found = bare_extraction(root, include_comments=False, fast=True, with_metadata=False)
    return getattr(found, "text", None) or ""


def _pieces(leaves: Sequence[Leaf], title: str | None) -> list[Piece]:
    """The blocks of an article by kind."""
    pieces: list[Piece] = []
    for row, leaf in enumerate(leaves):
        kind, level = _kind(leaf, leaves[row + 1] if row + 1 < len(leaves) else None)
        if title and level == 1 and not any(piece.kind.citable for piece in pieces):
            continue  # the title, in these words or others
        text = leaf.text.replace("\n", " ") if kind is BlockKind.HEADING else leaf.text
        pieces.append(Piece(kind, text, level))
    return pieces


def _kind(leaf: Leaf, following: Leaf | None) -> tuple[BlockKind, int]:
    tag, within = leaf.place.tag, leaf.place.within
    for level in range(1, 7):
        if f"h{level}" in within:
            return BlockKind.HEADING, level
    if leaf.row >= 0 and " | " in leaf.text:
        return BlockKind.TABLE_ROW, 0
    if "figcaption" in within or "caption" in within:
        return BlockKind.CAPTION, 0
    if "li" in within:
        return BlockKind.LIST_ITEM, 0
    if "blockquote" in within:
        return BlockKind.QUOTE, 0
    if (
        tag in ("p", "div")
        and leaf.bold >= len(leaf.text.replace(" ", ""))
        and len(leaf.text) <= MAX_HEADING
        and len(leaf.text.split()) <= MAX_HEADING_WORDS
        and not _TERMINAL.search(leaf.text)
        and following is not None
        and following.bold < len(following.text) / 2
    ):
        return BlockKind.HEADING, 3
    return BlockKind.PARAGRAPH, 0
