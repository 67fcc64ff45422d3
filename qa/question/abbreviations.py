"""Names by their initials: "ACLU" where the article says "American Civil Liberties Union".

The article itself tells what is short for what: the initials of each of its names. A question
is put in the form the article uses, so that the ranking and its reasons meet the same words.
The rule is the letter-by-letter half of Schwartz and Hearst, "A simple algorithm for
identifying abbreviation definitions in biomedical text", 2003; no definition in brackets is
needed, as most news articles give none.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

__all__ = ["as_written", "initials_of_names", "may_abbreviate"]

_SMALL: Final = r"of|for|and|the|on|in|to|de|du|des|der|und"
_NAME: Final = re.compile(
    rf"\b[A-Z][\w'\u2019-]*(?:[ \t]+(?:(?:(?:{_SMALL})[ \t]+)*)[A-Z][\w'\u2019-]*){{1,7}}"
)
_SHORT: Final = re.compile(r"\b[A-Z](?:\.?[A-Z]){1,6}\b\.?")


def may_abbreviate(question: str) -> bool:
    """Whether a question holds anything that `as_written` could lengthen or shorten."""
    return bool(_SHORT.search(question) or _NAME.search(question))


def initials_of_names(text: str) -> dict[str, str]:
    """What each run of capitals could stand for in a text.

    >>> initials_of_names("The American Civil Liberties Union and the Bank of England said so.")
    {'ACLU': 'American Civil Liberties Union', 'BE': 'Bank of England', 'BOE': 'Bank of England'}

    Args:
        text: The article's.

    Returns:
        Names by their initials in capitals, with and without the small words between; the first
        of the text where two have the same, and no name that begins a sentence with an article.
    """
    found: dict[str, str] = {}
    for match in _NAME.finditer(text):
        name = re.sub(r"^(?:The|A|An)[ \t]+", "", match.group())
        words = name.split()
        if len(words) < 2:
            continue
        for kept in ([w for w in words if w[0].isupper()], words):
            initials = "".join(word[0] for word in kept).upper()
            if len(kept) > 1:
                found.setdefault(initials, name)
    return found


def as_written(question: str, text: str, words: Container[str], names: dict[str, str]) -> str:
    """A question with its names as long or as short as the article has them.

    Args:
        question: As asked.
        text: The article's.
        words: Those words of the question, lower-cased, that are used as they are.
        names: Of `initials_of_names`.

    Returns:
        The question; untouched where the article uses its forms, or knows neither.
    """

    def longer(match: re.Match[str]) -> str:
        short = match.group().replace(".", "")
        return match.group() if short.lower() in words else names.get(short, match.group())

    def shorter(match: re.Match[str]) -> str:
        name = match.group()
        if name in text:
            return name
        for initials in initials_of_names(name):
            if re.search(rf"\b{initials}\b", text):
                return initials
        return name

    return _NAME.sub(shorter, _SHORT.sub(longer, question))
