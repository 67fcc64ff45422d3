"""Pages of a PDF as they are printed, drawn in a process of their own."""

from __future__ import annotations

from io import BytesIO

import pytest
from fpdf import FPDF
from PIL import Image

from index.errors import SourceError
from index.reading.sandbox import draw_page, lay_out_pages


@pytest.fixture(scope="module")
def pdf() -> bytes:
    document = FPDF(unit="pt")
    document.set_font("helvetica", size=12)
    for words in ("The bridge opened in 1931.", "Ida Morrow drew it."):
        document.add_page()
        document.text(100, 200, words)
    return bytes(document.output())


def test_every_character_has_its_place(pdf: bytes) -> None:
    first, second = lay_out_pages(pdf)
    ((text, top, bottom, edges),) = first["lines"]
    assert text == "The bridge opened in 1931."
    assert top < 200 < bottom  # the line it stands on, counted from the top
    assert edges[0] == pytest.approx(100, abs=1)
    assert len(edges) == len(text) + 1
    assert edges == sorted(edges)
    assert [line[0] for line in second["lines"]] == ["Ida Morrow drew it."]


def test_a_page_is_drawn_crisply(pdf: bytes) -> None:
    with Image.open(BytesIO(draw_page(pdf, 2))) as picture:
        assert picture.width == pytest.approx(1600, abs=2)
        darkest, _ = picture.convert("L").getextrema()
    assert darkest < 40


@pytest.mark.parametrize("number", [3, -1])
def test_a_page_that_is_not_there_is_refused(pdf: bytes, number: int) -> None:
    with pytest.raises(SourceError, match="no page"):
        draw_page(pdf, number)


def test_what_is_no_pdf_is_refused() -> None:
    with pytest.raises(SourceError, match="cannot be drawn"):
        lay_out_pages(b"%PDF-1.7 and nothing more")
