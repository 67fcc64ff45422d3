"""Yes or no, up or down: the open question whose answer decides it.

No sentence says "yes". Whether the pier is longer than 100 metres is decided by the one that says
how long it is, and "100", which it does not hold, would only speak against it.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["deciding_question"]

_AUX: Final = r"(?P<aux>is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)"
_LIMIT: Final = (
    r"(?:about |around |roughly |exactly )?(?:[$\u20ac\u00a3]\s?)?\d[\d.,]*"
    r"(?:\s*(?:%|percent|per cent|thousand|million|billion|bn|m)\b)*"
)
_UNITS: Final = (
    r"(?:\s*(?:crowns?|euros?|dollars?|pounds?|francs?|cents?|metres?|meters?|m|km|kilometres?"
    r"|kilometers?|cm|miles?|feet|kg|kilos?|tons?|tonnes?|years?|months?|weeks?|days?"
    r"|hours?|minutes?|degrees?|knots|am|pm|o['\u2019]clock)\b)?"
)
_ADJECTIVES: Final = {
    "long": "longer|shorter", "high": "higher|lower", "tall": "taller", "deep": "deeper|shallower",
    "wide": "wider|narrower|broader", "old": "older|younger", "large": "larger|bigger|smaller",
    "heavy": "heavier|lighter", "fast": "faster|slower", "far": "farther|further|nearer",
    "much": "cheaper|dearer|more expensive|less expensive",
}  # fmt: skip
_BASE: Final = {each: base for base, of in _ADJECTIVES.items() for each in of.split("|")}
_OPENED: Final = tuple(
    (re.compile(rf"\W*{pattern}\W*", re.IGNORECASE), into)
    for pattern, into in (
        (
            rf"{_AUX} (?P<who>.+?) (?P<adjective>{'|'.join(_BASE)}) than {_LIMIT}{_UNITS}",
            "How {base} {aux} {who}?",
        ),
        (
            rf"{_AUX} (?P<who>.+?) (?:more|less) than {_LIMIT}{_UNITS}"
            rf" (?P<base>{'|'.join(_ADJECTIVES)})",
            "How {base} {aux} {who}?",
        ),
        (
            rf"{_AUX} there (?:more|fewer|less) than {_LIMIT} (?P<what>[^?]+?)",
            "How many {what} {aux} there?",
        ),
        (
            rf"{_AUX} (?P<who>.+?) (?:more|less|fewer) than {_LIMIT}{_UNITS}",
            "How much {aux} {who}?",
        ),
        (
            rf"{_AUX} (?P<who>\S.*?) (?:more|fewer|less) than {_LIMIT} (?P<what>[^\W\d]\w+)",
            "How many {what} {aux} {who}?",
        ),
        (
            rf"{_AUX} (?:more|fewer|less) than {_LIMIT} (?P<what>[^\W\d]\w+) (?P<who>[^?]+?)",
            "How many {what} {aux} {who}?",
        ),
        (rf"{_AUX} (?P<who>.+?) (?:before|after) {_LIMIT}{_UNITS}", "When {aux} {who}?"),
    )
)
_UP: Final = (
    r"(?:(?:go(?:es|ne|ing)?|c[oa]me|mov(?:e|ing)) )?(?:up|down|higher|lower)"
    r"|(?:ris|increas|decreas|declin)(?:e|es|ed|en|ing)|fall(?:en|ing|s)?|grow(?:n|ing|s)?"
    r"|shr[iu]nk(?:ing|s)?|drop(?:ped|ping|s)?"
)
_DIRECTION: Final = re.compile(
    rf"\W*{_AUX} (?P<who>.+?) (?:{_UP}) or (?:{_UP}|not)\b(?P<rest>[^?]*)\W*", re.IGNORECASE
)
# No month: "May I …?", "May dogs come in?"
_MAY: Final = re.compile(
    r"(\W*)may(?=\s+(?:i|we|you|one|he|she|it|they|the|an?|my|our|\w+s\s+[^\W\d]+)\b)",
    re.IGNORECASE,
)
_DID: Final = {"is": "does", "are": "do", "was": "did", "were": "did"}


def deciding_question(question: str) -> str:
    """The open question that decides one of yes or no, or of up or down; any other as it is.

    >>> deciding_question("Is the pier longer than 100 metres?")
    'How long is the pier?'
    >>> deciding_question("Did fares go up or down in May?")
    'How did fares change in May?'

    Args:
        question: As it is read.
    """
    question = _MAY.sub(r"\1Can", question) if _MAY.match(question) else question
    if match := _DIRECTION.fullmatch(question):
        aux = match["aux"].lower()
        change = "changed" if aux in ("has", "have", "had") else "change"
        return f"How {_DID.get(aux, aux)} {match['who']} {change}{match['rest'].rstrip()}?"
    for pattern, into in _OPENED:
        if match := pattern.fullmatch(question):
            parts = {**match.groupdict(), "aux": match["aux"].lower()}
            if adjective := parts.get("adjective"):
                parts["base"] = _BASE[adjective.lower()]
            return into.format(**parts)
    return question
