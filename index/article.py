"""An article: its text, what each stretch of the text is, and who stands behind it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import Enum
from functools import cached_property
from typing import Any

from index.errors import EmptyArticle, SourceError

MAX_CHARACTERS = 5_000_000
MAX_BLOCKS = 100_000
MAX_SENTENCES = 100_000
"""What one article may hold: a long book, whose passages are embedded in some minutes."""
_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]+(?=\s)|[。！？؟।]")

__all__ = ["Article", "Block", "BlockKind", "Section"]


class BlockKind(str, Enum):
    """What a stretch of an article's text is.

    ``CITABLE`` kinds hold evidence. Titles, bylines and datelines are cited only when
    the question is about the article itself; headings name the passages under them;
    furniture ("Follow author on") is never cited.
    """

    TITLE = "title"
    BYLINE = "byline"
    DATELINE = "dateline"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"
    QUOTE = "quote"
    CAPTION = "caption"
    CODE = "code"
    FURNITURE = "furniture"

    @property
    def citable(self) -> bool:
        """Whether sentences of such a block can answer a question about its content."""
        return self in _CITABLE


_CITABLE = frozenset(
    {
        BlockKind.PARAGRAPH,
        BlockKind.LIST_ITEM,
        BlockKind.TABLE_ROW,
        BlockKind.QUOTE,
        BlockKind.CAPTION,
        BlockKind.CODE,
    }
)


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch ``text[start:end]`` of one kind: a paragraph, a heading, a caption.

    Attributes:
        kind: What it is.
        start: First code point.
        end: One past the last code point.
        level: Depth of a heading, from 1; 1 for the header row of a table; else 0.
        page: Page it stands on, from 1, where the source has pages.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading: ``text[start:end]``, its heading not included.

    The part before the first heading is a section whose ``heading`` is None.
    """

    heading: str | None
    level: int
    start: int
    end: int


@dataclass(frozen=True)
class Article:
    """A text with its structure and metadata.

    Every offset anywhere in the project is a half-open range of Unicode code points
    into ``text``.

    Attributes:
        text: The article's text, as it is stored and cited.
        blocks: What each stretch of the text is, in order, not overlapping.
        title: As printed, or None.
        authors: Names, in the order of the byline.
        published: ISO 8601 date or date and time, or None.
        modified: The same for the last change.
        site: Name of the publication, or None.
        url: Where it can be read, or None.
        language: ISO 639-1 code, or None where it was not detected.
        omitted: What of the source was left out: "12 blocks of comments".
        declared: Where the source declares what it says of itself outside its text, by the names
            of these attributes: ``(("published", "JSON-LD datePublished"),)``.
    """

    text: str
    blocks: tuple[Block, ...]
    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    modified: str | None = None
    site: str | None = None
    url: str | None = None
    language: str | None = None
    omitted: tuple[str, ...] = ()
    declared: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is too large, blocks out of order, and articles with nothing to cite."""
        for many, limit, what in (
            (len(self.text), MAX_CHARACTERS, "characters"),
            (len(self.blocks), MAX_BLOCKS, "paragraphs and other blocks"),
            (sum(1 for _ in _SENTENCE_END.finditer(self.text)), MAX_SENTENCES, "sentences"),
        ):
            if many > limit:
                raise SourceError(
                    f"the article has {many:,} {what}, and may have {limit:,}; give a part of it"
                )
        position = 0
        for block in self.blocks:
            if not position <= block.start < block.end <= len(self.text):
                raise ValueError(
                    f"block {block.kind.value} {block.start}:{block.end} is out of order or outside"
                    f" the text of {len(self.text)} characters"
                )
            position = block.end
        if not any(block.kind.citable for block in self.blocks):
            raise EmptyArticle(
                "the article holds no text that could be cited; give one with at least a sentence"
            )

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the text, in hex: says whether a quote's article is still the same."""
        # Lone surrogates can stand in a str; they must hash too rather than raise.
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def id(self) -> str:
        """Short name of this very text: the first 16 hex digits of ``hash``."""
        return self.hash[:16]

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The article cut at its headings, in order; empty sections are kept."""
        headings = [block for block in self.blocks if block.kind is BlockKind.HEADING]
        ends = [block.start for block in headings] + [len(self.text)]
        sections = [Section(None, 0, 0, ends[0])]
        for block, end in zip(headings, ends[1:], strict=True):
            sections.append(
                Section(self.text[block.start : block.end], block.level, block.end, end)
            )
        return tuple(sections)

    def heading_at(self, start: int) -> str | None:
        """The heading that a place stands under, on one line; None before the first."""
        heading = None
        for block in self.blocks:
            if block.start > start:
                break
            if block.kind is BlockKind.HEADING:
                heading = " ".join(self.text[block.start : block.end].split())
        return heading

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form, exact both ways."""
        return asdict(self) | {
            "blocks": [[b.kind.value, b.start, b.end, b.level, b.page] for b in self.blocks],
            "authors": list(self.authors),
            "omitted": list(self.omitted),
            "declared": [list(pair) for pair in self.declared],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Article:
        """The article that ``to_dict`` gave.

        Raises:
            KeyError, TypeError, ValueError: The mapping is not of that form.
        """
        values = {field.name: data[field.name] for field in fields(cls) if field.name in data}
        values["authors"] = tuple(data["authors"])
        values["omitted"] = tuple(data.get("omitted", ()))
        values["declared"] = tuple((name, where) for name, where in data.get("declared", ()))
        values["blocks"] = tuple(
            Block(BlockKind(kind), start, end, level, page)
            for kind, start, end, level, page in data["blocks"]
        )
        return cls(**values)
