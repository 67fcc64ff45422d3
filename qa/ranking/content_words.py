"""The words of a question that carry its meaning, and which of its word pieces make up each.

A ranking adds up what a question's words contribute; whether the article answers turns on
single words: the one name that it never mentions, the one number that it gives otherwise.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.models.encoder import Encoding, Float32, Int32
from index.scoring.terms import terms
from qa.ranking.features import piece_weights

__all__ = ["Word", "Wording", "wording"]

# A number with its points, an identifier with its hyphen, or a word.
_WORD = re.compile(r"\d+(?:[.,:]\d+)+|[^\W\d_]{1,5}-\d+\w?\b|[^\W_]+(?:['\u2019][^\W_]+)*")
_INTERROGATIVE = re.compile(
    r"\b(?:how (?:much|many|long|old|far|often|large|big|high)|what|when|where|which|who|whom"
    r"|whose|why|how)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(r"\b(?:not|never|no|none|neither|nor)\b|n['\u2019]t\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """One content word of a question.

    Attributes:
        text: As it stands in the question, a possessive ending left off.
        column: Of ``Candidates.matches``; None where the article does not use the word.
        weight: How telling it is in general, positive, whatever the article.
        pieces: Rows of the question's word pieces that make it up; at least one.
        named: Whether it is (part of) a name, or a number: nothing else will do in its place.
    """

    text: str
    column: int | None
    weight: float
    pieces: slice
    named: bool


@dataclass(frozen=True, slots=True)
class Wording:
    """How a question is put.

    Attributes:
        words: Its content words, in order; possibly none.
        negated: Whether it asks for what is not.
        asks: The words that it asks with, as "how much"; None where it has none.
    """

    words: tuple[Word, ...]
    negated: bool
    asks: str | None = None


def wording(
    question: str, encoding: Encoding, known: Sequence[str], language: str | None = None
) -> Wording:
    """Look at a question word by word.

    Args:
        question: As it was encoded.
        encoding: The question, encoded.
        known: The question's terms that the article uses, in the order of the columns of
            ``Candidates.matches``.
        language: ISO 639-1 code of the article.

    Returns:
        Its words, as far as the model has read them: a long question is cut.
    """
    column_of = {term: column for column, term in enumerate(known)}
    background = _background(encoding.token_ids).tolist()
    starts, ends = encoding.token_spans.T.tolist()
    # Capitals tell names apart only where not everything is written in them.
    cased = question != question.upper()
    words = []
    for match in _WORD.finditer(question):
        begin, end = bisect_right(ends, match.start()), bisect_left(starts, match.end())
        stems = terms(match.group(), language)
        if not stems or begin >= end:
            continue
        text = re.sub(r"['\u2019]s$", "", match.group())
        columns = [column_of[stem] for stem in stems if stem in column_of]
        # Every question opens with a capital, so its first word shows nothing by one.
        capital = cased and text[0].isupper() and match.start() > 0
        words.append(
            Word(
                text=text,
                column=columns[0] if len(columns) == len(stems) else None,
                weight=max(background[begin:end]),
                pieces=slice(begin, end),
                named=capital or any(map(str.isdigit, text)),
            )
        )
    asks = _INTERROGATIVE.search(question)
    return Wording(
        tuple(words), _NEGATION.search(question) is not None, asks and asks.group().lower()
    )


def _background(token_ids: Int32) -> Float32:
    """How telling word pieces are in general: their weight where the article's idf is level."""
    idf, weights = piece_weights(token_ids, np.zeros_like(token_ids), 1)
    return np.asarray(weights / idf, dtype=np.float32)
