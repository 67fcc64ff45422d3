"""The lines over a text in which it says what it is called, whose it is and when it appeared.

Title: The bridge reopens         {"title": "The bridge reopens"}
By Jane Doe | 3 May 2024          {"authors": ("Jane Doe",), "published": "2024-05-03"}
Last updated: 5 May 2024          {"modified": "2024-05-05"}
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from index.article import BlockKind
from index.reading.assembly import Metadata, Piece
from index.reading.dates import date_at, dates_of_line, month_in

__all__ = ["authors_of_byline", "kind_of_line", "metadata_of", "said_in", "title_of", "with_head"]

MAX_LINE: Final = 200
"""Characters; what is longer is no line of a head."""
HEAD: Final = 6
"""Blocks of a document that are looked at for its head."""

_BYLINE = re.compile(
    r"^\W*(?:(?:[Ww]ritten |[Rr]eported |[Pp]osted |[Ss]tory |[Tt]ext )?(?:[Bb]y|BY)(?::\s*|\s+)"
    r"|(?:[Aa]uthor(?:s|\(s\))?|AUTHORS?|Autor(?:in|en|es)?|Auteurs?|Autore|Autori|[Rr]eporter"
    r"|[Ww]riter|[Cc]ontributor)\s*:\s*"
    # Elsewhere it is a name and nothing else: "Von der Küste" and "Par avion" are no bylines.
    r"|(?:Von|Par|Por|Di|Door|Av|Af|\u041e\u0442)\s+(?=(?:[^\W\d_a-z][\w.'\u2019-]*\s+){1,3}"
    r"[^\W\d_a-z][\w.'\u2019-]*\W*$))"
    r"(?P<who>\S.{1,120})$"
)
_FULL_STOP = re.compile(r"(?<!\b[JS]r)(?<!\b[A-Z])(?<!\bEsq)[ .]+$")
_ROLE = re.compile(
    r"(?i)\b(?:reporter|editor|correspondent|writer|staff|columnist|contributor|analyst|bureau|"
    r"desk|chief|journalist|producer|intern|fellow|professor|director)\b"
)
_FIELD = re.compile(
    r"^\W{0,4}(?P<label>[^\W\d_][^\W\d_ ]{0,15}(?: of)?(?: [^\W\d_]{1,15})?)\s*:\s*"
)
_LABELS: Final = {
    **dict.fromkeys("title headline titel titre título titolo".split(), "title"),
    **dict.fromkeys(
        "publisher publication newspaper outlet source website site quelle fuente".split(), "site"
    ),
}
_DATE_WORDS: Final = frozenset(
    """first last originally article release zuletzt veröffentlicht erstellt stand date dated datum
    fecha data day published publish publication publié publicado pubblicato posted created filed
    released issued update updated modified edited revised reviewed aktualisiert modifié mis jour à
    actualizado aggiornato of on at the le el il den am vom in online um uhr am pm gmt utc est
    mon monday tue tuesday wed wednesday thu thursday fri friday sat saturday sun sunday montag
    dienstag mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi jeudi vendredi samedi
    dimanche lunes martes miércoles jueves viernes sábado domingo by von par por and und et y t
    """.split()
)
_PLACE = re.compile(r"^\W*[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*){0,2}\s*[,–—|·-]+\s*")
_PUBLISHED_BY = re.compile(
    r"^\W*[Pp]ublished by:?\s+(?P<who>[^\d|,(]{2,80}?)(?:\s+on\b|\s*[|,(]|$)"
)
_BESIDE_NAMES = re.compile(r"(?<!\s)\s+[|•·–—]\s|\s\(|\s(?:in|for)\s")
_WORD = re.compile(r"[^\W\d_]+")
_BY = re.compile(r"\b(?:by|von|par|por)\s+", re.IGNORECASE)


def authors_of_byline(line: str) -> tuple[str, ...]:
    """Names in a byline, roles left out.

    >>> authors_of_byline("By Sayujya S, Desk Reporter")
    ('Sayujya S',)
    >>> authors_of_byline("By Jane Doe and John Roe")
    ('Jane Doe', 'John Roe')
    """
    match = _BYLINE.match(line.strip())
    if match is None:
        return ()
    who = _BESIDE_NAMES.split(match["who"])[0]
    date = date_at(who)
    if date:
        words = who[: date[1]].split()
        while words and words[-1].strip("|,;:.()–—-").lower() in {"", *_DATE_WORDS}:
            words.pop()
        who = " ".join(words)
    parts = re.split(r"\s*[,;]\s*(?:and\s+|&\s*)?|\s+(?:and|AND|&)\s+", who)
    names = (_FULL_STOP.sub("", part.strip(" ")) for part in parts)
    found = [name for name in names if name and name[0].isupper() and not _ROLE.search(name)]
    people = [name for name in found if not name.startswith("The ")]
    return tuple(people or found)


def said_in(line: str, *, day_first: bool | None = None) -> dict[str, Any]:
    """What a line says of the article that it stands over, by the attributes of ``Article``.

    Empty for every other line, prose with a date in it among them.

    Args:
        line: The line.
        day_first: As from ``day_comes_first``.
    """
    line = line.strip()
    if not line or len(line) > MAX_LINE:
        return {}
    label = _FIELD.match(line)
    name = _LABELS.get(label["label"].lower()) if label else None
    if label and name:
        value = line[label.end() :].strip()
        return {name: value} if value else {}
    publisher = _PUBLISHED_BY.match(line)
    said: dict[str, Any] = {"site": publisher["who"].strip()} if publisher else {}
    authors = authors_of_byline(line)
    date = date_at(line, day_first=day_first)
    if date and (authors or publisher or _is_dated(line[: date[1]], line[date[2] :])):
        said |= dates_of_line(line, day_first=day_first)
        by = _BY.search(line, date[2])
        authors = authors or (authors_of_byline(f"By {line[by.end() :]}") if by else ())
    if not said and (month := month_in(line)):
        said = {"published": month}
    return {"authors": authors, **said} if authors else said


def _is_dated(before: str, after: str) -> bool:
    """Whether what stands before and after a date says that it is a line's whole matter."""
    lead = [word.lower() for word in _WORD.findall(_PLACE.sub("", before))]
    following = _WORD.search(after)
    return _DATE_WORDS.issuperset(lead) and (
        following is None
        or after[: following.start()].strip() != ""
        or following.group().lower() in _DATE_WORDS
    )


def kind_of_line(line: str, *, day_first: bool | None = None) -> BlockKind | None:
    """Whether a line is a title with its label, a byline or a dateline; None for all others."""
    said = said_in(line, day_first=day_first)
    if "title" in said:
        return BlockKind.TITLE
    if "authors" in said or "site" in said:
        return BlockKind.BYLINE
    return BlockKind.DATELINE if said else None


def title_of(line: str) -> str:
    """A title without the label before it: "Title: The bridge"."""
    return str(said_in(line).get("title", line))


def with_head(pieces: Iterable[Piece]) -> list[Piece]:
    """A document's blocks; lines over its text that say what it is are told from paragraphs."""
    told = list(pieces)
    titled = any(piece.kind is BlockKind.TITLE for piece in told)
    for number, piece in enumerate(told[:HEAD]):
        if piece.kind in (BlockKind.PARAGRAPH, BlockKind.HEADING):
            kind = kind_of_line(piece.text)
            if kind and not (titled and kind is BlockKind.TITLE):
                told[number] = replace(piece, kind=kind, level=0)
                titled = titled or kind is BlockKind.TITLE
    return told


def metadata_of(
    lines: Iterable[tuple[BlockKind, str]], *, day_first: bool | None = None, **others: str | None
) -> Metadata:
    """What the lines of an article's head say, the first line first; titles are the caller's.

    Args:
        lines: Kinds and texts of its blocks.
        day_first: As from ``day_comes_first``.
        others: Attributes of ``Metadata`` that are known.
    """
    said: dict[str, Any] = {}
    for kind, line in lines:
        if kind in (BlockKind.BYLINE, BlockKind.DATELINE):
            said = said_in(line, day_first=day_first) | said
    return Metadata(**(others | said))
