"""Dates in a question: "in May 2021", "last year", and which sentences speak of them.

"Last year" in an article of 2021 is 2020. A period is therefore read against a date: the
article's own, for what the article says and for what is asked of it alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from index.scoring.spellings import MONTHS, YEAR, dates_in_words

__all__ = ["Period", "periods", "written_out"]

_MONTH: Final = "|".join(f"{m[:3]}(?:{m[3:]})?" if len(m) > 3 else m for m in MONTHS)
_DATED: Final = re.compile(
    rf"\b(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+)?(?P<month>{_MONTH})\.?"
    rf"(?:\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?)?,?\s+(?:of\s+)?(?P<year>{YEAR})\b"
    rf"|\b(?P<iso>{YEAR}-\d\d-\d\d)\b"
    rf"|\b(?P<only>{YEAR})\b",
    re.IGNORECASE,
)
_RELATIVE: Final = re.compile(
    r"\b(?P<which>last|previous|this|next)\s+(?P<unit>year|month|week)\b|\b(?P<day>yesterday|today)\b",
    re.IGNORECASE,
)
_LOWER: Final = re.compile(rf"(?<=\d )(?:{'|'.join(MONTHS)})\b|\b(?:{'|'.join(MONTHS)})(?=\s*\d)")
_SHIFT: Final = {"last": -1, "previous": -1, "this": 0, "next": 1}


@dataclass(frozen=True, slots=True)
class Period:
    """Some days, both ends included.

    Attributes:
        first: First day.
        last: Last day.
        relative: Whether it was read against a date.
    """

    first: date
    last: date
    relative: bool = False

    def overlaps(self, other: Period) -> bool:
        """Whether any day is in both."""
        return self.first <= other.last and other.first <= self.last


def periods(text: str, reference: date | None = None) -> tuple[Period, ...]:
    """The periods that a text names.

    >>> [str(p.first) for p in periods("in May 2021 or last year", date(2021, 6, 1))]
    ['2021-05-01', '2020-01-01']

    Args:
        text: A question or a sentence.
        reference: What "last year" is relative to; None leaves such words aside.
    """
    found = [*_dated(text), *(_relative(text, reference) if reference else ())]
    return tuple(dict.fromkeys(found))


def written_out(question: str) -> str:
    """A question with its dates in words.

    >>> written_out("What happened on 14/4/2022, and in Jun 2024?")
    'What happened on 14 April 2022, and in June 2024?'
    """
    inside = dates_in_words(question)
    return inside if inside == question else _LOWER.sub(lambda m: m[0].title(), inside)


def _dated(text: str) -> Iterator[Period]:
    for match in _DATED.finditer(text):
        try:
            if match["iso"]:
                day = date.fromisoformat(match["iso"])
                yield Period(day, day)
            elif match["only"]:
                yield _year(int(match["only"]))
            else:
                number = next(
                    i for i, m in enumerate(MONTHS, 1) if m.startswith(match["month"][:3].lower())
                )
                given = match["day"] or match["day2"]
                if given:
                    day = date(int(match["year"]), number, int(given))
                    yield Period(day, day)
                else:
                    yield _month(int(match["year"]), number)
        except ValueError:
            continue  # no such day: 31 February


def _relative(text: str, reference: date) -> Iterator[Period]:
    for match in _RELATIVE.finditer(text):
        if match["day"]:
            day = reference - timedelta(days=match["day"].lower() == "yesterday")
            yield Period(day, day, relative=True)
            continue
        shift, unit = _SHIFT[match["which"].lower()], match["unit"].lower()
        if unit == "year":
            whole = _year(reference.year + shift)
        elif unit == "month":
            months = reference.year * 12 + reference.month - 1 + shift
            whole = _month(months // 12, months % 12 + 1)
        else:
            monday = reference - timedelta(days=reference.weekday()) + timedelta(weeks=shift)
            whole = Period(monday, monday + timedelta(days=6))
        yield Period(whole.first, whole.last, relative=True)


def _year(year: int) -> Period:
    return Period(date(year, 1, 1), date(year, 12, 31))


def _month(year: int, month: int) -> Period:
    following = date(year + month // 12, month % 12 + 1, 1)
    return Period(date(year, month, 1), following - timedelta(days=1))
