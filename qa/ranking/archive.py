"""Score the pool of candidates that an archive found for a question, as a whole article is scored.

    question ─▶ terms, vector, word pieces ─┐
    archive ─▶ dense + lexical ─▶ pool ─────┴▶ features ─▶ fusion

Document frequencies are the archive's, so that a word that is rare in it stays telling
even where every candidate holds it. A small archive is a pool of all its passages: a library
of one article ranks as the article does.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from index.archive.store import Hits, Int64, Snapshot, Statistics, Where
from index.models.encoder import Encoding, Float32, Int32
from index.scoring.pool import Pool, bm25, idf, sum_by_passage
from index.scoring.terms import STEMMED, STOP_WORDS, terms
from qa.ranking.article import Ranking, make_query, score
from qa.ranking.content_words import wording
from qa.ranking.features import Candidates

__all__ = ["ArchiveVocabulary", "Ranked", "Reading", "fused", "rank_archive", "read_question"]

POOL: Final = 20
"""Passages that are read and scored, which is most of a question's cost. Of 5,665
questions to 24 articles as one archive, all of the first 16 of each answered as many by the first
passage and four more by the first three."""
DEEPER: Final = 4
"""Passages more that each search looks for than are read."""
RANK_OFFSET: Final = 60
"""How little the first ranks differ in a vote; the value of the paper."""
TIED: Final = 8
"""Passages more that are looked at for one as good as the last."""
ENGLISH: Final = 2
"""Little words of English from which a question is taken to be in it."""
LEVEL: Final = 1e-6
"""Scores that differ by no more are equal."""
_EQUAL: Final = 1e-9
_LOOKED_INTO: Final = 5
_WORD: Final = re.compile(r"[^\W\d_]+")
WHOLE: Final = 64
"""Passages up to which an archive is ranked whole."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A question beside what an archive knows of its words.

    Attributes:
        question: As it is read.
        encoding: Made of it by the model that made the archive.
        known: Its distinct terms that the archive uses.
        frequencies: int64 ``(n_known,)``: passages that hold each.
        term_idf: float32 ``(n_known,)``: idf among passages.
        n_unknown: How many of its terms the archive does not use.
    """

    question: str
    encoding: Encoding
    known: tuple[str, ...]
    frequencies: Int64
    term_idf: Float32
    n_unknown: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """A pool and its scores.

    Attributes:
        pool: The candidates.
        rows: int64 ``(n_passages,)``, ascending: the store's name of each.
        ranking: Their scores.
    """

    pool: Pool
    rows: Int64
    ranking: Ranking


class ArchiveVocabulary:
    """The words that an archive uses, looked up by their terms."""

    def __init__(self, snapshot: Snapshot, question: str) -> None:
        """Look words up in a snapshot, those of a question in one go."""
        self._snapshot = snapshot
        self._used = frozenset(self._indexed(_WORD.findall(question.lower())))

    def __contains__(self, word: object) -> bool:
        """Whether the archive uses a word of the question."""
        return word in self._used

    def intersection(self, words: Iterable[str]) -> Collection[str]:
        """Those of some words that are used, as they are spelt here.

        "Orste" has the stem of "Orsted" and stands nowhere: what an archive indexes by its
        stem alone is looked for in the text of a few passages that hold the stem.
        """
        return [word for word in self._indexed(words) if self._stands(word)]

    def _stands(self, word: str) -> bool:
        wanted = terms(word)
        rows = np.sort(self._snapshot.lexical(wanted, _LOOKED_INTO).rows)
        if not len(rows):
            return True  # a word that makes no term is used everywhere
        pool = self._snapshot.pool(rows, ())
        texts = (
            self._snapshot.article(pool.articles[owner]).text[start:end].lower()
            for owner, (start, end) in zip(
                pool.article_of.tolist(), pool.passage_spans.tolist(), strict=True
            )
        )
        return any(word in _WORD.findall(text) for text in texts)

    def _indexed(self, words: Iterable[str]) -> Collection[str]:
        terms_of = {word: terms(word) for word in words}
        wanted = sorted({term for found in terms_of.values() for term in found})
        frequencies = self._snapshot.document_frequencies(wanted) if wanted else ()
        used = {term for term, df in zip(wanted, frequencies, strict=True) if df > 0}
        return [word for word, found in terms_of.items() if used.issuperset(found)]


def read_question(snapshot: Snapshot, question: str, encoding: Encoding) -> Reading:
    """Look a question's terms up.

    Args:
        snapshot: The archive.
        question: As it is read.
        encoding: Made of it by the model that made the archive.
    """
    wanted = list(dict.fromkeys(terms(question)))
    frequencies = snapshot.document_frequencies(wanted).tolist()
    known = {term: df for term, df in zip(wanted, frequencies, strict=True) if df > 0}
    if not _is_english(question):
        known |= _stemmed_elsewhere(snapshot, [term for term in wanted if term not in known])
    n_passages = snapshot.statistics.n_passages
    term_idf = np.asarray([idf(df, n_passages) for df in known.values()], dtype=np.float32)
    return Reading(
        question=question,
        encoding=encoding,
        known=tuple(known),
        frequencies=np.asarray(list(known.values()), dtype=np.int64),
        term_idf=term_idf,
        n_unknown=len(wanted) - len(known),
    )


def _is_english(question: str) -> bool:
    """Whether a question has the little words of English; one, as "was", others have too."""
    return sum(word in STOP_WORDS for word in _WORD.findall(question.lower())) >= ENGLISH


def _stemmed_elsewhere(snapshot: Snapshot, missing: Sequence[str]) -> dict[str, int]:
    """For terms that no passage has: what they are in another language, and how many have that.

    A passage's words are stemmed by the language of its article; a question is too short to
    tell its own by.
    """
    stems = {
        term: list(dict.fromkeys(s for code in STEMMED for s in terms(term, code) if s != term))
        for term in missing
    }
    every = list(dict.fromkeys(stem for tried in stems.values() for stem in tried))
    if not every:
        return {}
    frequencies = snapshot.document_frequencies(every).tolist()
    used = {stem: df for stem, df in zip(every, frequencies, strict=True) if df > 0}
    found: dict[str, int] = {}
    for tried in stems.values():
        best = max((s for s in tried if s in used), key=lambda s: used[s], default=None)
        if best is not None:
            found[best] = used[best]
    return found


def rank_archive(
    snapshot: Snapshot,
    readings: Sequence[Reading],
    wheres: Sequence[Where | None],
    n_passages: int = POOL,
) -> tuple[Ranked, ...]:
    """Find candidates and score them.

    Args:
        snapshot: The archive.
        readings: A question, in the forms in which it is searched for; one or more.
        wheres: Filters; the pool holds what is best under each of them.
        n_passages: Passages read for each reading under each filter.

    Returns:
        One pool, scored for each reading; nothing where no passage comes into question.
    """
    rows = _candidates(snapshot, readings, wheres, n_passages)
    if not len(rows):
        return ()
    known = list(dict.fromkeys(term for reading in readings for term in reading.known))
    pool = snapshot.pool(rows, known)
    return tuple(
        Ranked(pool, rows, _rank(snapshot, reading, pool, [known.index(t) for t in reading.known]))
        for reading in readings
    )


def _candidates(
    snapshot: Snapshot,
    readings: Sequence[Reading],
    wheres: Sequence[Where | None],
    n_passages: int,
) -> Int64:
    n, depth = snapshot.statistics.n_passages, n_passages + DEEPER + TIED
    found = []
    for reading, where in product(readings, wheres):
        vector = reading.encoding.vector
        if n <= WHOLE:
            found.append(snapshot.dense(vector, n, where).rows)
        else:
            searches = (
                snapshot.dense(vector, depth, where),
                snapshot.lexical(reading.known, depth, where),
            )
            found.append(fused(searches, n_passages))
    return np.unique(np.concatenate(found))


def fused(searches: Sequence[Hits], limit: int) -> Int64:
    """The rows that stand highest in all searches together, by reciprocal rank fusion.

    Cormack et al., 2009, https://doi.org/10.1145/1571941.1572114. Rows that are level share a
    rank, and all that are as good as the last are taken: which of two equals comes first is a
    matter of rounding, and differs from store to store.

    Args:
        searches: What each found; the first ``limit + DEEPER`` of it count.
        limit: Rows wanted.

    Returns:
        int64 ``(n,)``: so many rows, or all there are, or more where some are equals.
    """
    votes: defaultdict[int, float] = defaultdict(float)
    for hits in searches:
        falling = -hits.scores
        ranks = np.searchsorted(falling, falling - LEVEL)
        for row, rank in zip(hits.rows.tolist(), ranks.tolist(), strict=True):
            if rank < limit + DEEPER:
                votes[row] += 1 / (RANK_OFFSET + 1 + rank)  # the paper counts from 1
    least = min(sorted(votes.values(), reverse=True)[:limit], default=0.0)
    return np.asarray([row for row, vote in votes.items() if vote >= least - _EQUAL], np.int64)


def _rank(snapshot: Snapshot, reading: Reading, pool: Pool, columns: Sequence[int]) -> Ranking:
    statistics, encoding = snapshot.statistics, reading.encoding
    query = make_query(
        reading.question,
        encoding,
        piece_frequencies=snapshot.piece_frequencies(encoding.token_ids),
        n_passages=statistics.n_passages,
        term_idf=reading.term_idf,
        n_unknown=reading.n_unknown,
    )
    candidates = candidates_of(pool, columns, statistics, reading)
    return score(query, candidates, wording(reading.question, encoding, reading.known))


def candidates_of(
    pool: Pool, columns: Sequence[int], statistics: Statistics, reading: Reading
) -> Candidates:
    """A pool as the features see it.

    Args:
        pool: The candidates.
        columns: Of the terms that the pool counted, those of the question.
        statistics: Of the archive that they are from.
        reading: The question.
    """
    spans, counts = pool.sentence_spans, pool.term_counts[:, list(columns)]
    by_passage = sum_by_passage(counts, pool)
    encoding = reading.encoding
    cosines = pool.tokens.cosines(np.concatenate([encoding.vector[None], encoding.token_vectors]))
    sentence_idf = _sentence_idf(counts, by_passage, reading, statistics.n_sentences)
    return Candidates(
        passage_cosines=pool.passage_vectors @ encoding.vector,
        sentence_cosines=_of_means(cosines[0], pool),
        token_cosines=cosines[1:],
        sentence_starts=pool.sentence_starts,
        token_starts=pool.token_starts,
        lengths=spans[:, 1] - spans[:, 0],
        traits=pool.traits,
        passage_bm25=bm25(
            by_passage,
            sum_by_passage(pool.lengths, pool),
            statistics.passage_length,
            reading.term_idf,
        ),
        sentence_bm25=bm25(counts, pool.lengths, statistics.sentence_length, sentence_idf),
        matches=counts > 0,
    )


def _of_means(cosines: Float32, pool: Pool) -> Float32:
    """The cosine with the mean of each sentence's word pieces, out of the cosines with these.

    Late chunking (Günther et al., 2024, https://arxiv.org/abs/2409.04701), as
    `index.scoring.pool.pooled` does it for an article.
    """
    starts = pool.token_starts
    total = np.concatenate([[0.0], np.cumsum(cosines, dtype=np.float64)])[starts]
    lengths = np.diff(starts) * pool.tokens.mean_lengths(starts)
    return np.asarray(np.diff(total) / np.maximum(lengths, 1e-9), dtype=np.float32)


def _sentence_idf(counts: Int32, by_passage: Int32, reading: Reading, n_sentences: int) -> Float32:
    """Idf among sentences, which no store counts: passages, times what each holds in the pool.

    Exact where the pool is the whole archive.
    """
    n = np.maximum((by_passage > 0).sum(axis=0), 1)
    each = np.maximum((counts > 0).sum(axis=0) / n, 1.0)
    frequencies = np.minimum(np.rint(reading.frequencies * each), n_sentences)
    return np.asarray([idf(df, n_sentences) for df in frequencies.tolist()], dtype=np.float32)
