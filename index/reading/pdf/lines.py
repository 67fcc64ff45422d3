"""Printed lines put together again: paragraphs from lines, words from their halves."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["BULLET", "Line", "paragraphs", "without_running_lines"]

_TERMINAL = re.compile(r"[.!?:…。！？؟।][\"'”’»)\]]*\d{0,3}$")
BULLET = re.compile(r"^(?:[•●▪◦‣·∙–—-]|\(?\d{1,2}[.)])\s+\S")
_HYPHENS = ("-", "\u00ad", "\u2010")
_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"(?i)^\W*(?:(?:page|seite|p\.)\s*)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:/|of|von)\s*\d{1,4})?\W*$"
)
EDGE = 0.12
"""Share of a page's height at its top and at its foot where running lines stand."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of print; lengths in points, counted from the top left corner of its page.

    Attributes:
        text: Its words.
        page: Number of its page, from 1.
        left: Where it begins.
        right: Where it ends.
        top: Its upper edge.
        bottom: Its lower edge.
        size: Size of its type.
        height: Height of its page.
        cells: How many cells, where it is a row of a table.
        header: Whether it is the row that names the columns.
    """

    text: str
    page: int
    left: float
    right: float
    top: float
    bottom: float
    size: float
    height: float
    cells: int = 1
    header: bool = False


def without_running_lines(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Pages without the lines that come back at the top or foot of most, and page numbers."""
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_pattern(line) for line in page if _at_edge(line)})
    often = max(2, 0.3 * len(pages))

    def comes_back(line: Line) -> bool:
        # Numbers alone are a table's.
        return seen[_pattern(line)] >= often and any(map(str.isalpha, line.text))

    def runs(line: Line, page: Sequence[Line]) -> bool:
        if not _at_edge(line):
            return False
        if not _PAGE_NUMBER.match(line.text):
            return comes_back(line)
        # A page's number stands at its very edge: beside it and beyond it, lines that run too.
        beyond = [other for other in page if other is not line and _as_far_out(other, line)]
        return all(comes_back(other) or _PAGE_NUMBER.match(other.text) for other in beyond)

    return [[line for line in page if not runs(line, page)] for page in pages]


def _as_far_out(other: Line, line: Line) -> bool:
    """Whether a line is no farther from a page's edge than one that stands there."""
    if line.top < line.height / 2:
        return other.top <= line.top + 0.5 * line.size
    return other.bottom >= line.bottom - 0.5 * line.size


def _at_edge(line: Line) -> bool:
    return line.bottom < EDGE * line.height or line.top > (1 - EDGE) * line.height


def _pattern(line: Line) -> str:
    """A line's words without its numbers, and which end of the page it stands at."""
    place = "top" if line.top < line.height / 2 else "foot"
    return f"{place} {_DIGITS.sub('#', line.text)}"


def paragraphs(lines: Sequence[Line]) -> Iterator[tuple[list[Line], str]]:
    """Runs of lines that make a paragraph, and the text of each."""
    words = Counter(word for line in lines for word in re.findall(r"\w+(?:-\w+)*", line.text))
    gaps = [
        after.top - line.top
        for line, after in zip(lines, lines[1:], strict=False)
        if line.page == after.page and after.top > line.top and _alike(line, after)
    ]
    spacing = statistics.median(gaps) if gaps else 0.0
    group: list[Line] = []
    for line in lines:
        if group and _ends(group, line, spacing):
            yield group, _joined(group, words)
            group = []
        group.append(line)
    if group:
        yield group, _joined(group, words)


def _alike(line: Line, after: Line) -> bool:
    return abs(line.size - after.size) <= 0.08 * max(line.size, after.size)


def _ends(group: Sequence[Line], line: Line, spacing: float) -> bool:
    """Whether a paragraph is over before a line."""
    last = group[-1]
    if not _alike(last, line) or BULLET.match(line.text) or last.cells > 1 or line.cells > 1:
        return True
    done = _TERMINAL.search(last.text) is not None
    if last.page != line.page or line.top < last.top - 1 or line.left > last.right:
        return done  # over to the next column or page
    if abs(line.top - last.top) <= 0.5 * last.size:
        return False  # the same line, drawn in parts
    if line.top - last.top > 1.35 * max(spacing, last.size):
        return True
    left = min(part.left for part in group)
    indented = line.left > left + 0.8 * line.size and (len(group) > 1 or done)
    width = max(part.right for part in group) - left
    short = last.right < left + 0.8 * width and len(group) > 1
    return (indented and done) or (short and done)


def _joined(group: Sequence[Line], words: Counter[str]) -> str:
    """The text of a paragraph, words that were divided at the end of a line made whole."""
    text = group[0].text
    for line in group[1:]:
        after = line.text
        if text.endswith(_HYPHENS) and len(text) > 1 and text[-2].isalpha() and after[0].islower():
            start = re.search(r"\w+$", text[:-1])
            end = re.match(r"\w+", after)
            divided = f"{start[0] if start else ''}-{end[0] if end else ''}"
            kept = words[divided] > words[divided.replace("-", "")]
            text = (text[:-1] + "-" if kept else text[:-1]) + after
        elif text.endswith("\u00ad"):
            # The library marks every hyphen at a line's end; before these it is never a division.
            text = text[:-1] + ("-" if after[0].isupper() or after[0].isdigit() else "") + after
        elif text.endswith(_HYPHENS) and len(text) > 1 and text[-2].isalnum():
            text += after
        else:
            text += " " + after
    return " ".join(text.replace("\u00ad", "").split())
