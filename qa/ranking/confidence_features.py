"""What the probability of an answer is made from.

Every feature is a cosine, a share, a count or a score that does not depend on how long the
article is, but for the number of passages itself: among many, one or the other resembles any
question. Only the sentences shown and the first one's passage are looked at word by word,
which costs next to nothing.
"""

from __future__ import annotations

from math import log
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Float32
from index.segmentation.traits import TRAITS
from qa.ranking.content_words import Wording
from qa.ranking.features import Candidates, Query
from qa.ranking.reasons import ASKED_TRAITS, Shown

__all__ = [
    "ANSWER_FEATURES",
    "BOUNDS",
    "MOST_PASSAGES",
    "READ_FEATURES",
    "SHOWN",
    "TOPIC_FEATURES",
    "Features",
    "confidence_features",
]

Features: TypeAlias = dict[str, float]

SHOWN: Final = 3
"""Citations that are looked at."""
MOST_PASSAGES: Final = 1000
"""Passages from which on more make no difference: the fit knows archives of some hundreds, and
its slope, drawn on to a million, would find nothing at all."""
FURTHEST: Final = 10.0
"""Log-odds beyond which a reader's margin says no more."""
_FAR_AHEAD: Final = 4.0
_MANY: Final = 2

TOPIC_FEATURES: Final = (
    "tokens_met",
    "cosine",
    "telling_words",
    "sentence_score",
    "passage_score",
    "covered_by_article",
    "words_unmet",
    "names_unmet",
    "agreement",
    "log_passages",
)
"""What tells whether the article is about what is asked."""

ANSWER_FEATURES: Final = (
    "tokens_met",
    "cosine",
    "lead",
    "weakest_word",
    "telling_words",
    "passage_telling_words",
    "covered_by_sentence",
    "covered_by_passage",
    "covered_by_article",
    "unknown_words",
    "unknown_names",
    "names_elsewhere",
    "type_missing",
    "negated",
    "names_asked",
    "log_pieces",
    "log_passages",
)
"""What tells whether the sentences answer, given that the article is about it."""

READ_FEATURES: Final = (*ANSWER_FEATURES, "margin", "best_margin", "margin_lead")
"""The same where the reader has read them."""

_MORE, _LESS = (0.0, None), (None, 0.0)
BOUNDS: Final[dict[str, tuple[float | None, float | None]]] = {
    "tokens_met": _MORE,  # best shown sentence: mean cosine over the question's word pieces
    "cosine": _MORE,  # of the first sentence's vector with the question's
    "sentence_score": _MORE,  # of the ranking, log-odds
    "passage_score": _MORE,  # the same for the best passage
    "lead": _MORE,  # of the first sentence's score over the second's, up to 4
    "weakest_word": _MORE,  # first sentence: cosine of the worst met content word
    "telling_words": _MORE,  # first sentence: the worse met of the two most telling words
    "covered_by_sentence": _MORE,  # share of the words, by weight, that stand in the first
    "covered_by_article": _MORE,  # share of the words, by weight, that the article uses
    "words_unmet": _LESS,  # how many words it does not use, by how far the nearest is
    "names_unmet": _LESS,  # the same for names and numbers
    "unknown_names": _LESS,  # names and numbers that the article does not mention, up to 2
    "names_elsewhere": _LESS,  # those that it mentions, but not in the sentences shown, up to 2
    "agreement": _MORE,  # of cosine and BM25 with the first passage: 0, 1 or 2
    "margin": _MORE,  # of the first sentence's best span over no answer
    "margin_lead": _MORE,  # of that over the best elsewhere
    "type_missing": _LESS,  # 1 where a date, a sum, a name is asked for and none is shown
    # Who writes questions without an answer likes to put a "not" into one that has; people who
    # want to know something do not, so this may not count for all that it does in such data.
    "negated": (-1.0, 0.0),  # 1 where the question asks for what is not
}
"""Bounds of the log-odds that a feature may add for each unit, whatever a sample says. What
is not here (what the passage around the first sentence has beyond it, how many words and which
kind are asked, how many passages there are) may do either."""


def confidence_features(
    query: Query,
    candidates: Candidates,
    tokens: Float32,
    passages: Float32,
    sentences: Float32,
    asked: Wording,
    margins: Float32 | None = None,
) -> tuple[Features, Shown]:
    """What the confidence is made from; arguments as for `qa.ranking.confidence.confidence`.

    Returns:
        The features by name, and what the first sentences show of the question's words.
    """
    top = np.argsort(-sentences, kind="stable")[:SHOWN]
    starts = candidates.sentence_starts
    first = int(np.searchsorted(starts, top[0], side="right")) - 1
    rows = np.concatenate([top, np.arange(starts[first], starts[first + 1])])
    n = len(top)

    weights = np.asarray([word.weight for word in asked.words] or [1.0])
    weights /= weights.sum()
    close = _by_word(tokens[rows], asked)
    known = np.asarray([word.column is not None for word in asked.words] or [True])
    named = np.asarray([word.named for word in asked.words] or [False])
    stands = _stands(candidates.matches[rows], asked)
    in_first = stands[0]
    in_shown = np.logical_or.reduce(stands[:n])
    in_passage = np.logical_or.reduce(stands[n:])
    telling = np.argsort(-weights, kind="stable")[:2]
    closest = np.maximum.reduce(close)
    unmet = ~known * (1 - closest)
    # Both ways of searching point at the first passage, or lead elsewhere.
    agreement = [
        bool(by.argmax() == first and by[first] > 0)
        for by in (candidates.passage_cosines, candidates.passage_bm25)
    ]
    kind = ASKED_TRAITS.get(query.answer_type)
    has_kind = bool(kind and candidates.traits[top, TRAITS.index(kind[0])].any())
    ahead = float(sentences[top[0]] - sentences[top[1]]) if n > 1 else _FAR_AHEAD
    features = {
        "tokens_met": tokens[top].mean(axis=1).max(),
        "cosine": candidates.sentence_cosines[top[0]],
        "sentence_score": sentences[top[0]],
        "passage_score": passages.max(),
        "lead": min(ahead, _FAR_AHEAD),
        "weakest_word": close[0].min(),
        "telling_words": close[0][telling].min(),
        "passage_telling_words": close[n:, telling].max(axis=0).min(),
        "covered_by_sentence": in_first @ weights,
        "covered_by_passage": in_passage @ weights,
        "covered_by_article": known @ weights,
        "words_unmet": unmet.sum(),
        "names_unmet": unmet[named].sum(),
        "unknown_words": min(np.count_nonzero(~(known | named)), _MANY + 1),
        "unknown_names": min(np.count_nonzero(named & ~known), _MANY),
        "names_elsewhere": min(np.count_nonzero(known & named & ~in_shown), _MANY),
        "agreement": sum(agreement),
        "type_missing": kind is not None and not has_kind,
        "negated": asked.negated,
        "names_asked": named.any(),
        "log_pieces": log(len(query.token_weights)),
        "log_passages": log(min(max(query.n_passages, 1), MOST_PASSAGES)),
    }
    if margins is not None:
        features |= _margins(margins, int(top[0]))
    shown = Shown(
        in_first=in_first.tolist(),
        in_shown=in_shown.tolist(),
        in_passage=in_passage.tolist(),
        close=closest.tolist(),
        answer_type=query.answer_type if kind else None,
        has_type=has_kind,
        agreed=all(agreement),
        lead=ahead,
        margin=features.get("margin"),
    )
    return {name: float(value) for name, value in features.items()}, shown


def _margins(margins: Float32, first: int) -> Features:
    """What the reader says of the first sentence, and of all others that it has read."""
    known = np.clip(np.where(np.isnan(margins), -FURTHEST, margins), -FURTHEST, FURTHEST)
    others = np.delete(known, first)
    return {
        "margin": float(known[first]),
        "best_margin": float(known.max()),
        "margin_lead": float(known[first] - others.max(initial=-FURTHEST)),
    }


def _by_word(tokens: Float32, asked: Wording) -> Float32:
    """How close each sentence comes to each word: the mean over the word's pieces."""
    n_query = tokens.shape[1]
    if not asked.words:
        return tokens @ np.full((n_query, 1), 1 / n_query, dtype=np.float32)
    shares = np.zeros((n_query, len(asked.words)), dtype=np.float32)
    for column, word in enumerate(asked.words):
        shares[word.pieces, column] = 1 / (word.pieces.stop - word.pieces.start)
    return tokens @ shares


def _stands(matches: NDArray[np.bool_], asked: Wording) -> NDArray[np.bool_]:
    """Which words stand in each sentence; a question without content words lacks none."""
    if not asked.words:
        return np.ones((len(matches), 1), dtype=bool)
    absent = np.zeros((len(matches), 1), dtype=bool)
    columns = [-1 if word.column is None else word.column for word in asked.words]
    return np.concatenate([matches, absent], axis=1)[:, columns]
