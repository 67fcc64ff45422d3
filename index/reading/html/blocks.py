"""A web page cut into the blocks a reader sees: one for each run of text between block tags.

    <div class="story"><h2>Why</h2><p>It was <a href="/x">late</a>.</p></div>
    -> Leaf("Why", tag="h2") · Leaf("It was late.", tag="p", linked=4)

Nothing is judged here; each block keeps what judging it takes: its tag, what it stands in,
and how much of it is link text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from lxml import etree

__all__ = ["Leaf", "Place", "leaves_of"]

# Never text, whatever is written in them.
_SKIPPED = frozenset(
    """script style noscript template svg head title iframe frame object embed applet audio
    video canvas map select option optgroup textarea button input datalist dialog meter progress
    nav rp rt rtc""".split()
)
_BLOCKS = frozenset(
    """address article aside blockquote body caption center dd details dir div dl dt fieldset
    figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu ol p
    pre section summary table tbody td tfoot th thead tr ul amp-img picture img source""".split()
)
_BOLD = frozenset(("b", "strong"))
_NAMED = frozenset(
    """article main aside footer header form figure blockquote table ul ol li dl figcaption pre
    h1 h2 h3 h4 h5 h6 caption tr th thead dt dd p""".split()
)
MAX_CELL = 150
"""Longer cells make a table of layout, not of data."""
MAX_LONE_CELL = 40
MAX_SPAN = 100

_DIGITS = re.compile(r"\d+")
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_HIDING = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_PROSE_LINE = re.compile(r"^\s{0,3}[^\W\d_](?:[\w'’\"“”,;:()-]+[ \t]+){5,}", re.MULTILINE)
_FORMULA_NAMES = re.compile(r"math|latex|\btex\b|equation")
_LINE_NUMBERS = re.compile(r"[\d\s]+\Z")
_FOOTNOTES = re.compile(r"(?:^|[\s_-])(?:footnotes?|endnotes?|reflist)(?:$|[\s_-])")
_COMMENTS = re.compile(r"comment|disqus|repl(?:y|ies)")
_OTHERS = re.compile(r"comment|disqus|repl(?:y|ies)|related|sidebar|footer|widget|recommend")
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
    def commented(self) -> bool:
        """Whether it stands among readers' comments."""
        return self.says(_of_comments)

    @property
    def elsewhere(self) -> bool:
        """Whether it belongs to a comment, or to another article that is pointed to."""
        return not self.within.isdisjoint(("aside", "footer")) or self.says(_of_others)

    @property
    def noted(self) -> bool:
        """Whether it stands among footnotes."""
        return self.says(_of_footnotes)


def _of_a_post(names: str) -> bool:
    return "twitter-tweet" in names or "instagram-media" in names


def _of_comments(names: str) -> bool:
    return _COMMENTS.search(names) is not None


def _of_others(names: str) -> bool:
    return _OTHERS.search(names) is not None


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
        column: Of the cell it stands in, from 0.
        bold: Characters of bold text in it.
        preformatted: Whether it is code or the like, its lines and indentation kept.
        formula: Whether there is mathematics in it.
    """

    text: str
    place: Place
    linked: int
    row: int = -1
    column: int = 0
    bold: int = 0
    preformatted: bool = False
    formula: bool = False

    @property
    def in_table(self) -> bool:
        """Whether it is a row of several cells."""
        return self.row >= 0 and " |" in " " + self.text


def leaves_of(root: etree._Element, *, longest_cell: int = MAX_CELL) -> list[Leaf]:
    """The blocks of a page in reading order; a row of a table is one, unless a cell is longer."""
    walk = _Walk()
    walker = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    skipped: etree._Element | None = None
    for event, element in walker:
        tag = element.tag
        if event == "start":
            if not _is_read_in_parts(walk, element, tag):
                skipped = element
                walker.skip_subtree()
            else:
                walk.enter(element, tag)
        else:
            if event == "end" and element is not skipped:
                walk.leave(tag)
            walk.add(element.tail)
    walk.flush()
    return _rows_joined(walk.leaves, longest_cell)


def _is_read_in_parts(walk: _Walk, element: etree._Element, tag: str) -> bool:
    """Whether what stands in an element is walked through; formulas and code are taken whole."""
    if tag == "math" or (tag == "script" and "math/" in (element.get("type") or "")):
        walk.add_formula(element)
        return False
    if tag == "img" and _FORMULA_NAMES.search((element.get("class") or "").lower()):
        walk.add_formula(element)
        return False
    if tag in _SKIPPED or (tag == "sup" and _is_note_mark(element)) or is_hidden(element):
        return False
    if tag == "pre":
        text = _preformatted(element)
        if _LINE_NUMBERS.match(text):
            return False
        if text:
            walk.add_preformatted(element, text)
            return False
    return True


def is_hidden(element: etree._Element) -> bool:
    """Whether a browser does not show an element; a formula's words for screen readers are read."""
    get = element.get
    if get("aria-hidden") == "true":
        # Some pages give a formula once as MathML and once more as it is drawn.
        before = element.getprevious()
        return before is not None and before.find(".//math") is not None
    if get("hidden") is None and not _HIDING.search(get("style") or ""):
        return False
    return element.find(".//math") is None


def _preformatted(element: etree._Element) -> str:
    """The lines of code or the like; "" where it is prose that only lacks markup."""
    for line_break in element.iter("br"):
        line_break.tail = "\n" + (line_break.tail or "")
    text = _INVISIBLE.sub("", "".join(map(str, element.itertext())).replace("\r", ""))
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    prose = len(_PROSE_LINE.findall(text))
    if element.find(".//code") is None and prose > 0.6 * sum(map(bool, lines)):
        return ""
    return "\n".join(lines).strip("\n") if text.strip() else ""


def _is_note_mark(element: etree._Element) -> bool:
    """Whether a raised text is but a link to a footnote."""
    link = element.find(".//a")
    return link is not None and (link.get("href") or "").startswith("#")


class _Walk:
    """Gathers text from block boundary to block boundary."""

    def __init__(self) -> None:
        self.leaves: list[Leaf] = []
        self._place = Place(None, None)
        self._tables: list[_Table] = []
        self._row_count = 0
        self._links = self._bolds = 0
        self._clear()

    def _clear(self) -> None:
        self._pieces: list[str] = []
        self._linked = self._bold = self._breaks = 0
        self._formula = False

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
            if tag == "table":
                self._tables.append(_Table())
            elif tag == "tr" and self._tables:
                self._row_count += 1
                self._tables[-1].begin_row(self._row_count)
            elif tag in ("td", "th") and self._tables:
                self._tables[-1].begin_cell(_span(element, "colspan"), _span(element, "rowspan"))
        elif tag == "a":
            self._links += 1
        elif tag in _BOLD:
            self._bolds += 1
        self.add(element.text)

    def leave(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.flush()
            self._place = self._place.parent or self._place
            if tag == "table" and self._tables:
                self._tables.pop()
            elif tag == "tr" and self._tables:
                self._tables[-1].row = -1
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
            table = self._tables[-1] if self._tables else _Table()
            self.leaves.append(
                Leaf(
                    text,
                    self._place,
                    min(self._linked, len(text)),
                    table.row,
                    table.column,
                    self._bold,
                    formula=self._formula,
                )
            )
        self._clear()

    def add_formula(self, element: etree._Element) -> None:
        """Take a formula as its author wrote it, else as the characters it is drawn with."""
        if element.tag == "img" and self._formula:
            return  # drawn once more for old browsers
        written = element.get("alttext") or element.findtext(".//annotation") or element.get("alt")
        self.add(written or " ".join(map(str, element.itertext())))
        self._formula = True

    def add_preformatted(self, element: etree._Element, text: str) -> None:
        self.flush()
        self.leaves.append(Leaf(text, Place(element, self._place), 0, preformatted=True))


class _Table:
    """Where in a table the walk is: its columns are counted as a browser lays them out."""

    def __init__(self) -> None:
        self.row = -1
        self.column = 0
        self._width = 0
        self._taken: dict[int, int] = {}

    def begin_row(self, number: int) -> None:
        for column in [c for c in self._taken if self._width and c >= self.column + self._width]:
            self._taken[column] -= 1
        self.row, self.column, self._width = number, 0, 0

    def begin_cell(self, columns: int, rows: int) -> None:
        self.column += self._width
        while self._taken.get(self.column, 0) > 0:
            self._taken[self.column] -= 1
            self.column += 1
        self._width = columns
        if rows > 1:
            self._taken.update(dict.fromkeys(range(self.column, self.column + columns), rows - 1))


def _span(element: etree._Element, name: str) -> int:
    value = (element.get(name) or "").strip()
    return max(1, min(int(value), MAX_SPAN)) if value.isdecimal() and len(value) < 5 else 1


def _rows_joined(leaves: list[Leaf], longest_cell: int) -> list[Leaf]:
    """Table rows of short cells become one block each; a table made for layout stays as it is."""
    joined: list[Leaf] = []
    for row, group in groupby(leaves, key=lambda leaf: leaf.row):
        cells = list(group)
        columns = _columns(cells) if row >= 0 else []
        if row >= 0 and len(cells) == 1 and joined and joined[-1].in_table:
            # A row whose other cells are empty.
            columns = columns or [cells[0].text, ""] * (joined[-1].row == row - 1)
        if not columns or max(map(len, columns)) > longest_cell:
            joined.extend(cells)
            continue
        first = cells[0]
        joined.append(
            Leaf(
                " ".join(" | ".join(columns).split()),
                # So that only a row of nothing but header cells is taken for the header.
                next((cell.place for cell in cells if "th" not in cell.place.within), first.place),
                sum(cell.linked for cell in cells),
                row,
                bold=sum(cell.bold for cell in cells),
            )
        )
    return joined


def _columns(cells: Sequence[Leaf]) -> list[str]:
    """The texts of a row's cells, "" where one is empty; none for what stands in one column."""
    parts: dict[int, list[str]] = {}
    for cell in cells:
        parts.setdefault(cell.column, []).append(cell.text.replace("\n", " "))
    # A number alone in a later column says nothing without its place in the row.
    if len(parts) < 2 and not (cells[0].column > 0 and len(cells[0].text) <= MAX_LONE_CELL):
        return []
    return [" ".join(parts.get(column, ())) for column in range(max(parts) + 1)]


def _fold(text: str) -> str:
    text = _INVISIBLE.sub("", text)
    if "\n" not in text:
        return " ".join(text.split())
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(filter(None, lines))
