"""Score every passage and sentence of an article for a question.

question ─▶ terms, vector, word pieces ─┐
index ─▶ candidates ────────────────────┴▶ features ─▶ fusion
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.arrays import ranges
from index.models.encoder import Encoding, Float32, Int32
from index.scoring.pool import idf
from index.scoring.terms import Postings, terms
from index.single.article_index import ArticleIndex
from qa.question.answer_type import answer_type
from qa.ranking.confidence import confidence
from qa.ranking.content_words import Wording, wording
from qa.ranking.features import Candidates, Query, by_words_alone, interact, piece_weights
from qa.ranking.fusion import Fused, by_support, coefficients, fuse
from qa.ranking.reranker import Reranker, rerank

__all__ = [
    "READ",
    "Ranking",
    "as_quoted",
    "best_candidates",
    "candidates_of",
    "make_query",
    "piece_shares",
    "query_of",
    "query_terms",
    "rank",
    "score",
]

READ: Final = 12
"""Passages of an article that are read and scored. On SQuAD 1.1, whose articles have 20 to 110,
one of the first three answers as many questions as if all were: 97 of 100."""
USUAL_COSINES: Final = 0.11
USUAL_BM25: Final = 0.83
"""Usual standard deviations among the passages of a question; see ``coefficients.json``."""
TELLING: Final = 4
"""Content words from which a question says enough for its words to tell what supports an answer;
shorter ones ("Was that the start of her career?") mostly lean on what was said before."""

Int64: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Scores for one question, higher is better.

    Attributes:
        passages: float32 ``(n_passages,)``.
        sentences: float32 ``(n_sentences,)``, each for itself.
        quoted: The same in the order in which they are quoted.
        confidence: Probability that the best three sentences answer the question.
        reasons: What undermined or supported it, in plain words.
    """

    passages: Float32
    sentences: Float32
    quoted: Float32
    confidence: float
    reasons: tuple[str, ...] = ()


def rank(
    index: ArticleIndex,
    question: str,
    encoding: Encoding,
    *,
    wanted: int | None = None,
    reranker: Reranker | None = None,
) -> Ranking:
    """Score an article's passages and sentences.

    Args:
        index: The article's index.
        question: As it was asked.
        encoding: The question, encoded by the model that made the index.
        wanted: Passages and sentences of which the scores are wanted: the others need not be
            read, and have minus infinity. None for all.
        reranker: Has a second look at the best. The confidence is then that of the sentences
            which it puts first, by the same evidence as ever: its own scores are calibrated
            for nothing, and do not enter.
    """
    known, unknown = query_terms(index, question)
    query = query_of(index, question, encoding, known, unknown)
    vocabulary = index.terms.vocabulary
    asked = wording(
        question, encoding, [vocabulary[term] for term in known], index.article.language
    )
    second_look = partial(rerank, index, question, reranker=reranker) if reranker else None
    n_passages, n_sentences = len(index.passages), len(index.sentences)
    most = n_passages if wanted is None or reranker or not index.legible else max(READ, wanted)
    candidates, passages, sentences = best_candidates(index, encoding, known, most)
    read = score(query, candidates, asked, legible=index.legible, second_look=second_look)
    return Ranking(
        _spread(read.passages, passages, n_passages),
        _spread(read.sentences, sentences, n_sentences),
        _spread(read.quoted, sentences, n_sentences),
        read.confidence,
        read.reasons,
    )


def _spread(scores: Float32, rows: Int64, n: int) -> Float32:
    """Scores of some rows among all, minus infinity for the others."""
    spread = np.full(n, -np.inf, dtype=np.float32)
    spread[rows] = scores
    return spread


def score(
    query: Query,
    candidates: Candidates,
    asked: Wording,
    *,
    legible: bool = True,
    second_look: Callable[[Float32, Float32], tuple[Float32, Float32]] | None = None,
) -> Ranking:
    """Score candidates, whether they are all of an article or the best of an archive.

    Args:
        query: The question.
        candidates: What is to be ranked.
        asked: The question's words.
        legible: Whether the model reads what they are written in.
        second_look: Reorders the scores of passages and sentences.
    """
    interaction = interact(candidates)
    if legible:
        fused = fuse(query, candidates, coefficients(), interaction=interaction)
    else:
        lexical, words, met = by_words_alone(query, candidates)
        fused = fuse(lexical, words, coefficients(), interaction=met)
    passages, quoted = fused.passages, as_quoted(fused, candidates, asked)
    if second_look:
        passages, quoted = second_look(passages, quoted)
    sure = confidence(query, candidates, interaction.tokens, passages, quoted, asked)
    return Ranking(passages, fused.sentences, quoted, sure.probability, sure.reasons)


def as_quoted(fused: Fused, candidates: Candidates, asked: Wording) -> Float32:
    """The scores of sentences in the order in which they are quoted; see `by_support`.

    Returns:
        float32 ``(n_sentences,)``.
    """
    if len(asked.words) < TELLING:
        return fused.sentences
    return by_support(fused.sentences, fused.own_words, candidates.sentence_starts)


def query_terms(index: ArticleIndex, question: str) -> tuple[list[int], int]:
    """The question's distinct terms: ids of those the article uses, and how many others."""
    wanted = dict.fromkeys(terms(question, index.article.language))
    known = [index.term_of[term] for term in wanted if term in index.term_of]
    return known, len(wanted) - len(known)


def query_of(
    index: ArticleIndex, question: str, encoding: Encoding, known: Sequence[int], unknown: int
) -> Query:
    """The question as the features see it."""
    frequency = index.piece_frequency
    pieces = [frequency.get(piece, 0) for piece in encoding.token_ids.tolist()]
    return make_query(
        question,
        encoding,
        piece_frequencies=np.asarray(pieces, dtype=np.int32),
        n_passages=len(index.passages),
        term_idf=index.passage_postings.idf[list(known)],
        n_unknown=unknown,
    )


def make_query(
    question: str,
    encoding: Encoding,
    *,
    piece_frequencies: Int32,
    n_passages: int,
    term_idf: Float32,
    n_unknown: int,
) -> Query:
    """The question as the features see it.

    Args:
        question: As it is read.
        encoding: The question, encoded.
        piece_frequencies: int32 ``(n_query,)``: passages that hold each word piece.
        n_passages: Passages in all.
        term_idf: float32 ``(n_terms,)``: of its terms that are used.
        n_unknown: How many of its terms are not.
    """
    token_idf, weights = piece_weights(encoding.token_ids, piece_frequencies, n_passages)
    share = piece_shares(question, encoding)
    return Query(
        token_weights=weights * share,
        token_idf=token_idf * share,
        term_idf=term_idf,
        # A term that no passage uses weighs as much as the rarest could.
        unknown_idf=n_unknown * idf(0, n_passages),
        n_passages=n_passages,
        answer_type=answer_type(question),
    )


def piece_shares(question: str, encoding: Encoding) -> Float32:
    """What each word piece is of its word: a name cut into four pieces is still one word.

    Returns:
        float32 ``(n_tokens,)``: one over the number of pieces of the same word.
    """
    words, seam = [-1], None
    for start, end in encoding.token_spans.tolist():
        # Pieces of one word touch, with a letter or a digit on both sides of the seam.
        same = start == seam and question[start - 1 : start + 1].isalnum()
        words.append(words[-1] + (not same))
        seam = end
    word = np.asarray(words[1:], dtype=np.int64)
    return np.asarray(1.0 / np.bincount(word)[word], dtype=np.float32)


def candidates_of(index: ArticleIndex, encoding: Encoding, known: Sequence[int]) -> Candidates:
    """All of an article, beside what it shares with the question."""
    return Candidates(
        passage_cosines=index.passage_vectors @ encoding.vector,
        sentence_cosines=index.sentence_vectors @ encoding.vector,
        token_cosines=index.token_scan.cosines(encoding.token_vectors),
        sentence_starts=index.sentence_starts,
        token_starts=index.token_starts,
        lengths=index.lengths,
        traits=index.traits,
        passage_bm25=index.passage_postings.scores(known),
        sentence_bm25=index.sentence_postings.scores(known),
        matches=_matches(index.sentence_postings, known),
    )


def best_candidates(
    index: ArticleIndex, encoding: Encoding, known: Sequence[int], most: int
) -> tuple[Candidates, Int64, Int64]:
    """The passages of an article that are worth reading, beside what they share with the question.

    What a question costs then no longer grows with the article. Of what is cheap to know of
    each passage, the cosine of its best sentence and BM25 lose least.

    Args:
        index: The article's index.
        encoding: The question, encoded.
        known: Its terms that the article uses.
        most: How many passages; all where there are no more.

    Returns:
        The candidates, and which passages and sentences of the article they are, in order.
    """
    n_passages = len(index.passages)
    if most >= n_passages:
        every = candidates_of(index, encoding, known)
        return every, np.arange(n_passages), np.arange(len(index.sentences))
    starts, tokens = index.sentence_starts, index.token_starts
    cosines = index.sentence_vectors @ encoding.vector
    bm25 = index.passage_postings.scores(known)
    promise = np.maximum.reduceat(cosines, starts[:-1]) / USUAL_COSINES + bm25 / USUAL_BM25
    passages = np.sort(np.argpartition(-promise, most)[:most])
    n_sentences = starts[passages + 1] - starts[passages]
    sentences = ranges(starts[passages], n_sentences)
    n_tokens = tokens[sentences + 1] - tokens[sentences]
    pieces = ranges(tokens[sentences], n_tokens)
    candidates = Candidates(
        passage_cosines=index.passage_vectors[passages] @ encoding.vector,
        sentence_cosines=cosines[sentences],
        token_cosines=index.token_scan.cosines(encoding.token_vectors, pieces),
        sentence_starts=_bounds(n_sentences),
        token_starts=_bounds(n_tokens),
        lengths=index.lengths[sentences],
        traits=index.traits[sentences],
        passage_bm25=bm25[passages],
        sentence_bm25=index.sentence_postings.scores(known)[sentences],
        matches=_matches(index.sentence_postings, known)[sentences],
    )
    return candidates, passages, sentences


def _bounds(sizes: Int32) -> Int32:
    """Where each begins, laid end to end, and where the last ends."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)


def _matches(postings: Postings, known: Sequence[int]) -> NDArray[np.bool_]:
    matches = np.zeros((postings.n_documents, len(known)), dtype=bool)
    for column, term in enumerate(known):
        matches[postings.rows(term), column] = True
    return matches
