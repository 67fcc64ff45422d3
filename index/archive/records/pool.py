"""Stored passages of any store as what a ranking, another store or a codec needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from index.archive.records.passage import Layout
from index.archive.records.token_codec import ByteCodec, TokenCodec, train
from index.archive.store import Entry, PreparedArticle, PreparedPassage
from index.article import Article
from index.models.encoder import Float32
from index.scoring.pool import Pool, count_terms
from index.scoring.token_vectors import JoinedTokens, Tokens

__all__ = ["learn_codec", "pool_of", "prepared_of"]


def pool_of(
    layout: Layout,
    vectors: Float32,
    codecs: Mapping[int, TokenCodec],
    *,
    articles: Sequence[tuple[str, int]],
    article_of: NDArray[np.int64],
    terms: Sequence[int | None],
) -> Pool:
    """Some passages side by side.

    Args:
        layout: Where their parts lie.
        vectors: float32 ``(n_passages, dim)``, L2-normalised.
        codecs: By number.
        articles: Ids and lengths, in characters, of their articles.
        article_of: int64 ``(n_passages,)``: position among them.
        terms: The store's number of each term asked for, None for one that it lacks.

    Raises:
        ValueError: A record is damaged.
    """
    lengths = np.asarray([length for _, length in articles], dtype=np.int64)
    if (layout.passage_spans[:, 1] > lengths[article_of]).any():
        raise ValueError("a passage lies beyond the end of its article")
    column = np.full(len(layout.term_ids), -1, dtype=np.int64)
    for position, number in enumerate(terms):
        if number is not None:
            column[layout.term_ids == number] = position
    n_terms = np.diff(layout.term_starts)
    sentence = np.repeat(np.arange(len(n_terms)), n_terms)
    return Pool(
        articles=tuple(article_id for article_id, _ in articles),
        article_of=article_of.astype(np.int32),
        passage_spans=layout.passage_spans,
        paragraphs=layout.paragraphs,
        pages=layout.pages,
        sentence_spans=layout.sentence_spans,
        sentence_starts=layout.sentence_starts,
        token_starts=layout.token_starts,
        token_ids=layout.token_ids.astype(np.int32),
        passage_vectors=vectors,
        tokens=_tokens_of(layout, vectors, codecs),
        traits=layout.traits,
        term_counts=count_terms(sentence, column, len(n_terms), len(terms)),
        lengths=n_terms.astype(np.int32),
    )


def prepared_of(
    article: Article,
    entry: Entry,
    layout: Layout,
    vectors: Float32,
    codecs: Mapping[int, TokenCodec],
    terms: Mapping[int, str],
) -> PreparedArticle:
    """A stored article, ready for another store without being encoded again.

    Args:
        article: The article.
        entry: Its metadata in the store.
        layout: All its passages.
        vectors: float32 ``(n_passages, dim)``, L2-normalised.
        codecs: By number.
        terms: By number.
    """
    tokens = _tokens_of(layout, vectors, codecs).vectors()
    passages = []
    firsts = layout.sentence_starts.tolist()
    for place, (first, last) in enumerate(zip(firsts, firsts[1:], strict=False)):
        own = slice(first, last + 1)
        pieces = slice(int(layout.token_starts[first]), int(layout.token_starts[last]))
        start, end = layout.passage_spans[place].tolist()
        bounds = layout.term_starts[own].tolist()
        passages.append(
            PreparedPassage(
                start=start,
                end=end,
                paragraph=int(layout.paragraphs[place]),
                page=int(layout.pages[place]) or None,
                vector=vectors[place],
                token_vectors=tokens[pieces],
                token_ids=layout.token_ids[pieces].astype(np.int32),
                sentence_spans=layout.sentence_spans[first:last],
                token_starts=layout.token_starts[own] - layout.token_starts[first],
                traits=layout.traits[first:last],
                terms=tuple(
                    tuple(terms[number] for number in layout.term_ids[a:b].tolist())
                    for a, b in zip(bounds, bounds[1:], strict=False)
                ),
            )
        )
    return PreparedArticle(article, tuple(passages), entry.tags, entry.source)


def learn_codec(layout: Layout, vectors: Float32) -> bytes:
    """Train a token codec on passages that were kept with the byte codec.

    Args:
        layout: Where their parts lie.
        vectors: float32 ``(n_passages, dim)``.
    """
    return train(
        vectors,
        _tokens_of(layout, vectors, {0: ByteCodec(vectors.shape[1])}).vectors(),
        layout.token_ids.astype(np.int32),
        np.repeat(np.arange(len(vectors)), np.diff(layout.passage_tokens)).astype(np.int32),
    ).to_bytes()


def _tokens_of(layout: Layout, vectors: Float32, codecs: Mapping[int, TokenCodec]) -> Tokens:
    """The word pieces of some passages, whichever codec each was kept with."""
    starts = layout.passage_tokens.tolist()
    pieces = [layout.token_ids[a:b] for a, b in zip(starts, starts[1:], strict=False)]
    parts, sizes = [], []
    for number, run in groupby(range(len(pieces)), key=layout.codecs.__getitem__):
        own = list(run)
        lot = slice(own[0], own[-1] + 1)
        parts.append(codecs[number].tokens(vectors[lot], layout.codes[lot], pieces[lot]))
        sizes.append(starts[lot.stop] - starts[lot.start])
    return parts[0] if len(parts) == 1 else JoinedTokens(parts, sizes)
