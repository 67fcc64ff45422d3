"""A Haystack 2 component. Needs the extra: ``pip install 'article-qa[haystack]'``."""

from __future__ import annotations

from typing import Any

from haystack import Document, component

from qa.adapters.sentences import facts_of_sentences
from qa.bot import ArticleBot
from qa.library import Library

__all__ = ["ArticleRetriever"]


@component
class ArticleRetriever:
    """Retrieves the sentences that answer, each with its exact place in ``meta``.

    >>> ArticleRetriever(ArticleBot.open("article.html")).run(query="Who objected?")
    """

    def __init__(self, asked: ArticleBot | Library, **options: Any) -> None:  # noqa: ANN401
        """Ask a bot or a library, with options of its ``ask``: ``k=3``, ``min_confidence=0``."""
        self.asked = asked
        self.options = options

    @component.output_types(documents=list[Document])
    def run(self, query: str) -> dict[str, list[Document]]:
        """The sentences that answer a question, best first."""
        found = facts_of_sentences(self.asked, query, self.options)
        documents = [
            Document(content=quote, meta=facts, score=facts["score"]) for quote, facts in found
        ]
        return {"documents": documents}
