"""An article put together from pieces, so that every offset is exact by construction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from index.article import Article, Block, BlockKind
from index.errors import EmptyArticle
from index.reading.language import detect_language

__all__ = ["Metadata", "Piece", "article_from_pieces", "heads_columns", "joined_cells"]

Said = TypeVar("Said", "Article", "Metadata")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
BETWEEN = "\n\n"
SURE_CHARS = 1000
"""A text as long as this says its language itself."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One block of an article before it has a place in the text.

    Attributes:
        kind: What it is.
        text: Its words, without white space around them.
        level: Depth of a heading, from 1; 0 for every other kind.
        page: Page it stands on, from 1, where the source has pages.
    """

    kind: BlockKind
    text: str
    level: int = 0
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a source says of itself; the fields are those of ``Article``."""

    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    modified: str | None = None
    site: str | None = None
    url: str | None = None
    language: str | None = None
    declared: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, said: Mapping[str, tuple[Any, str]], **others: Any) -> Metadata:  # noqa: ANN401
        """Metadata from values with the places that declare them.

        Args:
            said: By name, a value and where it is declared: "" where the text itself says it.
            others: What nobody asks for the place of.
        """
        known = {name: value for name, (value, _) in said.items() if value}
        places = tuple((name, said[name][1]) for name in known if said[name][1])
        return cls(**known, **others, declared=places)

    def over(self, said: Said) -> Said:
        """An article, or metadata of it, with this in the place of what it says of itself."""
        names = [f.name for f in fields(self) if f.name != "declared" and getattr(self, f.name)]
        kept: list[tuple[str, str]] = [pair for pair in said.declared if pair[0] not in names]
        known = {name: getattr(self, name) for name in names}
        return replace(said, **known, declared=(*self.declared, *kept))


def joined_cells(cells: Iterable[str] | None) -> str:
    """A row of a table on one line; empty cells keep their place, so that columns line up."""
    row = list(cells or ())
    return " | ".join(row).replace("|  |", "| |").replace("|  |", "| |").strip() if any(row) else ""


def heads_columns(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row of a table names its columns: words or years over numbers.

    >>> heads_columns([["Goods", "2022", "2023"], ["Grain", "310 t", "342 t"]])
    True
    """
    first, *others = rows
    values = [cell for row in others for cell in row[1:] if cell]
    return (
        sum(any(map(str.isdigit, cell)) for cell in values) > len(values) / 2
        and len(first) > 1
        and not any(map(str.isdigit, first[0]))
        and all(_YEAR.search(cell) or not any(map(str.isdigit, cell)) for cell in first[1:])
    )


def article_from_pieces(
    pieces: Iterable[Piece], metadata: Metadata, omitted: Iterable[str] = ()
) -> Article:
    """Join pieces by blank lines.

    Metadata never becomes text: what the source declares but does not print is not quotable.

    Raises:
        EmptyArticle: No piece can be cited.
    """
    body = [piece for piece in pieces if piece.text]
    if not any(piece.kind.citable for piece in body):
        raise EmptyArticle("no article was found in it: it holds no text that could be cited")
    blocks: list[Block] = []
    texts: list[str] = []
    position = 0
    for piece in body:
        end = position + len(piece.text)
        blocks.append(Block(piece.kind, position, end, piece.level, piece.page))
        texts.append(piece.text)
        position = end + len(BETWEEN)
    text = BETWEEN.join(texts)
    words = " ".join(piece.text for piece in body if piece.kind.citable)
    if metadata.language is None or len(words) >= SURE_CHARS:
        # What a page declares is its template's language, not always its article's.
        metadata = replace(metadata, language=detect_language(words) or metadata.language)
    known = {f.name: getattr(metadata, f.name) for f in fields(metadata)}
    return Article(text=text, blocks=tuple(blocks), omitted=tuple(omitted), **known)
