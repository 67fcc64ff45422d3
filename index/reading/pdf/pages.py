"""The pages of a PDF as they are printed: where their characters stand, and their pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL.Image import Image

__all__ = ["page_layouts", "page_picture"]

MAX_PAGES = 300
"""A longer document is read as text alone."""
PIXELS = 1600
"""Width of a picture: crisp where a page is half as wide."""
MAX_PIXELS = 8_000_000
LARGE = 500_000
"""Bytes from which a picture is compressed with loss: it holds photographs."""

_LINE = re.compile("[^\r\n\x02\ufffe]+")

Layout = dict[str, Any]


def page_layouts(data: bytes) -> list[Layout]:
    """Where the characters of each page stand.

    Args:
        data: A PDF.

    Returns:
        For each page its ``width`` and ``height`` in points, and its ``lines``: text, upper and
        lower edge counted from the top, and the left edge of each character and the right one of
        the last. None at all of a document that is too long.
    """
    document = pdfium.PdfDocument(data)
    try:
        if len(document) > MAX_PAGES:
            return []
        return [_layout(document[number]) for number in range(len(document))]
    finally:
        document.close()


def page_picture(data: bytes, number: int) -> bytes:
    """A page as a WebP picture, ``PIXELS`` wide where that is not too large.

    Args:
        data: A PDF.
        number: Of the page, from 1.

    Raises:
        IndexError: There is no such page.
    """
    document = pdfium.PdfDocument(data)
    try:
        if not 1 <= number <= len(document):
            raise IndexError(f"there is no page {number} of {len(document)}")
        page = document[number - 1]
        width, height = page.get_size()
        scale = min(PIXELS / width, (MAX_PIXELS / (width * height)) ** 0.5)
        picture = page.render(scale=scale).to_pil().convert("RGB")
        exact = _as_webp(picture, lossless=True)
        return exact if len(exact) <= LARGE else _as_webp(picture, quality=80)
    finally:
        document.close()


def _as_webp(picture: Image, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's own
    out = BytesIO()
    picture.save(out, "WEBP", method=2, **options)
    return out.getvalue()


def _layout(page: pdfium.PdfPage) -> Layout:
    width, height = page.get_size()
    lines = [] if page.get_rotation() else [*_lines(page)]
    page.close()
    return {"width": round(width, 1), "height": round(height, 1), "lines": lines}


def _lines(page: pdfium.PdfPage) -> Iterator[tuple[str, float, float, list[float]]]:
    origin, _, _, upper = page.get_bbox()
    text_page = page.get_textpage()
    total = text_page.count_chars()
    for match in _LINE.finditer(text_page.get_text_range()):
        boxes = [
            text_page.get_charbox(min(max(index, 0), total - 1), loose=True)
            for index in (
                int(pdfium_c.FPDFText_GetCharIndexFromTextIndex(text_page.raw, place))
                for place in range(match.start(), match.end())
            )
        ]
        top = upper - max(box[3] for box in boxes)
        bottom = upper - min(box[1] for box in boxes)
        edges = [box[0] for box in boxes] + [boxes[-1][2]]
        yield match.group(), round(top, 1), round(bottom, 1), [round(x - origin, 1) for x in edges]
    text_page.close()
