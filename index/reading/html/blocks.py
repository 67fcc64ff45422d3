"""A web page cut into the blocks a reader sees: one for each run of text between block tags.

    <div class="story"><h2>Why</h2><p>It was <a href="/x">late</a>.</p></div>
    -> Leaf("Why", tag="h2") · Leaf("It was late.", tag="p", linked=4)

Nothing is judged here; each block keeps what judging it takes: its tag, what it stands in,
and how much of it is link text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from lxml import etree

__all__ = ["Leaf", "Place", "leaves_of"]

# Never text, whatever is written in them.
_SKIPPED = frozenset(
    """script style noscript template svg math head title iframe frame object embed applet audio
    video canvas map select option optgroup textarea button input datalist dialog meter progress
    nav rp""".split()
)
_BLOCKS = frozenset(
    """address article aside blockquote body caption center dd details dir div dl dt fieldset
    figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu ol p
    pre section summary table tbody td tfoot th thead tr ul amp-img picture img source""".split()
)
_BOLD = frozenset(("b", "strong"))
_NAMED = frozenset(
    """article main aside footer header form figure blockquote table ul ol li dl figcaption pre
    h1 h2 h3 h4 h5 h6 caption tr p""".split()
)
MAX_CELL = 150
"""Longer cells make a table of layout, not of data."""

_DIGITS = re.compile(r"\d+")
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_FOOTNOTES = re.compile(r"(?:^|[\s_-])(?:footnotes?|endnotes?|reflist)(?:$|[\s_-])")
_NAMING = ("class", "id", "role", "itemprop", "data-component")


class Place:
    """An element that a block stands in.

    Attributes:
        tag: Its tag, in lower case.
        parent: What it stands in itself, or None outside the root.
        depth: 0 for the root.
        within: Those tags around it, its own included, that say what a block is.
    """

    __slots__ = ("_element", "_names", "_said", "_shape", "depth", "parent", "tag", "within")

    def __init__(self, element: etree._Element | None, parent: Place | None) -> None:
        """Note where an element stands; what only some blocks need is worked out later."""
        self._element = element
        self._names: str | None = None
        self._shape: str | None = None
        self._said: dict[Callable[[str], bool], bool] = {}
        self.parent = parent
        self.tag: str = element.tag if element is not None else ""
        self.depth: int = parent.depth + 1 if parent is not None else -1
        outer: frozenset[str] = parent.within if parent is not None else frozenset()
        self.within: frozenset[str] = outer | {self.tag} if self.tag in _NAMED else outer

    @property
    def names(self) -> str:
        """Its class, id, role and the like, in lower case, in one string."""
        if self._names is None:
            values = [] if self._element is None else map(self._element.get, _NAMING)
            self._names = " ".join(filter(None, map(str, filter(None, values)))).lower()
        return self._names

    @property
    def shape(self) -> str:
        """Tag and names, without their numbers, of itself and the two around it.

        Blocks that are made alike have the same shape.
        """
        if self._shape is None:
            parts: list[str] = []
            place: Place | None = self
            while place is not None and len(parts) < 3:
                names = place.names
                parts.append(f"{place.tag}.{_DIGITS.sub('', names) if names else ''}")
                place = place.parent
            self._shape = ">".join(parts)
        return self._shape

    def says(self, test: Callable[[str], bool]) -> bool:
        """Whether its names pass a test, or those of anything around it; asked once of each."""
        unasked: list[Place] = []
        place: Place | None = self
        while place is not None and test not in place._said:
            unasked.append(place)
            place = place.parent
        said = place is not None and place._said[test]
        for inner in reversed(unasked):
            said = said or test(inner.names)
            inner._said[test] = said
        return said

    @property
    def posted(self) -> bool:
        """Whether it stands in a post of a social network."""
        return self.says(_of_a_post)

    @property
    def noted(self) -> bool:
        """Whether it stands among footnotes."""
        return self.says(_of_footnotes)


def _of_a_post(names: str) -> bool:
    return "twitter-tweet" in names or "instagram-media" in names


def _of_footnotes(names: str) -> bool:
    return _FOOTNOTES.search(names) is not None


@dataclass(slots=True, eq=False)
class Leaf:
    """A run of text between block tags.

    Attributes:
        text: Its text, white space folded; a line break of the page is one newline.
        place: The element it stands in.
        linked: Characters of link text in it.
        row: Number of the table row it is, or is a cell of; -1 outside tables.
        bold: Characters of bold text in it.
    """

    text: str
    place: Place
    linked: int
    row: int = -1
    bold: int = 0


def leaves_of(root: etree._Element) -> list[Leaf]:
    """The blocks of a page in reading order.

    Args:
        root: The page as lxml parsed it; not changed.
    """
    walk = _Walk()
    walker = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walker:
        tag = element.tag
        if event == "start":
            if tag in _SKIPPED or (tag == "sup" and _is_note_mark(element)):
                walker.skip_subtree()
            else:
                walk.enter(element, tag)
        else:
            if event == "end" and tag not in _SKIPPED:  # leaving a note mark changes nothing
                walk.leave(tag)
            walk.add(element.tail)
    walk.flush()
    return _rows_joined(walk.leaves)


def _is_note_mark(element: etree._Element) -> bool:
    """Whether a raised text is but a link to a footnote."""
    link = element.find(".//a")
    return link is not None and (link.get("href") or "").startswith("#")


class _Walk:
    """Gathers text from block boundary to block boundary."""

    def __init__(self) -> None:
        self.leaves: list[Leaf] = []
        self._place = Place(None, None)
        self._rows: list[int] = []
        self._row_count = 0
        self._links = self._bolds = 0
        self._clear()

    def _clear(self) -> None:
        self._pieces: list[str] = []
        self._linked = self._bold = self._breaks = 0

    def enter(self, element: etree._Element, tag: str) -> None:
        if tag == "br":
            self._breaks += 1
            if self._breaks >= 2:
                self.flush()
            elif self._pieces:
                self._pieces.append("\n")
            return
        if tag in _BLOCKS:
            self.flush()
            self._place = Place(element, self._place)
            if tag == "tr":
                self._row_count += 1
                self._rows.append(self._row_count)
        elif tag == "a":
            self._links += 1
        elif tag in _BOLD:
            self._bolds += 1
        self.add(element.text)

    def leave(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.flush()
            self._place = self._place.parent or self._place
            if tag == "tr":
                self._rows.pop()
        elif tag == "a":
            self._links -= 1
        elif tag in _BOLD:
            self._bolds -= 1

    def add(self, text: str | None) -> None:
        if not text:
            return
        bare = text.strip()
        if bare:
            self._pieces.append(text.replace("\n", " "))
            self._breaks = 0
            self._linked += len(bare) if self._links else 0
            self._bold += len(bare) if self._bolds else 0
        elif self._pieces:
            self._pieces.append(" ")

    def flush(self) -> None:
        if not self._pieces:
            return
        text = _fold("".join(self._pieces))
        if text:
            row = self._rows[-1] if self._rows else -1
            linked = min(self._linked, len(text))
            self.leaves.append(Leaf(text, self._place, linked, row, self._bold))
        self._clear()


def _rows_joined(leaves: list[Leaf]) -> list[Leaf]:
    """Table rows of short cells become one block each; a table made for layout stays as it is."""
    joined: list[Leaf] = []
    for row, group in groupby(leaves, key=lambda leaf: leaf.row):
        cells = list(group)
        if row < 0 or len(cells) < 2 or max(len(cell.text) for cell in cells) > MAX_CELL:
            joined.extend(cells)
            continue
        text = " | ".join(cell.text.replace("\n", " ") for cell in cells)
        place = cells[0].place
        linked, bold = sum(cell.linked for cell in cells), sum(cell.bold for cell in cells)
        joined.append(Leaf(text, place, linked, row, bold))
    return joined


def _fold(text: str) -> str:
    text = _INVISIBLE.sub("", text)
    if "\n" not in text:
        return " ".join(text.split())
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(filter(None, lines))
