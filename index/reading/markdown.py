"""Markdown: headings, lists, tables and quotes keep their place; front matter is metadata."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Final

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from index.article import Article, BlockKind
from index.reading.assembly import Metadata, Piece, article_from_pieces, joined_cells
from index.reading.dates import iso_date
from index.reading.header import HEAD, kind_of_line, metadata_of, title_of, with_head
from index.reading.html.authors import names_in
from index.reading.plaintext import is_furniture

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["read_markdown"]

MAX_NESTING = 100
_KEYS: Final = {
    "title": ("title", "headline"),
    "authors": ("author", "authors", "by", "creator"),
    "published": (
        "date",
        "published",
        "publish_date",
        "pubdate",
        "publishdate",
        "published_at",
        "created",
    ),
    "modified": (
        "lastmod",
        "updated",
        "modified",
        "last_modified_at",
        "last_updated",
        "date_modified",
    ),
    "site": ("site", "publisher", "publication", "site_name", "source"),
}
"""Fields of front matter by what they declare, the usual one first."""
_FRONT_MATTER = re.compile(
    r"\A\ufeff?(---|\+\+\+)[ \t]*\n(.{0,20000}?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL
)
_PANDOC = re.compile(r"\A\ufeff?% (.{1,300})\n(?:% ?(.{0,300})\n(?:% ?(.{0,300})\n)?)?")
_FIELD = re.compile(r"(?m)^(\w[\w -]{0,40}):[ \t]*(.*)$")
_HTML_HEADING = re.compile(r"(?is)^<h([1-6])\b[^>]{0,500}>(?:(?!</?h[1-6]\b).)*</h\1>\s*$")
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
    header: int = 0


def read_markdown(text: str, *, url: str | None = None) -> Article:
    """Read a Markdown text.

    The first heading of the first level is the title, unless the front matter names one.

    Raises:
        EmptyArticle: Nothing in it can be cited.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    fields, body = _front_matter(text)
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")
    pieces = with_head(_pieces(parser.parse(_without_footnotes(body))))
    known = {name: _declared(fields, name) for name in _KEYS}
    printed = next((p.text for p in pieces if p.kind is BlockKind.TITLE), None)
    title = known["title"][0] or (printed and title_of(printed))
    if printed and title == title_of(printed):
        known["title"] = title, ""
    pieces = [_retitled(piece, title) for piece in pieces]
    address = fields.get("canonical_url") or fields.get("url") or url
    language = (fields.get("lang") or fields.get("language") or "")[:2].lower() or None
    declared = Metadata.of(known, url=address, language=language)
    return article_from_pieces(
        pieces, declared.over(metadata_of((piece.kind, piece.text) for piece in pieces))
    )


def _declared(fields: dict[str, str], name: str) -> tuple[Any, str]:
    """What the front matter says of an attribute, and in which of its fields."""
    for key in _KEYS[name]:
        value: Any = fields.get(key) or ""
        if name == "authors":
            value = names_in(value.split("; "))
        elif name in ("published", "modified"):
            value = iso_date(value)
        if value:
            return value, f"front matter {key}"
    return None, ""


def _retitled(piece: Piece, title: str | None) -> Piece:
    """The first heading under another title is a heading like the others."""
    if piece.kind is BlockKind.TITLE and title_of(piece.text) != title:
        return Piece(BlockKind.HEADING, piece.text, 1)
    return piece


def _without_footnotes(body: str) -> str:
    """A text without its footnotes and the marks that point to them; ``[^a-z]`` alone is none."""
    names = set(_FOOTNOTE.findall(body))
    if not names:
        return body
    return _FOOTNOTE_MARK.sub(
        lambda mark: "" if mark[1] in names else mark[0], _FOOTNOTE.sub("", body)
    )


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """The fields of front matter, in YAML or TOML, and the text under it."""
    match = _FRONT_MATTER.match(text)
    if match is None:
        lines = _PANDOC.match(text)
        names = ("title", "authors", "date")
        said = zip(names, lines.groups(""), strict=True) if lines else ()
        return dict(said), text[lines.end() :] if lines else text
    try:
        if match[1] == "+++":
            fields = tomllib.loads(match[2])
        else:
            fields = yaml.safe_load(match[2])
    except (yaml.YAMLError, ValueError, RecursionError):
        # Hand-written YAML often has an unquoted colon in a title.
        fields = dict(_FIELD.findall(match[2]))
    if not isinstance(fields, dict):
        return {}, text  # a text between two rules
    known = {str(key).lower(): _shown_value(value) for key, value in fields.items()}
    return known, text[match.end() :]


def _shown_value(value: object, depth: int = 0) -> str:
    if isinstance(value, dict):
        value = value.get("name")
    if isinstance(value, list):
        return "; ".join(_shown_value(item, 1) for item in value[:50]) if not depth else ""
    return "" if value is None else str(value).strip().strip("\"'")


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
        case "heading_open" | "heading_close":
            state.heading = int(token.tag[1]) if token.nesting > 0 else 0
        case "thead_open" | "thead_close":
            state.header += token.nesting
        case "tr_open":
            state.cells = []
        case "tr_close":
            state.pieces.append(Piece(BlockKind.TABLE_ROW, joined_cells(state.cells), state.header))
            state.cells = None
        case "inline":
            _take_inline(token, state)
        case "html_block":
            _take_html(token.content, state)
        case "fence" | "code_block":
            code = token.content.strip("\n").rstrip()
            state.pieces.append(Piece(BlockKind.CODE, code))


def _take_html(source: str, state: _State) -> None:
    text = " ".join(unescape(_TAG.sub(" ", source)).split())
    heading = _HTML_HEADING.match(source)
    if heading:
        _take_heading(text, int(heading[1]), state)
    else:
        state.pieces.append(Piece(_kind_of(text, state), text))


def _take_inline(token: Token, state: _State) -> None:
    text = _shown(token.children or ())
    if state.cells is not None:
        state.cells.append(text)
    elif state.heading:
        _take_heading(text, state.heading, state)
    elif not text and token.children:
        images = [child.content for child in token.children if child.type == "image"]
        state.pieces.append(Piece(BlockKind.CAPTION, " ".join(images).strip()))
    else:
        lines = _shown(token.children or (), between="\n").split("\n")
        over = len(state.pieces) < HEAD and all(map(kind_of_line, lines))
        for line in lines if over else [text]:
            state.pieces.append(Piece(_kind_of(line, state), line))


def _take_heading(text: str, level: int, state: _State) -> None:
    first = not any(piece.kind is BlockKind.TITLE for piece in state.pieces)
    if level == 1 and first:
        state.pieces.append(Piece(BlockKind.TITLE, text))
    else:
        state.pieces.append(Piece(BlockKind.HEADING, text, level))


def _kind_of(text: str, state: _State) -> BlockKind:
    if is_furniture(text):
        return BlockKind.FURNITURE
    if state.items:
        return BlockKind.LIST_ITEM
    return BlockKind.QUOTE if state.quotes else BlockKind.PARAGRAPH


def _shown(children: Sequence[Token], between: str = " ") -> str:
    """Inline text as it reads; a line break within a paragraph is a space unless told else."""
    parts = []
    for child in children:
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type == "softbreak":
            parts.append(between)
        elif child.type == "hardbreak":
            parts.append("\n")
    return "".join(parts).strip()
