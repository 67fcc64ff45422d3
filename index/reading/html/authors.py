"""Who wrote a page: names out of what it declares, else out of the byline that it shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import cast

from lxml import etree

from index.reading.header import authors_of_byline

__all__ = ["marks_of", "names_in", "page_authors", "stands_elsewhere", "text_of"]

MAX_AUTHORS = 20
MAX_BYLINE = 120
"""Characters; longer texts are about an author rather than a byline."""
_SPACE = re.compile(r"\s+")
_BY = re.compile(
    r"(?i)^\W*(?:(?:\w+\s+){0,2}by\b:?\s*"
    r"|(?:text|texte|testo|texto|autor|author|auteur|autore|текст|автор)\s*:\s*"
    # These begin names too: "Von Miller", "Di Maria".
    r"|(?:von|par|por|di|door|av)\s+(?=\w+\.?\s+\w))"
)
# Between full names only: "Ortega y Gasset" is one man.
_AND = re.compile(r"(?<=[^\W\d_]{2}\s)(?:und|et|y|e|og|och|en)\s+(?=\w+\.?\s+\w)")
_TIME = re.compile(
    r"(?i)(?:^|(?<![\s,(|•·–—-])[\s,(|•·–—-]+)(?:(?:on\s+)?(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|(?:on\s+)?(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?\s+\d"
    r"|\d{1,2}[./ ]|\d{4}\b|(?:first\s+)?(?:published|posted|updated)\b).*$",
    re.DOTALL,
)
_SENTENCE = re.compile(r"(?<=\s)(?P<last>[^\W\d_]{3,})\.\s+\S.*$")
_ABBREVIATED = frozenset(
    """adm amb assoc asst bros capt chas cmdr col cpl dipl esq gen geo gov hon ing insp jas jos
    lieut mag maj messrs msgr mme pres prof rep rev sen sgt supt thos univ""".split()
)
_LIST = re.compile(r";|(?<!\s)\s+(?:and|AND|&)\s+")
# "Doe, Jane A.", "van der Berg, Jan": one family name, then the given ones.
_REVERSED = re.compile(
    r"(?P<last>(?:[a-z]{2,3}\s){0,2}[^\W\d_][\w'’-]*),\s+(?P<first>[^\W\d_][\w'’.-]*(?:\s[^\W\d_][\w'’.-]*){0,2})"
)
_ADDRESS = re.compile(r"https?://|www\.|@|^admin|admin$|^(?:user|unknown|guest|none|null)$", re.I)
_NOBODY = re.compile(
    r"(?i)\b(?:staff|editors?|administrator|team|desk|newsroom|posted|published|updated|"
    r"minutes?|read|view|all posts|redaktion|redazione|redacción|rédaction)\b|\d{3}"
)
_AROUND = " ,;|/-–—•·()"
_AGENCIES = r"(?:the )?associated press|reuters|afp|ap|bloomberg news|cnn|pti|dpa|upi|efe"
_AGENCY = re.compile(rf"(?i)^(?:{_AGENCIES})$")
_WITH_AGENCY = re.compile(rf"(?i)(?<=\w)[\s,/|]+(?:{_AGENCIES})$")
_DEGREE = re.compile(
    r"^(?:ph\.?d|m\.?d|md|ms|msc|m\.?s|ma|m\.?a|mph|mba|bsc|ba|rd|rdn|ld|apd|rn|cpt|cscs|do|dds|"
    r"jd|esq|jr|sr|ii|iii)\.?$",
    re.IGNORECASE,
)
_NAMED_BYLINE = re.compile(
    r"(?:^|[\s_-])(?:byline|author|authors|auteur|autor|writer)(?:$|[\s_-])|byline"
    r"|author[-_]+name"
)
_ELSEWHERE = re.compile(r"comment|disqus|repl(?:y|ies)|related|sidebar|footer|widget|recommend")
_TAGS = ("p", "div", "span", "a", "address", "h3", "h4", "h5", "h6", "li", "strong", "cite", "em")
_BY_AUTHOR = etree.XPath("//*[@rel='author']")


def page_authors(
    declared: Iterable[Sequence[str]], root: etree._Element, site: str
) -> tuple[str, ...]:
    """The people named as authors, else the organisation.

    Args:
        declared: What each field for authors holds, the most trusted first.
        root: The page.
        site: The publication; as an author it stands only where nobody else is named.
    """
    fields = [values for values in declared if any(values)]
    named = next(filter(None, (names_in(values, site) for values in fields)), ())
    if named and not _is_site(named[0], site):
        return named
    shown = next(_printed(root, site), ())
    if any(" " in name for name in shown):
        return shown
    # "Staff Reports" says more than nothing.
    whole = (_SPACE.sub(" ", _BY.sub("", value)).strip() for values in fields for value in values)
    staff = (
        name
        for name in whole
        if 0 < len(name) <= 80 and not re.search(r"\d", name) and not _ADDRESS.search(name)
    )
    return named or tuple(islice(staff, 1)) or shown


def names_in(values: Iterable[str], site: str = "") -> tuple[str, ...]:
    """People's names out of what a field for authors holds; others only where there are none."""
    names: list[str] = []
    for value in values:
        value = _SPACE.sub(" ", value).strip()
        if not value or len(value) > 300:
            continue
        for part in _LIST.split(_AND.sub(" and ", _BY.sub("", value))):
            part = _in_order(part.strip(), site)
            for name in authors_of_byline("By " + part) or ((part,) * (len(part.split()) <= 5)):
                name = _bare(name, site)
                if name and len(name) <= 80 and not _NOBODY.search(name) and name not in names:
                    names.append(name)
    names = [name for name in names if not _ADDRESS.search(name)]
    people = [name for name in names if not _AGENCY.match(name) and not _is_site(name, site)]
    if any(" " in name for name in people):
        # What stands alone beside full names is a degree, a publication or a town.
        people = [name for name in people if " " in name]
    return tuple((people or names)[:MAX_AUTHORS])


def _in_order(name: str, site: str) -> str:
    """A name that is given family name first, as it is spoken."""
    match = _REVERSED.fullmatch(name.strip(_AROUND))
    if match is None:
        return name
    for part in match.groups():
        if (
            _DEGREE.match(part)
            or _AGENCY.match(part)
            or _NOBODY.search(part)
            or _is_site(part, site)
        ):
            return name
    return f"{match['first']} {match['last']}"


def _without_sentence(match: re.Match[str]) -> str:
    return match.group() if match["last"].lower() in _ABBREVIATED else match["last"]


def _bare(name: str, site: str) -> str:
    """A name without "by" before it, and the date, agency or degree after it."""
    name = _SENTENCE.sub(_without_sentence, _TIME.sub("", _BY.sub("", name))).strip(_AROUND)
    person = _WITH_AGENCY.sub("", name)
    if site and person.lower().endswith(" " + site.lower()):
        person = person[: -len(site)]
    person = person.strip(_AROUND)
    name = person if " " in person else name
    return "" if _DEGREE.match(name) else name


def _is_site(name: str, site: str) -> bool:
    ours, theirs = ("".join(filter(str.isalnum, part.lower())) for part in (name, site))
    return bool(ours and len(theirs) > 2) and (ours in theirs or theirs in ours)


def _printed(root: etree._Element, site: str) -> Iterator[tuple[str, ...]]:
    """Names that the page shows: in elements marked as a byline, else after a "by"."""
    linked = cast("list[etree._Element]", _BY_AUTHOR(root))
    names = names_in(
        [text_of(link, between=" ") for link in linked if not stands_elsewhere(link)], site
    )
    if names:
        yield names
    lines: list[str] = []
    for element in root.iter(*_TAGS):
        marked = _NAMED_BYLINE.search(marks_of(element)) is not None
        # Only what begins with "by" itself, so that the page's text is not gathered again
        # for each element around it.
        begins = not marked and _BY.match(_opening(element)) is not None
        if not (marked or begins) or stands_elsewhere(element):
            continue
        text = text_of(element, between=" ")
        if not 3 < len(text) <= MAX_BYLINE:
            continue
        if marked:
            names = _people(text, site)
            if names:
                yield names
        else:
            lines.append(text)
    for text in lines:
        names = _people(text, site) if authors_of_byline(text) else ()
        if names:
            yield names


def _people(text: str, site: str) -> tuple[str, ...]:
    """The names in a byline if it holds nothing else."""
    said = _BY.match(text) is not None
    names = names_in([_TIME.sub("", _BY.sub("", text))], site)
    return names if names and all(_looks_like_name(name, said) for name in names) else ()


def _looks_like_name(text: str, said: bool) -> bool:
    """Whether it is a full name; one word is enough after a "by"."""
    words = text.split()
    least = 1 if said else 2
    return least <= len(words) <= 5 and words[0][0].isupper() and words[-1][0].isupper()


def stands_elsewhere(element: etree._Element) -> bool:
    """Whether an element belongs to a comment or to another article that is pointed to."""
    around: etree._Element | None = element
    for _ in range(12):
        if around is None or around.tag in ("body", "html"):
            return False
        if around.tag in ("aside", "footer", "nav") or _ELSEWHERE.search(marks_of(around)):
            return True
        around = around.getparent()
    return False


def _opening(element: etree._Element) -> str:
    """What an element begins with before any element in it."""
    text = element.text or ""
    if len(element) and isinstance(element[0], etree._Comment):
        text += element[0].tail or ""
    return text.strip()[:40] + " "


def marks_of(element: etree._Element) -> str:
    """The class and the id of an element, in lower case."""
    return f"{element.get('class') or ''} {element.get('id') or ''}".lower()


def text_of(element: etree._Element, limit: int = 300, between: str = "") -> str:
    """What stands in an element, on one line."""
    return _SPACE.sub(" ", between.join(map(str, element.itertext()))).strip()[:limit]
