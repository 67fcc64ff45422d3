"""Questions that name a section: by its very heading, or as "the section Timetable"."""

from __future__ import annotations

import re
from typing import Final

from index.article import Article, BlockKind
from index.scoring.terms import terms

__all__ = ["section_asked"]

_SECTION: Final = re.compile(
    r"\b(?:section|chapter|part|paragraph)\s+(?:on|about|of|called|named|titled|entitled|headed)?"
    r"\s*[\"\u201c'\u2018]?(?P<name>[^?\"\u201d]+?)[\"\u201d'\u2019]?"
    r"(?:\s+(?:say|tell|about|contain|mention|cover|state|deal|describe)\w*.*)?\W*$",
    re.IGNORECASE,
)
_ALIKE: Final = 0.75
"""Share of the terms of a question and a heading together that both have."""


def section_asked(question: str, article: Article) -> tuple[int, int] | None:
    """The stretch of an article under the heading that a question names, or asks word for word.

    Args:
        question: As it is read.
        article: What is asked.

    Returns:
        Where its text begins and ends, in code points; None where no heading is meant.
    """
    named = _SECTION.search(question)
    wanted = {*terms(named["name"] if named else question, article.language)}
    headings = [block for block in article.blocks if block.kind is BlockKind.HEADING]
    best: tuple[float, int] | None = None
    for number, block in enumerate(headings):
        own = {*terms(article.text[block.start : block.end], article.language)}
        alike = len(own & wanted) / max(1, len(own | wanted))
        if alike >= _ALIKE and (best is None or alike > best[0]):
            best = alike, number
    if best is None:
        return None
    number = best[1]
    end = headings[number + 1].start if number + 1 < len(headings) else len(article.text)
    return headings[number].end, end
