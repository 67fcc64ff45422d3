"""Dates as pages and files write them, to ISO 8601."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

__all__ = [
    "date_at",
    "date_in",
    "date_of_name",
    "dates_of_line",
    "day_comes_first",
    "iso_date",
    "last_word_of_change",
    "month_in",
]

_MONTHS = {
    name: number
    for number, names in enumerate(
        """jan january janvier januar enero gennaio janeiro januari
        feb february février fevrier februar febrero febbraio fevereiro februari
        mar march mars märz marz marzo março marco maart
        apr april avril abril aprile
        may mai mayo maggio maio mei
        jun june juin juni junio giugno junho
        jul july juillet juli julio luglio julho
        aug august août aout agosto augustus
        sep sept september septembre septiembre settembre setembro
        oct october octobre oktober octubre ottobre outubro okt
        nov november novembre noviembre novembro
        dec december décembre decembre dezember diciembre dicembre dezembro dez""".split("\n"),
        start=1,
    )
    for name in names.split()
}
_YEARS = range(1600, 2101)
_ISO = re.compile(
    r"(?P<y>\d{4})-?(?P<m>\d{2})-?(?P<d>\d{2})"
    r"(?:[T ]\s*(?P<H>\d{2}):?(?P<M>\d{2})(?::?(?P<S>\d{2}))?(?:[.,]\d+)?\s*"
    r"(?P<z>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?(?!\d)",
    re.IGNORECASE,
)
_WORDED = re.compile(
    r"\b(?P<m1>[^\W\d_]{3,10})\.?\s+(?P<d1>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y1>\d{4})\b"
    r"|\b(?P<d2>\d{1,2})(?:st|nd|rd|th|er|º|\.)?\s+(?:(?:de|of)\s+)?(?P<m2>[^\W\d_]{3,10})\.?,?\s+(?:de\s+)?"
    r"(?P<y2>\d{4})\b"
    r"|\b(?P<y3>\d{4})\s?[年년]\s?(?P<m3>\d{1,2})\s?[月월]\s?(?P<d3>\d{1,2})\s?[日일]"
)
_NUMERIC = re.compile(r"\b(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"\b(?P<a>\d{1,2})[./-](?P<b>\d{1,2})[./-](?P<y>\d{4})\b")
_NAMED = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<s>[-_. ]?)(?P<m>\d\d)(?P=s)(?P<d>\d\d)(?!\d)")
_MONTHLY = re.compile(
    r"(?i)^\W*(?:published|publication date|date|issued?)\b\W*"
    r"(?P<m>[^\W\d_]{3,10})\.?,? (?P<y>\d{4})\W*$"
)
_DATED_BY = re.compile(
    r"(?i)\b(?:(?P<modified>updated?|modified|edited|edit|revised|reviewed|changed|aktualisiert|stand"
    r"|geändert|bearbeitet|modifié|actualizado|aggiornato|atualizado)"
    r"|(?P<published>published|posted|created|veröffentlicht|publié|publicado|pubblicato))\b"
)
_LOCALE = re.compile(r"\s*([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}))?\b")
_MONTH_FIRST_COUNTRIES = frozenset({"us", "ph"})
_EITHER_COUNTRIES = frozenset({"ca"})
_DAY_FIRST_HOSTS = (".uk", ".ie", ".au", ".nz", ".in", ".za", ".sg", ".hk", ".ke", ".ng", ".pk")


def day_comes_first(locale: str, host: str = "") -> bool | None:
    """Whether 03/04/2020 is the third of April; None where that cannot be told.

    >>> day_comes_first("en-US"), day_comes_first("en_GB"), day_comes_first("de")
    (False, True, True)

    Args:
        locale: A language, with a country where the page names one.
        host: Of the page's address, for English without a country.
    """
    match = _LOCALE.match(locale)
    language, country = (match[1].lower(), (match[2] or "").lower()) if match else ("", "")
    if language != "en" and language:
        return True
    if country in _EITHER_COUNTRIES:
        return None
    if country:
        return country not in _MONTH_FIRST_COUNTRIES
    return True if host.lower().endswith(_DAY_FIRST_HOSTS) else None


def iso_date(value: str, *, day_first: bool | None = None) -> str | None:
    """A date as metadata gives it, as ISO 8601 with its time and zone where it has them.

    Args:
        value: The date.
        day_first: As from ``day_comes_first``.

    >>> iso_date("2019-11-18T09:30:00+0000")
    '2019-11-18T09:30:00+00:00'
    >>> iso_date("Mon, 18 Nov 2019 09:30:00 GMT")
    '2019-11-18T09:30:00+00:00'
    >>> iso_date("November 18, 2019")
    '2019-11-18'
    """
    value = value.strip()[:100]
    match = _ISO.match(value)
    if match:
        return _from_iso(match)
    if re.fullmatch(r"1\d{9}(?:\d{3})?", value):
        seconds = int(value[:10])
        return datetime.fromtimestamp(seconds, timezone.utc).isoformat()
    if re.match(r"(?:[A-Za-z]{3},\s+)?\d{1,2}\s+[A-Za-z]{3}\s+\d{4}\s+\d", value):
        try:
            return parsedate_to_datetime(value).isoformat()
        except (ValueError, TypeError, IndexError):
            return None
    return date_in(value, day_first=day_first)


def date_in(text: str, *, day_first: bool | None = None) -> str | None:
    """The first date written out in a text.

    >>> date_in("Published on 3 March 2020 by Jane Doe")
    '2020-03-03'
    >>> date_in("03/04/2020"), date_in("03/04/2020", day_first=True)
    (None, '2020-04-03')

    Args:
        text: The text.
        day_first: As from ``day_comes_first``; None passes over what may be either.
    """
    found = date_at(text, day_first=day_first)
    return found[0] if found else None


def date_at(text: str, *, day_first: bool | None = None) -> tuple[str, int, int] | None:
    """As ``date_in``, with where in the text the date begins and ends."""
    for pattern in (_WORDED, _NUMERIC, _YEAR_LAST):
        for match in pattern.finditer(text):
            found = _year_last(match, day_first) if pattern is _YEAR_LAST else _written(match)
            if found:
                return found, match.start(), match.end()
    return None


def dates_of_line(line: str, *, day_first: bool | None = None) -> dict[str, str]:
    """The dates that a line gives for an article, by what they are the dates of.

    >>> dates_of_line("Updated 5 May 2020, first published 3 May 2020")
    {'modified': '2020-05-05', 'published': '2020-05-03'}
    """
    found: dict[str, str] = {}
    labels = [(0, "published"), *((m.start(), str(m.lastgroup)) for m in _DATED_BY.finditer(line))]
    ends = [start for start, _ in labels[1:]] + [len(line)]
    for (start, name), end in zip(labels, ends, strict=True):
        date = date_in(line[start:end], day_first=day_first)
        if date:
            found.setdefault(name, date)
    return found


def date_of_name(name: str) -> str | None:
    """The day in a file's name: ``2024-05-03-bridge.md``, ``20240503 bridge.txt``."""
    match = _NAMED.search(name)
    return _date(match["y"], match["m"], match["d"]) if match else None


def month_in(line: str) -> str | None:
    """The month that a line names for that of publication, as ISO 8601.

    >>> month_in("Published: February 2021"), month_in("It rained in February 2021")
    ('2021-02', None)
    """
    match = _MONTHLY.match(line)
    month = _MONTHS.get(match["m"].lower()) if match else None
    return f"{match['y']}-{month:02}" if match and month else None


def last_word_of_change(text: str) -> bool:
    """Whether a text last speaks of a change rather than of publication: "Last updated"."""
    words = [match.lastgroup for match in _DATED_BY.finditer(text)]
    return bool(words) and words[-1] == "modified"


def _written(match: re.Match[str]) -> str | None:
    """A date that can be read in one way only."""
    groups = match.groupdict()
    if "y" in groups:
        return _date(groups["y"], groups["m"], groups["d"])
    if groups["y3"]:
        return _date(groups["y3"], groups["m3"], groups["d3"])
    month = _MONTHS.get((groups["m1"] or groups["m2"]).lower())
    return _date(groups["y1"] or groups["y2"], month, groups["d1"] or groups["d2"])


def _year_last(match: re.Match[str], day_first: bool | None) -> str | None:
    first, second = int(match["a"]), int(match["b"])
    if "." in match.group():
        day_first = True  # with full stops it always is
    if first > 12 or first == second:
        day_first = True
    elif second > 12:
        day_first = False
    if day_first is None:
        return None
    day, month = (first, second) if day_first else (second, first)
    return _date(match["y"], month, day)


def _date(year: str | int, month: str | int | None, day: str | int) -> str | None:
    try:
        found = date(int(year), int(month or 0), int(day))
    except ValueError:
        return None
    return found.isoformat() if found.year in _YEARS else None


def _from_iso(match: re.Match[str]) -> str | None:
    day = _date(match["y"], match["m"], match["d"])
    if day is None or match["H"] is None:
        return day
    zone = (match["z"] or "").upper()
    tz = None
    if zone in ("Z", "UTC", "GMT"):
        tz = timezone.utc
    elif zone:
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        if offset >= timedelta(hours=24):
            return day
        tz = timezone(-offset if zone[0] == "-" else offset)
    try:
        moment = datetime.fromisoformat(day).replace(
            hour=int(match["H"]), minute=int(match["M"]), second=int(match["S"] or 0), tzinfo=tz
        )
    except ValueError:
        return day
    return moment.isoformat()
