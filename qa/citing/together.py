"""The answers to several questions that were put as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice, zip_longest
from math import inf
from typing import TypeVar

from qa.answer import Answer, Citation, PassageRef

__all__ = ["together"]

_Quoted = TypeVar("_Quoted", Citation, PassageRef)


def together(question: str, answers: Sequence[Answer], k: int) -> Answer:
    """Make one answer of several: the first citation of each in turn, then the second.

    Args:
        question: As it was asked.
        answers: To its parts, in their order; one or more.
        k: Citations and passages wanted at most.
    """
    said = [answer for answer in answers if answer.found]
    shown = said or answers
    citations = _by_turns([answer.citations for answer in shown], k)
    unsaid = [f"\u201c{a.question}\u201d is not answered" for a in answers if not a.found]
    return Answer(
        question=question,
        interpreted_as=" \u00b7 ".join(a.interpreted_as or a.question for a in answers),
        found=bool(said),
        confidence=shown[0].confidence,
        citations=tuple(replace(c, number=n) for n, c in enumerate(citations, 1)),
        passages=tuple(_by_turns([answer.passages for answer in shown], k)),
        why=tuple(dict.fromkeys((*unsaid, *shown[0].why))),
    )


def _by_turns(lists: Iterable[Sequence[_Quoted]], k: int) -> list[_Quoted]:
    """The first of each list, the second of each and so on, none twice."""
    distinct: dict[tuple[object, int, int], _Quoted] = {}
    for turn in zip_longest(*lists):
        for quoted in filter(None, turn):
            distinct.setdefault((quoted.article, quoted.start, quoted.end), quoted)
    # Scores of two questions cannot be compared; what goes before is not shown below another.
    found, least = list[_Quoted](), inf
    for quoted in islice(distinct.values(), k):
        least = min(least, quoted.score)
        found.append(replace(quoted, score=least))
    return found
