"""A LangChain retriever. Needs the extra: ``pip install 'article-qa[langchain]'``."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field

from qa.adapters.sentences import facts_of_sentences

__all__ = ["ArticleRetriever"]


class ArticleRetriever(BaseRetriever):
    """Retrieves the sentences that answer, each with its exact place in ``metadata``.

    >>> ArticleRetriever(asked=ArticleBot.open("article.html")).invoke("Who objected?")

    Attributes:
        asked: An ``ArticleBot`` or a ``Library``.
        options: Those of its ``ask``, as ``{"k": 3, "min_confidence": 0}``.
    """

    asked: Any
    options: dict[str, Any] = Field(default_factory=dict)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        found = facts_of_sentences(self.asked, query, self.options)
        return [Document(page_content=quote, metadata=facts) for quote, facts in found]
