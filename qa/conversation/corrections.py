"""Replies that mend the question before: "No, I meant Microsoft", "No, the other one".

A correction is not a question of its own. It asks the one before again, with another name in
it, or for another answer than was given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from qa.answer import Answer, Citation

__all__ = ["Correction", "correction"]

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
    rf"|\W*(?:{_NO}\W+)*{_NO}\s*[^\w\s]\W*(?P<bare>[^?]+?)\W*"
    r"|\W*not (?P<old>.+?)\W+(?:but|i mean|i meant)\W+(?P<new>.+?)\W*",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"\b[A-Z][\w'\u2019-]*(?:\s+[A-Z][\w'\u2019-]*)*")
_LITTLE: Final = r"(?:(?:in|at|of|for|by|and|about|the)\s+)*"
_ONLY_NAMES: Final = re.compile(rf"{_LITTLE}{_NAME.pattern}(?:\s+{_LITTLE}{_NAME.pattern})*")
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
        passed_over: Sentences that were not what was asked for.
    """

    question: str
    history: tuple[Answer, ...]
    passed_over: tuple[Citation, ...] = ()

    def read_as(self, question: str) -> str:
        """The question as it is read, and that another answer is wanted, for people."""
        return f"{question} (another answer than before)" if self.passed_over else question


def correction(
    reply: str, history: Sequence[Answer], belongs: Callable[[Answer], bool]
) -> Correction | None:
    """Read a reply as a correction; None where it is a question.

    >>> history = [bot.ask("What did Amazon do?")]
    >>> correction("No, I meant Microsoft.", history, lambda answer: True).question
    'What did Microsoft do?'

    Args:
        reply: What was typed.
        history: Earlier answers, the last one last.
        belongs: Whether an answer is from what is asked now; others are passed over.
    """
    other, meant = _OTHER.fullmatch(reply), _MEANT.fullmatch(reply)
    if not (other or meant):
        return None
    own = tuple(answer for answer in history[-REMEMBERED:] if answer.citations and belongs(answer))
    if not own:
        return None
    before, earlier = own[-1], own[:-1]
    # What is corrected may be a correction itself: "No, the other one" twice is neither of two.
    asked = correction(before.question, earlier, belongs) or Correction(before.question, earlier)
    if other:
        return replace(asked, passed_over=(*asked.passed_over, before.citations[0]))
    if meant is None:
        return None
    name = meant["name"] or meant["bare"] or meant["new"]
    if meant["bare"] and not _ONLY_NAMES.fullmatch(name):
        return None  # "Sorry, say that again"
    if _ASKING.search(name) or len(name.split()) > LONGEST_NAME:
        return None  # "No, when did it begin?" is a question
    mended = _with_name(asked.question, name, meant["old"])
    return Correction(mended, asked.history) if mended else None


def _with_name(question: str, name: str, old: str | None) -> str | None:
    """A question with another name in it; None where it has none to be replaced."""
    if old and (found := re.search(rf"\b{re.escape(old)}\b", question, re.IGNORECASE)):
        return f"{question[: found.start()]}{name}{question[found.end() :]}"
    # Every question opens with a capital, so its first word shows nothing by one.
    names = [found for found in _NAME.finditer(question) if found.start() > 0]
    if not names:
        # "the lower mill" takes the place of "the upper mill".
        noun = re.escape(name.split()[-1])
        kept = re.search(rf"\b(?:the|an?)\s+(?:\w+\s+){{0,3}}?{noun}\b", question)
        if kept is None:
            return None
        return f"{question[: kept.start()]}{name}{question[kept.end() :]}"
    return f"{question[: names[-1].start()]}{name}{question[names[-1].end() :]}"
