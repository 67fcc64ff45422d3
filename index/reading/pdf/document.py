"""PDFs: lines mended into paragraphs, page numbers kept, running heads and feet left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from index.article import Article, BlockKind
from index.errors import EmptyArticle, SourceError, UnreadableSource
from index.reading.assembly import Metadata, Piece, article_from_pieces
from index.reading.dates import iso_date
from index.reading.header import HEAD, metadata_of, title_of, with_head
from index.reading.html.authors import names_in
from index.reading.pdf.columns import in_reading_order
from index.reading.pdf.lines import BULLET, Line, paragraphs, without_running_lines
from index.reading.pdf.table_rows import with_rows
from index.reading.plaintext import is_furniture

__all__ = ["read_pdf"]

MAX_PAGES = 2000
GAP = 2.5
"""Times a letter's height that stand between columns, and hardly between words."""
MAX_HEADING = 200
LARGER = 1.12
"""Type that is larger than the text's by this factor is a heading's."""

_CAPTION = re.compile(
    r"(?i)^(?:figure|fig\.|table|abbildung|abb\.|tabelle|tableau|figura|tabla)\s*\d"
)
# The library joins the halves of a word that a line's end divides with one of two marks.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SPACE = re.compile(r" +")
_LINE = re.compile("[^\r\n\x02\ufffe]+[\x02\ufffe]?")
_NUMBERED = re.compile(r"^(?:\d|[IVX]{1,4}\.|abstract\b|introduction\b|contents\b)", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_a-z]|.* ")  # rather than a login
_UNNAMED = re.compile(
    r"(?i)^(?:untitled.*|.*\.(?:docx?|pdf|indd|tex|dvi|rtf|html?|qxd)|microsoft word.*|"
    r"document\d*|title|layout \d+|[\W\d_]*)$"
)


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Type sizes of a document: of its text, and those of its headings, largest first."""

    text: float
    headings: tuple[float, ...]


def read_pdf(data: bytes, *, name: str = "the PDF", url: str | None = None) -> Article:
    """Read a PDF.

    Raises:
        UnreadableSource: It is encrypted or damaged.
        SourceError: It has too many pages.
        EmptyArticle: It holds no text: its pages are pictures.
    """
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableSource(
                f"{name} is protected by a password; save it without one"
            ) from error
        raise UnreadableSource(f"{name} is a damaged PDF ({error}); save it again") from error
    try:
        return _read(document, name, url)
    except pdfium.PdfiumError as error:
        raise UnreadableSource(f"{name} is a damaged PDF ({error}); save it again") from error
    finally:
        document.close()


def _read(document: pdfium.PdfDocument, name: str, url: str | None) -> Article:
    count = len(document)
    if count > MAX_PAGES:
        raise SourceError(
            f"{name} has {count:,} pages, and at most {MAX_PAGES:,} are read; give a part of it"
        )
    pages = [in_reading_order(with_rows([*_lines(document, number)])) for number in range(count)]
    if not any(pages):
        raise EmptyArticle(
            f"{name} holds no text on its {count} pages, only pictures; run a text recogniser (OCR)"
            " such as ocrmypdf over it first"
        )
    lines = [line for page in without_running_lines(pages) for line in page]
    sizes = _sizes(lines)
    pieces = [_piece(group, text, sizes) for group, text in paragraphs(lines)]
    declared = document.get_metadata_dict()
    empty = (number for number, page in enumerate(pages, 1) if not page)
    omitted = (f"page {number}: no text on it" for number in empty)
    return article_from_pieces(*_titled(pieces, declared, url), omitted)


def _lines(document: pdfium.PdfDocument, number: int) -> Iterator[Line]:
    """The lines of a page in the order in which they were drawn."""
    page = document[number]
    try:
        text_page = page.get_textpage()
        try:
            height = page.get_height()
            text = text_page.get_text_range()
            for match in _LINE.finditer(text):
                for start, raw in _apart(text_page, match.group(), match.start()):
                    line = _line(text_page, raw, start, number + 1, height)
                    if line.text:
                        yield line
        finally:
            text_page.close()
    finally:
        page.close()


def _apart(text_page: pdfium.PdfTextPage, raw: str, start: int) -> Iterator[tuple[int, str]]:
    """What stands on one line, cut where a gap says that it goes on in another column."""
    first = 0
    total = text_page.count_chars()
    for match in _SPACE.finditer(raw):
        if match.start() == 0 or match.end() == len(raw):
            continue
        before = _character(text_page, start + match.start() - 1)
        after = _character(text_page, start + match.end())
        if before < 0 or not 0 <= after < total:
            continue
        _, bottom, right, top = text_page.get_charbox(before)
        left = text_page.get_charbox(after)[0]
        if left - right > GAP * max(top - bottom, 5.0):
            yield start + first, raw[first : match.start()]
            first = match.end()
    if raw[first:].strip():
        yield start + first, raw[first:]


def _character(text_page: pdfium.PdfTextPage, index: int) -> int:
    """Where a place in a page's text is among its glyphs, some of which stand for no text."""
    return int(pdfium_c.FPDFText_GetCharIndexFromTextIndex(text_page.raw, index))


def _line(text_page: pdfium.PdfTextPage, raw: str, start: int, number: int, height: float) -> Line:
    """A line with its place; PDF counts from the bottom, this from the top."""
    first = start + len(raw) - len(raw.lstrip())
    last = start + len(raw.rstrip()) - 1
    total = text_page.count_chars()
    first = min(max(_character(text_page, first), 0), total - 1)
    last = min(max(_character(text_page, last), 0), total - 1)
    left, bottom, _, top = text_page.get_charbox(first, loose=True)
    _, _, right, _ = text_page.get_charbox(last, loose=True)
    size = float(pdfium_c.FPDFText_GetFontSize(text_page.raw, first))
    size = size if size > 1.5 else top - bottom  # scaled by the page's matrix instead
    text = _CONTROL.sub("", raw.replace("\ufffe", "\u00ad").replace("\x02", "\u00ad")).strip()
    return Line(text, number, left, right, height - top, height - bottom, size, height)


def _sizes(lines: Sequence[Line]) -> _Sizes:
    counts: Counter[float] = Counter()
    for line in lines:
        counts[round(line.size, 1)] += len(line.text)
    text = max(counts, key=lambda size: counts[size])
    larger = sorted((size for size in counts if size >= LARGER * text), reverse=True)
    return _Sizes(text, tuple(larger))


def _piece(group: Sequence[Line], text: str, sizes: _Sizes) -> Piece:
    size, page = round(group[0].size, 1), group[0].page
    if group[0].cells > 1:
        return Piece(BlockKind.TABLE_ROW, text, int(group[0].header), page)
    if size in sizes.headings and len(text) <= MAX_HEADING and any(map(str.isalpha, text)):
        return Piece(BlockKind.HEADING, text, min(sizes.headings.index(size) + 1, 6), page)
    if is_furniture(text):
        return Piece(BlockKind.FURNITURE, text, page=page)
    if _CAPTION.match(text):
        return Piece(BlockKind.CAPTION, text, page=page)
    if BULLET.match(text):
        return Piece(BlockKind.LIST_ITEM, text, page=page)
    return Piece(BlockKind.PARAGRAPH, text, page=page)


def _titled(
    pieces: list[Piece], declared: dict[str, str], url: str | None
) -> tuple[list[Piece], Metadata]:
    """The pieces with title, byline and dateline told apart, and what they say."""
    title = next(
        (
            p.text
            for p in pieces[:HEAD]
            if p.kind is BlockKind.HEADING and p.level == 1 and p.page == 1
        ),
        None,
    )
    named = (declared.get("Title") or "").strip()
    named = "" if _UNNAMED.match(named) else named
    if title is None or _NUMBERED.match(title):
        title = named or title
    told = with_head(pieces)
    title = next((title_of(p.text) for p in told if p.kind is BlockKind.TITLE), title)
    printed = next((row for row, p in enumerate(told) if title_of(p.text) == title), None)
    if printed is not None:
        told[printed] = Piece(BlockKind.TITLE, told[printed].text, page=told[printed].page)
    said = metadata_of((piece.kind, piece.text) for piece in told)
    author = (declared.get("Author") or "").strip()
    changed = re.sub(r"^D:(\d{4})(\d\d)(\d\d).*", r"\1-\2-\3", declared.get("ModDate") or "")
    info = Metadata.of(
        {
            "title": (title, "PDF info Title" if printed is None else ""),
            "authors": (tuple(filter(_NAME.match, names_in([author]))), "PDF info Author"),
            "modified": (iso_date(changed), "PDF info ModDate"),
        },
        url=url,
    )
    return told, said.over(info)
