"""From a ranked pool to citations: few from one article, wire copy once, the newest first.

Sentences are taken by falling score. One that another article says almost word for word is
the same evidence: it is quoted from the newest and lists the others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Final

import numpy as np

from index.archive.entries import days_of
from index.article import Article
from index.models.encoder import Float32
from qa.answer import ArticleRef, Citation, Exact, PassageRef
from qa.question.about_article import MetadataEvidence
from qa.question.periods import Period, periods
from qa.ranking.ranking import RankedPool
from qa.reading.reader import Span

__all__ = ["SHOWN_FROM", "Cited", "article_ref", "cite", "cited_first"]

SHOWN_FROM: Final = 4.0
"""Margin from which the reader's words are shown. Of 1,300 questions on titles that it has not
seen, 46 in 100 get words for the first citation, and 85 in 100 of these share half or more of
theirs with the gold answer; from 3.0 on it would be 54, and 84."""

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


def article_ref(article: Article) -> ArticleRef:
    """What a citation says of its article."""
    return ArticleRef(
        id=article.id,
        hash=article.hash,
        title=article.title,
        authors=article.authors,
        published=article.published,
        url=article.url,
    )


@dataclass(frozen=True, slots=True)
class Cited:
    """What is shown.

    Attributes:
        citations: Best first, numbered from 1.
        passages: Distinct passages, best first.
    """

    citations: tuple[Citation, ...] = ()
    passages: tuple[PassageRef, ...] = ()


@dataclass(slots=True)
class _Candidate:
    row: int
    passage: int
    article: Article
    span: tuple[int, int]
    quote: str
    words: frozenset[str]
    score: float
    published: int
    copies: list[Article] = field(default_factory=list)


def cite(
    ranked: RankedPool,
    article: Callable[[str], Article],
    question: str,
    k: int,
    per_article: int,
    passed_over: Sequence[Citation] = (),
) -> Cited:
    """The best evidence of a pool.

    Args:
        ranked: The pool and its scores.
        article: Gives an article by its id.
        question: As it is read, for the dates in it.
        k: Citations and passages wanted at most.
        per_article: Citations wanted from one article at most.
        passed_over: Sentences that are not wanted, nor their copies.
    """
    unwanted = {(c.article.id, c.start, c.end) for c in passed_over}
    chosen: list[_Candidate] = []
    rejected: list[_Candidate] = []
    taken: Counter[str] = Counter()
    wider = k + len(unwanted)
    for candidate in _newest_first(_best(ranked, article, question, wider, per_article)):
        twin = next((c for c in chosen if _same(c, candidate, ranked)), None)
        if any(_repeats(c, candidate) for c in chosen):
            continue
        if (candidate.article.id, *candidate.span) in unwanted:
            rejected.append(candidate)
        elif any(_same(c, candidate, ranked) for c in rejected):
            continue
        elif twin is not None:
            if candidate.article.id not in {a.id for a in twin.copies}:
                twin.copies.append(candidate.article)
        elif len(chosen) < k and taken[candidate.article.id] < per_article:
            chosen.append(candidate)
            taken[candidate.article.id] += 1
    pool = ranked.pool
    rows = _finite(ranked.ranking.passages)[:k]
    return Cited(
        tuple(_citation(ranked, c, number) for number, c in enumerate(chosen, 1)),
        tuple(
            _passage_ref(ranked, row, article(pool.articles[pool.article_of[row]])) for row in rows
        ),
    )


def _best(
    ranked: RankedPool, article: Callable[[str], Article], question: str, k: int, per_article: int
) -> list[_Candidate]:
    """The best sentences, by falling score; some more than wanted, for copies and dates."""
    pool, scores = ranked.pool, ranked.ranking.quoted
    several = len(pool.articles) > 1
    passage = pool.passage_of
    found = []
    order: Iterable[int] = _finite(scores)
    if several:
        order = _few_of_each(order, pool.article_of[passage].tolist(), per_article)
    for row in islice(order, 2 * k + 6):
        source = article(pool.articles[pool.article_of[passage[row]]])
        start, end = pool.sentence_spans[row].tolist()
        quote = source.text[start:end]
        published = days_of(source.published)
        score = float(scores[row])
        # Among the sentences of one article the ranking has weighed its dates already.
        if several and _speaks_of(question, quote, published):
            score += PERIOD_BONUS
        found.append(
            _Candidate(
                row=row,
                passage=int(passage[row]),
                article=source,
                span=(start, end),
                quote=quote,
                words=frozenset(_WORD.findall(quote.casefold())) if several else frozenset(),
                score=score,
                published=published[0] if published[1] >= published[0] else 0,
            )
        )
    return sorted(found, key=lambda c: (-c.score, c.row))


def _finite(scores: Float32) -> list[int]:
    """Rows by falling score; those without one are not to be shown."""
    order: list[int] = np.argsort(-scores, kind="stable")[: np.isfinite(scores).sum()].tolist()
    return order


def _few_of_each(order: Iterable[int], owner: Sequence[int], per_article: int) -> Iterator[int]:
    """Leave out what cannot be cited because its article has better, but keep a few for dates."""
    taken: Counter[int] = Counter()
    for row in order:
        taken[owner[row]] += 1
        if taken[owner[row]] <= per_article + 2:
            yield row


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


def _repeats(one: _Candidate, other: _Candidate) -> bool:
    """Whether an article says the same sentence twice."""
    return one.article.id == other.article.id and one.quote.split() == other.quote.split()


def _same(one: _Candidate, other: _Candidate, ranked: RankedPool) -> bool:
    """Whether two articles say the same: the words alike, or nearly and in like passages."""
    if one.article.id == other.article.id:
        return False
    shared = len(one.words & other.words) / max(1, len(one.words | other.words))
    if shared < SAME or shared == 1.0:
        return shared == 1.0
    vectors = ranked.pool.passage_vectors
    return float(vectors[one.passage] @ vectors[other.passage]) >= CLOSE


def _citation(ranked: RankedPool, candidate: _Candidate, number: int) -> Citation:
    start, end = candidate.span
    copies = sorted(candidate.copies, key=lambda a: a.published or "", reverse=True)
    return Citation(
        number=number,
        quote=candidate.quote,
        start=start,
        end=end,
        score=candidate.score,
        passage=_passage_ref(ranked, candidate.passage, candidate.article),
        article=article_ref(candidate.article),
        also_in=tuple(map(article_ref, copies)),
        exact=_exact(ranked.ranking.spans.get(candidate.row), candidate.article.text),
    )


def _exact(span: Span | None, text: str) -> Exact | None:
    """The words that answer, where the reader is sure enough of them to be shown."""
    if not span or span.margin < SHOWN_FROM:
        return None
    return Exact(text[span.start : span.end], span.start, span.end)


def _passage_ref(ranked: RankedPool, row: int, article: Article) -> PassageRef:
    pool = ranked.pool
    start, end = pool.passage_spans[row].tolist()
    return PassageRef(
        text=article.text[start:end],
        start=start,
        end=end,
        heading=article.heading_at(start),
        paragraph=int(pool.paragraphs[row]),
        page=int(pool.pages[row]) or None,
        score=float(ranked.ranking.passages[row]),
        article=article_ref(article),
    )


def cited_first(article: Article, about: MetadataEvidence, cited: Cited) -> Cited:
    """Put what an article says of itself before all that is ranked.

    Args:
        article: The article that is meant.
        about: Where it says so.
        cited: What was ranked.
    """
    reference = article_ref(article)
    ranked: Sequence[Citation | PassageRef] = (*cited.citations, *cited.passages)
    top = 1.0 + max((entry.score for entry in ranked), default=0.0)
    first = []
    for start, end in about.spans:
        quote = article.text[start:end]
        passage = PassageRef(quote, start, end, None, None, None, top, reference)
        first.append(
            Citation(0, quote, start, end, top, passage, reference, metadata=about.declared)
        )
    there = {(reference, *span) for span in about.spans}
    # Nothing of the text comes near what its source only declares.
    rest = () if about.declared else cited.citations
    rest = tuple(c for c in rest if (c.article, c.start, c.end) not in there)
    return Cited(
        tuple(replace(c, number=number) for number, c in enumerate((*first, *rest), 1)),
        (*(c.passage for c in first), *cited.passages),
    )
