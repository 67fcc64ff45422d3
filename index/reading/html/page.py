"""Web pages: the article, its structure and what the page says about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

import lxml.html
from lxml import etree
from trafilatura import bare_extraction

from index.article import Article, BlockKind
from index.errors import EmptyArticle
from index.reading.assembly import Metadata, Piece, article_from_pieces
from index.reading.dates import date_in
from index.reading.encodings import decode_html
from index.reading.html.blocks import Leaf, leaves_of
from index.reading.html.main_content import is_article, is_prose, with_tables_and_code
from index.reading.html.metadata import declared_text, page_metadata

__all__ = ["parse_page", "read_html", "trafilatura_text"]

MIN_CAPTION_WORDS = 4
_CREDIT = re.compile(
    r"(?i)photo(?:graph)?(?:er|s)?\b|image|credit|©|getty|reuters|courtesy|/|\||via\b"
)
MAX_HEADING = 90
MAX_HEADING_WORDS = 14
MAX_MARKED_HEADING = 300
"""Characters; a longer text in a heading element is the article itself."""
MAX_BYLINE = 160
SURE_CHARS = 600
"""Of prose; where less was found, the page is read again with more care."""
_TERMINAL = re.compile(r"[.!;:,…。！؟।][\"'”’»)\]]*$")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>", re.IGNORECASE)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_HOLDS_BLOCKS = etree.XPath("boolean(.//p|.//div|.//section|.//ul|.//ol|.//table|.//blockquote)")
_EDITED = re.compile(r"(?i)\b(?:updated|modified|edited|revised|reviewed|changed)\b")
_LINE_PARTS = re.compile(
    r"\n|\s+[|•·–—/]\s+|\s+(?=(?:[Pp]ublished|[Pp]osted|[Uu]pdated|[Oo]n)\b"
    r"|(?:\w{3,6}day,? )?(?:\d{1,2}\.? \w{3,10}\.?|\w{3,10}\.? \d{1,2},) \d{4}\b|\d{4}-\d\d-\d\d)"
)


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
    leaves, keep = _article_of(root)
    # Only what the page prints is text: names and dates that it merely declares stay apart.
    silent = replace(metadata, authors=(), published=None)
    return replace(
        article_from_pieces(_pieces(leaves, keep, metadata), silent),
        authors=metadata.authors,
        published=metadata.published,
        omitted=_omitted(leaves, keep),
    )


def _article_of(root: etree._Element) -> tuple[list[Leaf], list[bool]]:
    """The blocks of a page, and which of them are its article."""
    leaves = leaves_of(root)
    keep = _judged(leaves, trafilatura_text(root))
    found = _chars(leaves, keep)
    if found >= SURE_CHARS and found >= 0.2 * _chars(leaves, map(is_prose, leaves)):
        return leaves, keep
    body = declared_text(root)
    _opened(root)
    careful = leaves_of(root)
    verdict = body or trafilatura_text(root, fast=False)
    careful_keep = _judged(careful, verdict)
    if not any(careful_keep):
        careful_keep = [is_prose(leaf) for leaf in careful]
    said = any(kept and is_prose(leaf) for leaf, kept in zip(careful, careful_keep, strict=True))
    careful_found = _chars(careful, careful_keep) * said
    if len(body) > 2 * max(found, careful_found):
        leaves = leaves_of(lxml.html.fromstring(body))
        return leaves, [True] * len(leaves)
    # What was read with less doubt gives way only to what is much more.
    much = 1.5 if found < SURE_CHARS else 5
    return (careful, careful_keep) if careful_found > much * found else (leaves, keep)


def _judged(leaves: Sequence[Leaf], verdict: str) -> list[bool]:
    return _with_captions(leaves, with_tables_and_code(leaves, is_article(leaves, verdict)))


def _chars(leaves: Iterable[Leaf], keep: Iterable[bool]) -> int:
    """Characters of the blocks that are kept, those of links not counted."""
    return sum(
        len(leaf.text) - leaf.linked for leaf, kept in zip(leaves, keep, strict=True) if kept
    )


def _opened(root: etree._Element) -> None:
    """Make plain containers of what an article should not stand in, but stands in on some pages."""
    for element in list(root.iter("nav", "noscript", "button", "a", "label", "table", "form")):
        if element.tag == "table" and element.find(".//p") is None:
            continue
        if element.tag in ("a", "label", "button") and not _HOLDS_BLOCKS(element):
            continue
        if element.tag == "table":
            for part in list(element.iter("tr", "td", "th", "tbody")):
                part.tag = "div"
        element.tag = "div"
    for element in root.iter("body", "main", "article", "div", "section"):
        if element.tag in ("div", "section") and element.find(".//h1") is None:
            continue
        # Some pages hide all of themselves until a script has run.
        for name in ("style", "hidden", "aria-hidden"):
            element.attrib.pop(name, "")


def _with_captions(leaves: Sequence[Leaf], keep: Sequence[bool]) -> list[bool]:
    """Captions within the article kept where they say something; credits and labels are not."""
    rows = [row for row, kept in enumerate(keep) if kept]
    within = range(rows[0], rows[-1]) if rows else range(0)
    return [
        kept
        or (
            row in within
            and "figcaption" in leaf.place.within
            and len(leaf.text.split()) >= MIN_CAPTION_WORDS
            and (_TERMINAL.search(leaf.text) or not _CREDIT.search(leaf.text))
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
        root = lxml.html.document_fromstring(text, parser)
    except etree.ParserError as error:
        raise EmptyArticle("the page is empty; save it again, or give its address") from error
    for heading in list(root.iter(*_HEADINGS)):
        for button in heading.iter("button"):
            button.tag = "span"
        if (
            _HOLDS_BLOCKS(heading)
            and len("".join(map(str, heading.itertext()))) > MAX_MARKED_HEADING
        ):
            heading.tag = "div"
    return root


def trafilatura_text(root: etree._Element, *, fast: bool = True) -> str:
    """What trafilatura takes for the article, one block a line."""
    found = bare_extraction(root, include_comments=False, fast=fast, with_metadata=False)
    return getattr(found, "text", None) or ""


def _pieces(leaves: Sequence[Leaf], keep: Sequence[bool], metadata: Metadata) -> list[Piece]:
    """The blocks of an article by kind."""
    byline, dateline = _printed_lines(leaves, keep, metadata)
    kept = [
        leaf
        for leaf, wanted in zip(leaves, keep, strict=True)
        if leaf is byline or leaf is dateline or (wanted and not leaf.place.noted)
    ]
    pieces: list[Piece] = []
    for row, leaf in enumerate(kept):
        if leaf is byline or leaf is dateline:
            pieces.extend(_line_pieces(leaf, leaf is byline, leaf is dateline, metadata))
            continue
        kind, level = _kind(leaf, kept[row + 1] if row + 1 < len(kept) else None)
        if (
            metadata.title
            and level == 1
            and kind is BlockKind.HEADING
            and not any(piece.kind.citable for piece in pieces)
        ):
            continue  # the title, in these words or others
        text = leaf.text.replace("\n", " ") if kind is BlockKind.HEADING else leaf.text
        pieces.append(Piece(kind, text, level))
    return pieces


def _printed_lines(
    leaves: Sequence[Leaf], keep: Sequence[bool], metadata: Metadata
) -> tuple[Leaf | None, Leaf | None]:
    """The blocks in which the page prints who wrote it and when it appeared, nearest its text."""
    start = next((row for row, kept in enumerate(keep) if kept and is_prose(leaves[row])), 0)
    names = [name.casefold() for name in metadata.authors]
    day = (metadata.published or "")[:10]
    found: list[Leaf | None] = [None, None]
    for row in sorted(range(len(leaves)), key=lambda row: abs(row - start)):
        leaf = leaves[row]
        if len(leaf.text) > MAX_BYLINE or leaf.place.elsewhere or is_prose(leaf):
            continue
        text = leaf.text.casefold()
        rest = len(text) - sum(len(name) for name in names if name in text)
        if found[0] is None and rest < min(len(text), 80):
            found[0] = leaf
        if found[1] is None and day and _says(leaf.text, day):
            found[1] = leaf
    return found[0], found[1]


def _says(text: str, day: str) -> bool:
    """Whether a line prints a day as the one of publication."""
    return any(
        date_in(part, day_first=first) == day and not _EDITED.search(part)
        for part in _LINE_PARTS.split(text)
        for first in (True, False)
    )


def _line_pieces(leaf: Leaf, names: bool, dates: bool, metadata: Metadata) -> list[Piece]:
    """A printed byline or dateline; a line that is both is cut where the date begins."""
    if not (names and dates):
        return [Piece(BlockKind.BYLINE if names else BlockKind.DATELINE, leaf.text)]
    day = (metadata.published or "")[:10]
    for cut in _LINE_PARTS.finditer(leaf.text):
        before, after = leaf.text[: cut.start()].strip(), leaf.text[cut.end() :].strip()
        if before and _says(after, day) and not _says(before, day):
            return [Piece(BlockKind.BYLINE, before), Piece(BlockKind.DATELINE, after)]
    return [Piece(BlockKind.BYLINE, leaf.text)]


def _omitted(leaves: Sequence[Leaf], keep: Sequence[bool]) -> tuple[str, ...]:
    """What kinds of text the page has beside its article, with the number of blocks of each."""
    counts = Counter(
        _reason(leaf)
        for leaf, kept in zip(leaves, keep, strict=True)
        if (not kept or leaf.place.noted) and len(leaf.text.split()) >= 4
    )
    return tuple(f"{reason}: {count}" for reason, count in counts.most_common())


def _reason(leaf: Leaf) -> str:
    if leaf.place.noted:
        return "footnotes"
    if leaf.place.commented:
        return "blocks of comments"
    if leaf.linked > len(leaf.text) / 2:
        return "links and teasers"
    if "figcaption" in leaf.place.within:
        return "captions and credits"
    return "other blocks"


def _kind(leaf: Leaf, following: Leaf | None) -> tuple[BlockKind, int]:
    tag, within = leaf.place.tag, leaf.place.within
    if leaf.preformatted:
        return BlockKind.CODE, 0
    for level in range(1, 7):
        if f"h{level}" in within:
            return BlockKind.HEADING, level
    if leaf.in_table:
        return BlockKind.TABLE_ROW, int("th" in within or "thead" in within)
    if "figcaption" in within or "caption" in within:
        return BlockKind.CAPTION, 0
    if "li" in within or "dd" in within:
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
