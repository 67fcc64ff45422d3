"""One spelling for what people write in several: numbers, times, months, identifiers, accents.

    1,350  1 350  1.350           1350
    12m, 12 million               12 million
    85 m, 85 metres               85 metres
    9 am, 9:00, 9.00 am           9:00
    Feb, 2/2023                   february, february 2023
    14/4/2022, 2022-04-14         14 april 2022
    TX-4417B, TX4417B             tx4417b
    Jürgen, Łukasz                jurgen, lukasz

Question and article pass through the same, so that they meet.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["MONTHS", "YEAR", "dates_in_words", "folded", "one_spelling"]

MONTHS: Final = tuple(
    "january february march april may june july august september october november december".split()
)
YEAR: Final = r"(?:1[5-9]|20)\d\d"
"""A pattern of the years that are told from other numbers."""
_SHORT_MONTHS: Final = {month[:3]: month for month in MONTHS} | {"sept": "september"}
_UNITS: Final = {
    "m": "metres", "metre": "metres", "meter": "metres", "meters": "metres",
    "km": "kilometres", "kilometer": "kilometres", "kilometers": "kilometres",
    "kilometre": "kilometres", "cm": "centimetres", "centimeters": "centimetres",
    "mm": "millimetres", "millimeters": "millimetres", "kg": "kilograms", "kilos": "kilograms",
    "kilogram": "kilograms", "kilogrammes": "kilograms", "ft": "feet", "foot": "feet",
    "mph": "miles per hour", "%": "percent", "per cent": "percent",
    "bn": "billion", "mn": "million", "mio": "million", "k": "thousand",
    "\u20ac": "euros", "eur": "euros", "euro": "euros",
    "$": "dollars", "usd": "dollars", "dollar": "dollars",
    "\u00a3": "pounds", "gbp": "pounds", "pound": "pounds",
}  # fmt: skip
_DIGIT: Final = re.compile(r"\d")
_NUMBER: Final = r"\d+(?:\.\d+)?"

_THOUSANDS: Final = re.compile(
    r"(?<![\d.,])\d{1,3}(?:([.,\u2009\u202f\u00a0' ])\d{3})(?:\1\d{3})*(?![\d])"
)
_DECIMAL_COMMA: Final = re.compile(r"(?<![\d,])(\d+),(\d{1,2})(?![\d,])")
_TIME: Final = re.compile(
    r"(?<![\d:.])(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm|a\.m\.?|p\.m\.?|o'clock|uhr|h)(?![\w])"
    r"|(?<![\d:.])(\d{1,2}):(\d{2})(?![\d:])"
)
_MONTH_NUMBER: Final = re.compile(r"(?<![\d/.-])(0?[1-9]|1[0-2])[/.](\d{4})(?![\d/.])")
# A day over the twelfth, or a year that comes first, leaves no doubt which is the month.
_DAY: Final = re.compile(
    r"(?<![\d/.-])(?:(?P<day>1[3-9]|2\d|3[01])([/.-])(?P<month>0?[1-9]|1[0-2])\2(?P<year>\d{4})"
    r"|(?P<month2>0?[1-9]|1[0-2])/(?P<day2>1[3-9]|2\d|3[01])/(?P<year2>\d{4})"
    r"|(?P<year3>\d{4})-(?P<month3>0[1-9]|1[0-2])-(?P<day3>[0-2]\d|3[01]))(?![\d/-]|\.\d)"
)
_DATED_MONTH: Final = re.compile(
    rf"\b({'|'.join(sorted(_SHORT_MONTHS, key=len, reverse=True))})\b\.?(?=\s*\d)"
    rf"|(?<=\d )({'|'.join(sorted(_SHORT_MONTHS, key=len, reverse=True))})\b\.?",
    re.IGNORECASE,
)
_PLAIN_MONTH: Final = re.compile(r"\b(jan|feb|aug|sept?|oct|nov|dec)\b")
_CURRENCY: Final = re.compile(rf"([\u20ac$\u00a3])\s?({_NUMBER})")
_UNIT: Final = re.compile(
    rf"(?<!\d)({_NUMBER})\s?"
    rf"({'|'.join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))})(?![\w])"
)
_TOUCHING_MILLION: Final = re.compile(rf"(?<![\w])({_NUMBER})m(?!\w)")
_IDENTIFIER: Final = re.compile(r"\b([a-z]{1,5})-(\d+[a-z]?)\b")

_LATIN: Final = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ı": "i",
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)


def one_spelling(text: str) -> str:
    """Lower-cased text with its numbers, times, months and identifiers in one spelling.

    >>> one_spelling("it rose by 1,350 to 12m at 9 am in feb 2023, says tx-4417b")
    'it rose by 1350 to 12 metres million at 9:00 in february 2023, says tx4417b'
    """
    if not _DIGIT.search(text):
        return _PLAIN_MONTH.sub(_month, text)
    text = _IDENTIFIER.sub(r"\1\2", text)
    text = _THOUSANDS.sub(_joined, text)
    text = _DECIMAL_COMMA.sub(r"\1.\2", text)
    text = _TIME.sub(_time, text)
    text = _PLAIN_MONTH.sub(_month, dates_in_words(text))
    text = _TOUCHING_MILLION.sub(r"\1 metres million", text)
    text = _UNIT.sub(lambda m: f"{m[1]} {_UNITS[m[2]]}", text)
    return _CURRENCY.sub(lambda m: f"{m[2]} {_UNITS[m[1]]}", text)


def dates_in_words(text: str) -> str:
    """A text with the months of its dates written out, where it is clear which they are.

    >>> dates_in_words("14/4/2022, 2/2023 or sept 2021, but not 3/4/2022")
    '14 april 2022, february 2023 or september 2021, but not 3/4/2022'
    """
    text = _DAY.sub(_day, text)
    text = _MONTH_NUMBER.sub(lambda m: f"{MONTHS[int(m[1]) - 1]} {m[2]}", text)
    return _DATED_MONTH.sub(_month, text)


def folded(word: str) -> str:
    """A word in Latin letters without its accents; of other scripts as it is."""
    if word.isascii() or not word[0].isalpha() or ord(max(word)) > 0x24F:
        return word
    plain = unicodedata.normalize("NFKD", word.translate(_LATIN))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _joined(match: re.Match[str]) -> str:
    return re.sub(r"\D", "", match[0])


def _day(match: re.Match[str]) -> str:
    day, month, year = (
        int(next(filter(None, (match[f"{part}{n}"] for n in ("", 2, 3)))))
        for part in ("day", "month", "year")
    )
    return f"{day} {MONTHS[month - 1]} {year}"


def _month(match: re.Match[str]) -> str:
    return _SHORT_MONTHS[next(filter(None, match.groups())).lower()]


def _time(match: re.Match[str]) -> str:
    hour, minute = int(match[1] or match[4]), match[2] or match[5] or "00"
    half = (match[3] or "")[:1]
    if half in ("a", "p"):
        hour = hour % 12 + 12 * (half == "p")
    return f"{hour}:{minute}" if hour < 25 and int(minute) < 60 else match[0]
