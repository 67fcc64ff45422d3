"""Replies that mend the question before: "No, I meant Microsoft", "No, the other one".

A correction is not a question of its own. It asks the one before again, with another name in
it, or for another answer than was given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from index.article_index import ArticleIndex
from qa.answer import Answer
from qa.ranking import Ranking

__all__ = ["Correction", "correction", "without"]

REMEMBERED: Final = 8
"""Answers that are looked at."""
LONGEST_NAME: Final = 5
"""Words of what is put in the place of a name."""

_NO: Final = r"(?:no|nope|sorry|actually|wait|not (?:that|this|him|her|it|them|those|these))"
_OTHER: Final = re.compile(
    rf"\W*(?:{_NO}\W+)*(?:(?:i (?:mean|meant)|but|rather)\W+)?(?:the|an|some|any)?\s*other"
    r"(?: one| ones| answer| sentence| person| man| woman| company| thing)?s?\W*"
    r"|\W*not (?:that|this|the first) one\W*|\W*(?:no\W+)?(?:the )?(?:next|another) one\W*",
    re.IGNORECASE,
)
_MEANT: Final = re.compile(
    rf"\W*(?:{_NO}\W+)*(?:i (?:mean|meant)|i was asking about|make that|rather)\W+(?P<name>.+?)\W*"
    rf"|\W*(?:{_NO}\W+)+(?P<bare>[^?]+?)\W*"
    r"|\W*not (?P<old>.+?)\W+(?:but|i mean|i meant)\W+(?P<new>.+?)\W*",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"\b[A-Z][\w'\u2019-]*(?:\s+[A-Z][\w'\u2019-]*)*")
_ASKING: Final = re.compile(
    r"\b(?:who|what|when|where|why|how|which|did|does|do|is|was|are|were|will|can|has|have)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a reply that corrects comes to.

    Attributes:
        question: To be asked in its place.
        history: The answers before that question, for it may follow them.
        passed_over: ``(start, end)`` of the sentences that were not what was asked for.
    """

    question: str
    history: tuple[Answer, ...]
    passed_over: tuple[tuple[int, int], ...] = ()


def correction(index: ArticleIndex, reply: str, history: Sequence[Answer]) -> Correction | None:
    """Read a reply as a correction; None where it is a question.

    >>> correction(index, "No, I meant Microsoft.", [bot.ask("What did Amazon do?")]).question
    'What did Microsoft do?'

    Args:
        index: The article that is asked.
        reply: What was typed.
        history: Earlier answers, the last one last; those of other articles are passed over.
    """
    other, meant = _OTHER.fullmatch(reply), _MEANT.fullmatch(reply)
    if not (other or meant):
        return None
    own = tuple(
        answer
        for answer in history
        if answer.citations and answer.citations[0].article.hash == index.article.hash
    )[-REMEMBERED:]
    if not own:
        return None
    before, first = own[-1], own[-1].citations[0]
    # What is corrected may be a correction itself: "No, the other one" twice is neither of two.
    asked = correction(index, before.question, own[:-1]) or Correction(before.question, own[:-1])
    if other:
        return replace(asked, passed_over=(*asked.passed_over, (first.start, first.end)))
    if meant is None:
        return None
    name = meant["name"] or meant["bare"] or meant["new"]
    if _ASKING.search(name) or len(name.split()) > LONGEST_NAME:
        return None  # "No, when did it begin?" is a question
    mended = _with_name(asked.question, name, meant["old"])
    return Correction(mended, asked.history) if mended else None


def without(index: ArticleIndex, ranking: Ranking, spans: Sequence[tuple[int, int]]) -> Ranking:
    """A ranking in which the sentences of some spans come last."""
    sentences = ranking.sentences.copy()
    last = sentences.min() - 1
    for row, sentence in enumerate(index.sentences):
        if (sentence.start, sentence.end) in spans:
            sentences[row] = last
    return replace(ranking, sentences=sentences)


def _with_name(question: str, name: str, old: str | None) -> str | None:
    """A question with another name in it; None where it has none to be replaced."""
    if old and (found := re.search(rf"\b{re.escape(old)}\b", question, re.IGNORECASE)):
        return f"{question[: found.start()]}{name}{question[found.end() :]}"
    # Every question opens with a capital, so its first word shows nothing by one.
    names = [found for found in _NAME.finditer(question) if found.start() > 0]
    if not names:
        return None
    return f"{question[: names[-1].start()]}{name}{question[names[-1].end() :]}"
