"""PDF, Word, Markdown and e-mail: structure, metadata, and input that is meant to hurt."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import docx
import pytest
from fpdf import FPDF

from index import Article, BlockKind, EmptyArticle, SourceError, UnreadableSource, read_article

PARAGRAPH = (
    "The committee discussed facial recog-\nnition and its regulation. Members agreed that the"
    " long debate was needed because nobody had asked the public before."
)
MENDED = PARAGRAPH.replace("-\n", "")


def texts(article: Article, kind: BlockKind) -> list[str]:
    return [article.text[b.start : b.end] for b in article.blocks if b.kind is kind]


def pdf(pages: int = 3, *, locked: bool = False, text: bool = True) -> bytes:
    document = FPDF()
    document.set_auto_page_break(False)
    if locked:
        document.set_encryption(owner_password="a", user_password="b")  # noqa: S106
    for number in range(1, pages + 1):
        document.add_page()
        if not text:
            continue
        document.set_font("helvetica", size=8)
        document.set_xy(10, 8)
        document.cell(0, 4, "The Daily Example")
        document.set_xy(100, 285)
        document.cell(0, 4, str(number))
        if number == 1:
            document.set_font("helvetica", size=20)
            document.set_xy(10, 20)
            document.cell(0, 10, "Regulators Meet Again")
            document.set_font("helvetica", size=11)
            document.set_xy(10, 34)
            document.cell(0, 5, "By Jane Doe")
        document.set_font("helvetica", size=11)
        document.set_xy(10, 50)
        document.multi_cell(90, 5, PARAGRAPH)
    return bytes(document.output())


def word(*, extra: bytes | None = None) -> bytes:
    file = io.BytesIO()
    if extra is not None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("word/document.xml", extra)
        return file.getvalue()
    document = docx.Document()
    document.add_heading("My Title", 0)
    document.add_paragraph("By John Roe")
    document.add_heading("Part one", 1)
    document.add_paragraph("This is a paragraph of some length.")
    document.add_paragraph("An item of a list", style="List Bullet")
    document.add_paragraph("A quote of somebody.", style="Quote")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Bob", "seven"
    document.save(file)
    return file.getvalue()


def test_a_pdf_keeps_its_pages_and_loses_its_running_lines() -> None:
    article = read_article(pdf())

    assert [(b.page, article.text[b.start : b.end]) for b in article.blocks if b.kind.citable] == [
        (1, MENDED),
        (2, MENDED),
        (3, MENDED),
    ]
    assert article.title == "Regulators Meet Again"
    assert article.authors == ("Jane Doe",)
    assert "Daily Example" not in article.text


def test_pdf_columns_are_read_one_after_the_other() -> None:
    document = FPDF()
    document.add_page()
    document.set_font("helvetica", size=10)
    for number in range(12):  # drawn straight across
        for column, side in ((10, "left"), (110, "right")):
            document.set_xy(column, 40 + 5 * number)
            document.cell(80, 5, f"This is the {side} line of number {number}")
    text = read_article(bytes(document.output())).text

    assert text.index("left line of number 11") < text.index("right line of number 0")


FERRIES = [("Year", "Ferries", "Passengers"), ("2019", "120", "34,000"), ("2020", "80", "12,000"),
           ("2021", "95", "20,500")]  # fmt: skip


def printed(table: list[tuple[str, ...]], *, pages: int = 1) -> bytes:
    """A PDF with a table on each of its pages, and the page's number at its foot."""
    document = FPDF()
    document.set_auto_page_break(False)
    for number in range(1, pages + 1):
        document.add_page()
        document.set_font("helvetica", size=10)
        document.set_y(10 if pages == 1 else 60)  # what all pages have at their head is left out
        document.multi_cell(190, 5, "The harbour office counted the ferries of each year again.")
        document.ln(4)
        with document.table() as rows:
            for cells in table:
                row = rows.row()
                for cell in cells:
                    row.cell(cell)
        document.ln(4)
        document.multi_cell(190, 5, "It expects more of them when the new terminal opens.")
        document.set_xy(100, 285)
        document.cell(10, 5, str(number))
    return bytes(document.output())


@pytest.mark.parametrize("pages", [1, 3])
def test_a_table_of_a_pdf_is_read_row_by_row(pages: int) -> None:
    article = read_article(printed(FERRIES, pages=pages))
    rows = [b for b in article.blocks if b.kind is BlockKind.TABLE_ROW]
    assert [article.text[b.start : b.end] for b in rows] == [
        " | ".join(cells) for cells in FERRIES
    ] * pages
    assert [b.page for b in rows] == [n for n in range(1, pages + 1) for _ in FERRIES]
    assert len([b for b in article.blocks if b.kind is BlockKind.PARAGRAPH]) == 2 * pages


def test_the_row_over_a_table_of_a_pdf_is_known_and_empty_cells_keep_their_column() -> None:
    document = FPDF()
    document.add_page()
    document.set_font("helvetica", size=11)
    document.set_xy(10, 20)
    document.cell(0, 5, "Sales by region follow here, in tonnes, for two years.")
    rows = [
        ("Region", "2022", "2023"),
        ("North", "", "500"),
        ("South", "300", ""),
        ("West", "1", "2"),
    ]
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            document.set_xy(10 + 50 * column, 40 + 6 * number)
            document.cell(40, 5, text)
    article = read_article(bytes(document.output()))
    found = [b for b in article.blocks if b.kind is BlockKind.TABLE_ROW]
    assert texts(article, BlockKind.TABLE_ROW)[:2] == ["Region | 2022 | 2023", "North | | 500"]
    assert [block.level for block in found] == [1, 0, 0, 0]
    assert article.title is None


@pytest.mark.parametrize("heading", ["1 Introduction", "Abstract", "II. Background"])
def test_the_title_that_a_pdf_declares_goes_before_the_heading_of_its_first_part(
    heading: str,
) -> None:
    document = FPDF()
    document.set_title("On the repair of bridges")
    document.set_author("Doe, Jane; Roe, John")
    document.add_page()
    document.set_font("helvetica", size=16)
    document.cell(0, 10, heading)
    document.set_font("helvetica", size=11)
    document.set_xy(10, 40)
    document.multi_cell(90, 5, PARAGRAPH)
    article = read_article(bytes(document.output()))
    assert (article.title, article.authors) == (
        "On the repair of bridges",
        ("Jane Doe", "John Roe"),
    )
    assert ("title", "PDF info Title") in article.declared
    assert [section.heading for section in article.sections] == [None, heading]


def test_a_text_about_pdfs_is_none(tmp_path: Path) -> None:
    for text in (
        "%PDF-1.4 is how they begin.\n",
        "They begin with %PDF- and end with startxref.\n",
    ):
        (tmp_path / "about.txt").write_text(text)
        assert read_article(tmp_path / "about.txt").text == text


@pytest.mark.parametrize(
    ("names", "declared", "says"),
    [
        (("content.xml",), "application/vnd.oasis.opendocument.text", r"\(\.odt\); save it as"),
        (("META-INF/container.xml",), "application/epub+zip", "e-book"),
        (("ppt/presentation.xml", "[Content_Types].xml"), "", "save them as a PDF"),
        (("xl/workbook.xml", "[Content_Types].xml"), "", "spreadsheet"),
        (("Index/Document.iwa",), "", "iWork"),
    ],
)
def test_what_is_not_read_is_named_with_what_to_convert_it_to(
    names: tuple[str, ...], declared: str, says: str
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
        if declared:
            archive.writestr("mimetype", declared)
    with pytest.raises(UnreadableSource, match=says):
        read_article(file.getvalue())


def test_a_number_at_the_head_of_a_page_is_kept_where_text_stands_above_it() -> None:
    document = FPDF()
    document.add_page()
    document.set_font("helvetica", size=10)
    for y, line in ((12, "The lottery drew these numbers:"), (18, "42"), (24, "Nobody had them.")):
        document.set_xy(10, y)
        document.cell(80, 5, line)
    assert "42" in read_article(bytes(document.output())).text


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        (pdf(locked=True), UnreadableSource, "password"),
        (pdf(text=False), EmptyArticle, "OCR"),
        (pdf(2001, text=False), SourceError, "pages"),
        (b"%PDF-1.4\nnothing of the kind", UnreadableSource, "damaged"),
        (pdf()[:700], UnreadableSource, "damaged"),
        (word(extra=b"<a>" + b"0" * 30_000_000 + b"</a>"), SourceError, "20 MB"),
        (word(extra=b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), UnreadableSource, "entities"),
        (word(extra=b"<a><b></a>"), UnreadableSource, "damaged"),
        (word()[:500], UnreadableSource, "damaged"),
        (b"PK\x03\x04", UnreadableSource, "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", UnreadableSource, "docx"),
        (b"{\\rtf1 hello}", UnreadableSource, "RTF"),
        (b"\x1f\x8b\x08", UnreadableSource, "archive"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_documents_say_what_is_wrong(data: bytes, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        read_article(data)


def test_reading_that_takes_too_long_is_stopped() -> None:
    from index.reading.formats import Format
    from index.reading.sandbox import read_bounded

    with pytest.raises(SourceError, match=r"more than 0\.0005 seconds"):
        read_bounded(Format.PDF, pdf(), name="it", seconds=0.0005)


def test_a_word_document_keeps_its_structure() -> None:
    article = read_article(word())

    assert article.title == "My Title"
    assert article.authors == ("John Roe",)
    assert texts(article, BlockKind.HEADING) == ["Part one"]
    assert texts(article, BlockKind.PARAGRAPH) == ["This is a paragraph of some length."]
    assert texts(article, BlockKind.LIST_ITEM) == ["An item of a list"]
    assert texts(article, BlockKind.QUOTE) == ["A quote of somebody."]
    assert texts(article, BlockKind.TABLE_ROW) == ["Bob | seven"]


NOTED = (
    b'some</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r>'
    b'<w:r><w:t xml:space="preserve"> length.'
)


def test_footnotes_of_a_word_document_are_left_out_and_leave_no_mark() -> None:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(word())) as given,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in given.namelist():
            data = given.read(name)
            if name == "word/document.xml":
                data = data.replace(b"some length.", NOTED)
            archive.writestr(name, data)
        space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        archive.writestr(
            "word/footnotes.xml",
            f'<w:footnotes xmlns:w="{space}"><w:footnote w:id="2"><w:p><w:r><w:t>Nobody reads this.'
            "</w:t></w:r></w:p></w:footnote></w:footnotes>",
        )
    article = read_article(file.getvalue())
    assert texts(article, BlockKind.PARAGRAPH) == ["This is a paragraph of some length."]
    assert "Nobody" not in article.text


MARKDOWN = """\
---
title: The Post
author: Jane Doe
date: 2020-03-04
---
# The Post

Intro *text* with [a link](http://example.org).

## Part

- one item

| a | b |
|---|---|
| 1 | 2 |

> quoted words
"""


@pytest.mark.parametrize("name", ["post.md", ""])
def test_markdown_is_told_by_its_name_or_its_signs(tmp_path: Path, name: str) -> None:
    path = tmp_path / (name or "post")
    path.write_text(MARKDOWN, encoding="utf-8")
    article = read_article(path)

    assert (article.title, article.authors, article.published) == (
        "The Post",
        ("Jane Doe",),
        "2020-03-04",
    )
    assert texts(article, BlockKind.PARAGRAPH) == ["Intro text with a link."]
    assert texts(article, BlockKind.HEADING) == ["Part"]
    assert texts(article, BlockKind.LIST_ITEM) == ["one item"]
    assert texts(article, BlockKind.TABLE_ROW) == ["a | b", "1 | 2"]
    assert texts(article, BlockKind.QUOTE) == ["quoted words"]


def newsletter(*, html: bool) -> bytes:
    message = EmailMessage()
    message["From"] = "The Letter <letter@example.org>"
    message["To"] = "you@example.org"
    message["Subject"] = "Fwd: News of the week"
    message["Date"] = "Mon, 18 Nov 2019 09:30:00 +0100"
    message.set_content("This is the news of the week.\n\nIt is good news, for once.\n")
    if html:
        message.add_alternative(
            f"<html><body><p>{MENDED}</p><p>{MENDED.replace('The', 'Our')}</p></body></html>",
            subtype="html",
        )
    return message.as_bytes()


@pytest.mark.parametrize("html", [True, False])
def test_an_e_mail_is_read_with_its_headers(html: bool) -> None:
    article = read_article(newsletter(html=html))

    assert article.title == "News of the week"
    assert article.authors == ("The Letter",)
    assert article.published == "2019-11-18T09:30:00+01:00"
    assert (MENDED if html else "It is good news, for once.") in article.text


@pytest.mark.parametrize("data", [pdf(), word(), newsletter(html=True), MARKDOWN.encode()])
def test_blocks_never_overlap_and_always_hold_text(data: bytes) -> None:
    article = read_article(data)

    assert all(article.text[b.start : b.end].strip() for b in article.blocks)
    assert "".join(article.text[b.start : b.end] for b in article.blocks) == article.text.replace(
        "\n\n", ""
    )


def test_html_within_markdown_is_read_as_a_page_is() -> None:
    article = read_article(
        b"<p align='center'><img src='a.png'></p>\n\n# Bridge tools\n\n"
        b"They weigh <kbd>a</kbd> bridge.<br>Twice.\n\n<p style='display:none'>Hidden.</p>\n\n"
        b"![The bridge in winter](b.png)\n\n"
        b"<table><tr><th>Part</th><th>Weight</th></tr><tr><td>Deck</td><td>3 t</td></tr></table>\n"
    )
    assert article.title == "Bridge tools"
    assert texts(article, BlockKind.PARAGRAPH) == ["They weigh a bridge.\nTwice."]
    assert texts(article, BlockKind.CAPTION) == ["The bridge in winter"]
    assert texts(article, BlockKind.TABLE_ROW) == ["Part | Weight", "Deck | 3 t"]


def test_a_row_of_a_markdown_table_is_one_however_long_its_cells() -> None:
    cell = "It says much. " * 30
    article = read_article(f"# T\n\n| a | b |\n|---|---|\n| x | {cell} |\n".encode())
    assert texts(article, BlockKind.TABLE_ROW) == ["a | b", f"x | {cell.strip()}"]


def test_footnotes_of_markdown_are_left_out_and_what_looks_like_one_is_kept() -> None:
    article = read_article(
        b"# R\n\nIt rained all day.[^1] The set [^a-z] is no note.\n\n[^1]: So the *Post* said,\n"
        b"    on its first page.\n\nNobody minded it.\n"
    )

    assert article.text == "R\n\nIt rained all day. The set [^a-z] is no note.\n\nNobody minded it."
