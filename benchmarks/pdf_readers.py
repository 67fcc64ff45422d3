"""Compare PDF readers on what print does to an article: columns, divided words, running lines.

    pip install pypdf pdfplumber
    python -m benchmarks.pdf_readers -o benchmarks/results/pdf.md

The pages are made here, out of the bundled article's paragraphs, so that what stands on them and
in which order is known. Each reader gives the text of a document; compared are

    words        4-word shingles against the article's, F1: words that were divided at the end of
                 a line, running heads and page numbers all break or add some
    order        share of the paragraphs that come right after the one before them
    paragraphs   share of the paragraphs that stand in the text without a break in them
    rows         share of a table's rows that stand on a line of their own, their cells in order

The others are used as their documentation shows first. What is not installed is left out. Ours
reads in a process of its own, which is stopped when it takes too long or too much: most of its
time is the start of that.
"""

from __future__ import annotations

import argparse
import io
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from fpdf import FPDF

from benchmarks.extraction import f1_of, string_scores
from index import BlockKind, read_article
from index.reading.reader import bundled_article

ROOT = Path(__file__).resolve().parent.parent

WIDTH, LEFT, TOP, FOOT = 190.0, 10.0, 25.0, 275.0
GUTTER = 8.0
LEADING = 4.4
STRETCH = 3.0
"""By which typesetters widen a space at most, in mm; a line that needs more stays ragged."""
TABLE = [("Year", "Requests", "Answered"), ("2018", "1,204", "1,107"), ("2019", "2,310", "1,998"),
         ("2020", "3,144", "2,016"), ("2021", "2,870", "2,655")]  # fmt: skip
_SPACE = re.compile(r"\s+")
_PLAIN = str.maketrans("\u2018\u2019\u201c\u201d\u2013", "''\"\"-")

Reader = Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class Print:
    """A document and what is in it.

    Attributes:
        name: How it is laid out.
        data: The file.
        paragraphs: Its text, in order.
        rows: Of its table, if there is one.
    """

    name: str
    data: bytes
    paragraphs: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = ()


class Press:
    """Pages that are filled column by column, with a running head and a number at the foot."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.width = (WIDTH - GUTTER * (columns - 1)) / columns
        self.document = FPDF()
        self.document.set_auto_page_break(False)
        self.column, self.y, self.page = columns, FOOT, 0

    def line(self, text: str, *, justified: bool) -> None:
        """Print a line under the one before it, on the next column or page where need be."""
        if self.y + LEADING > FOOT:
            self._turn()
        x = LEFT + self.column * (self.width + GUTTER)
        words = text.split()
        space = (self.width - self.document.get_string_width(text)) / max(len(words) - 1, 1)
        if justified and space <= STRETCH:
            for word in words:
                self.document.set_xy(x, self.y)
                self.document.cell(text=word)
                x += self.document.get_string_width(f"{word} ") + space
        else:
            self.document.set_xy(x, self.y)
            self.document.cell(text=text)
        self.y += LEADING

    def paragraph(self, text: str) -> None:
        """Print a paragraph, long words divided where a line ends."""
        rest, line = text.split(), ""
        while rest:
            word = rest.pop(0)
            longer = f"{line} {word}".strip()
            if self._fits(longer):
                line = longer
                continue
            half = len(word) // 2
            if len(word) > 7 and word.isalpha() and self._fits(f"{line} {word[:half]}-".strip()):
                line, word = f"{line} {word[:half]}-".strip(), word[half:]
            self.line(line, justified=True)
            line = ""
            rest.insert(0, word)
        self.line(line, justified=False)
        self.y += LEADING

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Print a table's rows, a cell in every third of the width."""
        for row in rows:
            for number, cell in enumerate(row):
                self.document.set_xy(LEFT + number * WIDTH / len(row), self.y)
                self.document.cell(text=cell)
            self.y += LEADING
        self.y += LEADING

    def bytes(self) -> bytes:
        """The file."""
        return bytes(self.document.output())

    def _fits(self, text: str) -> bool:
        if not self.page:
            self._turn()
        return bool(self.document.get_string_width(text) <= self.width)

    def _turn(self) -> None:
        self.column, self.y = self.column + 1, TOP
        if self.column < self.columns:
            return
        self.column, self.page = 0, self.page + 1
        self.document.add_page()
        self.document.set_font("Helvetica", size=10)
        self.document.set_xy(LEFT, 10)
        self.document.cell(text="The Daily Example, Technology")
        self.document.set_xy(100, 285)
        self.document.cell(text=str(self.page))


def prints() -> Iterator[Print]:
    """The documents."""
    article = bundled_article()
    once = [
        _SPACE.sub(" ", article.text[block.start : block.end]).translate(
            str.maketrans("’‘“”–", "''\"\"-")
        )
        for block in article.blocks
        if block.kind is BlockKind.PARAGRAPH and block.end - block.start > 80
    ]
    paragraphs = tuple(f"{text} So ends part {n}." for n, text in enumerate(once * 5, 1))
    for columns, name in ((1, "one column"), (2, "two columns"), (3, "three columns")):
        press = Press(columns)
        for text in paragraphs:
            press.paragraph(text)
        yield Print(name, press.bytes(), paragraphs)
    press = Press(1)
    for text in paragraphs[:3]:
        press.paragraph(text)
    press.table(TABLE)
    for text in paragraphs[3:6]:
        press.paragraph(text)
    yield Print("with a table", press.bytes(), paragraphs[:6], tuple(TABLE))


def ours(data: bytes) -> str:
    """As every article is read."""
    return read_article(data).text


def pypdfium2(data: bytes) -> str:
    """The library that ours is made with, alone."""
    pdfium: Any = import_module("pypdfium2")
    document = pdfium.PdfDocument(data)
    return "\n".join(page.get_textpage().get_text_range() for page in document)


def pypdf(data: bytes) -> str:
    """Pure Python."""
    module: Any = import_module("pypdf")
    return "\n".join(page.extract_text() for page in module.PdfReader(io.BytesIO(data)).pages)


def pdfplumber(data: bytes) -> str:
    """On top of pdfminer.six."""
    module: Any = import_module("pdfplumber")
    with module.open(io.BytesIO(data)) as document:
        return "\n".join(page.extract_text() for page in document.pages)


READERS: dict[str, tuple[Reader, str]] = {
    "article-qa": (ours, "pypdfium2"),
    "pypdfium2": (pypdfium2, "pypdfium2"),
    "pypdf": (pypdf, "pypdf"),
    "pdfplumber": (pdfplumber, "pdfplumber"),
}


def measured(reader: Reader, print_: Print) -> list[float]:
    """Words, order, paragraphs, rows (NaN without a table) and seconds."""
    began = time.perf_counter()
    text = reader(print_.data)
    seconds = time.perf_counter() - began
    gold = "\n".join(print_.paragraphs)
    words = f1_of([string_scores("\n".join([gold, *map(" ".join, print_.rows)]), text)])[0]
    # A paragraph is found by the words at its end, which no other has.
    flat = _SPACE.sub(" ", text)
    ends = [flat.find(f"So ends part {n}.") for n in range(1, len(print_.paragraphs) + 1)]
    order = [0 <= a < b for a, b in zip(ends, ends[1:], strict=False)]
    whole = [paragraph in text for paragraph in print_.paragraphs]
    lines = [re.findall(r"[\w,]+", line) for line in text.splitlines()]
    rows = [list(row) in lines for row in print_.rows]
    shares = [statistics.mean(map(float, some)) for some in (order, whole)]
    row_share = statistics.mean(map(float, rows)) if rows else float("nan")
    return [words, *shares, row_share, seconds]


def report() -> str:
    """The tables."""
    lines = ["# PDF readers", ""]
    lines += [f"    {line.strip()}" for line in (__doc__ or "").splitlines()[2:4]]
    lines += ["", *(__doc__ or "").strip().splitlines()[5:], ""]
    for print_ in prints():
        lines += [f"## {print_.name.capitalize()}, {len(print_.paragraphs)} paragraphs", ""]
        lines += ["| reader | words | order | paragraphs | rows | ms |"]
        lines += ["| --- | --- | --- | --- | --- | --- |"]
        for name, (reader, package) in READERS.items():
            try:
                import_module(package)
            except ImportError:
                continue
            *shares, seconds = min(
                (measured(reader, print_) for _ in range(3)), key=lambda found: found[-1]
            )
            cells = ["" if share != share else f"{share:.3f}" for share in shares]
            version = metadata.version(package)
            shown = name if reader is ours else f"{name} {version}"
            lines.append(f"| {shown} | {' | '.join(cells)} | {seconds * 1000:.0f} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", metavar="FILE.md", help="write the tables there too")
    arguments = parser.parse_args()
    text = report()
    print(text)
    if arguments.output:
        Path(arguments.output).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
