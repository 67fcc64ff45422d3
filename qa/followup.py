"""Questions that lean on the one before: "Why?", "And Microsoft?", "Did he support it?".

    question, history ─▶ does it need context? ─▶ no: asked alone, exactly
                               └─▶ yes: its ranking alone
                                      + rankings of it read after the one or two questions before
                                      + nearness to the sentences that were cited last
                                      = one weighted sum for each sentence

Nothing is rewritten: a question read after the one before it shares its words with it, which
is what a pronoun stands for most of the time (Vakulenko et al., 2021, compare this with
learned rewriting, https://arxiv.org/abs/2004.14652). A conversation also walks through its
article, so that the next answer mostly stands at or soon after the last (Choi et al., QuAC,
2018, https://arxiv.org/abs/1808.07036). ``benchmarks/fit_followup.py`` fits the weights,
and `qa.followup_ranking` applies them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np

from index.article_index import ArticleIndex
from index.encoder import Float32
from index.errors import QuestionError
from index.terms import terms
from qa.answer import Answer
from qa.fusion import Fusion

__all__ = [
    "LEANING",
    "SENTENCE_FEATURES",
    "FollowUp",
    "Weights",
    "Where",
    "check_history",
    "follow_up",
    "is_short",
    "leaning",
    "leaning_of",
    "read_after",
    "weighted",
    "weights",
    "where_cited",
]

Where = tuple[tuple[int, float], ...]
"""Rows of cited sentences, each with the weight of its citation; the weights sum to 1."""

TURNS: Final = 2
"""Questions before this one that it is read after."""
SHORT: Final = 4
"""Words up to which a question is hardly one without the question before."""
LONGEST_BEFORE: Final = 300
"""Code points of an earlier question that are read: it must leave room for this one."""

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
"""What tells whether a question needs context; the columns of `leaning`."""

SENTENCE_FEATURES: Final = (
    "alone",  # log-odds of the question alone
    "joined",  # log-odds of it read after the question before
    "near_short",  # nearness, where the question is short
    "alone_short",  # alone, where it is short
    "joined_short",  # joined, where it is short
    "longer_short",  # log-odds of it read after the two questions before, where it is short
)
"""The columns of `qa.followup_ranking.followup_features`."""

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
_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_ELSEWHERE: Final = "elsewhere"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question that is read in the light of earlier ones.

    Attributes:
        before: The question before it, as it was asked.
        joined: The question after the one before it, as one text.
        longer: The same after the two before it; ``joined`` where there is but one.
        where: What was cited last.
    """

    before: str
    joined: str
    longer: str
    where: Where

    def read_as(self, question: str) -> str:
        """The question and what it follows, for people."""
        return f"{question} (following \u201c{self.before}\u201d)"


@dataclass(frozen=True, slots=True)
class Weights:
    """Everything that was fitted.

    Attributes:
        leaning: What each of `LEANING` adds to the log-odds that a question needs context.
        threshold: Log-odds from which it is read in context.
        steps: Probability that the next answer stands so many sentences on.
        elsewhere: Probability that it stands at none of those, spread over the article.
        sentences: For `SENTENCE_FEATURES`.
    """

    leaning: Float32
    threshold: float
    steps: Mapping[int, float]
    elsewhere: float
    sentences: Fusion


def follow_up(index: ArticleIndex, question: str, history: Sequence[Answer]) -> FollowUp | None:
    """What a question to an article follows; None where it follows nothing.

    Args:
        index: The article that is asked.
        question: As it is read.
        history: Earlier answers, the last one last. Those of other articles are passed over,
            and of this one's only the last two are looked at.

    Raises:
        QuestionError: The history holds something that is no answer.
    """
    check_history(history)
    return read_after(
        question, history, lambda answer: where_cited(index, answer), leaning(index, question)
    )


def check_history(history: Sequence[Answer]) -> None:
    """Refuse what is no list of answers.

    Raises:
        QuestionError: The history holds something that is no answer.
    """
    if isinstance(history, (str, bytes)) or not isinstance(history, Sequence):
        raise QuestionError(f"the history must be a list of answers, not {type(history).__name__}")
    for answer in history:
        if not isinstance(answer, Answer):
            raise QuestionError(
                f"the history must hold answers, not {type(answer).__name__};"
                " Answer.from_dict reads one from JSON"
            )


def read_after(
    question: str,
    history: Sequence[Answer],
    cited: Callable[[Answer], Where],
    leans: Float32,
) -> FollowUp | None:
    """What a question follows; None where it stands by itself, or follows nothing.

    Args:
        question: As it is read.
        history: Earlier answers, the last one last.
        cited: Says what an answer cites of that which is asked now.
        leans: As from `leaning`.
    """
    before: list[str] = []
    where: Where = ()
    for answer in reversed(history):
        rows = cited(answer)
        if rows and any(map(str.isalnum, answer.question)):
            where = where or rows
            before.insert(0, " ".join(answer.question[:LONGEST_BEFORE].split()))
        if len(before) == TURNS:
            break
    fitted = weights()
    if not before or float(leans @ fitted.leaning) < fitted.threshold:
        return None
    return FollowUp(
        before=before[-1],
        joined=f"{before[-1]} {question}",
        longer=" ".join([*before, question]),
        where=where,
    )


def where_cited(index: ArticleIndex, answer: Answer) -> Where:
    """The sentences that an answer cites, weighted by the softmax of their scores.

    Empty for an answer from another article. A citation that does not stand where it says it
    does is passed over.
    """
    row_of = {(s.start, s.end): row for row, s in enumerate(index.sentences)}
    rows, scores = [], []
    for citation in answer.citations[:5]:
        row = row_of.get((citation.start, citation.end))
        if citation.article.hash == index.article.hash and row is not None:
            rows.append(row)
            scores.append(citation.score)
    return weighted(rows, scores)


def weighted(rows: Sequence[int], scores: Sequence[float]) -> Where:
    """Rows, each with the softmax of its score."""
    if not rows or not np.isfinite(scores).all():
        return ()
    odds = np.exp(np.asarray(scores) - max(scores))
    return tuple(zip(rows, (odds / odds.sum()).tolist(), strict=True))


def leaning(index: ArticleIndex, question: str) -> Float32:
    """What tells whether a question to an article needs context; see `leaning_of`."""
    content = dict.fromkeys(terms(question, index.article.language))
    return leaning_of(question, sum(term in index.term_of for term in content))


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


def is_short(question: str) -> bool:
    """Whether a question is hardly one without the question before: "And when?"."""
    return len(_WORD.findall(question)) <= SHORT


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The weights that ship with the package, out of ``qa/followup.json``."""
    data = json.loads(resources.files("qa").joinpath("followup.json").read_text("utf-8"))
    steps = dict(data["steps"])
    elsewhere = float(steps.pop(_ELSEWHERE))
    return Weights(
        leaning=np.asarray([data["leaning"][name] for name in LEANING], dtype=np.float32),
        threshold=float(data["threshold"]),
        steps={int(step): float(chance) for step, chance in steps.items()},
        elsewhere=elsewhere,
        sentences=Fusion(
            SENTENCE_FEATURES,
            np.asarray([data["sentences"][name] for name in SENTENCE_FEATURES], dtype=np.float32),
            np.ones(len(SENTENCE_FEATURES), dtype=np.float32),
        ),
    )
