"""Orders and questions that want all of something: "Name the members", "List all prices"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from index.scoring.terms import terms
from qa.question.abbreviations import persons
from qa.question.specifics import GENERIC, specifics

__all__ = ["Listing", "as_question", "listing"]

_ORDER: Final = re.compile(
    r"\W*(?:please\s+)?(?:(?:can|could) you\s+)?(?:name|list|enumerate|(?:give|show|tell)\s+me)\s+"
    r"(?:me\s+)?(?P<all>(?:all|every|each)\b\s*)?(?:of\s+)?"
    r"(?!(?:an?|one|two|three|some|any|another)\b)"
    r"(?P<what>(?:[\w'\u2019-]+\s+)*?(?:\w+[^s\W]s|people|men|women|children)"
    r"(?:\s+(?:that|which|who|whose|of|in|on|for|from|at|by|with|to|and|mentioned|named|given)\b"
    r"[^.?!]*)?)[.?!]?\s*",
    re.IGNORECASE,
)
_ASKED: Final = re.compile(
    r"\W*(?:who|what|which)\s+(?:are|were)\s+(?P<all>all\b\s*)?(?:of\s+)?(?P<what>[^?]*?)\??\s*"
    r"|\W*(?:what|which)\s+(?P<these>[^?]*?)\s+(?:are|were)\s+"
    r"(?:there|given|mentioned|named|listed|in (?:it|the \w+))\W*",
    re.IGNORECASE,
)
_ARTICLES: Final = re.compile(
    r"\W*(?:which|what|list(?: all)?(?: the)?)\s+"
    r"(?:articles?|stories|story|reports?|pieces?|texts?|documents?)\s+(?:that\s+)?"
    r"(?:mentions?|names?|tells? (?:of|about)|talks? about|speaks? of|discuss(?:es)?|covers?"
    r"|(?:is|are) about|deals? with|quotes?|says? something about)\s+(?P<what>[^?]+?)\W*",
    re.IGNORECASE,
)
_PEOPLE: Final = re.compile(
    r"\b(?:members|people|persons|authors|directors|ministers|players|officials|experts|winners"
    r"|victims|witnesses|speakers|critics|founders|owners|judges|senators|councillors)\b",
    re.IGNORECASE,
)
_DIGITS: Final = re.compile(r"\d+(?:[.,:]\d+)*")
_PRICED: Final = re.compile(
    r"[$\u20ac\u00a3\u00a5]|\b(?:dollars?|euros?|pounds?|francs?|crowns?|cents?|cost|costs|price[ds]?|pay|pays"
    r"|paid|fees?|fares?|worth)\b",
    re.IGNORECASE,
)
_KINDS: Final[dict[str, tuple[frozenset[str], Callable[[str], int]]]] = {
    kind: (frozenset(terms(nouns)), count)
    for kind, nouns, count in (
        ("people", "people persons names individuals members", lambda quote: len(persons(quote))),
        (
            "prices",
            "prices costs fees sums amounts",
            lambda quote: len(_DIGITS.findall(quote)) if _PRICED.search(quote) else 0,
        ),
        ("numbers", "numbers figures statistics quantities", lambda q: len(_DIGITS.findall(q))),
        (
            "dates",
            "dates years days months",
            lambda quote: sum(each.kind != "identifier" for each in specifics(quote)),
        ),
    )
}
_IDLE: Final = GENERIC | frozenset(
    terms("all key main important most every each mentioned named given listed article text story")
)


@dataclass(frozen=True, slots=True)
class Listing:
    """What all is wanted of.

    Attributes:
        content: Terms that each must have, as of `terms`; possibly none.
        count: How much of the kind that is asked for a sentence has; None for any kind.
        everything: Whether all of it is asked for in so many words.
        articles: Whether articles are wanted, and of each no more than shows that it is one.
    """

    content: frozenset[str]
    count: Callable[[str], int] | None
    everything: bool
    articles: bool = False


def listing(line: str) -> Listing | None:
    """What a line wants all of; None where it does not.

    >>> listing("List all prices").everything, listing("Who is Novak?")
    (True, None)

    Args:
        line: As asked.
    """
    if match := _ARTICLES.fullmatch(line):
        return Listing(frozenset(terms(match["what"])), None, everything=True, articles=True)
    order, asked = _ORDER.fullmatch(line), _ASKED.fullmatch(line)
    match = order or asked
    if match is None:
        return None
    parts = match.groupdict()
    what = parts.get("what") or parts.get("these") or ""
    wanted = frozenset(terms(what)) - _IDLE
    kinds = [(nouns, count) for nouns, count in _KINDS.values() if nouns & wanted]
    nouns, count = kinds[0] if kinds else (frozenset[str](), None)
    if count is None and _PEOPLE.search(what):
        count = _KINDS["people"][1]
    content = wanted - nouns
    # "What are the ticket prices?" is a question like any other.
    if not (content or count) or (not order and not parts.get("all") and (content or not kinds)):
        return None
    return Listing(content, count, bool(parts.get("all")))


def as_question(order: str) -> str:
    """An order as the question that it stands for; a question as it is.

    >>> as_question("Name the board members")
    'Who are the board members?'
    """
    if match := _ARTICLES.fullmatch(order):
        return f"What is said about {match['what']}?"
    match = _ORDER.fullmatch(order)
    if not match:
        return order
    every, what = "all " if match["all"] else "", match["what"]
    return f"{'Who' if _PEOPLE.search(what.split(' of ')[0]) else 'What'} are {every}{what}?"
