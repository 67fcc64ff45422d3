"""Word documents: the paragraphs of ``word/document.xml`` with their styles.

Only what is read is unpacked, and only so much of it; notes, comments, headers and footers
are other parts of the archive and stay there. The format is ECMA-376, part 1.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from lxml import etree

from index.article import Article, BlockKind
from index.errors import SourceError, UnreadableSource
from index.reading.assembly import Metadata, Piece, article_from_pieces
from index.reading.dates import date_in, iso_date
from index.reading.plaintext import authors_of_byline, is_dateline, is_furniture

__all__ = ["read_docx"]

MAX_PART_BYTES = 20 * 2**20
"""Of XML unpacked; a novel has about five megabytes."""
MAX_LINE = 200

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_PROPERTIES = {
    "title": "{http://purl.org/dc/elements/1.1/}title",
    "creator": "{http://purl.org/dc/elements/1.1/}creator",
    "modified": "{http://purl.org/dc/terms/}modified",
}
_BROKEN = (
    zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError, RuntimeError, ValueError
)  # fmt: skip
_HEADING = re.compile(r"(?i)^(?:heading|überschrift|titre|título|titolo|kop)\s*([1-9])$")
_CAPTION = re.compile(r"(?i)^(?:caption|beschriftung|légende|leyenda|didascalia)$")


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """A paragraph's words, the name of its style, its outline level and whether it is an item."""

    text: str
    style: str
    level: int
    listed: bool


def read_docx(data: bytes, *, name: str = "the document", url: str | None = None) -> Article:
    """Read a Word document.

    Args:
        data: The file.
        name: What to call it in an error.
        url: Where it came from.

    Raises:
        UnreadableSource: It is damaged, or protected by a password.
        SourceError: Its text is too large.
        EmptyArticle: Nothing in it can be cited.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            document = _part(archive, "word/document.xml", name)
            styles = _styles(_part(archive, "word/styles.xml", name, needed=False))
            properties = _part(archive, "docProps/core.xml", name, needed=False)
    except _BROKEN as error:
        raise UnreadableSource(
            f"{name} is damaged or protected by a password ({error}); save it again without one"
        ) from error
    if document is None:
        raise UnreadableSource(f"{name} holds no text; save it again as .docx")
    pieces = list(_pieces(document, styles))
    return article_from_pieces(pieces, _metadata(pieces, properties, url))


def _part(
    archive: zipfile.ZipFile, part: str, name: str, *, needed: bool = True
) -> etree._Element | None:
    """One XML part of the archive, unpacked within bounds whatever its entry claims."""
    try:
        with archive.open(part) as file:
            data = file.read(MAX_PART_BYTES + 1)
    except KeyError:
        if needed:
            raise
        return None
    if len(data) > MAX_PART_BYTES:
        raise SourceError(
            f"{name} unpacks to more than {MAX_PART_BYTES // 2**20} MB of text; give one article"
        )
    if b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data:
        raise UnreadableSource(
            f"{name} defines entities, as no word processor does; it is not read"
        )
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableSource(f"{name} is damaged ({error}); save it again") from error


def _styles(root: etree._Element | None) -> dict[str, str]:
    """Names of styles by their identifiers, which are translated in some languages."""
    styles: dict[str, str] = {}
    for style in () if root is None else root.iter(f"{_W}style"):
        label = style.find(f"{_W}name")
        if label is not None:
            styles[style.get(f"{_W}styleId") or ""] = label.get(f"{_W}val") or ""
    return styles


def _pieces(root: etree._Element, styles: dict[str, str]) -> Iterator[Piece]:
    body = root.find(f"{_W}body")
    seen = 0
    titled = False
    for kind, paragraph in _in_order(body if body is not None else root, styles):
        if not paragraph.text:
            continue
        heading = _HEADING.match(paragraph.style)
        if kind is not None:
            yield Piece(kind, paragraph.text)
        elif paragraph.style.lower() == "title" and not titled:
            titled = True
            yield Piece(BlockKind.TITLE, paragraph.text)
        elif heading or paragraph.level:
            yield Piece(
                BlockKind.HEADING, paragraph.text, int(heading[1]) if heading else paragraph.level
            )
        else:
            yield Piece(_kind(paragraph, seen), paragraph.text)
        seen += 1


def _kind(paragraph: _Paragraph, before: int) -> BlockKind:
    text, style = paragraph.text, paragraph.style.lower()
    if is_furniture(text):
        return BlockKind.FURNITURE
    if _CAPTION.match(style):
        return BlockKind.CAPTION
    if "quote" in style or "zitat" in style:
        return BlockKind.QUOTE
    if paragraph.listed or style.startswith("list"):
        return BlockKind.LIST_ITEM
    if before < 5 and len(text) <= MAX_LINE:
        if authors_of_byline(text):
            return BlockKind.BYLINE
        if is_dateline(text):
            return BlockKind.DATELINE
    return BlockKind.PARAGRAPH


def _in_order(
    body: etree._Element, styles: dict[str, str]
) -> Iterator[tuple[BlockKind | None, _Paragraph]]:
    """Paragraphs and table rows; a row's cells are one line."""
    for child in body:
        if child.tag == f"{_W}p":
            yield None, _paragraph(child, styles)
        elif child.tag == f"{_W}tbl":
            for row in child.iter(f"{_W}tr"):
                cells = [
                    " ".join(filter(None, (_text(p) for p in cell.iter(f"{_W}p"))))
                    for cell in row.iterchildren(f"{_W}tc")
                ]
                line = " | ".join(filter(None, cells))
                yield BlockKind.TABLE_ROW, _Paragraph(line, "", 0, False)
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}smartTag"):
            yield from _in_order(child, styles)


def _paragraph(element: etree._Element, styles: dict[str, str]) -> _Paragraph:
    def value(path: str) -> str:
        found = element.find(f"{_W}pPr/{path}")
        return (found.get(f"{_W}val") or "") if found is not None else ""

    identifier = value(f"{_W}pStyle")
    outline = value(f"{_W}outlineLvl")
    level = int(outline) + 1 if outline.isdigit() and int(outline) < 9 else 0
    listed = element.find(f"{_W}pPr/{_W}numPr") is not None
    return _Paragraph(_text(element), styles.get(identifier, identifier), level, listed)


def _text(element: etree._Element) -> str:
    """The words of a paragraph as they stand: what was deleted or is only a fallback left out."""
    parts: list[str] = []
    walker = etree.iterwalk(element, events=("start",))
    for _, node in walker:
        tag = node.tag
        if tag in (_FALLBACK, f"{_W}del", f"{_W}moveFrom", f"{_W}pPr", f"{_W}rPr"):
            walker.skip_subtree()
        elif tag == f"{_W}t":
            parts.append(node.text or "")
        elif tag in (f"{_W}tab", f"{_W}br", f"{_W}cr"):
            parts.append(" ")
        elif tag == f"{_W}noBreakHyphen":
            parts.append("-")
    return " ".join("".join(parts).split())


def _metadata(pieces: list[Piece], properties: etree._Element | None, url: str | None) -> Metadata:
    def declared(key: str) -> str:
        return (
            (properties.findtext(_PROPERTIES[key]) or "").strip() if properties is not None else ""
        )

    def shown(kind: BlockKind) -> str:
        return next((piece.text for piece in pieces if piece.kind is kind), "")

    byline = authors_of_byline(shown(BlockKind.BYLINE))
    creator = declared("creator")
    # Libraries and templates sign documents that nobody signed.
    signed = (
        () if creator.lower() in ("", "python-docx", "un-named", "author", "user") else (creator,)
    )
    return Metadata(
        title=shown(BlockKind.TITLE) or declared("title") or None,
        authors=byline or signed,
        published=date_in(shown(BlockKind.DATELINE)),
        modified=iso_date(declared("modified")),
        url=url,
    )
