"""Score every passage and sentence of an article for a question.

question ─▶ terms, vector, word pieces ─┐
index ─▶ candidates ────────────────────┴▶ features ─▶ fusion
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.article_index import ArticleIndex
from index.encoder import Encoding, Float32
from index.terms import Postings, terms
from qa.confidence import confidence
from qa.features import Candidates, Query, by_words_alone, piece_weights
from qa.fusion import coefficients, fuse
from qa.question import answer_type
from qa.reranker import Reranker, rerank
from qa.wording import wording

__all__ = ["Ranking", "candidates_of", "piece_shares", "query_of", "query_terms", "rank"]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Scores for one question, higher is better.

    Attributes:
        passages: float32 ``(n_passages,)``.
        sentences: float32 ``(n_sentences,)``.
        confidence: Probability that the best three sentences answer the question.
        reasons: What undermined or supported it, in plain words.
    """

    passages: Float32
    sentences: Float32
    confidence: float
    reasons: tuple[str, ...] = ()


def rank(
    index: ArticleIndex, question: str, encoding: Encoding, *, reranker: Reranker | None = None
) -> Ranking:
    """Score an article's passages and sentences.

    Args:
        index: The article's index.
        question: As it was asked.
        encoding: The question, encoded by the model that made the index.
        reranker: Has a second look at the best. The confidence is then that of the sentences
            which it puts first, by the same evidence as ever: its own scores are calibrated
            for nothing, and do not enter.
    """
    known, unknown = query_terms(index, question)
    query = query_of(index, question, encoding, known, unknown)
    candidates = candidates_of(index, known)
    if index.legible:
        passages, sentences = fuse(query, candidates, coefficients())
    else:
        lexical, met = by_words_alone(query, candidates)
        passages, sentences = fuse(lexical, candidates, coefficients(), interaction=met)
    if reranker:
        passages, sentences = rerank(index, question, passages, sentences, reranker)
    vocabulary = index.terms.vocabulary
    asked = wording(
        question, encoding, [vocabulary[term] for term in known], index.article.language
    )
    sure = confidence(query, candidates, passages, sentences, asked)
    return Ranking(passages, sentences, sure.probability, sure.reasons)


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
    n_passages = len(index.passages)
    idf, weights = piece_weights(
        encoding.token_ids,
        np.asarray([frequency.get(p, 0) for p in encoding.token_ids.tolist()], dtype=np.int32),
        n_passages,
    )
    share = piece_shares(question, encoding)
    postings = index.passage_postings
    # A term that no passage uses weighs what one in half a passage would.
    unheard = float(np.log1p((n_passages + 0.5) / 0.5))
    return Query(
        vector=encoding.vector,
        token_vectors=encoding.token_vectors,
        token_weights=weights * share,
        token_idf=idf * share,
        term_idf=postings.idf[list(known)],
        unknown_idf=unknown * unheard,
        answer_type=answer_type(question),
    )


def piece_shares(question: str, encoding: Encoding) -> Float32:
    """What each word piece is of its word: a name cut into four pieces is still one word.

    Returns:
        float32 ``(n_tokens,)``: one over the number of pieces of the same word.
    """
    spans = encoding.token_spans
    begins = np.ones(len(spans), dtype=bool)
    for row, (start, _) in enumerate(spans.tolist()):
        # Pieces of one word touch, with a letter or a digit on both sides of the seam.
        touches = row > 0 and start == spans[row - 1, 1]
        begins[row] = not (touches and question[start - 1 : start + 1].isalnum())
    word = np.cumsum(begins) - 1
    return np.asarray(1.0 / np.bincount(word)[word], dtype=np.float32)


def candidates_of(index: ArticleIndex, known: Sequence[int]) -> Candidates:
    """All of an article, beside what it shares with the question's terms."""
    return Candidates(
        passage_vectors=index.passage_vectors,
        sentence_vectors=index.sentence_vectors,
        token_vectors=index.token_vectors,
        sentence_starts=index.sentence_starts,
        token_starts=index.token_starts,
        lengths=index.lengths,
        traits=index.traits,
        passage_bm25=index.passage_postings.scores(known),
        sentence_bm25=index.sentence_postings.scores(known),
        matches=_matches(index.sentence_postings, known),
    )


def _matches(postings: Postings, known: Sequence[int]) -> NDArray[np.bool_]:
    matches = np.zeros((postings.n_documents, len(known)), dtype=bool)
    for column, term in enumerate(known):
        matches[postings.rows(term), column] = True
    return matches
