"""From a question and a snapshot to the few passages that are worth reading, and how they compare.

    question ─▶ terms, vector, word pieces ─┐
    snapshot ─▶ dense + lexical ─▶ pool ────┴▶ query, candidates

Document frequencies are those of the whole snapshot, so that a word that is rare in it stays
telling even where every candidate holds it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from index.archive.store import Entry, Hits, Int64, Snapshot, Statistics, Where
from index.models.encoder import Encoding, Float32, Int32
from index.scoring.bm25 import bm25, idf
from index.scoring.pool import Pool, sum_by_passage
from index.scoring.terms import STEMMED, STOP_WORDS, terms
from qa.question.answer_type import answer_type
from qa.ranking.features import Candidates, Query, piece_weights

__all__ = [
    "ParsedQuestion",
    "SnapshotVocabulary",
    "candidates_of",
    "every_candidate",
    "find_rows",
    "fused",
    "legible",
    "only_entry",
    "parse_question",
    "piece_shares",
    "query_of",
]

POOL: Final = 20
"""Passages of an archive that are read and scored, which is most of a question's cost. Of 5,665
questions to 24 articles as one archive, all of the first 16 of each answered as many by the first
passage and four more by the first three."""
POOL_OF_ONE: Final = 12
"""The same of one article. On SQuAD 1.1, whose articles have 20 to 110 passages, one of the
first three answers as many questions as if all were read: 97 of 100."""
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
LEGIBLE_WORDS: Final = 20
"""Words under which a text is too short to tell."""
LEGIBLE_PIECES: Final = 3.0
"""Word pieces a word up to which it is read: English has 1.1, German 1.8, Russian 4.8."""
LEGIBLE_SHARE: Final = 0.2
"""Share of the commonest piece up to which it is read: the unknown sign is 0.3 of Japanese."""
WESTERN_SHARE: Final = 0.95
_EQUAL: Final = 1e-9
_LOOKED_INTO: Final = 5
_WORD: Final = re.compile(r"[^\W\d_]+")
# Han and kana sign by sign, for they write no spaces.
_SIGN: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    """A question beside what a snapshot knows of its words.

    Attributes:
        question: As it is read.
        encoding: Made of it by the model that made the snapshot's vectors.
        known: Its distinct terms that the snapshot uses.
        frequencies: int64 ``(n_known,)``: passages that hold each.
        term_idf: float32 ``(n_known,)``: idf among passages.
        n_unknown: How many of its terms are not used.
        language: ISO 639-1 code of what is asked, where that is one article.
    """

    question: str
    encoding: Encoding
    known: tuple[str, ...]
    frequencies: Int64
    term_idf: Float32
    n_unknown: int
    language: str | None = None


class SnapshotVocabulary:
    """The words that a snapshot uses, looked up by their terms."""

    def __init__(self, snapshot: Snapshot, question: str) -> None:
        """Look words up in a snapshot, those of a question in one go."""
        self._snapshot = snapshot
        self._used = frozenset(self._indexed(_WORD.findall(question.lower())))

    def __contains__(self, word: object) -> bool:
        """Whether a word of the question is used."""
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


def only_entry(snapshot: Snapshot, where: Where | None = None) -> Entry | None:
    """The article that is asked, where it can be but one."""
    if snapshot.statistics.n_articles != 1 and (not where or len({*where.ids}) != 1):
        return None
    return next(iter(snapshot.entries(where, limit=1)), None)


def parse_question(snapshot: Snapshot, question: str, encoding: Encoding) -> ParsedQuestion:
    """Look a question's terms up.

    Args:
        snapshot: What is asked.
        question: As it is read.
        encoding: Made of it by the model that made the snapshot's vectors.
    """
    only = only_entry(snapshot)
    language = only.language if only else None
    wanted = list(dict.fromkeys(terms(question, language)))
    frequencies = snapshot.document_frequencies(wanted).tolist()
    known = {term: df for term, df in zip(wanted, frequencies, strict=True) if df > 0}
    if not only and not _is_english(question):
        known |= _stemmed_elsewhere(snapshot, [term for term in wanted if term not in known])
    n_passages = snapshot.statistics.n_passages
    term_idf = np.asarray([idf(df, n_passages) for df in known.values()], dtype=np.float32)
    return ParsedQuestion(
        question=question,
        encoding=encoding,
        known=tuple(known),
        frequencies=np.asarray(list(known.values()), dtype=np.int64),
        term_idf=term_idf,
        n_unknown=len(wanted) - len(known),
        language=language,
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


def find_rows(
    snapshot: Snapshot,
    questions: Sequence[ParsedQuestion],
    wheres: Sequence[Where | None],
    n_passages: int,
) -> Int64:
    """The passages that dense and lexical search together find, for each question and filter.

    Args:
        snapshot: What is asked.
        questions: A question in the forms in which it is searched for.
        wheres: Filters; what is best under each of them is found.
        n_passages: Wanted for each question under each filter; all where there are no more.

    Returns:
        int64 ``(n,)``, ascending.
    """
    n, depth = snapshot.statistics.n_passages, n_passages + DEEPER + TIED
    found = []
    for parsed, where in product(questions, wheres):
        dense = snapshot.dense(parsed.encoding.vector, min(n, depth), where)
        if n <= n_passages:
            found.append(dense.rows)
        else:
            found.append(fused((dense, snapshot.lexical(parsed.known, depth, where)), n_passages))
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


def query_of(snapshot: Snapshot, parsed: ParsedQuestion) -> Query:
    """The question as the features see it."""
    encoding, n_passages = parsed.encoding, snapshot.statistics.n_passages
    frequencies = snapshot.piece_frequencies(encoding.token_ids)
    token_idf, weights = piece_weights(encoding.token_ids, frequencies, n_passages)
    share = piece_shares(parsed.question, encoding)
    return Query(
        token_weights=weights * share,
        token_idf=token_idf * share,
        term_idf=parsed.term_idf,
        # A term that no passage uses weighs as much as the rarest could.
        unknown_idf=parsed.n_unknown * idf(0, n_passages),
        n_passages=n_passages,
        answer_type=answer_type(parsed.question),
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


def candidates_of(
    pool: Pool, columns: Sequence[int], statistics: Statistics, parsed: ParsedQuestion
) -> Candidates:
    """A pool as the features see it.

    Args:
        pool: The passages.
        columns: Of the terms that the pool counted, those of the question.
        statistics: Of the snapshot that they are from.
        parsed: The question.
    """
    spans, counts = pool.sentence_spans, pool.term_counts[:, list(columns)]
    by_passage = sum_by_passage(counts, pool)
    encoding = parsed.encoding
    cosines = pool.tokens.cosines(np.concatenate([encoding.vector[None], encoding.token_vectors]))
    sentence_idf = _sentence_idf(counts, by_passage, parsed, statistics.n_sentences)
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
            parsed.term_idf,
        ),
        sentence_bm25=bm25(counts, pool.lengths, statistics.sentence_length, sentence_idf),
        matches=counts > 0,
    )


def every_candidate(snapshot: Snapshot, parsed: ParsedQuestion) -> Candidates:
    """All passages of one article as the features see them, for fitting and ablations."""
    pool = snapshot.pool(np.arange(snapshot.statistics.n_passages), parsed.known)
    return candidates_of(pool, range(len(parsed.known)), snapshot.statistics, parsed)


def legible(pool: Pool, texts: Sequence[str]) -> bool:
    """Whether the model reads what some passages are written in.

    A vocabulary that lacks a script falls to single letters, or to one sign for whatever it
    does not know; its vectors then say nothing about meaning.

    Args:
        pool: The passages.
        texts: Theirs.
    """
    text = "".join(texts)
    # Every model knows the letters of Western Europe.
    if len(text.encode("cp1252", "ignore")) > WESTERN_SHARE * len(text):
        return True
    words, pieces = len(_SIGN.findall(text)), len(pool.token_ids)
    if words < LEGIBLE_WORDS or not pieces:
        return True
    commonest = int(np.bincount(pool.token_ids).max())
    return pieces <= LEGIBLE_PIECES * words and commonest <= LEGIBLE_SHARE * pieces


def _of_means(cosines: Float32, pool: Pool) -> Float32:
    """The cosine with the mean of each sentence's word pieces, out of the cosines with these.

    Late chunking (Günther et al., 2024, https://arxiv.org/abs/2409.04701): a sentence is also
    what its passage makes of it.
    """
    starts = pool.token_starts
    total = np.concatenate([[0.0], np.cumsum(cosines, dtype=np.float64)])[starts]
    lengths = np.diff(starts) * pool.tokens.mean_lengths(starts)
    return np.asarray(np.diff(total) / np.maximum(lengths, 1e-9), dtype=np.float32)


def _sentence_idf(
    counts: Int32, by_passage: Int32, parsed: ParsedQuestion, n_sentences: int
) -> Float32:
    """Idf among sentences, which no store counts: passages, times what each holds in the pool.

    Exact where the pool is the whole snapshot.
    """
    n = np.maximum((by_passage > 0).sum(axis=0), 1)
    each = np.maximum((counts > 0).sum(axis=0) / n, 1.0)
    frequencies = np.minimum(np.rint(parsed.frequencies * each), n_sentences)
    return np.asarray([idf(df, n_sentences) for df in frequencies.tolist()], dtype=np.float32)
