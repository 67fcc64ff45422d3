"""Plain text read as an article: title, byline, captions, headings, paragraphs, furniture.

The text itself is not touched, so offsets are offsets into the file as it was decoded.
Only line shapes are used, no layout is guessed beyond them:

    Face recognition tech: Amazon extends ban     title      first line, no full stop
    Amazon Rekognition Image                      caption    short line before the body
    By Sayujya S, Desk Reporter                   byline
      • Follow author on                          furniture
    American eCommerce mammoth Amazon announced…  paragraph
    Inaccurate results and consequences           heading    short line over a paragraph
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from index.article import Article, Block, BlockKind
from index.reading.assembly import Metadata
from index.reading.dates import day_comes_first
from index.reading.header import authors_of_byline, kind_of_line, metadata_of, title_of
from index.reading.language import detect_language

__all__ = ["FURNITURE", "article_from_text", "authors_of_byline", "is_furniture", "is_heading"]

# Lines that web pages put around an article and that copying brings along.
FURNITURE = re.compile(
    r"""(?ix) ^\W*(?:
      follow\s+(?:the\s+)?(?:author|us|me)\b.{0,40}
    | (?:you\s+(?:may|might)\s+(?:also\s+)?(?:like|enjoy|be\s+interested\s+in))\b.{0,40}
    | (?:related|also\s+read|read\s+(?:also|more|next)|see\s+also|recommended|more\s+from|
         more\s+on\s+this|most\s+(?:read|popular)|trending|don'?t\s+miss|watch(?:\s+now)?)\s*[:–—-].*
    | (?:related|recommended|trending|most)\s+(?:articles?|stories|posts|links|topics|news|now|
         reading|read|popular|for\s+you)
    | read\s+(?:more|next|also)|also\s+read|see\s+also|more\s+stories|advertisements?
    | sponsored(?:\s+content)?
    | (?:share|tweet|print|e-?mail|save)(?:\s+(?:this|article|story|on|via|with)\b.{0,30})?
    | (?:subscribe|sign\s+up|log\s+in|sign\s+in)\b.{0,60}
    | (?:leave\s+a\s+comment|comments?(?:\s*\(\d+\))?|\d+\s+comments?)
    | (?:accept|manage)\s+(?:all\s+)?cookies.{0,40}
    | (?:skip\s+to\s+(?:main\s+)?content|back\s+to\s+top|click\s+here\b.{0,40}|load\s+more)
    | (?:all\s+rights\s+reserved|copyright\s+©?\s*\d{4}|©\s*\d{4})\b.{0,80}
    )\W*$"""
)
_RIGHTS = re.compile(r"(?i)\brights reserved\b|©|\bcopyright\b")
_CAPTION = re.compile(
    r"(?i)\b(?:image|images|photo|photograph|picture|illustration|graphic|getty|reuters|afp|"
    r"courtesy|credit|file photo|screenshot)\b"
)
_BULLET = re.compile(r"^\s*(?:[•●▪◦‣·*–—-]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s+(?=\S)")
_UNTITLED = frozenset({BlockKind.BYLINE, BlockKind.DATELINE, BlockKind.FURNITURE})
_TERMINAL = re.compile(r"[.!?;:,…。！？؟।][\"'”’»)\]]*$")
_LINE = re.compile(r"[^\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_NEXT_WORD = re.compile(r"\S+")

GIVEN = "given with the text"
MAX_TITLE = 200
MAX_HEAD = 20
"""Lines that are looked at for what they say of the article."""
MAX_HEADING = 90
MAX_HEADING_WORDS = 14
MAX_WRAPPED_LINE = 120
"""Longer lines than this mean that the text was not wrapped by hand."""
MIN_WRAPPED_LINE = 40


def is_furniture(line: str) -> bool:
    """Whether a line is page furniture ("YOU MAY LIKE") rather than the article's own."""
    if len(line) > MAX_TITLE or (line.endswith(".") and not _RIGHTS.search(line)):
        return False  # prose ends with a full stop, labels do not
    return FURNITURE.match(line) is not None


def article_from_text(
    text: str,
    *,
    title: str | None = None,
    authors: tuple[str, ...] = (),
    url: str | None = None,
    published: str | None = None,
    site: str | None = None,
    language: str | None = None,
) -> Article:
    """Read plain text as an article; what the caller knows goes before what the text shows.

    Args:
        text: The article's text; kept as it is.
        title: Its title, where the text does not begin with it.
        authors: Their names, where known.
        url: Where it can be read.
        published: ISO 8601 date of publication.
        site: Name of the publication.
        language: ISO 639-1 code; detected where it is not given.

    Raises:
        EmptyArticle: Nothing in the text can be cited.
    """
    language = language or detect_language(text)
    day_first = day_comes_first(language or "")
    lines = _unwrapped(text)
    kinds = _classify([text[start:end] for start, end in lines], title, day_first)
    blocks = tuple(
        Block(kind, start, end, level=1 if kind is BlockKind.HEADING else 0)
        for kind, (start, end) in zip(kinds, lines, strict=True)
    )
    head = [(block.kind, text[block.start : block.end]) for block in blocks]
    printed = next((line for kind, line in head if kind is BlockKind.TITLE), None)
    said = metadata_of(head, day_first=day_first, title=printed and title_of(printed))
    given = Metadata.of(
        {
            "title": (title, "" if title == printed else GIVEN),
            "authors": (authors, GIVEN),
            "published": (published, GIVEN),
            "site": (site, GIVEN),
        },
        url=url,
    )
    return given.over(said.over(Article(text, blocks, language=language)))


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the lines that hold more than white space, trimmed."""
    for match in _LINE.finditer(text):
        line = match.group()
        stripped = line.strip()
        if stripped:
            start = match.start() + line.index(stripped[0])
            yield start, start + len(stripped)


def _unwrapped(text: str) -> list[tuple[int, int]]:
    """Spans of the paragraphs: lines, joined again where a paragraph was wrapped by hand.

    A line break is a wrap when the next word would not have fitted into the width the
    text was wrapped to; anything else ends a paragraph.
    """
    lines = list(_lines(text))
    width = max((end - start for start, end in lines), default=0)
    if not MIN_WRAPPED_LINE <= width <= MAX_WRAPPED_LINE:
        return lines
    merged: list[tuple[int, int]] = []
    last = (0, 0)
    for start, end in lines:
        gap = text[last[1] : start]
        word = _NEXT_WORD.match(text, start)
        wrapped = (
            bool(merged)
            and gap.count("\n") <= 1
            and gap.count("\r") <= 1
            and word is not None
            and last[1] - last[0] + 1 + len(word.group()) > 0.9 * width
            and not _BULLET.match(text[start:end])
        )
        if wrapped:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
        last = (start, end)
    return merged


def _classify(lines: list[str], title: str | None, day_first: bool | None) -> list[BlockKind]:
    """The kind of each line of an article."""
    said = [kind_of_line(line, day_first=day_first) for line in lines[:MAX_HEAD]]
    said += [None] * (len(lines) - len(said))
    bodies = [kind is None and _is_body(line) for line, kind in zip(lines, said, strict=True)]
    first_body = bodies.index(True) if True in bodies else len(lines)
    kinds: list[BlockKind] = []
    for number, line in enumerate(lines):
        head = said[number] if number < first_body < len(lines) else None
        untitled = title is None and _UNTITLED.issuperset(kinds)
        if is_furniture(line):
            kind = BlockKind.FURNITURE
        elif line == title or (head is BlockKind.TITLE and title is None):
            kind = BlockKind.TITLE
        elif head and head is not BlockKind.TITLE:
            kind = head
        elif number < first_body < len(lines) and untitled and len(line) <= MAX_TITLE:
            kind = BlockKind.TITLE
        elif number < first_body < len(lines) and _CAPTION.search(line):
            kind = BlockKind.CAPTION
        elif _BULLET.match(line):
            kind = BlockKind.LIST_ITEM
        elif is_heading(line) and number + 1 < len(lines) and bodies[number + 1]:
            kind = BlockKind.HEADING
        else:
            kind = BlockKind.PARAGRAPH
        kinds.append(kind)
    return kinds


def _is_body(line: str) -> bool:
    """Whether a line reads as prose rather than as a label over it."""
    if len(line) > MAX_TITLE:
        return True
    return bool(_TERMINAL.search(line)) and not line.endswith("?") and not is_furniture(line)


def is_heading(line: str) -> bool:
    """Whether a line could be a heading by its own shape: short, and no sentence."""
    return (
        len(line) <= MAX_HEADING
        and len(line.split()) <= MAX_HEADING_WORDS
        and not re.search(r"[.!;:,…。！？؟।][\"'”’»)\]]*$", line)
        and not line[0].islower()
        and any(character.isalpha() for character in line)
    )
