"""What a question and an article's passages and sentences have in common, as numbers.

Everything a ranking looks at is here: the similarity of pooled vectors (dense retrieval),
BM25 (lexical retrieval), and late interaction between the question's word pieces and the
article's (MaxSim; Khattab & Zaharia, ColBERT, 2020, https://arxiv.org/abs/2004.12832).
Each is a column with a name; how much each counts is `qa.ranking.fusion`'s business. Columns are
as they come, not yet on one scale, and depend on nothing outside the candidates but the
idf of terms and word pieces, so a few candidates of a large archive are scored as a whole
small article is.

The cosines of word pieces carry the cost, and are whoever's who keeps them; the rest is
segment maxima over them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Float32, Int32
from index.segmentation.traits import TRAITS

__all__ = [
    "LEAST",
    "PASSAGE_FEATURES",
    "READING_FEATURES",
    "SENTENCE_FEATURES",
    "SUPPORTING",
    "Candidates",
    "Interaction",
    "Query",
    "by_words_alone",
    "interact",
    "passage_features",
    "piece_weights",
    "reading_features",
    "sentence_features",
]

LONG_QUOTE: Final = 300
"""Code points from which a quote is a screenful of its own."""
SHORT_QUOTE: Final = 40
"""Code points under which a sentence is rather a heading or a fragment."""
FURTHEST: Final = 8.0
"""Log-odds beyond which a reader's margin says no more."""
_SHARPNESS: Final = 12.0

# Which trait of a sentence answers which kind of question.
_WANTED: Final = {
    "percentage": "percentage",
    "money": "money",
    "number": "number",
    "duration": "duration",
    "date": "date",
    "person": "name",
    "place": "name",
    "cause": "cause",
}


@dataclass(frozen=True, slots=True)
class Query:
    """A question as the features see it.

    Attributes:
        token_weights: float32 ``(n_query,)``: how telling each of its word pieces is (see
            `piece_weights`); one or more.
        token_idf: float32 ``(n_query,)``: its idf alone, in the article.
        term_idf: float32 ``(n_terms,)``: idf of each distinct term that the article uses.
        unknown_idf: Summed idf of the terms that it does not use.
        n_passages: Passages among which the candidates were found: of the article, or of the
            whole archive.
        answer_type: One of `qa.question.answer_type.ANSWER_TYPES`.
    """

    token_weights: Float32
    token_idf: Float32
    term_idf: Float32
    unknown_idf: float
    n_passages: int
    answer_type: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """The passages under consideration, with all their sentences and word pieces in order.

    Attributes:
        passage_cosines: float32 ``(n_passages,)``: of their vectors with the question's.
        sentence_cosines: float32 ``(n_sentences,)``: the same.
        token_cosines: float32 ``(n_query, n_tokens)``: of word pieces with the question's.
        sentence_starts: int32 ``(n_passages + 1,)``: passage ``p`` holds sentences
            ``sentence_starts[p]:sentence_starts[p + 1]``, one or more.
        token_starts: int32 ``(n_sentences + 1,)``: sentence ``s`` holds tokens
            ``token_starts[s]:token_starts[s + 1]``, possibly none.
        lengths: int32 ``(n_sentences,)``: code points of each sentence.
        traits: uint8 ``(n_sentences, len(TRAITS))`` (see `index.segmentation.traits`).
        passage_bm25: float32 ``(n_passages,)``.
        sentence_bm25: float32 ``(n_sentences,)``.
        matches: bool ``(n_sentences, n_terms)``: which of the query's terms each uses.
    """

    passage_cosines: Float32
    sentence_cosines: Float32
    token_cosines: Float32
    sentence_starts: Int32
    token_starts: Int32
    lengths: Int32
    traits: NDArray[np.uint8]
    passage_bm25: Float32
    sentence_bm25: Float32
    matches: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Interaction:
    """How well each question token is met in each sentence: all late interaction needs.

    Attributes:
        tokens: float32 ``(n_sentences, n_query)``: cosine of the best word piece.
        pairs: float32 ``(n_sentences, n_query - 1)``: mean cosine of the best two
            neighbouring word pieces for two neighbouring question tokens.
    """

    tokens: Float32
    pairs: Float32


def piece_weights(
    token_ids: Int32, document_frequency: Int32, n_documents: int
) -> tuple[Float32, Float32]:
    """How telling each word piece of a question is, in this article and in general.

    An article's own idf knows that its subject is no clue, but in a short one every word
    is rare. WordPiece and its kin number their pieces by falling frequency, so the number
    itself is a background idf that costs nothing (Zipf's law).

    Args:
        token_ids: int32 ``(n_query,)``.
        document_frequency: int32 ``(n_query,)``: passages that hold each.
        n_documents: Passages in all.

    Returns:
        float32 ``(n_query,)`` twice: idf in the article, and idf times the background.
    """
    idf = np.log1p((n_documents - document_frequency + 0.5) / (document_frequency + 0.5))
    background = np.log1p(np.maximum(token_ids, 0) / 1000.0) + 0.1
    return idf.astype(np.float32), (idf * background).astype(np.float32)


def interact(candidates: Candidates) -> Interaction:
    """The best of each sentence for every word piece of the question."""
    cosines = candidates.token_cosines
    tokens = _segment_max(cosines, candidates.token_starts)
    if len(cosines) < 2 or not cosines.shape[1]:
        no_pairs = np.zeros((len(tokens), max(0, len(cosines) - 1)), dtype=np.float32)
        return Interaction(tokens, no_pairs)
    pairs = np.empty((cosines.shape[0] - 1, cosines.shape[1]), dtype=np.float32)
    np.add(cosines[:-1, :-1], cosines[1:, 1:], out=pairs[:, :-1])
    # No pair reaches into the next sentence: of the last word piece, only its own half counts.
    last = np.maximum(candidates.token_starts[1:] - 1, 0)
    pairs[:, last] = cosines[:-1, last]
    pairs *= np.float32(0.5)
    return Interaction(tokens, _segment_max(pairs, candidates.token_starts))


def by_words_alone(query: Query, candidates: Candidates) -> tuple[Query, Candidates, Interaction]:
    """The question and its late interaction where the model cannot read the article's script.

    Each term is a token of its own that is met or not met, so that the ranking, with the weights
    it has, becomes lexical; the vectors, which say nothing, are as far from one as from another.

    Returns:
        The question and the candidates to rank by, and their interaction.
    """
    met = candidates.matches.astype(np.float32)
    weights = query.term_idf
    if not met.shape[1]:  # no word in common: one that nothing meets
        met, weights = np.zeros((len(met), 1), np.float32), np.ones(1, np.float32)
    pairs: Float32 = (met[:, :-1] + met[:, 1:]) * np.float32(0.5)
    return (
        replace(query, token_weights=weights, token_idf=weights),
        replace(
            candidates,
            passage_cosines=np.zeros_like(candidates.passage_cosines),
            sentence_cosines=np.zeros_like(candidates.sentence_cosines),
        ),
        Interaction(met, pairs),
    )


def _segment_max(values: Float32, starts: Int32) -> Float32:
    """Maxima of the columns ``starts[s]:starts[s + 1]``, 0 where there are none; transposed."""
    maxima = np.zeros((len(starts) - 1, values.shape[0]), dtype=np.float32)
    filled = np.flatnonzero(np.diff(starts))
    if len(filled):
        maxima[filled] = np.maximum.reduceat(values, starts[filled], axis=1).T
    return maxima


PASSAGE_FEATURES: Final = (
    "best_sentence_vector",  # cosine of its best sentence's vector with the question's
    "bm25",  # BM25 of the passage
    "best_sentence_bm25",  # BM25 of its best sentence
    "coverage",  # share of the question's idf that its terms cover
    "maxsim_plain",  # MaxSim over its tokens, every question token counting alike
    "maxsim_telling",  # the same, weighted by idf and the background
    "best_sentence_maxsim",  # the same as maxsim_telling, within one sentence
    "phrase",  # MaxSim of neighbouring pairs: phrases met in their order
    "log_length",  # natural logarithm of its code points
)
"""The columns of `passage_features`."""


def passage_features(query: Query, candidates: Candidates, interaction: Interaction) -> Float32:
    """What speaks for each passage.

    Args:
        query: The question.
        candidates: What is to be ranked.
        interaction: ``interact(candidates)``.

    Returns:
        float32 ``(n_passages, len(PASSAGE_FEATURES))``.
    """
    starts = candidates.sentence_starts[:-1]
    best_tokens = np.maximum.reduceat(interaction.tokens, starts, axis=0)
    best_pairs = _row_max(interaction.pairs, starts)
    covered = np.logical_or.reduceat(candidates.matches, starts, axis=0)
    of_sentences = _mean(interaction.tokens, query.token_weights)
    columns = {
        "best_sentence_vector": np.maximum.reduceat(candidates.sentence_cosines, starts),
        "bm25": candidates.passage_bm25,
        "best_sentence_bm25": np.maximum.reduceat(candidates.sentence_bm25, starts),
        "coverage": _coverage(covered, query),
        "maxsim_plain": best_tokens.mean(axis=1),
        "maxsim_telling": _mean(best_tokens, query.token_weights),
        "best_sentence_maxsim": np.maximum.reduceat(of_sentences, starts),
        "phrase": _mean(best_pairs, _pair_weights(query)),
        "log_length": np.log(np.maximum(np.add.reduceat(candidates.lengths, starts), 1)),
    }
    return _table(columns, PASSAGE_FEATURES, len(starts))


_ASKED: Final = tuple(f"{kind}_asked" for kind in _WANTED)

SENTENCE_FEATURES: Final = (
    "vector",  # cosine of the sentence's vector with the question's
    "coverage",  # share of the question's idf that its terms cover
    "maxsim",  # MaxSim over its tokens, weighted by idf
    "maxsim_plain",  # the same, every question token counting alike
    "phrase",  # MaxSim of neighbouring pairs: phrases met in their order
    "share",  # how much of what its passage meets is met here rather than beside it
    "in_context",  # MaxSim with half of what its passage meets elsewhere
    "from_previous",  # what the sentence before meets better: the subject of a "he"
    "from_neighbours",  # what either neighbour meets better
    "next_maxsim",  # MaxSim of the sentence after it in the passage
    "pronoun_previous",  # the sentence before, where this one begins with a pronoun
    "passage",  # its passage's score
    "best_maxsim_of_passage",  # 1 where no other of the passage has a better MaxSim
    "best_vector_of_passage",  # 1 where no other of the passage has a better cosine
    "position",  # how many sentences into its passage, up to 6
    "opens_passage",  # 1 for a passage's first sentence
    "log_length",  # natural logarithm of its code points
    "long",  # 1 from LONG_QUOTE code points
    "short",  # 1 under SHORT_QUOTE code points
    *(f"has_{trait}" for trait in TRAITS),  # 1 where the sentence has the trait
    *_ASKED,  # 1 where the question asks for this and the sentence has it
)
"""The columns of `sentence_features`."""


def sentence_features(
    query: Query, candidates: Candidates, interaction: Interaction, passage_scores: Float32
) -> Float32:
    """What speaks for each sentence.

    Args:
        query: The question.
        candidates: What is to be ranked.
        interaction: ``interact(candidates)``.
        passage_scores: float32 ``(n_passages,)``, higher is better, shift irrelevant.

    Returns:
        float32 ``(n_sentences, len(SENTENCE_FEATURES))``.
    """
    starts, n = candidates.sentence_starts[:-1], len(candidates.lengths)
    passage = np.repeat(np.arange(len(starts)), np.diff(candidates.sentence_starts))
    tokens, telling_shares = interaction.tokens, _shares(query.token_weights)
    best = np.maximum.reduceat(tokens, starts, axis=0)[passage]
    previous, following = _previous(tokens, starts), _next(tokens, starts)
    attention = np.exp(_SHARPNESS * (tokens - best))
    attention /= np.add.reduceat(attention, starts, axis=0)[passage]
    vector = candidates.sentence_cosines
    maxsim = _mean(tokens, query.token_idf)
    traits = dict(zip(TRAITS, candidates.traits.T, strict=True))
    position = np.arange(n) - starts[passage]
    columns = {
        "vector": vector,
        "coverage": _coverage(candidates.matches, query),
        "maxsim": maxsim,
        "maxsim_plain": tokens.mean(axis=1),
        "phrase": _mean(interaction.pairs, _pair_weights(query)),
        "share": attention @ telling_shares,
        "in_context": np.maximum(tokens, (tokens + best) / 2) @ telling_shares,
        "from_previous": np.maximum(previous - tokens, 0) @ telling_shares,
        "from_neighbours": np.maximum(np.maximum(previous, following) - tokens, 0) @ telling_shares,
        "next_maxsim": _next(maxsim[:, None], starts)[:, 0],
        "pronoun_previous": _previous(maxsim[:, None], starts)[:, 0] * traits["pronoun_first"],
        "passage": passage_scores[passage],
        "best_maxsim_of_passage": maxsim >= np.maximum.reduceat(maxsim, starts)[passage],
        "best_vector_of_passage": vector >= np.maximum.reduceat(vector, starts)[passage],
        "position": np.minimum(position, 6),
        "opens_passage": position == 0,
        "log_length": np.log(np.maximum(candidates.lengths, 1)),
        "long": candidates.lengths >= LONG_QUOTE,
        "short": candidates.lengths < SHORT_QUOTE,
        **{f"has_{trait}": column for trait, column in traits.items()},
        **{
            f"{kind}_asked": traits[trait] if kind == query.answer_type else 0
            for kind, trait in _WANTED.items()
        },
    }
    return _table(columns, SENTENCE_FEATURES, n)


READING_FEATURES: Final = (
    "read",  # 1 where the reader has read it
    "margin",  # of the best span in it over no answer; 0 where it was not read
    "best",  # 1 for the sentence whose margin is the best
)
"""The columns of `reading_features`."""


def reading_features(margins: Float32) -> Float32:
    """What the reader has to say for each sentence; it has read the most promising alone.

    Args:
        margins: float32 ``(n_sentences,)``, NaN where it was not read; one at least was.

    Returns:
        float32 ``(n_sentences, len(READING_FEATURES))``.
    """
    read = ~np.isnan(margins)
    columns = {
        "read": read,
        "margin": np.where(read, np.clip(margins, -FURTHEST, FURTHEST), 0),
        "best": margins == np.where(read, margins, -np.inf).max(),
    }
    return _table(columns, READING_FEATURES, len(margins))


SUPPORTING: Final = frozenset(
    {*PASSAGE_FEATURES, "share", "in_context", "from_previous", "from_neighbours", "passage"}
    - {"log_length"}
    | {"next_maxsim", "pronoun_previous", *_ASKED}
    | {"best_maxsim_of_passage", "best_vector_of_passage"}
)
"""Features of which more can only speak for a candidate, whatever a sample of questions says."""

LEAST: Final = {"cause_asked": 1.25}
"""Log-odds that features add at least for each unit. Who writes questions for a paragraph asks
"why" in the words of the answer; who has not read it cannot, and needs a "because" more."""


def _table(columns: Mapping[str, Float32 | float], names: Sequence[str], n: int) -> Float32:
    """Columns side by side, in the order of their names."""
    table: Float32 = np.empty((n, len(names)), dtype=np.float32, order="F")
    for column, name in enumerate(names):
        table[:, column] = columns[name]
    return table


def _mean(values: Float32, weights: Float32) -> Float32:
    """Weighted mean of the columns; 0 where nothing weighs."""
    return np.asarray(values @ _shares(weights), dtype=np.float32)


def _shares(weights: Float32) -> Float32:
    """Weights that add up to 1; to 0 where nothing weighs."""
    total = float(weights.sum())
    shares: Float32 = weights / np.float32(total or 1)
    return shares


def _row_max(values: Float32, starts: Int32) -> Float32:
    """Maxima of rows by segment; there may be no columns at all."""
    if not values.shape[1]:
        return np.zeros((len(starts), 0), dtype=np.float32)
    return np.asarray(np.maximum.reduceat(values, starts, axis=0))


def _pair_weights(query: Query) -> Float32:
    return query.token_weights[:-1] + query.token_weights[1:]


def _coverage(matches: NDArray[np.bool_], query: Query) -> Float32:
    total = float(query.term_idf.sum()) + query.unknown_idf
    if total <= 0:
        return np.zeros(len(matches), dtype=np.float32)
    return np.asarray(matches @ (query.term_idf / total), dtype=np.float32)


def _previous(values: Float32, starts: Int32) -> Float32:
    """Each row's predecessor within its passage, 0 before the first."""
    moved = np.zeros_like(values)
    moved[1:] = values[:-1]
    moved[starts] = 0.0
    return moved


def _next(values: Float32, starts: Int32) -> Float32:
    """Each row's successor within its passage, 0 after the last."""
    moved = np.zeros_like(values)
    moved[:-1] = values[1:]
    moved[starts[1:] - 1] = 0.0
    return moved
