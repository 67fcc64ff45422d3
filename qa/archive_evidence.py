"""From a ranked pool to evidence: few from one article, wire copy once, the newest first.

Sentences are taken by falling score. One that another article says almost word for word is
the same evidence: it is quoted from the newest and lists the others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from index.article import Article, BlockKind
from index.catalogue import days_of
from qa.answer import ArticleRef, PassageRef
from qa.archive_ranking import Ranked
from qa.evidence import article_ref
from qa.periods import Period, periods

__all__ = ["Evidence", "gather", "passages_of"]

SAME: Final = 0.8
"""Shared part of the words of two sentences from which they are the same evidence."""
CLOSE: Final = 0.95
"""The same for the cosine of their passages."""
EQUAL: Final = 0.2
"""Scores that differ by less are equal, and the newer comes first: a sentence that is encoded
again beside others differs by half as much."""
PERIOD_BONUS: Final = 1.0
"""Log-odds that a sentence gains by speaking of the time that is asked about."""
_WORD: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that is worth quoting.

    Attributes:
        article: The article it is quoted from.
        start: First code point.
        end: One past the last.
        quote: The sentence: ``article.text[start:end]``.
        score: Higher is better.
        passage: The passage around it.
        also_in: Other articles that say the same, newest first.
    """

    article: ArticleRef
    start: int
    end: int
    quote: str
    score: float
    passage: PassageRef
    also_in: tuple[ArticleRef, ...] = ()


@dataclass(slots=True)
class _Candidate:
    row: int
    passage: int
    article: Article
    quote: str
    words: frozenset[str]
    score: float
    published: int
    copies: list[Article]


def gather(
    ranked: Ranked,
    article: Callable[[str], Article],
    question: str,
    k: int,
    per_article: int,
) -> tuple[Evidence, ...]:
    """The best evidence of a pool.

    Args:
        ranked: The pool and its scores.
        article: Gives an article by its id.
        question: As it was asked, for the dates in it.
        k: Wanted at most.
        per_article: Wanted from one article at most.
    """
    candidates = _best(ranked, article, question, 2 * k + 6)
    chosen: list[_Candidate] = []
    taken: Counter[str] = Counter()
    for candidate in _newest_first(candidates):
        twin = next((c for c in chosen if _same(c, candidate, ranked)), None)
        if twin is not None:
            if candidate.article.id not in {a.id for a in twin.copies}:
                twin.copies.append(candidate.article)
        elif len(chosen) < k and taken[candidate.article.id] < per_article:
            chosen.append(candidate)
            taken[candidate.article.id] += 1
    return tuple(_evidence(ranked, candidate) for candidate in chosen)


def passages_of(
    ranked: Ranked, article: Callable[[str], Article], k: int
) -> tuple[PassageRef, ...]:
    """The best passages of a pool, best first."""
    pool = ranked.pool
    return tuple(
        _passage_ref(ranked, int(row), article(pool.articles[pool.article_of[row]]))
        for row in np.argsort(-ranked.passages, kind="stable")[:k]
    )


def _best(
    ranked: Ranked, article: Callable[[str], Article], question: str, n: int
) -> list[_Candidate]:
    pool = ranked.pool
    passage = np.repeat(np.arange(len(pool)), np.diff(pool.sentence_starts))
    found = []
    for row in np.argsort(-ranked.sentences, kind="stable")[:n].tolist():
        source = article(pool.articles[pool.article_of[passage[row]]])
        start, end = pool.sentence_spans[row].tolist()
        quote = source.text[start:end]
        published = days_of(source.published)
        score = float(ranked.sentences[row])
        if _speaks_of(question, quote, published):
            score += PERIOD_BONUS
        found.append(
            _Candidate(
                row=row,
                passage=int(passage[row]),
                article=source,
                quote=quote,
                words=frozenset(_WORD.findall(quote.casefold())),
                score=score,
                published=published[0] if published[1] >= published[0] else 0,
                copies=[],
            )
        )
    return sorted(found, key=lambda c: (-c.score, c.row))


def _speaks_of(question: str, quote: str, published: tuple[int, int]) -> bool:
    """Whether a sentence, or its article, is of a time that the question names."""
    day = date.fromordinal(published[0]) if published[1] >= published[0] else None
    asked = periods(question, day)
    if not asked:
        return False
    said = list(periods(quote, day))
    if day is not None:
        said.append(Period(day, date.fromordinal(published[1])))
    return any(one.overlaps(other) for one in asked for other in said)


def _newest_first(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """By falling score; runs of equal scores by falling date."""
    ordered: list[_Candidate] = []
    run: list[_Candidate] = []
    for candidate in candidates:
        if run and run[0].score - candidate.score >= EQUAL:
            ordered += sorted(run, key=lambda c: -c.published)
            run = []
        run.append(candidate)
    return ordered + sorted(run, key=lambda c: -c.published)


def _same(one: _Candidate, other: _Candidate, ranked: Ranked) -> bool:
    """Whether two articles say the same: the words alike, or nearly and in like passages."""
    if one.article.id == other.article.id:
        return False
    shared = len(one.words & other.words) / max(1, len(one.words | other.words))
    vectors = ranked.pool.passage_vectors
    cosine = float(vectors[one.passage] @ vectors[other.passage])
    return shared == 1.0 or (shared >= SAME and cosine >= CLOSE)


def _evidence(ranked: Ranked, candidate: _Candidate) -> Evidence:
    start, end = ranked.pool.sentence_spans[candidate.row].tolist()
    return Evidence(
        article=article_ref(candidate.article),
        start=start,
        end=end,
        quote=candidate.quote,
        score=candidate.score,
        passage=_passage_ref(ranked, candidate.passage, candidate.article),
        also_in=tuple(
            article_ref(copy)
            for copy in sorted(candidate.copies, key=lambda a: a.published or "", reverse=True)
        ),
    )


def _passage_ref(ranked: Ranked, row: int, article: Article) -> PassageRef:
    pool = ranked.pool
    start, end = pool.passage_spans[row].tolist()
    return PassageRef(
        text=article.text[start:end],
        start=start,
        end=end,
        heading=_heading(article, start),
        paragraph=int(pool.paragraphs[row]),
        page=int(pool.pages[row]) or None,
        score=float(ranked.passages[row]),
        article=article_ref(article),
    )


def _heading(article: Article, start: int) -> str | None:
    """The heading that a place stands under."""
    heading = None
    for block in article.blocks:
        if block.start > start:
            break
        if block.kind is BlockKind.HEADING:
            heading = " ".join(article.text[block.start : block.end].split())
    return heading
