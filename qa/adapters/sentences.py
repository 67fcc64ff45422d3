"""The sentences that answer, as every framework takes them: a text with flat facts about it."""

from __future__ import annotations

from typing import Any

from qa.bot import ArticleBot
from qa.library import Library

__all__ = ["facts_of_sentences"]


def facts_of_sentences(
    asked: ArticleBot | Library, question: str, options: dict[str, Any]
) -> list[tuple[str, dict[str, Any]]]:
    """The quotes that answer a question, best first; none where the articles do not say.

    Args:
        asked: What answers.
        question: The question.
        options: Those of its ``ask``; with ``min_confidence=0`` the nearest quotes always come.

    Returns:
        Each quote with where it stands (``start``, ``end``, ``heading``, ``page``), in which
        article (``article_id``, ``title``, ``url``, ``deep_link``), the ``passage`` around it, the
        ``exact`` words or None, its ``score``, and the ``confidence`` of the whole answer.
    """
    answer = asked.ask(question, **options)
    return [
        (
            citation.quote,
            {
                "start": citation.start,
                "end": citation.end,
                "exact": citation.exact.text if citation.exact else None,
                "passage": citation.passage.text,
                "heading": citation.passage.heading,
                "page": citation.passage.page,
                "article_id": citation.article.id,
                "title": citation.article.title,
                "published": citation.article.published,
                "url": citation.article.url,
                "deep_link": citation.deep_link,
                "score": citation.score,
                "confidence": answer.confidence,
            },
        )
        for citation in (answer if answer.found else ())
    ]
