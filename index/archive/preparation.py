"""From articles to what a store keeps of them: cut, encoded, every sentence described."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

import numpy as np

from index.archive.store import PreparedArticle, PreparedPassage
from index.article import Article
from index.errors import EmptyArticle
from index.models.encoder import Encoder, Encoding, Progress
from index.scoring.terms import terms
from index.segmentation.passages import Passage, Sentence, begins, segment
from index.segmentation.traits import sentence_traits

__all__ = ["BATCH_CHARS", "batches", "prepare_articles"]

BATCH_CHARS: Final = 40_000
"""Text that is encoded, and acknowledged, at a time: about fifty passages, a second's work."""

_Item = TypeVar("_Item")


def batches(
    items: Iterable[_Item], article_of: Callable[[_Item], Article], n_chars: int = BATCH_CHARS
) -> Iterator[list[_Item]]:
    """Articles, a batch of about ``n_chars`` code points at a time."""
    batch: list[_Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += len(article_of(item).text)
        if size >= n_chars:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def prepare_articles(
    articles: Sequence[Article],
    encoder: Encoder,
    *,
    tags: Sequence[str] = (),
    sources: Sequence[str | None] | None = None,
    progress: Progress | None = None,
) -> list[PreparedArticle | EmptyArticle]:
    """Cut and encode articles, the passages of all of them in one go.

    Args:
        articles: What to prepare.
        encoder: Makes the vectors.
        tags: Given to each.
        sources: Where each was read from; None where nobody needs to know.
        progress: Called as encoding advances.

    Returns:
        In the order of the articles; the error for one that holds no sentence.
    """
    cut = [_cut(article, encoder) for article in articles]
    together = [
        (article.text[passage.start : passage.end], begins(passage, sentences))
        for article, (passages, sentences) in zip(articles, cut, strict=True)
        for passage in passages
    ]
    encodings = iter(
        encoder.encode_documents(
            [text for text, _ in together],
            starts=[starts for _, starts in together],
            progress=progress,
        )
    )
    return [
        PreparedArticle(
            article=article,
            passages=tuple(
                _prepared(article, passage, sentences, next(encodings)) for passage in passages
            ),
            tags=tuple(tags),
            source=source,
        )
        if passages
        else EmptyArticle("the article holds no sentence")
        for article, (passages, sentences), source in zip(
            articles, cut, sources or [None] * len(articles), strict=True
        )
    ]


def _cut(article: Article, encoder: Encoder) -> tuple[tuple[Passage, ...], tuple[Sentence, ...]]:
    try:
        return segment(article, encoder.count_tokens, encoder.max_tokens)
    except EmptyArticle:
        return (), ()


def _prepared(
    article: Article, passage: Passage, sentences: Sequence[Sentence], encoding: Encoding
) -> PreparedPassage:
    own = sentences[passage.first : passage.last]
    quotes = [article.text[sentence.start : sentence.end] for sentence in own]
    starts = encoding.first_tokens(begins(passage, sentences))
    return PreparedPassage(
        start=passage.start,
        end=passage.end,
        paragraph=passage.paragraph,
        page=passage.page,
        vector=encoding.vector,
        token_vectors=encoding.token_vectors,
        token_ids=encoding.token_ids,
        sentence_spans=np.asarray([(s.start, s.end) for s in own], dtype=np.int32),
        token_starts=np.asarray([0, *starts[1:], len(encoding.token_ids)], dtype=np.int32),
        traits=sentence_traits(quotes),
        terms=tuple(tuple(terms(quote, article.language)) for quote in quotes),
    )
