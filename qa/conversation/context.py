"""What a follow-up follows: what was cited before, and how near to it each candidate stands.

A conversation mostly goes on in the article that it was in. The articles cited last
therefore bring in their own best passages, and what is ranked in context is one pool: the
candidates of the question alone and of it read after the questions before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

import numpy as np

from index.archive.store import Int64, Snapshot, Where
from index.scoring.pool import Pool
from qa.answer import Answer, Citation
from qa.conversation.context_dependence import changes_the_subject, leaning_of
from qa.conversation.followup import CITED, Focus, FollowUp, read_after, weighted
from qa.conversation.ranking import in_context as ranked_in_context
from qa.ranking.candidates import ParsedQuestion
from qa.ranking.ranking import RankedPool

__all__ = ["Context", "context_of", "in_context", "narrowed", "still_there"]

_APART: Final = 1_000
"""Sentences between two stretches that are not known to be neighbours; more than any step."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a question to an archive follows.

    Attributes:
        follow: The question in its forms; its rows count ``cited``.
        cited: What was cited before.
        cited_last: What the last answer cited.
    """

    follow: FollowUp
    cited: tuple[Citation, ...]
    cited_last: tuple[Citation, ...]


def still_there(snapshot: Snapshot, answer: Answer) -> tuple[Citation, ...]:
    """The first citations of an answer that stand, word for word, in what is asked."""
    citations = answer.citations[:CITED]
    ids = tuple(dict.fromkeys(citation.article.id for citation in citations if citation.article.id))
    entries = snapshot.entries(Where(ids=ids)) if ids else ()
    texts = {entry.hash: snapshot.article(entry.id).text for entry in entries}
    return tuple(
        citation
        for citation in citations
        if texts.get(citation.article.hash, "")[citation.start : citation.end] == citation.quote
    )


def context_of(
    snapshot: Snapshot, parsed: ParsedQuestion, history: Sequence[Answer]
) -> Context | None:
    """What a question follows; None where it stands by itself, or follows nothing.

    Args:
        snapshot: What is asked.
        parsed: The question as it is read.
        history: Earlier answers, the last one last; those about other archives are passed over.
    """
    before: list[tuple[Citation, ...]] = []

    def cited(answer: Answer) -> Focus:
        there, first = still_there(snapshot, answer), sum(map(len, before))
        rows = weighted(range(first, first + len(there)), [citation.score for citation in there])
        if rows:
            before.append(there)
        return rows

    question = parsed.question
    if changes_the_subject(question, parsed.known, parsed.language):
        return None
    follow = read_after(question, history, cited, leaning_of(question, len(parsed.known)))
    return Context(follow, tuple(chain(*before)), before[0]) if follow else None


def narrowed(wheres: Sequence[Where | None], citations: Sequence[Citation]) -> list[Where]:
    """Filters, narrowed to the articles that are cited."""
    ids = {citation.article.id for citation in citations}
    found = []
    for where in wheres:
        kept = ids.intersection(where.ids) if where and where.ids else ids
        if kept:
            found.append(replace(where or Where(), ids=tuple(sorted(kept))))
    return found


def in_context(context: Context, found: Sequence[RankedPool]) -> RankedPool:
    """Score a pool for a follow-up.

    Args:
        context: What the question follows.
        found: One pool, ranked for the question alone, and for it after the question before.
    """
    alone, joined = found
    pool, follow = alone.pool, context.follow
    rows = _rows(context.cited, pool)
    ranking = ranked_in_context(
        replace(
            follow,
            where=tuple((rows[n], weight) for n, weight in follow.where if n in rows),
            shown=follow.shown and frozenset(rows[n] for n in follow.shown if n in rows),
        ),
        np.diff(pool.sentence_spans, axis=1)[:, 0],
        pool.sentence_starts,
        alone.ranking,
        joined.ranking,
        _places(alone),
    )
    return replace(joined, ranking=ranking)


def _rows(citations: Sequence[Citation], pool: Pool) -> dict[int, int]:
    """The sentence of a pool that each citation quotes, where it is there."""
    owners = pool.article_of[pool.passage_of].tolist()
    keys = zip(owners, *pool.sentence_spans.T.tolist(), strict=True)
    row_of = {key: row for row, key in enumerate(keys)}
    number_of = {article: number for number, article in enumerate(pool.articles)}
    found = {
        n: row_of.get((number_of.get(c.article.id, -1), c.start, c.end))
        for n, c in enumerate(citations)
    }
    return {n: row for n, row in found.items() if row is not None}


def _places(ranked: RankedPool) -> Int64:
    """Where each sentence of a pool stands, neighbours in their article one apart."""
    pool, rows = ranked.pool, ranked.rows
    breaks = np.ones(len(rows), dtype=np.int64)
    breaks[1:] = (np.diff(rows) != 1) | (np.diff(pool.article_of) != 0)
    stretch = np.repeat(np.cumsum(breaks), np.diff(pool.sentence_starts))
    return np.asarray(np.arange(len(stretch)) + stretch * _APART, dtype=np.int64)
