"""Whether a question leans on the one before it, and how: "Why?", "Did he?", "What else?"."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

import numpy as np

from index.models.encoder import Float32
from index.scoring.terms import STOP_WORDS, terms
from qa.question.specifics import GENERIC

__all__ = [
    "LEANING",
    "asks_for_more",
    "changes_the_subject",
    "is_short",
    "leaning_of",
    "names_its_subject",
]

SHORT: Final = 4
"""Words up to which a question is hardly one without the question before."""

LEANING: Final = (
    "always",  # 1
    "pronoun",  # he, it, that, there, one …
    "opener",  # and, but, what about …
    "more",  # else, another, after …
    "words<=2",
    "words<=4",
    "words<=7",
    "known=0",  # content words that the article uses
    "known<=1",
    "known<=2",
    "name",  # a capital past the first word, or a digit
)
"""What tells whether a question needs context; the columns of `leaning_of`."""

_PRONOUN: Final = re.compile(
    r"\b(?:he|him|his|she|her|hers|it|its|they|them|theirs?|this|that|these|those|there|ones?"
    r"|such|same|himself|herself|itself|themselves|then)\b",
    re.IGNORECASE,
)
_OPENER: Final = re.compile(
    r"\W*(?:and|but|or|so|also|then|because|if|no|what about|how about)\b", re.IGNORECASE
)
_MORE: Final = re.compile(
    r"\b(?:else|others?|another|more|too|also|any|anything|anyone|instead|again|next|after|before"
    r"|afterwards?|besides|first|second|last|finally)\b",
    re.IGNORECASE,
)
_FURTHER: Final = frozenset(
    """additional after afterwards another anything besides else further interesting important know
    more next notable noteworthy other others remarkable significant something tell then""".split()
)
"""Words that ask for more, or for anything."""
_NO_SUBJECT: Final = (
    STOP_WORDS
    | _FURTHER
    | frozenset(
        """add article aspect aspects come detail details fact facts find go happen happened
        happening happens information interest learn mention mentioned page part read said say
        saying says section share story text thing things went worth""".split()
    )
)
"""Words that do not say what a question is about."""
_PARTICULAR: Final = frozenset("how when where which who whom whose why".split())
"""Words that ask for something in particular, of whatever it may be."""
_SUBJECT: Final = re.compile(
    r"\b(?:[Ii]s|[Aa]re|[Ww]as|[Ww]ere|[Dd]id|[Dd]oes|[Dd]o|[Hh]as|[Hh]ave|[Hh]ad|[Ww]ill"
    r"|[Ww]ould|[Cc]an|[Cc]ould|[Ss]hould)\s+(?:(?:the|an?|any|all|every)\s+\w|[A-Z][\w'\u2019-]+)"
)
_ELSE: Final = re.compile(
    r"\b(?:else|others?|another|more|again|any(?:thing|one|body)?)\b", re.IGNORECASE
)
_VERB: Final = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)\b"
_CLAUSE: Final = re.compile(
    rf"\W*(?:(?:who|when|where|why)\s+\w|{_VERB}\s+\w|(?:what|which|whose|how)\b.*\b{_VERB}"
    r"|(?:what|which)\s+\w+\s+(?:the|an?)\b)",
    re.IGNORECASE,
)
"""A short question that has a verb, unlike "Which date?" and "And in Bern?"."""
_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")


def leaning_of(question: str, known: int) -> Float32:
    """What tells whether a question needs context.

    Args:
        question: As it is read.
        known: How many of its content words are used by what is asked.

    Returns:
        float32 ``(len(LEANING),)`` of zeros and ones.
    """
    words = _WORD.findall(question)
    columns = {
        "always": True,
        "pronoun": bool(_PRONOUN.search(question)),
        "opener": bool(_OPENER.match(question)),
        "more": bool(_MORE.search(question)),
        "words<=2": len(words) <= 2,
        "words<=4": len(words) <= 4,
        "words<=7": len(words) <= 7,
        "known=0": known == 0,
        "known<=1": known <= 1,
        "known<=2": known <= 2,
        "name": any(word[0].isupper() or word[0].isdigit() for word in words[1:]),
    }
    return np.asarray([columns[name] for name in LEANING], dtype=np.float32)


def names_its_subject(question: str) -> bool:
    """Whether a question asks of something that it names itself: "Who is the president?".

    Pronouns, and openers such as "and", still lean on what was said before.
    """
    return bool(
        _SUBJECT.search(question)
        and not _PRONOUN.search(question)
        and not _OPENER.match(question)
        and not _MORE.search(question)
    )


def changes_the_subject(question: str, known: Collection[str], language: str | None) -> bool:
    """Whether a question that points at nothing before asks of what is not written of at all.

    Of 2,784 questions of other dialogues that point at nothing, 14 are read as follow-ups with
    this and 1,219 without; of 521 that do follow, 14 are then asked alone.

    Args:
        question: As it is read.
        known: Those of its terms that what is asked uses.
        language: That its terms are indexed in, as for `terms`.
    """
    if _PRONOUN.search(question) or _ELSE.search(question) or asks_for_more(question):
        return False
    if is_short(question) and not _CLAUSE.match(question):
        return False
    content = {*terms(question, language)} - GENERIC
    return len(content.difference(known)) >= max(1, len(content.intersection(known)))


def is_short(question: str) -> bool:
    """Whether a question is hardly one without the question before: "And when?"."""
    return len(_WORD.findall(question)) <= SHORT


def asks_for_more(question: str) -> bool:
    """Whether a question wants whatever else there is: "Is there anything else of interest?".

    Shorter ones ("And who else?") go on with a list that the last answer began.
    """
    words = [
        word.lower().replace("\u2019", "'").removesuffix("'s") for word in _WORD.findall(question)
    ]
    return (
        len(words) > SHORT
        and not _FURTHER.isdisjoint(words)
        and _PARTICULAR.isdisjoint(words)
        and _NO_SUBJECT.issuperset(words)
    )
