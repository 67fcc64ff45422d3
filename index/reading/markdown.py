"""Markdown: headings, lists, tables and quotes keep their place; front matter is metadata."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape

from markdown_it import MarkdownIt
from markdown_it.token import Token

from index.article import Article, BlockKind
from index.reading.assembly import Metadata, Piece, article_from_pieces
from index.reading.dates import date_in, iso_date
from index.reading.plaintext import authors_of_byline, is_dateline, is_furniture

__all__ = ["read_markdown"]

MAX_NESTING = 100
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^(\w[\w -]{0,40}):[ \t]*(.*)$")
_TAG = re.compile(r"<[^>]{1,500}>")


_FOOTNOTE = re.compile(r"(?m)^\[\^([\w-]{1,50})\]:.*(?:\n(?: {4}|\t).*)*")
_FOOTNOTE_MARK = re.compile(r"\[\^([\w-]{1,50})\]")


@dataclass(slots=True)
class _State:
    """Where the walk through the tokens stands."""

    pieces: list[Piece] = field(default_factory=list)
    quotes: int = 0
    items: int = 0
    heading: int = 0
    cells: list[str] | None = None


def read_markdown(text: str, *, url: str | None = None) -> Article:
    """Read a Markdown text.

    The first heading of the first level is the title, unless the front matter names one.

    Raises:
        EmptyArticle: Nothing in it can be cited.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    match = _FRONT_MATTER.match(text)
    fields = _fields(match[1]) if match else {}
    body = text[match.end() :] if match else text
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")
    pieces = _pieces(parser.parse(_without_footnotes(body)))
    title = fields.get("title") or next((p.text for p in pieces if p.kind is BlockKind.TITLE), None)
    pieces = _headed(pieces, title)
    bylines = [piece.text for piece in pieces if piece.kind is BlockKind.BYLINE]
    datelines = [piece.text for piece in pieces if piece.kind is BlockKind.DATELINE]
    named = fields.get("author") or fields.get("authors") or ""
    metadata = Metadata(
        title=title,
        authors=_listed(named) or (authors_of_byline(bylines[0]) if bylines else ()),
        published=iso_date(fields.get("date") or fields.get("published") or "")
        or (date_in(datelines[0]) if datelines else None),
        modified=iso_date(fields.get("lastmod") or fields.get("updated") or ""),
        site=fields.get("site"),
        url=fields.get("canonical_url") or fields.get("url") or url,
        language=(fields.get("lang") or fields.get("language") or "")[:2].lower() or None,
    )
    return article_from_pieces(pieces, metadata)


def _without_footnotes(body: str) -> str:
    """A text without its footnotes and the marks that point to them; ``[^a-z]`` alone is none."""
    names = set(_FOOTNOTE.findall(body))
    if not names:
        return body
    return _FOOTNOTE_MARK.sub(
        lambda mark: "" if mark[1] in names else mark[0], _FOOTNOTE.sub("", body)
    )


def _fields(front_matter: str) -> dict[str, str]:
    """The plain ``key: value`` lines of YAML front matter, and lists of one line each."""
    fields: dict[str, str] = {}
    key = ""
    for line in front_matter.split("\n"):
        match = _FIELD.match(line)
        if match:
            key = match[1].strip().lower()
            fields[key] = match[2].strip().strip("\"'")
        elif key and line.lstrip().startswith("- "):
            item = line.strip()[2:].strip().strip("\"'").removeprefix("name:").strip()
            fields[key] = ", ".join(filter(None, (fields[key], item)))
    return fields


def _listed(value: str) -> tuple[str, ...]:
    names = re.split(r"\s*(?:,|;|\band\b|&)\s*", value.strip("[]"))
    return tuple(name.strip(" \"'") for name in names if name.strip(" \"'"))


def _pieces(tokens: Sequence[Token]) -> list[Piece]:
    state = _State()
    for token in tokens:
        _take(token, state)
    return state.pieces


def _take(token: Token, state: _State) -> None:
    match token.type:
        case "blockquote_open" | "blockquote_close":
            state.quotes += token.nesting
        case "list_item_open" | "list_item_close":
            state.items += token.nesting
        case "heading_open":
            state.heading = int(token.tag[1])
        case "heading_close":
            state.heading = 0
        case "tr_open":
            state.cells = []
        case "tr_close":
            row = " | ".join(filter(None, state.cells or ()))
            state.cells = None
            state.pieces.append(Piece(BlockKind.TABLE_ROW, row))
        case "inline":
            _take_inline(token, state)
        case "html_block":
            text = " ".join(unescape(_TAG.sub(" ", token.content)).split())
            state.pieces.append(Piece(_kind_of(text, state), text))
        case "fence" | "code_block":
            state.pieces.append(Piece(BlockKind.PARAGRAPH, token.content.strip()))


def _take_inline(token: Token, state: _State) -> None:
    text = _shown(token.children or ())
    if state.cells is not None:
        state.cells.append(text)
    elif state.heading:
        first = not any(piece.kind is BlockKind.TITLE for piece in state.pieces)
        is_title = state.heading == 1 and first
        kind = BlockKind.TITLE if is_title else BlockKind.HEADING
        state.pieces.append(Piece(kind, text, 0 if is_title else state.heading))
    elif not text and token.children:
        images = [child.content for child in token.children if child.type == "image"]
        state.pieces.append(Piece(BlockKind.CAPTION, " ".join(images).strip()))
    else:
        state.pieces.append(Piece(_kind_of(text, state), text))


def _kind_of(text: str, state: _State) -> BlockKind:
    if is_furniture(text):
        return BlockKind.FURNITURE
    if state.items:
        return BlockKind.LIST_ITEM
    return BlockKind.QUOTE if state.quotes else BlockKind.PARAGRAPH


def _shown(children: Sequence[Token]) -> str:
    """Inline text as it reads; a line break within a paragraph is a space."""
    parts = []
    for child in children:
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type == "softbreak":
            parts.append(" ")
        elif child.type == "hardbreak":
            parts.append("\n")
    return "".join(parts).strip()


def _headed(pieces: list[Piece], title: str | None) -> list[Piece]:
    """The pieces with a byline and a dateline right under the title told from paragraphs."""
    headed = []
    for number, piece in enumerate(pieces):
        if number < 5 and piece.kind is BlockKind.PARAGRAPH:
            if authors_of_byline(piece.text):
                piece = Piece(BlockKind.BYLINE, piece.text)
            elif is_dateline(piece.text):
                piece = Piece(BlockKind.DATELINE, piece.text)
        if piece.kind is BlockKind.TITLE and piece.text != title:
            piece = Piece(BlockKind.HEADING, piece.text, 1)
        headed.append(piece)
    return headed
