"""Questions that lean on the one before: "Why?", "And Microsoft?", "Did he support it?".

    question, history ─▶ does it need context? ─▶ no: asked alone, exactly
                               ├─▶ yes: its ranking alone
                               │      + its ranking read after the question before
                               │      + nearness to the sentences that were cited last
                               │      = one weighted sum for each sentence
                               └─▶ it asks for more: what stands after those, and was not shown

Nothing is rewritten: a question read after the one before it shares its words with it, which
is what a pronoun stands for most of the time (Vakulenko et al., 2021, compare this with
learned rewriting, https://arxiv.org/abs/2004.14652). A conversation also walks through its
article, so that the next answer mostly stands at or soon after the last (Choi et al., QuAC,
2018, https://arxiv.org/abs/1808.07036). ``benchmarks/fit_followup.py`` fits the weights,
and `qa.conversation.ranking` applies them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import islice
from typing import Final, TypeAlias

import numpy as np

from index.errors import QuestionError
from index.models.encoder import Float32
from index.scoring.terms import terms
from qa.answer import Answer
from qa.conversation.context_dependence import LEANING, asks_for_more, is_short, names_its_subject
from qa.ranking.confidence_features import SHOWN
from qa.ranking.fusion import Fusion

__all__ = [
    "SENTENCE_FEATURES",
    "Focus",
    "FollowUp",
    "Weights",
    "check_history",
    "come_to",
    "joined",
    "last_with_a_subject",
    "read_after",
    "weighted",
    "weights",
]

Focus: TypeAlias = tuple[tuple[int, float], ...]
"""Rows of cited sentences, each with the probability that the talk has come to it; together at
most 1."""

TURNS: Final = 4
"""Answers in which the talk may have come to where it is: the last one that was right."""
CITED: Final = 5
"""Citations of an answer that count."""
REMEMBERED: Final = 20
"""Answers of which it is remembered what they showed."""
LONGEST_BEFORE: Final = 300
"""Code points of an earlier question that are read: it must leave room for this one."""

SENTENCE_FEATURES: Final = (
    "alone",  # log-odds of the question alone
    "joined",  # log-odds of it read after the question before
    "near",  # nearness to what was cited last
    "alone_short",  # alone, where the question is short
    "joined_short",  # joined, where it is short
    "near_short",  # nearness, where it is short
)
"""The columns of `qa.conversation.ranking.followup_features`."""

_ELSEWHERE: Final = "elsewhere"
_FOLLOWING: Final = re.compile(r"\((?:following|another answer)\b")
# A capital past the first word.
_NAME: Final = re.compile(r"(?<=[\w,] )[A-Z][\w\u2019'-]*")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question that is read in the light of earlier ones.

    Attributes:
        question: The question itself.
        before: The last one before it that says what it is about, as it was asked.
        joined: Both as one text.
        where: Where the talk has come to.
        shown: Rows of what was cited first in any answer, where the question asks for more;
            else None.
    """

    question: str
    before: str
    joined: str
    where: Focus
    shown: frozenset[int] | None = None

    @property
    def read_as(self) -> str:
        """The question and what it follows, for people."""
        further = "" if self.shown is None else ", further on in the text"
        return f"{self.question} (following \u201c{self.before}\u201d{further})"


@dataclass(frozen=True, slots=True)
class Weights:
    """Everything that was fitted.

    Attributes:
        leaning: What each of `LEANING` adds to the log-odds that a question needs context.
        threshold: Log-odds from which it is read in context.
        trust: Probability that an answer of no confidence was right all the same, and what
            full confidence adds to it.
        steps: Probability that the next answer stands so many sentences on.
        elsewhere: Probability that it stands at none of those, spread over the article.
        sentences: For `SENTENCE_FEATURES`.
    """

    leaning: Float32
    threshold: float
    trust: tuple[float, float]
    steps: Mapping[int, float]
    elsewhere: float
    sentences: Fusion


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
    cited: Callable[[Answer], Focus],
    leans: Float32,
) -> FollowUp | None:
    """What a question follows; None where it stands by itself, or follows nothing.

    Args:
        question: As it is read.
        history: Earlier answers, the last one last.
        cited: Says what an answer cites of that which is asked now.
        leans: As from `leaning_of`.
    """
    fitted, further = weights(), asks_for_more(question)
    leans_on = float(leans @ fitted.leaning) >= fitted.threshold
    if not further and (not leans_on or names_its_subject(question)):
        return None
    usable = (
        (answer, rows)
        for answer in reversed(history)
        if any(map(str.isalnum, answer.question)) and (rows := cited(answer))
    )
    found = list(islice(usable, REMEMBERED if further else TURNS))
    if not found:
        return None
    asked = last_with_a_subject([_asked(answer) for answer, _ in reversed(found)])
    before = " ".join(asked[:LONGEST_BEFORE].split())
    return FollowUp(
        question=question,
        before=before,
        joined=joined(before, question),
        where=come_to([(rows, answer.confidence) for answer, rows in found], fitted.trust),
        shown=frozenset(row for _, rows in found for row, _ in rows[:SHOWN]) if further else None,
    )


def _asked(answer: Answer) -> str:
    """The question that was answered: as it was corrected, but not with what it followed."""
    read_as = answer.interpreted_as
    return answer.question if read_as is None or _FOLLOWING.search(read_as) else read_as


def joined(before: str, question: str) -> str:
    """A question after the one before it, as one text.

    The name in "And Microsoft?" takes the place of whatever was named before.
    """
    if is_short(question) and _NAME.search(question):
        before = " ".join(_NAME.sub("", before).split())
    return f"{before} {question}"


def last_with_a_subject(questions: Sequence[str]) -> str:
    """The last question that says what it is about: "When?" lends no words to the next.

    Args:
        questions: In the order in which they were asked, one or more.
    """
    telling = (q for q in reversed(questions) if terms(q) and not asks_for_more(q))
    return next(telling, questions[-1])


def come_to(cited: Sequence[tuple[Focus, float]], trust: tuple[float, float]) -> Focus:
    """Where the talk has come to: what the last answer cited that was right.

    Whether one was is as uncertain as its confidence says; if it was not, the talk still is
    where it was before.

    Args:
        cited: What answers cited and how confident they were, the last one first.
        trust: As in `Weights`.
    """
    believed: dict[int, float] = {}
    left = 1.0
    for rows, confidence in cited[:TURNS]:
        right = left * min(1.0, trust[0] + trust[1] * min(1.0, max(0.0, confidence)))
        for row, weight in rows:
            believed[row] = believed.get(row, 0.0) + right * weight
        left -= right
    return tuple(believed.items())


def weighted(rows: Sequence[int], scores: Sequence[float]) -> Focus:
    """Rows, each with the softmax of its score."""
    if not rows or not np.isfinite(scores).all():
        return ()
    odds = np.exp(np.asarray(scores) - max(scores))
    return tuple(zip(rows, (odds / odds.sum()).tolist(), strict=True))


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The weights that ship with the package, out of ``qa/conversation/followup.json``."""
    data = json.loads(resources.files(__package__).joinpath("followup.json").read_text("utf-8"))
    steps = dict(data["steps"])
    elsewhere = float(steps.pop(_ELSEWHERE))
    return Weights(
        leaning=np.asarray([data["leaning"][name] for name in LEANING], dtype=np.float32),
        threshold=float(data["threshold"]),
        trust=(float(data["trust"]["always"]), float(data["trust"]["confidence"])),
        steps={int(step): float(chance) for step, chance in steps.items()},
        elsewhere=elsewhere,
        sentences=Fusion(
            SENTENCE_FEATURES,
            np.asarray([data["sentences"][name] for name in SENTENCE_FEATURES], dtype=np.float32),
            np.ones(len(SENTENCE_FEATURES), dtype=np.float32),
        ),
    )
