"""Names by their initials: "ACLU" where the article says "American Civil Liberties Union".

The article itself tells what is short for what: the initials of each of its names. A question
is put in the form the article uses, so that the ranking and its reasons meet the same words.
The rule is the letter-by-letter half of Schwartz and Hearst, "A simple algorithm for
identifying abbreviation definitions in biomedical text", 2003; no definition in brackets is
needed, as most news articles give none.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from typing import Final

from index.scoring.spellings import MONTHS
from index.scoring.terms import STOP_WORDS

__all__ = ["as_written", "initials_of_names", "may_abbreviate", "persons"]

_SMALL: Final = frozenset("of for and the de du des der und".split())
_TOKEN: Final = re.compile(r"[^\W\d_][\w'\u2019-]*|\S")
_SHORT: Final = re.compile(r"\b[A-Z](?:\.?[A-Z]){2,6}\b\.?(?![/;])")
_BODY: Final = frozenset(
    """academy act administration agency alliance assembly association authority bank board bureau
    center centre college commission committee company confederation congress convention
    corporation council court department directorate federation forces foundation forum fund group
    guild health initiative institute institution kingdom laboratory league liberties ministry
    movement museum nations network office organisation organization parliament party police
    programme program project republic school service services society states system treaty trust
    union university""".split()
)
"""Words that tell a body from a person of the same initials."""
_NO_PERSON: Final = frozenset(
    word.title()
    for word in (
        *STOP_WORDS, *MONTHS,
        *"monday tuesday wednesday thursday friday saturday sunday street road river".split(),
    )
)  # fmt: skip
"""Words with a capital that open a sentence, or a date, and no name of anybody."""
_LONGEST: Final = 8


def may_abbreviate(question: str) -> bool:
    """Whether a question holds anything that `as_written` could lengthen or shorten."""
    return bool(_SHORT.search(question)) or any(True for _ in _names(question))


def initials_of_names(text: str) -> dict[str, str]:
    """What each run of capitals could stand for in a text.

    >>> initials_of_names("The American Civil Liberties Union and Nora Hale Stevens said so.")
    {'ACLU': 'American Civil Liberties Union'}

    Args:
        text: The article's.

    Returns:
        Names of bodies by their initials in capitals, three or more, with and without the small
        words between; the first of the text where two have the same. Nobody is called by the
        initials of a person.
    """
    found: dict[str, str] = {}
    for name, after_the in _names(text):
        words = name.split()
        if not (after_the or _is_body(words)):
            continue
        for kept in ([w for w in words if w[0].isupper()], words):
            initials = "".join(word[0] for word in kept).upper()
            if len(kept) > 2:
                found.setdefault(initials, name)
    return found


def persons(text: str) -> list[str]:
    """Names of two words or more that no body has.

    >>> persons("On Monday the Bank of England wrote to Mary Ann Holt and Jan Ek.")
    ['Mary Ann Holt', 'Jan Ek']
    """
    return [name for name, after_the in _names(text) if not after_the and _is_person(name.split())]


def _is_person(words: Sequence[str]) -> bool:
    named = all(word[0].isupper() for word in words) and _NO_PERSON.isdisjoint(words)
    return named and not _is_body(words)


def _is_body(words: Sequence[str]) -> bool:
    return bool({"of", "for"} & {*words} or _BODY & {*map(str.lower, words)})


def _names(text: str) -> Iterator[tuple[str, bool]]:
    """Runs of capitalised words, small words between them, and whether "the" goes before.

    A run is also cut at "and the", or at "and" alone: two bodies are named side by side.
    """
    run: list[tuple[int, int]] = []
    before = previous = ""
    for match in _TOKEN.finditer(text):
        word = match[0]
        gap = text[run[-1][1] : match.start()] if run else ""
        if word[0].isupper() and word.lower() not in _SMALL:
            if run and (len(gap) > 12 or "\n" in gap):
                yield from _cut(text, run, before)
                run = []
            if not run:
                before = previous
            run.append(match.span())
        elif run and word not in _SMALL:
            yield from _cut(text, run, before)
            run = []
        previous = word.lower()
    yield from _cut(text, run, before)


def _cut(text: str, run: list[tuple[int, int]], before: str) -> Iterator[tuple[str, bool]]:
    parts: list[list[tuple[int, int]]] = [[]]
    articles = [before == "the"]
    for number, span in enumerate(run):
        between = text[run[number - 1][1] : span[0]].split() if number else []
        if "and" in between:
            parts.append([])
            articles.append("the" in between)
        parts[-1].append(span)
    whole = [(run, articles[0])] if len(parts) > 1 and "the" not in _betweens(text, run) else []
    for spans, after_the in (*whole, *zip(parts, articles, strict=True)):
        if 1 < len(spans) <= _LONGEST:
            yield " ".join(text[spans[0][0] : spans[-1][1]].split()), after_the


def _betweens(text: str, run: list[tuple[int, int]]) -> list[str]:
    pairs = zip(run, run[1:], strict=False)
    return [word for one, other in pairs for word in text[one[1] : other[0]].split()]


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

    longest = _SHORT.sub(longer, question)
    for name, _ in [*_names(longest)]:
        if name not in text:
            for initials in initials_of_names(f"the {name}"):
                if re.search(rf"\b{initials}\b", text):
                    longest = longest.replace(name, initials)
                    break
    return longest
