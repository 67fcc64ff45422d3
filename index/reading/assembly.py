"""An article put together from pieces, so that every offset is exact by construction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from index.article import Article, Block, BlockKind
from index.errors import EmptyArticle
from index.reading.language import detect_language

__all__ = ["Metadata", "Piece", "article_from_pieces"]

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


def article_from_pieces(pieces: Iterable[Piece], metadata: Metadata) -> Article:
    """Join pieces by blank lines and put the byline and dateline before them.

    What the pieces show already is not put there again, so that each is cited in one place.
    A title that stands apart from the text, as on a page, stays apart from it: it is the
    article's name, and repeats as a rule what the text says.

    Raises:
        EmptyArticle: No piece can be cited.
    """
    body = [piece for piece in pieces if piece.text]
    if not any(piece.kind.citable for piece in body):
        raise EmptyArticle("no article was found in it: it holds no text that could be cited")
    below_title = 1 if body[0].kind is BlockKind.TITLE else 0
    ordered = body[:below_title] + _head(body, metadata) + body[below_title:]
    blocks: list[Block] = []
    texts: list[str] = []
    position = 0
    for piece in ordered:
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


def _head(body: list[Piece], metadata: Metadata) -> list[Piece]:
    """The byline and dateline that the body lacks."""
    kinds = {piece.kind for piece in body}
    page = body[0].page
    head: list[Piece] = []
    if metadata.authors and BlockKind.BYLINE not in kinds:
        head.append(Piece(BlockKind.BYLINE, "By " + _listed(metadata.authors), page=page))
    if metadata.published and BlockKind.DATELINE not in kinds:
        head.append(Piece(BlockKind.DATELINE, "Published " + metadata.published[:10], page=page))
    return head


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
