"""What supported or undermined an answer, said to a person in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from qa.ranking.content_words import Word, Wording

__all__ = ["ASKED_TRAITS", "MAX_REASONS", "Shown", "reasons"]

ASKED_TRAITS: Final = {
    "percentage": ("percentage", "percentage", "asks for one"),
    "money": ("money", "sum of money", "asks how much"),
    "number": ("number", "number", "asks for one"),
    "duration": ("duration", "length of time", "asks how long"),
    "date": ("date", "date", "asks when"),
    "person": ("name", "name", "asks who"),
    "place": ("name", "name", "asks where"),
}
"""For a kind of answer: the trait of a sentence that can give it, its name, what is asked."""

MAX_REASONS: Final = 5
_QUANTITIES: Final = frozenset("few long many much often".split())
"""Words that a question counts with; no sentence that answers it needs them."""
_FAR: Final = 0.35
"""Cosine under which no word found resembles the one asked for."""
_CLEAR: Final = 3.0
"""Margin from which the reader is clear."""
_LEAD: Final = 2.0
"""Log-odds by which a first sentence stands out."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the sentences shown have of the question; lists are by its content words.

    Attributes:
        in_first: Whether each stands in the first sentence.
        in_shown: Whether each stands in one of the sentences shown.
        in_passage: Whether each stands in the first sentence's passage.
        close: Cosine of what comes closest to each.
        answer_type: Of the question, where a sentence can be seen to have it; else None.
        has_type: Whether a sentence shown has it.
        agreed: Whether meaning and words alone both find the first passage.
        lead: Log-odds of the first sentence over the second.
        margin: Of the reader for the first sentence, None where it is off.
    """

    in_first: Sequence[bool]
    in_shown: Sequence[bool]
    in_passage: Sequence[bool]
    close: Sequence[float]
    answer_type: str | None
    has_type: bool
    agreed: bool
    lead: float
    margin: float | None = None


def reasons(asked: Wording, shown: Shown, *, about: bool) -> tuple[str, ...]:
    """Say what speaks for the answer and what against it.

    Args:
        asked: The question's words.
        shown: What the sentences shown have of them.
        about: Whether the article is about what is asked at all.

    Returns:
        Sentences without a capital or a full stop, what undermines first; at most 5.
    """
    against = [] if about else ["nothing in the article comes close to the question"]
    said = [*against, *_undermining(asked, shown)]
    if about:
        said += _supporting(asked, shown)
    return tuple(said[:MAX_REASONS])


def _undermining(asked: Wording, shown: Shown) -> Iterator[str]:
    words = asked.words
    unknown = [word.named and word.column is None for word in words]
    for name in _joined(words, unknown):
        yield f"'{name}' is not mentioned in the article"
    elsewhere = [
        word.named and word.column is not None and not (cited or around)
        for word, cited, around in zip(words, shown.in_shown, shown.in_passage, strict=False)
    ]
    for name in _joined(words, elsewhere):
        yield f"'{name}' is mentioned in the article, but not where these sentences stand"
    if shown.answer_type and not shown.has_type:
        _, what, asks = ASKED_TRAITS[shown.answer_type]
        yield f"no {what} in the sentences found, and the question {asks}"
    far = [
        word.column is None and not word.named and close < _FAR
        for word, close in zip(words, shown.close, strict=False)  # a lone row without words
    ]
    missing = [
        f"'{word.text}'"
        for word, is_far in zip(words, far, strict=True)
        if is_far and word.text.lower() not in _QUANTITIES
    ]
    if missing:
        yield f"nothing like {' or '.join(missing[:3])} stands in the sentences found"
    if shown.margin is not None and shown.margin < 0:
        yield f"no words in the first sentence answer {_quoted(asked.asks) or 'the question'}"
    if asked.negated:
        yield "the question is put in the negative, which is easily taken for its opposite"


def _supporting(asked: Wording, shown: Shown) -> Iterator[str]:
    if shown.margin is not None and shown.margin >= _CLEAR:
        yield "words in the first sentence answer the question when both are read together"
    if asked.words and all(shown.in_first):
        yield "every word of the question stands in the first sentence"
    elif asked.words and all(shown.in_passage):
        yield "every word of the question stands in the passage of the first sentence"
    # Nearly every sentence has a name, if only one that the question gives itself.
    if shown.answer_type and shown.has_type and shown.answer_type not in ("person", "place"):
        _, what, asks = ASKED_TRAITS[shown.answer_type]
        yield f"there is a {what} in the sentences found, and the question {asks}"
    if shown.lead >= _LEAD:
        yield "the first sentence is far ahead of the second"
    if shown.agreed:
        yield "its passage is the best both by meaning and by words"


def _quoted(words: str | None) -> str | None:
    return words and f"'{words}'"


def _joined(words: Sequence[Word], chosen: Sequence[bool]) -> Iterator[str]:
    """The chosen words, neighbours put together: "Nathan Freed Wessler" is one name."""
    run: list[Word] = []
    for word, wanted in zip(words, chosen, strict=True):
        if run and not (wanted and word.pieces.start == run[-1].pieces.stop):
            yield " ".join(w.text for w in run)
            run = []
        if wanted:
            run.append(word)
    if run:
        yield " ".join(w.text for w in run)
