"""A follow-up to an archive: what was cited before, and how near to it each candidate stands.

A conversation mostly goes on in the article that it was in. The articles cited last
therefore bring in their own best passages, and what is ranked in context is one pool: the
candidates of the question alone and of it read after the questions before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from index.store import Int64, Snapshot, Where
from qa.answer import Answer, Citation
from qa.archive_ranking import Ranked
from qa.followup import FollowUp, is_short, leaning_of, read_after, weighted, weights
from qa.followup import Where as Cited
from qa.followup_ranking import combined, nearness

__all__ = ["Context", "context_of", "in_context", "narrowed", "still_there"]

_APART: Final = 1_000
"""Sentences between two stretches that are not known to be neighbours; more than any step."""
_LOOKED_AT: Final = 5


@dataclass(frozen=True, slots=True)
class Context:
    """What a question to an archive follows.

    Attributes:
        follow: The question in its forms; its rows count ``cited``.
        cited: What was cited last.
    """

    follow: FollowUp
    cited: tuple[Citation, ...]


def still_there(snapshot: Snapshot, answer: Answer) -> tuple[Citation, ...]:
    """The first citations of an answer whose articles are in the archive, unchanged."""
    citations = answer.citations[:_LOOKED_AT]
    ids = tuple(dict.fromkeys(citation.article.id for citation in citations))
    hashes = {entry.hash for entry in snapshot.entries(Where(ids=ids))} if ids else set()
    return tuple(citation for citation in citations if citation.article.hash in hashes)


def context_of(
    snapshot: Snapshot, question: str, n_known: int, history: Sequence[Answer]
) -> Context | None:
    """What a question follows; None where it stands by itself, or follows nothing.

    Args:
        snapshot: The archive.
        question: As it is read.
        n_known: How many of its terms the archive uses.
        history: Earlier answers, the last one last; those about other archives are passed over.
    """
    latest: list[tuple[Citation, ...]] = []

    def cited(answer: Answer) -> Cited:
        there = still_there(snapshot, answer)
        rows = weighted(range(len(there)), [citation.score for citation in there])
        if rows:
            latest.append(there)
        return rows

    follow = read_after(question, history, cited, leaning_of(question, n_known))
    return Context(follow, latest[0]) if follow else None


def narrowed(wheres: Sequence[Where | None], citations: Sequence[Citation]) -> list[Where]:
    """Filters, narrowed to the articles that are cited."""
    ids = {citation.article.id for citation in citations}
    found = []
    for where in wheres:
        kept = ids.intersection(where.ids) if where and where.ids else ids
        if kept:
            found.append(replace(where or Where(), ids=tuple(sorted(kept))))
    return found


def in_context(context: Context, question: str, found: Sequence[Ranked]) -> Ranked:
    """Score a pool for a follow-up.

    Args:
        context: What the question follows.
        question: As it is read.
        found: One pool, ranked for the question alone, for it after the question before, and
            possibly for it after the two before.
    """
    alone, joined, longer = found[0], found[1], found[-1]
    spans, starts = alone.pool.sentence_spans, alone.pool.sentence_starts
    fitted = weights()
    near = nearness(
        _placed(context, alone), len(spans), fitted.steps, fitted.elsewhere, _places(alone)
    )
    ranking = combined(
        near,
        spans[:, 1] - spans[:, 0],
        starts,
        is_short(question),
        alone.ranking,
        joined.ranking,
        longer.ranking,
    )
    return replace(joined, ranking=ranking)


def _placed(context: Context, ranked: Ranked) -> Cited:
    """The sentences of a pool that were cited, each with its weight."""
    pool = ranked.pool
    passage = np.repeat(np.arange(len(pool)), np.diff(pool.sentence_starts))
    owner, spans = pool.article_of[passage], pool.sentence_spans
    found = []
    for number, weight in context.follow.where:
        citation = context.cited[number]
        if citation.article.id in pool.articles:
            same = owner == pool.articles.index(citation.article.id)
            same &= (spans[:, 0] == citation.start) & (spans[:, 1] == citation.end)
            found += [(row, weight) for row in np.flatnonzero(same).tolist()]
    return tuple(found)


def _places(ranked: Ranked) -> Int64:
    """Where each sentence of a pool stands, neighbours in their article one apart."""
    pool, rows = ranked.pool, ranked.rows
    breaks = np.ones(len(rows), dtype=np.int64)
    breaks[1:] = (np.diff(rows) != 1) | (np.diff(pool.article_of) != 0)
    stretch = np.repeat(np.cumsum(breaks), np.diff(pool.sentence_starts))
    return np.asarray(np.arange(len(stretch)) + stretch * _APART, dtype=np.int64)
