"""The retrievers inside the frameworks themselves, as their users run them."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from qa import ArticleBot

QUESTION = "Who is Nathan Freed Wessler?"
FAR = "Why is the sky blue?"


def check(bot: ArticleBot, quotes: list[tuple[str, dict[str, Any]]], k: int) -> None:
    answer = bot.ask(QUESTION, k=k)
    assert [quote for quote, _ in quotes] == [citation.quote for citation in answer]
    for quote, facts in quotes:
        assert bot.article.text[facts["start"] : facts["end"]] == quote
        assert quote in facts["passage"]
        assert facts["article_id"] == bot.article.id
        assert facts["confidence"] == answer.confidence


def test_langchain_retrieves_sentences_in_their_places(bot: ArticleBot) -> None:
    pytest.importorskip("langchain_core", reason="pip install 'article-qa[langchain]'")
    from langchain_core.runnables import RunnableLambda

    from qa.adapters.langchain import ArticleRetriever

    retriever = ArticleRetriever(asked=bot, options={"k": 2})
    chain = retriever | RunnableLambda(lambda found: [(d.page_content, d.metadata) for d in found])
    check(bot, chain.invoke(QUESTION), k=2)
    check(bot, asyncio.run(chain.ainvoke(QUESTION)), k=2)
    assert retriever.invoke(FAR) == []
    nearest = ArticleRetriever(asked=bot, options={"k": 1, "min_confidence": 0})
    assert len(nearest.invoke(FAR)) == 1


def test_haystack_retrieves_sentences_in_their_places(
    bot: ArticleBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "HAYSTACK_TELEMETRY_ENABLED", "False")
    pytest.importorskip("haystack", reason="pip install 'article-qa[haystack]'")
    from haystack import Pipeline

    from qa.adapters.haystack import ArticleRetriever

    pipeline = Pipeline()
    pipeline.add_component("retriever", ArticleRetriever(bot, k=2))
    found = pipeline.run({"retriever": {"query": QUESTION}})["retriever"]["documents"]
    check(bot, [(document.content, document.meta) for document in found], k=2)
    scores = [document.score for document in found]
    assert scores == sorted(scores, reverse=True)
    silent = pipeline.run({"retriever": {"query": FAR}})["retriever"]["documents"]
    assert silent == []
