"""From scores to citations: which sentences are quoted, in which passages, in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.article import Article
from index.article_index import ArticleIndex
from qa.answer import ArticleRef, Citation, PassageRef
from qa.ranking import Ranking

__all__ = ["article_ref", "cite"]


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


def cite(
    index: ArticleIndex, ranking: Ranking, first: Sequence[tuple[int, int]], k: int
) -> tuple[tuple[Citation, ...], tuple[PassageRef, ...]]:
    """Quote the best sentences, and list the best passages.

    Args:
        index: The article's index.
        ranking: Scores of its passages and sentences.
        first: Spans of the text that are cited before any ranked sentence: a byline, a title.
        k: Citations and passages wanted at most.

    Returns:
        Citations and distinct passages, both best first.
    """
    reference = article_ref(index.article)
    passages: list[PassageRef] = []
    evidence: list[tuple[int, int, float, PassageRef]] = []
    best = [int(row) for row in np.argsort(-ranking.passages, kind="stable")[:k]]
    refs = {row: _passage_ref(index, ranking, row, reference) for row in best}
    # What is cited first scores above all that is ranked.
    top = 1.0 + float(max(ranking.sentences.max(), ranking.passages.max()))
    for start, end in first:
        text = index.article.text[start:end]
        passage = PassageRef(text, start, end, None, None, None, top, reference)
        evidence.append((start, end, top, passage))
        passages.append(passage)
    passages += refs.values()
    for row in np.argsort(-ranking.sentences, kind="stable"):
        if len(evidence) >= k:
            break
        sentence = index.sentences[row]
        if (sentence.start, sentence.end) not in first:
            if sentence.passage not in refs:
                refs[sentence.passage] = _passage_ref(index, ranking, sentence.passage, reference)
            score = float(ranking.sentences[row])
            evidence.append((sentence.start, sentence.end, score, refs[sentence.passage]))
    citations = tuple(
        Citation(number, index.article.text[start:end], start, end, score, passage, reference)
        for number, (start, end, score, passage) in enumerate(evidence[:k], 1)
    )
    return citations, tuple(passages[:k])


def _passage_ref(
    index: ArticleIndex, ranking: Ranking, row: int, reference: ArticleRef
) -> PassageRef:
    passage = index.passages[row]
    return PassageRef(
        text=index.article.text[passage.start : passage.end],
        start=passage.start,
        end=passage.end,
        heading=passage.heading,
        paragraph=passage.paragraph,
        page=passage.page,
        score=float(ranking.passages[row]),
        article=reference,
    )
