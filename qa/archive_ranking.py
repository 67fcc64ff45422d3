"""Score the pool of candidates that an archive found for a question, as a whole article is scored.

    question ─▶ terms, vector, word pieces ─┐
    archive ─▶ dense + lexical ─▶ pool ─────┴▶ features ─▶ fusion

Document frequencies are the archive's, so that a word that is rare in it stays telling
even where every candidate holds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from index.encoder import Encoding, Float32
from index.pool import Pool, bm25, idf, sum_by_passage
from index.store import Int64, Snapshot, Statistics, Where
from index.terms import terms
from qa.confidence import confidence
from qa.features import Candidates, Query, piece_weights
from qa.fusion import coefficients, fuse
from qa.question import answer_type, repair_typos
from qa.ranking import piece_shares
from qa.wording import wording

__all__ = ["Ranked", "rank_archive"]

DENSE, LEXICAL = 20, 20
"""Passages that each search contributes to the pool."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A pool and its scores, higher is better.

    Attributes:
        pool: The candidates.
        passages: float32 ``(n_passages,)``.
        sentences: float32 ``(n_sentences,)``.
        confidence: Probability that the best sentences answer the question.
        reasons: What undermined or supported it, in plain words.
    """

    pool: Pool
    passages: Float32
    sentences: Float32
    confidence: float
    reasons: tuple[str, ...]


class _Vocabulary:
    """The archive's terms, as far as they are asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def __contains__(self, term: object) -> bool:
        return int(self._snapshot.document_frequencies([str(term)])[0]) > 0

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def rank_archive(
    snapshot: Snapshot, question: str, encoding: Encoding, wheres: Sequence[Where | None]
) -> Ranked | None:
    """Find candidates and score them.

    Args:
        snapshot: The archive.
        question: As it was asked.
        encoding: The question, encoded by the model that made the archive.
        wheres: Filters; the pool holds what is best under each of them.

    Returns:
        None where no passage comes into question at all.
    """
    wanted = list(dict.fromkeys(terms(question)))
    repairs = repair_typos(wanted, _Vocabulary(snapshot))
    wanted = list(dict.fromkeys(repairs.get(term, term) for term in wanted))
    frequencies = snapshot.document_frequencies(wanted)
    known = [term for term, df in zip(wanted, frequencies.tolist(), strict=True) if df > 0]
    rows = _candidates(snapshot, encoding.vector, known, wheres)
    if not len(rows):
        return None
    pool = snapshot.pool(rows, known)
    statistics = snapshot.statistics
    term_idf = np.asarray(
        [idf(df, statistics.n_passages) for df in frequencies.tolist() if df > 0], dtype=np.float32
    )
    query = _query(snapshot, question, encoding, term_idf, len(wanted) - len(known))
    candidates = candidates_of(pool, statistics, term_idf)
    passages, sentences = fuse(query, candidates, coefficients())
    sure = confidence(query, candidates, passages, sentences, wording(question, encoding, known))
    return Ranked(pool, passages, sentences, sure.probability, sure.reasons)


def _candidates(
    snapshot: Snapshot, vector: Float32, known: Sequence[str], wheres: Sequence[Where | None]
) -> Int64:
    found = [
        hits.rows
        for where in wheres
        for hits in (
            snapshot.dense(vector, DENSE, where),
            snapshot.lexical(known, LEXICAL, where),
        )
    ]
    return np.unique(np.concatenate(found))


def _query(
    snapshot: Snapshot, question: str, encoding: Encoding, term_idf: Float32, unknown: int
) -> Query:
    n_passages = snapshot.statistics.n_passages
    token_idf, weights = piece_weights(
        encoding.token_ids, snapshot.piece_frequencies(encoding.token_ids), n_passages
    )
    share = piece_shares(question, encoding)
    return Query(
        vector=encoding.vector,
        token_vectors=encoding.token_vectors,
        token_weights=weights * share,
        token_idf=token_idf * share,
        term_idf=term_idf,
        # A term that no passage uses weighs as much as the rarest could.
        unknown_idf=unknown * idf(0, n_passages),
        answer_type=answer_type(question),
    )


def candidates_of(pool: Pool, statistics: Statistics, term_idf: Float32) -> Candidates:
    """A pool as the features see it.

    Args:
        pool: The candidates.
        statistics: Of the archive that they are from.
        term_idf: float32 ``(n_terms,)``: of the terms that the pool counted.
    """
    spans = pool.sentence_spans
    return Candidates(
        passage_vectors=pool.passage_vectors,
        sentence_vectors=pool.sentence_vectors,
        token_vectors=pool.token_vectors,
        sentence_starts=pool.sentence_starts,
        token_starts=pool.token_starts,
        lengths=spans[:, 1] - spans[:, 0],
        traits=pool.traits,
        passage_bm25=bm25(
            sum_by_passage(pool.term_counts, pool),
            sum_by_passage(pool.lengths, pool),
            statistics.passage_length,
            term_idf,
        ),
        sentence_bm25=bm25(pool.term_counts, pool.lengths, statistics.sentence_length, term_idf),
        matches=pool.term_counts > 0,
    )
