"""Markdown: headings, lists, tables and quotes keep their place; front matter is metadata."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any, Final

import yaml
from markdown_it import MarkdownIt

from index.article import Article, BlockKind
from index.reading.assembly import Metadata, Piece, article_from_pieces
from index.reading.dates import iso_date
from index.reading.header import kind_of_line, metadata_of, title_of, with_head
from index.reading.html.authors import names_in
from index.reading.html.blocks import Leaf, leaves_of
from index.reading.html.page import kind_of, parse_page
from index.reading.plaintext import is_furniture

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["read_markdown"]

MAX_NESTING = 100
_KEYS: Final = {
    "title": "title headline".split(),
    "authors": "author authors by creator".split(),
    "published": "date published publish_date pubdate publishdate published_at created".split(),
    "modified": "lastmod updated modified last_modified_at last_updated date_modified".split(),
    "site": "site publisher publication site_name source".split(),
}
"""Fields of front matter by what they declare, the usual one first."""
_FRONT_MATTER = re.compile(
    r"\A\ufeff?(---|\+\+\+)[ \t]*\n(.{0,20000}?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL
)
_PANDOC = re.compile(r"\A\ufeff?% (.{1,300})\n(?:% ?(.{0,300})\n(?:% ?(.{0,300})\n)?)?")
_FIELD = re.compile(r"(?m)^(\w[\w -]{0,40}):[ \t]*(.*)$")
_PICTURE = re.compile(r'<p><img src="[^"<>]{0,2000}" alt="([^"<>]{1,500})"[^<>]{0,500}></p>')
_FOOTNOTE = re.compile(r"(?m)^\[\^([\w-]{1,50})\]:.*(?:\n(?: {4}|\t).*)*")
_FOOTNOTE_MARK = re.compile(r"\[\^([\w-]{1,50})\]")


def read_markdown(text: str, *, url: str | None = None) -> Article:
    """Read a Markdown text.

    The first heading of the first level is the title, unless the front matter names one.

    Raises:
        EmptyArticle: Nothing in it can be cited.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    fields, body = _front_matter(text)
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")
    shown = parser.render(_head_apart(_without_footnotes(body)))
    # What is written for a picture alone on its line is its caption.
    page = parse_page(_PICTURE.sub(r"<figcaption>\1</figcaption>", shown) or "<p>")
    pieces = with_head(_pieces(leaves_of(page, longest_cell=len(text))))
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


def _head_apart(body: str) -> str:
    """The lines of a head that stand under each other made paragraphs of their own."""
    head, blank, rest = body.lstrip("\n").partition("\n\n")
    lines = head.split("\n")
    return "\n\n".join(lines) + blank + rest if all(map(kind_of_line, lines)) else body


def _pieces(leaves: Sequence[Leaf]) -> list[Piece]:
    pieces: list[Piece] = []
    titled = False
    for leaf, following in zip(leaves, [*leaves[1:], None], strict=True):
        kind, level = kind_of(leaf, following)
        if kind is BlockKind.HEADING and level == 1 and not titled:
            kind, level, titled = BlockKind.TITLE, 0, True
        elif is_furniture(leaf.text):
            kind = BlockKind.FURNITURE
        pieces.append(Piece(kind, leaf.text, level))
    return pieces
