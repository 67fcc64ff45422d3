"""A PDF as its pages: pictures that come as they are needed, with the article's units over them.

Units stand where their letters are printed, as text that can be selected but not seen, so that
the page marks them as it does in the article's text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from index.article import Article
from index.errors import SourceError
from index.reading.sandbox import lay_out_pages
from qa.page.markup import escape

__all__ = ["render_sheets"]

Span = tuple[int, int]
Glyph: TypeAlias = tuple[int, int]
"""Number of a line on its page, and of a character in the line."""
Fragment: TypeAlias = tuple[int, int, int, int, int]
"""A line, the first of its characters and one past the last; and the span of the article."""

SHORTEST = 6
"""Letters of the beginning of a unit that are looked for, where the whole is not in one piece."""
MOST_LOST = 0.3
"""Share of the units that may be nowhere on the pages: with more, this is another document."""


def render_sheets(article: Article, units: Sequence[Span], pdf: bytes) -> str:
    """The pages, each with its units; nothing where the article is not found on them.

    Args:
        article: What was read from the PDF.
        units: Spans of what can be pointed at, in order.
        pdf: The file.
    """
    try:
        pages = [_Page(number, layout) for number, layout in enumerate(lay_out_pages(pdf), 1)]
    except SourceError:
        return ""  # too long or too strange to lay out; it can be read as text
    lost = 0
    block = iter(article.blocks)
    current = next(block)
    for start, end in units:
        while current.end <= start:
            current = next(block)
        lost += not _place(article.text, start, end, pages[(current.page or 1) - 1 :][:2])
    if not pages or lost > MOST_LOST * len(units):
        return ""
    return "".join(page.html(article.text) for page in pages)


class _Page:
    """A page, its letters in the order in which they were printed, and the units found there."""

    def __init__(self, number: int, layout: dict[str, Any]) -> None:
        self.number, self.width, self.height = number, layout["width"], layout["height"]
        self.lines = layout["lines"]
        self.glyphs: list[Glyph] = [
            (n, at)
            for n, (text, *_) in enumerate(self.lines)
            for at, character in enumerate(text)
            if character.isalnum()
        ]
        self.letters = "".join(self.lines[n][0][at] for n, at in self.glyphs)
        self.cursor = 0
        self.found: list[tuple[Span, list[Fragment]]] = []

    def find(self, letters: str) -> int:
        """Where letters are printed, rather after what was found before; -1 where they are not."""
        at = self.letters.find(letters, self.cursor)
        return at if at >= 0 else self.letters.find(letters)

    def longest(self, letters: str) -> int:
        """How many of the first letters are printed in one piece."""
        low, high = 0, len(letters)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.find(letters[:middle]) >= 0 else (low, middle - 1)
        return low

    def html(self, text: str) -> str:
        found = "".join(
            f'<g class="unit" data-start="{start}" data-end="{end}">'
            f"{''.join(self._fragment(text, fragment) for fragment in fragments)}</g>"
            for (start, end), fragments in self.found
        )
        return (
            f'<section class="sheet" data-page="{self.number}" aria-label="Page {self.number}"'
            f' style="aspect-ratio: {self.width} / {self.height}"><img alt="">'
            f'<svg viewBox="0 0 {self.width} {self.height}">{found}</svg></section>'
        )

    def _fragment(self, text: str, fragment: Fragment) -> str:
        line, first, last, start, end = fragment
        _, top, bottom, edges = self.lines[line]
        left, width, size = edges[first], edges[last] - edges[first], bottom - top
        box = f'x="{left:.1f}" y="{top:.1f}" width="{max(width, 0):.1f}" height="{size:.1f}"'
        return (
            f"<rect {box}/>"
            f'<text x="{left:.1f}" y="{bottom - 0.22 * size:.1f}" font-size="{0.85 * size:.1f}"'
            f' textLength="{max(width, 0.1):.1f}" lengthAdjust="spacingAndGlyphs"'
            f' data-start="{start}">{escape(text[start:end])}</text>'
        )


def _place(text: str, start: int, end: int, pages: Sequence[_Page]) -> bool:
    """Find a unit on its page, and on the next where it goes on there."""
    places = [at for at in range(start, end) if text[at].isalnum()]
    letters = "".join(text[at] for at in places)
    done = 0
    for page in pages:
        fragments: list[Fragment] = []
        while done < len(letters):
            many = page.longest(letters[done:])
            if many < min(SHORTEST, len(letters) - done):
                break
            at = page.find(letters[done : done + many])
            page.cursor = at + many
            after = places[done + many] if done + many < len(places) else end
            spans = [*places[done : done + many], after]
            fragments += _by_lines(page, at, spans)
            done += many
        if fragments:
            page.found.append(((start, end), fragments))
    return done == len(letters)


def _by_lines(page: _Page, at: int, spans: Sequence[int]) -> Iterator[Fragment]:
    """What was found, cut at the ends of its lines."""
    glyphs = page.glyphs[at : at + len(spans) - 1]
    first = 0
    for n, (line, _) in enumerate(glyphs):
        if n + 1 < len(glyphs) and glyphs[n + 1][0] == line:
            continue
        text = page.lines[line][0]
        last = glyphs[n][1] + 1
        # A full stop belongs to its sentence, and the next word does not.
        while last < len(text) and not text[last].isalnum() and not text[last].isspace():
            last += 1
        yield line, glyphs[first][1], last, spans[first], spans[n + 1]
        first = n + 1
