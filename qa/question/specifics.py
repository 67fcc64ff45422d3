"""What a question turns on: an identifier, a year, a month or a weekday.

"What happened to VC-9078?" is answered by the sentence that names VC-9078, and by no other; one
that tells of VC-9087 in the same words is no answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from index.scoring.spellings import MONTHS, YEAR
from index.scoring.terms import terms

__all__ = ["GENERIC", "Specific", "specifics"]

_IDENTIFIER: Final = r"[^\W\d_]{1,5}-?\d+\w?\b"
# With a capital, for "may" and "march" are verbs.
_MONTH: Final = rf"(?:{'|'.join(map(str.title, MONTHS))}|Jan|Feb|Aug|Sept?|Oct|Nov|Dec)\b"
_WEEKDAY: Final = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?"
_SPECIFIC: Final = re.compile(
    rf"(?P<identifier>\b{_IDENTIFIER})|\b(?P<year>{YEAR})\b(?![.,:]\d)|\b(?P<month>{_MONTH})"
    rf"|\b(?P<weekday>{_WEEKDAY})\b"
)
_ORDINAL: Final = re.compile(r"\d+(?:st|nd|rd|th|s|m|k|km|kg|bn|am|pm)", re.IGNORECASE)

GENERIC: Final = frozenset(
    terms(
        "happen happened happens matter wrong say said tell know go going find found news problem"
        " deal status mention mentioned about thing things event events take place took please"
    )
)
"""Terms that ask for whatever is said of something."""


@dataclass(frozen=True, slots=True)
class Specific:
    """Something that the answer must name.

    Attributes:
        text: As the question has it.
        kind: ``identifier``, ``year``, ``month`` or ``weekday``.
        term: The term that it is indexed by.
    """

    text: str
    kind: str
    term: str


def specifics(question: str, language: str | None = None) -> tuple[Specific, ...]:
    """What a question turns on, in order.

    >>> [(s.text, s.kind) for s in specifics("What happened to VC-9078 in May 2021?")]
    [('VC-9078', 'identifier'), ('May', 'month'), ('2021', 'year')]

    Args:
        question: As it is read.
        language: That its terms are indexed in, as for `terms`.
    """
    found = []
    for match in _SPECIFIC.finditer(question):
        kind = match.lastgroup or ""
        if kind == "identifier" and _ORDINAL.fullmatch(match[0]):
            continue
        if own := terms(match[0], language):
            found.append(Specific(match[0], kind, own[0]))
    return tuple(found)
