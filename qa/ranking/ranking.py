"""Score the candidates for a question: features ─▶ fusion ─▶ order, confidence and its reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import numpy as np

from index.archive.store import Int64, Snapshot, Where
from index.models.encoder import Float32
from index.scoring.pool import Pool
from qa.question.languages import MULTILINGUAL
from qa.ranking.candidates import (
    ParsedQuestion,
    candidates_of,
    find_rows,
    legible,
    query_of,
)
from qa.ranking.confidence import confidence
from qa.ranking.content_words import Wording, wording
from qa.ranking.features import Candidates, Query, by_words_alone, interact
from qa.ranking.fusion import Fused, by_support, coefficients, fuse, with_reading
from qa.ranking.reasons import MAX_REASONS
from qa.ranking.reranker import Reranker, SecondLook
from qa.reading.candidates import Places, Readings, read_best
from qa.reading.reader import Reader, Span, asks_for_words

__all__ = ["RankedPool", "Ranking", "as_quoted", "places_of", "rank", "score", "texts_of"]

NOT_READ: Final = "no exact words are marked, for the reader knows English alone"
UNREAD: Final = (
    "the model does not read the article's language, so that words alone were compared;"
    f" one that does: --model {MULTILINGUAL}"
)
MET: Final = 0.1
"""Share of a question's words, by weight, that the first sentence has at least where article and
question are not in English."""
MET_ALONE: Final = 0.2
"""The same where the model does not read the script. Of 80 questions to articles about something
else 2 count as found in Spanish, Russian and Arabic, and none in German and Chinese; without
these two it would be 10, 68 and 66, 0 and 74."""
_READ: Final = "en"
TELLING: Final = 4
"""Content words from which a question says enough for its words to tell what supports an answer;
shorter ones ("Was that the start of her career?") mostly lean on what was said before."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Scores for one question, higher is better.

    Attributes:
        passages: float32 ``(n_passages,)``.
        sentences: float32 ``(n_sentences,)``, each for itself.
        quoted: The same in the order in which they are quoted.
        confidence: Probability that the first sentence answers the question.
        reasons: What undermined or supported it, in plain words.
        spans: What the reader found in each sentence that it read, by its row.
    """

    passages: Float32
    sentences: Float32
    quoted: Float32
    confidence: float
    reasons: tuple[str, ...] = ()
    spans: Mapping[int, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RankedPool:
    """A pool and its scores.

    Attributes:
        pool: The candidates.
        rows: int64 ``(n_passages,)``, ascending: the snapshot's name of each.
        ranking: Their scores.
    """

    pool: Pool
    rows: Int64
    ranking: Ranking


# OpenBLAS's kernels for AVX-512 look beyond the end of small matrices, and what lies there may be
# taken for an invalid number, of which NumPy then warns; what it computes is right.
@np.errstate(invalid="ignore")
def rank(
    snapshot: Snapshot,
    questions: Sequence[ParsedQuestion],
    wheres: Sequence[Where | None] = (None,),
    *,
    n_passages: int,
    reranker: Reranker | None = None,
    reader: Reader | None = None,
) -> tuple[RankedPool, ...]:
    """Find candidates and score them.

    Args:
        snapshot: What is asked.
        questions: A question, in the forms in which it is searched for; one or more.
        wheres: Filters; the pool holds what is best under each of them.
        n_passages: Passages read for each question under each filter.
        reranker: Has a second look at the best for the last question. The confidence is then
            that of the sentences which it puts first, by the same evidence as ever: its own
            scores are calibrated for nothing, and do not enter.
        reader: Reads around the best for the last question.

    Returns:
        One pool, scored for each question; nothing where no passage comes into question.
    """
    rows = find_rows(snapshot, questions, wheres, n_passages)
    if not len(rows):
        return ()
    known = list(dict.fromkeys(term for parsed in questions for term in parsed.known))
    pool = snapshot.pool(rows, known)
    texts = texts_of(snapshot, pool)
    readable = legible(pool, texts)
    places = places_of(snapshot, pool) if reader else None
    ranked = []
    for parsed in questions:
        columns = [known.index(term) for term in parsed.known]
        query = query_of(snapshot, parsed)
        candidates = candidates_of(pool, columns, snapshot.statistics, parsed)
        ranking = score(
            query,
            candidates,
            wording(parsed.question, parsed.encoding, parsed.known, parsed.language),
            legible=readable,
            second_look=SecondLook(reranker, parsed.question, pool, texts)
            if reranker and parsed is questions[-1]
            else None,
            read=partial(read_best, reader, parsed.question, places=places)
            if reader and places and parsed is questions[-1] and asks_for_words(parsed.question)
            else None,
        )
        if not readable or (parsed.language or _READ) != _READ:
            ranking = _borne_out(ranking, query, candidates, legible=readable)
        ranked.append(RankedPool(pool, rows, ranking))
    return tuple(ranked)


def _borne_out(ranking: Ranking, query: Query, candidates: Candidates, *, legible: bool) -> Ranking:
    """Hold the confidence to the words that the first sentence shares with the question.

    The weights are fitted to English, where vectors tell what is beside the point.
    """
    weighs = float(query.term_idf.sum()) + query.unknown_idf
    met = float(candidates.matches[ranking.quoted.argmax()] @ query.term_idf) / (weighs or 1.0)
    if not legible:
        reasons = (UNREAD, *ranking.reasons[: MAX_REASONS - 1])
        return replace(ranking, confidence=met if met >= MET_ALONE else 0.0, reasons=reasons)
    return ranking if met >= MET else replace(ranking, confidence=0.0)


def places_of(snapshot: Snapshot, pool: Pool) -> Places:
    """Where a pool's sentences stand, for the reader."""
    owners = pool.article_of[pool.passage_of]
    return Places(pool.sentence_spans, owners, tuple(map(snapshot.article, pool.articles)))


def texts_of(snapshot: Snapshot, pool: Pool) -> list[str]:
    """The texts of a pool's passages."""
    articles = [snapshot.article(key).text for key in pool.articles]
    return [
        articles[owner][start:end]
        for owner, (start, end) in zip(
            pool.article_of.tolist(), pool.passage_spans.tolist(), strict=True
        )
    ]


def score(
    query: Query,
    candidates: Candidates,
    asked: Wording,
    *,
    legible: bool = True,
    second_look: SecondLook | None = None,
    read: Callable[[Float32], Readings | None] | None = None,
) -> Ranking:
    """Score candidates.

    Args:
        query: The question.
        candidates: What is to be ranked.
        asked: The question's words.
        legible: Whether the model reads what they are written in.
        second_look: Reorders the scores of passages and sentences.
        read: Reads around the sentences that score best.
    """
    interaction = interact(candidates)
    if legible:
        fused = fuse(query, candidates, coefficients(), interaction=interaction)
    else:
        lexical, words, met = by_words_alone(query, candidates)
        fused = fuse(lexical, words, coefficients(), interaction=met)
    readings = read(fused.sentences) if read and legible else None
    margins = readings.margins if readings else None
    final = fused
    if margins is not None:
        final = with_reading(fused, margins, coefficients(), candidates.sentence_starts)
    passages, quoted = final.passages, as_quoted(final, candidates, asked)
    if second_look:
        passages, quoted = second_look(passages, quoted)
    sure = confidence(query, candidates, interaction.tokens, passages, quoted, asked, margins)
    reasons = sure.reasons
    if read and not readings:
        reasons = (*reasons[: MAX_REASONS - 1], NOT_READ)
    spans = readings.spans if readings else {}
    return Ranking(passages, fused.sentences, quoted, sure.probability, reasons, spans)


def as_quoted(fused: Fused, candidates: Candidates, asked: Wording) -> Float32:
    """The scores of sentences in the order in which they are quoted; see `by_support`.

    Returns:
        float32 ``(n_sentences,)``.
    """
    if len(asked.words) < TELLING:
        return fused.sentences
    return by_support(fused.sentences, fused.own_words, candidates.sentence_starts)
