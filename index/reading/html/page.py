"""Web pages: the article, its structure and what the page says about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import lxml.html
from lxml import etree
from trafilatura import bare_extraction

from index.article import Article, BlockKind
from index.errors import EmptyArticle
from index.reading.assembly import Metadata, Piece, article_from_pieces
from index.reading.dates import dates_of_line
from index.reading.encodings import decode_html
from index.reading.html.blocks import Leaf, leaves_of
from index.reading.html.main_content import is_article, is_prose, with_tables_and_code
from index.reading.html.metadata import declared_text, page_metadata
from index.reading.plaintext import is_heading

__all__ = ["kind_of", "parse_page", "read_html", "trafilatura_text"]

MIN_CAPTION_WORDS = 4
_CREDIT = re.compile(
    r"(?i)photo(?:graph)?(?:er|s)?\b|image|credit|©|getty|reuters|courtesy|/|\||via\b"
)
MAX_MARKED_HEADING = 300
"""Characters; a longer text in a heading element is the article itself."""
MAX_BYLINE = 160
SURE_CHARS = 600
"""Of prose; where less was found, the page is read again with more care."""
_TERMINAL = re.compile(r"[.!;:,…。！؟।][\"'”’»)\]]*$")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>", re.IGNORECASE)
_IN_HEAD = ("title", "meta", "link", "script", "style", "base", "noscript", etree.Comment, etree.PI)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_HOLDS_BLOCKS = etree.XPath("boolean(.//p|.//div|.//section|.//ul|.//ol|.//table|.//blockquote)")
_KINDS = {
    "title": BlockKind.TITLE,
    "authors": BlockKind.BYLINE,
    "published": BlockKind.DATELINE,
    "modified": BlockKind.DATELINE,
}
_SEPARATED = re.compile(r"\n|(?<!\s)\s+[|•·–—/]\s+")
_LINE_PARTS = re.compile(
    r"\n|(?<!\s)\s+[|•·–—/]\s+|(?<!\s)\s+(?=(?:[Pp]ublished|[Pp]osted|[Uu]pdated|[Oo]n)\b"
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
        metadata = known.over(metadata)
    leaves, keep = _article_of(root)
    pieces = _pieces(leaves, keep, metadata)
    return article_from_pieces(pieces, metadata, _omitted(leaves, keep))


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
    _end_head(root)
    for heading in list(root.iter(*_HEADINGS)):
        for button in heading.iter("button"):
            button.tag = "span"
        if (
            _HOLDS_BLOCKS(heading)
            and len("".join(map(str, heading.itertext()))) > MAX_MARKED_HEADING
        ):
            heading.tag = "div"
    return root


def _end_head(root: etree._Element) -> None:
    """End a page's head where browsers do: the parser knows few of the elements that end it."""
    head = root.find("head")
    first = next((e for e in ([] if head is None else head) if e.tag not in _IN_HEAD), None)
    if first is not None:
        body = root.find("body")
        body = etree.SubElement(root, "body") if body is None else body
        for place, element in enumerate([first, *first.itersiblings()]):
            body.insert(place, element)


def trafilatura_text(root: etree._Element, *, fast: bool = True) -> str:
    """What trafilatura takes for the article, one block a line."""
    found = bare_extraction(root, include_comments=False, fast=fast, with_metadata=False)
    return getattr(found, "text", None) or ""


def _pieces(leaves: Sequence[Leaf], keep: Sequence[bool], metadata: Metadata) -> list[Piece]:
    """The blocks of an article by kind."""
    printed = _printed_lines(leaves, keep, metadata)
    kept = [
        leaf
        for leaf, wanted in zip(leaves, keep, strict=True)
        if leaf in printed or (wanted and not leaf.place.noted)
    ]
    pieces: list[Piece] = []
    for row, leaf in enumerate(kept):
        if leaf in printed:
            pieces.extend(_line_pieces(leaf, printed[leaf], metadata))
            continue
        kind, level = kind_of(leaf, kept[row + 1] if row + 1 < len(kept) else None)
        if (
            metadata.title
            and level == 1
            and kind is BlockKind.HEADING
            and not any(piece.kind.citable for piece in pieces)
        ):
            continue  # the title in other words
        text = leaf.text.replace("\n", " ") if kind is BlockKind.HEADING else leaf.text
        pieces.append(Piece(kind, text, level))
    return pieces


def _printed_lines(
    leaves: Sequence[Leaf], keep: Sequence[bool], metadata: Metadata
) -> dict[Leaf, list[BlockKind]]:
    """The blocks in which the page prints its title, who wrote it and when, nearest its text."""
    start = next((row for row, kept in enumerate(keep) if kept and is_prose(leaves[row])), 0)
    names = [name.casefold() for name in metadata.authors]
    title = " ".join((metadata.title or "").split())
    wanted: dict[str, Callable[[Leaf], bool]] = {
        "title": lambda leaf: "h1" in leaf.place.within and " ".join(leaf.text.split()) == title,
        "authors": lambda leaf: _is_byline(leaf.text.casefold(), names),
        "published": lambda leaf: _says(leaf.text, metadata.published, edited=False),
        "modified": lambda leaf: _says(leaf.text, metadata.modified, edited=True),
    }
    found: dict[Leaf, list[BlockKind]] = {}
    for row in sorted(range(len(leaves)), key=lambda row: abs(row - start)):
        leaf = leaves[row]
        if leaf.place.elsewhere or (is_prose(leaf) and leaf.text != title):
            continue
        for name, says in list(wanted.items()):
            if (name == "title" or len(leaf.text) <= MAX_BYLINE) and says(leaf):
                found.setdefault(leaf, []).append(_KINDS[name])
                del wanted[name]
    return found


def _is_byline(text: str, names: Sequence[str]) -> bool:
    rest = len(text) - sum(len(name) for name in names if name in text)
    return rest < min(len(text), 80)


def _says(text: str, date: str | None, *, edited: bool) -> bool:
    """Whether a line prints a day as the one of publication, or of a change."""
    name = "modified" if edited else "published"
    return (
        date is not None
        and date[:4] in text
        and any(
            dates_of_line(part, day_first=first).get(name) == date[:10]
            for part in _SEPARATED.split(text)
            for first in (True, False)
        )
    )


def _line_pieces(leaf: Leaf, kinds: Sequence[BlockKind], metadata: Metadata) -> list[Piece]:
    """A printed title, byline or dateline; a byline with a date is cut where the date begins."""
    text = leaf.text
    if BlockKind.TITLE in kinds:
        return [Piece(BlockKind.TITLE, text.replace("\n", " "))]
    if BlockKind.BYLINE not in kinds or BlockKind.DATELINE not in kinds:
        return [Piece(kinds[0], text)]
    day = metadata.published
    for cut in _LINE_PARTS.finditer(text):
        before, after = text[: cut.start()].strip(), text[cut.end() :].strip()
        if before and _says(after, day, edited=False) and not _says(before, day, edited=False):
            return [Piece(BlockKind.BYLINE, before), Piece(BlockKind.DATELINE, after)]
    return [Piece(BlockKind.BYLINE, text)]


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


def kind_of(leaf: Leaf, following: Leaf | None) -> tuple[BlockKind, int]:
    """What a block is, and the level of a heading or of the row over a table."""
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
        and is_heading(leaf.text)
        and following is not None
        and following.bold < len(following.text) / 2
    ):
        return BlockKind.HEADING, 3
    return BlockKind.PARAGRAPH, 0
