"""Word documents: the paragraphs of ``word/document.xml`` with their styles.

Only what is read is unpacked, and only so much of it; notes, comments, headers and footers
are other parts of the archive and stay there. The format is ECMA-376, part 1.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TypeAlias

from lxml import etree

from index.article import Article, BlockKind
from index.errors import SourceError, UnreadableSource
from index.reading.assembly import Metadata, Piece, article_from_pieces, heads_columns, joined_cells
from index.reading.dates import iso_date
from index.reading.header import metadata_of, title_of, with_head
from index.reading.html.authors import names_in
from index.reading.plaintext import is_furniture

__all__ = ["read_docx"]

MAX_PART_BYTES = 20 * 2**20
"""Of XML unpacked; a novel has about five megabytes."""

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = ((b"http://purl.oclc.org/ooxml/wordprocessingml/main", _W[1:-1].encode()),)
"""Strict documents differ from the usual ones in nothing that is read here but this."""
_TRANSPARENT = frozenset(
    "sdt sdtContent ins moveTo smartTag customXml AlternateContent Choice".split()
)
_LEFT_OUT = frozenset("del moveFrom pPr rPr rt".split())
_SYMBOLS = dict(
    zip(
        (
            *range(0x41, 0x5B),
            *range(0x61, 0x7B),
            *b"\xa3\xa5\xae\xb0\xb1\xb3\xb4\xb6\xb7\xb8\xb9\xbb\xce\xd6\xe5\xf2",
        ),
        "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖαβχδεφγηιϕκλμνοπθρστυϖωξψζ≤∞→°±≥×∂•÷≠≈∈√∑∫",
        strict=True,
    )
)
"""What the font Symbol draws for its codes, as far as texts use them."""
_PROPERTIES = {
    "title": "{http://purl.org/dc/elements/1.1/}title",
    "creator": "{http://purl.org/dc/elements/1.1/}creator",
    "modified": "{http://purl.org/dc/terms/}modified",
}
_NOBODY = frozenset(("", "python-docx", "un-named", "author", "user"))
_BROKEN = (
    zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError, RuntimeError, ValueError
)  # fmt: skip
_HEADING = re.compile(r"(?i)^(?:heading|überschrift|titre|título|titolo|kop)\s*([1-9])$")
_CAPTION = re.compile(r"(?i)^(?:caption|beschriftung|légende|leyenda|didascalia)$")


@dataclass(frozen=True, slots=True)
class _Style:
    """A style's own name, and whether what has it is not shown."""

    name: str
    hidden: bool


_Styles: TypeAlias = "dict[str, _Style]"


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """A paragraph's words, the name of its style, its outline level and whether it is an item."""

    text: str
    style: str
    level: int
    listed: bool


def read_docx(data: bytes, *, name: str = "the document", url: str | None = None) -> Article:
    """Read a Word document.

    Raises:
        UnreadableSource: It is damaged, or protected by a password.
        SourceError: Its text is too large.
        EmptyArticle: Nothing in it can be cited.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            # Editors give the document and its styles other names than Word does.
            main = _related(archive, "", "/officeDocument", "word/document.xml", name)
            document = _part(archive, main, name)
            styles = _part(
                archive, _related(archive, main, "/styles", "word/styles.xml", name), name, False
            )
            properties = _part(archive, "docProps/core.xml", name, False)
    except _BROKEN as error:
        raise UnreadableSource(
            f"{name} is damaged or protected by a password ({error}); save it again without one"
        ) from error
    if document is None:
        raise UnreadableSource(f"{name} holds no text; save it again as .docx")
    pieces = with_head(_pieces(document, _styles(styles)))
    return article_from_pieces(pieces, _metadata(pieces, properties, url))


def _related(archive: zipfile.ZipFile, part: str, kind: str, usual: str, name: str) -> str:
    """The part of the archive that another names as its document or its styles."""
    folder, file = posixpath.split(part)
    relations = _part(archive, posixpath.join(folder, "_rels", f"{file}.rels"), name, False)
    for relation in () if relations is None else relations:
        if (relation.get("Type") or "").endswith(kind):
            target = posixpath.join("/", folder, relation.get("Target") or "")
            return posixpath.normpath(target).lstrip("/")
    return usual


def _part(
    archive: zipfile.ZipFile, part: str, name: str, needed: bool = True
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
    for strict, usual in _STRICT:
        data = data.replace(strict, usual)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableSource(f"{name} is damaged ({error}); save it again") from error
    if root.getroottree().docinfo.internalDTD is not None:  # in whatever encoding it stands
        raise UnreadableSource(
            f"{name} defines entities, as no word processor does; it is not read"
        )
    return root


def _styles(root: etree._Element | None) -> dict[str, _Style]:
    """Styles by their identifiers, which are translated in some languages."""
    styles: dict[str, _Style] = {}
    for style in () if root is None else root.iter(f"{_W}style"):
        label = style.find(f"{_W}name")
        shown = label.get(f"{_W}val") or "" if label is not None else ""
        styles[style.get(f"{_W}styleId") or ""] = _Style(shown, _hidden(style))
    return styles


def _pieces(root: etree._Element, styles: _Styles) -> Iterator[Piece]:
    body = root.find(f"{_W}body")
    titled = False
    for block in _in_order(body if body is not None else root, styles):
        if isinstance(block, Piece):
            yield block
            continue
        heading = _HEADING.match(block.style)
        if block.style.lower() == "title" and not titled:
            titled = True
            yield Piece(BlockKind.TITLE, block.text)
        elif heading or block.level:
            level = int(heading[1]) if heading else block.level
            yield Piece(BlockKind.HEADING, block.text, level)
        elif block.text:
            yield Piece(_kind(block), block.text)


def _kind(paragraph: _Paragraph) -> BlockKind:
    text, style = paragraph.text, paragraph.style.lower()
    if is_furniture(text):
        return BlockKind.FURNITURE
    if _CAPTION.match(style):
        return BlockKind.CAPTION
    if "quote" in style or "zitat" in style:
        return BlockKind.QUOTE
    if paragraph.listed or style.startswith("list"):
        return BlockKind.LIST_ITEM
    return BlockKind.PARAGRAPH


def _in_order(body: etree._Element, styles: _Styles) -> Iterator[_Paragraph | Piece]:
    """Paragraphs and table rows; text boxes stand under what they are anchored to."""
    for child in _children(body):
        if child.tag == f"{_W}p":
            boxes: list[etree._Element] = []
            yield _paragraph(child, styles, boxes)
            for box in boxes:
                yield from _in_order(box, styles)
        elif child.tag == f"{_W}tbl":
            yield from _table(child, styles)


def _table(table: etree._Element, styles: _Styles) -> Iterator[_Paragraph | Piece]:
    """The rows of a table, and under each what stands in its cells apart: tables, text boxes."""
    lines = [row for row in _children(table) if row.tag == f"{_W}tr"]
    apart: list[list[etree._Element]] = [[] for _ in lines]
    rows = [_cells(row, styles, inner) for row, inner in zip(lines, apart, strict=True)]
    marked = [row.find(f"{_W}trPr/{_W}tblHeader") is not None for row in lines]
    if rows and not any(marked):
        marked[0] = heads_columns(rows)
    for cells, header, inner in zip(rows, marked, apart, strict=True):
        yield Piece(BlockKind.TABLE_ROW, joined_cells(cells), int(header))
        for element in inner:
            yield from (_table if element.tag == f"{_W}tbl" else _in_order)(element, styles)


def _cells(row: etree._Element, styles: _Styles, apart: list[etree._Element]) -> list[str]:
    cells: list[str] = []
    for cell in _children(row):
        if cell.tag == f"{_W}tc":
            parts = []
            for part in _children(cell):
                if part.tag == f"{_W}p":
                    parts.append(_paragraph(part, styles, apart).text)
                elif part.tag == f"{_W}tbl":
                    apart.append(part)
            cells.append(" ".join(filter(None, parts)))
            span = cell.find(f"{_W}tcPr/{_W}gridSpan")
            columns = (span.get(f"{_W}val") or "") if span is not None else ""
            cells += [""] * (int(columns) - 1 if columns.isdecimal() and len(columns) < 3 else 0)
    return cells


def _children(element: etree._Element) -> Iterator[etree._Element]:
    """The children of an element, those of controls and tracked insertions among them."""
    for child in element.iterchildren(etree.Element):
        if etree.QName(child).localname in _TRANSPARENT:
            yield from _children(child)
        else:
            yield child


def _paragraph(element: etree._Element, styles: _Styles, boxes: list[etree._Element]) -> _Paragraph:
    def value(path: str) -> str:
        found = element.find(f"{_W}pPr/{path}")
        return (found.get(f"{_W}val") or "") if found is not None else ""

    identifier = value(f"{_W}pStyle")
    outline = value(f"{_W}outlineLvl")
    level = int(outline) + 1 if outline.isdigit() and int(outline) < 9 else 0
    listed = element.find(f"{_W}pPr/{_W}numPr") is not None
    style = styles.get(identifier, _Style(identifier, False))
    text = "" if style.hidden else _text(element, styles, boxes)
    return _Paragraph(text, style.name, level, listed)


def _text(element: etree._Element, styles: _Styles, boxes: list[etree._Element]) -> str:
    """The words of a paragraph; deleted and hidden text left out, text boxes apart."""
    parts: list[str] = []
    walker = etree.iterwalk(element, events=("start",))
    for _, node in walker:
        if not isinstance(node.tag, str):
            continue
        name = etree.QName(node).localname
        if name in _LEFT_OUT or _is_left_out(node, name, styles):
            walker.skip_subtree()
        elif name == "txbxContent":
            boxes.append(node)
            walker.skip_subtree()
        elif name == "t":  # an equation's, too
            parts.append(node.text or "")
        elif name in ("tab", "br", "cr"):
            parts.append(" ")
        elif name == "noBreakHyphen":
            parts.append("-")
        elif name == "sym":
            parts.append(_symbol(node.get(f"{_W}font") or "", node.get(f"{_W}char") or ""))
    return " ".join("".join(parts).split())


def _is_left_out(node: etree._Element, name: str, styles: _Styles) -> bool:
    """Whether a run is hidden, or is there for programs that cannot show what stands before it."""
    if name == "Fallback":
        parent = node.getparent()
        return parent is not None and parent.find("{*}Choice//{*}t") is not None
    if name != "r":
        return False
    style = node.find(f"{_W}rPr/{_W}rStyle")
    named = styles.get(style.get(f"{_W}val") or "") if style is not None else None
    return _hidden(node) or (named is not None and named.hidden)


def _hidden(element: etree._Element) -> bool:
    mark = element.find(f"{_W}rPr/{_W}vanish")
    return mark is not None and mark.get(f"{_W}val") not in ("0", "false", "off")


def _symbol(font: str, code: str) -> str:
    """A character given by its number; most private ones are a font's own pictures."""
    try:
        character = chr(int(code, 16))
    except (ValueError, OverflowError):
        return ""
    if "\uf000" <= character <= "\uf0ff" and font == "Symbol":
        return str(_SYMBOLS.get(ord(character) - 0xF000, ""))
    return "" if "\ud800" <= character <= "\uf8ff" else character


def _metadata(pieces: list[Piece], properties: etree._Element | None, url: str | None) -> Metadata:
    def declared(key: str) -> str:
        path = _PROPERTIES[key]
        return (properties.findtext(path) or "").strip() if properties is not None else ""

    title = next((title_of(piece.text) for piece in pieces if piece.kind is BlockKind.TITLE), "")
    # Libraries and templates sign documents that nobody signed.
    creator = "" if declared("creator").lower() in _NOBODY else declared("creator")
    known = Metadata.of(
        {
            "title": (title or declared("title"), "" if title else "document property title"),
            "authors": (names_in([creator]), "document property creator"),
            "modified": (iso_date(declared("modified")), "document property modified"),
        },
        url=url,
    )
    return metadata_of((piece.kind, piece.text) for piece in pieces).over(known)
