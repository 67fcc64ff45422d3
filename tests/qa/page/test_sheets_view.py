"""A PDF as its pages: each unit of the article where it is printed."""

from __future__ import annotations

import re
from html import unescape

import pytest
from fpdf import FPDF

from index.article import Article
from index.reading.plaintext import article_from_text
from index.reading.reader import read_article
from qa.page.sheets_view import render_sheets

SENTENCES = [
    f"Berth {n} of the harbour was dug in {1800 + n}, and costs {n + 20} crowns a night to ships"
    f" of less than {n} hundred tons."
    for n in range(1, 60)
]


@pytest.fixture(scope="module")
def pdf() -> bytes:
    document = FPDF()
    document.add_page()
    document.set_font("times", size=12)
    for n in range(0, len(SENTENCES), 3):
        document.multi_cell(0, 6, " ".join(SENTENCES[n : n + 3]), new_x="LMARGIN", new_y="NEXT")
        document.ln(4)
    return bytes(document.output())


@pytest.fixture(scope="module")
def article(pdf: bytes) -> Article:
    return read_article(pdf)


def spans(article: Article) -> list[tuple[int, int]]:
    return [(at, at + len(s)) for s in SENTENCES if (at := article.text.find(s)) >= 0]


def test_every_unit_stands_on_its_page_whole_and_in_order(pdf: bytes, article: Article) -> None:
    units = spans(article)
    assert len(units) == len(SENTENCES)
    html = render_sheets(article, units, pdf)
    assert html.count("<section") == 2
    shown: dict[int, str] = {}
    for start, parts in re.findall(r'<g class="unit" data-start="(\d+)"[^>]*>(.*?)</g>', html):
        texts = re.findall(r'data-start="(\d+)">([^<]*)</text>', parts)
        for at, text in texts:
            words = unescape(text)
            assert article.text[int(at) : int(at) + len(words)] == words
            shown[int(start)] = shown.get(int(start), "") + words
    assert [shown[start] for start, _ in units] == SENTENCES


def test_another_document_is_not_shown_in_its_place(pdf: bytes) -> None:
    other = article_from_text("The Moon pulls the water. Fishermen print almanacs.")
    assert render_sheets(other, [(0, 25), (26, 51)], pdf) == ""


def test_what_cannot_be_laid_out_is_read_as_text(article: Article) -> None:
    assert render_sheets(article, spans(article), b"%PDF-1.7 damaged") == ""
