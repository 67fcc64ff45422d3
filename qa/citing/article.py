"""From scores to citations: which sentences are quoted, in which passages, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from index.article import Article
from index.single.article_index import ArticleIndex
from qa.answer import ArticleRef, Citation, PassageRef
from qa.question.about_article import MetadataEvidence
from qa.ranking.article import Ranking

__all__ = ["Cited", "article_ref", "cite", "cited_first"]


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


def cite(
    index: ArticleIndex, ranking: Ranking, k: int, passed_over: Sequence[Citation] = ()
) -> Cited:
    """Quote the best sentences, and list the best passages.

    Args:
        index: The article's index.
        ranking: Scores of its passages and sentences.
        k: Citations and passages wanted at most.
        passed_over: Sentences that are not wanted.
    """
    unwanted = {(citation.start, citation.end) for citation in passed_over}
    ranked = [
        row
        for row in np.argsort(-ranking.quoted, kind="stable")[: k + len(unwanted)].tolist()
        if (index.sentences[row].start, index.sentences[row].end) not in unwanted
    ]
    text, reference = index.article.text, article_ref(index.article)
    best = [int(row) for row in np.argsort(-ranking.passages, kind="stable")[:k]]
    refs = {row: _passage_ref(index, ranking, row, reference) for row in best}
    citations = []
    for number, row in enumerate(ranked[:k], 1):
        sentence = index.sentences[row]
        passage = refs.get(sentence.passage) or _passage_ref(
            index, ranking, sentence.passage, reference
        )
        citations.append(
            Citation(
                number=number,
                quote=text[sentence.start : sentence.end],
                start=sentence.start,
                end=sentence.end,
                score=float(ranking.quoted[row]),
                passage=passage,
                article=reference,
            )
        )
    return Cited(tuple(citations), tuple(refs.values()))


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
        first.append(Citation(0, quote, start, end, top, passage, reference))
    there = {(reference, *span) for span in about.spans}
    rest = [c for c in cited.citations if (c.article, c.start, c.end) not in there]
    return Cited(
        tuple(replace(c, number=number) for number, c in enumerate((*first, *rest), 1)),
        (*(c.passage for c in first), *cited.passages),
    )


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
