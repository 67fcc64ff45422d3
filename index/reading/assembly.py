"""An article put together from pieces, so that every offset is exact by construction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from index.article import Article, Block, BlockKind
from index.errors import EmptyArticle
from index.reading.language import detect_language

__all__ = ["Metadata", "Piece", "article_from_pieces", "joined_cells"]

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
    """What a source says of itself beside its text; the fields are those of ``Article``.

    Attributes:
        title: As printed, or None.
        authors: Names, in the order of the byline.
        published: ISO 8601 date, or date and time.
        modified: The same for the last change.
        site: Name of the publication.
        url: Where it can be read.
        language: ISO 639-1 code.
    """

    title: str | None = None
    authors: tuple[str, ...] = field(default=())
    published: str | None = None
    modified: str | None = None
    site: str | None = None
    url: str | None = None
    language: str | None = None


def joined_cells(cells: Iterable[str] | None) -> str:
    """A row of a table on one line; empty cells keep their place, so that columns line up."""
    row = list(cells or ())
    return " | ".join(row).replace("|  |", "| |").replace("|  |", "| |").strip() if any(row) else ""


def article_from_pieces(pieces: Iterable[Piece], metadata: Metadata) -> Article:
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
    return Article(
        text=text,
        blocks=tuple(blocks),
        title=metadata.title,
        authors=metadata.authors,
        published=metadata.published,
        modified=metadata.modified,
        site=metadata.site,
        url=metadata.url,
        language=metadata.language,
    )
