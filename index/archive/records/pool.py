"""Stored records, of whatever store, as what a ranking needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from index.archive.records.passage import Layout
from index.archive.records.token_codec import TokenCodec
from index.archive.store import Entry, PreparedArticle, PreparedPassage
from index.article import Article
from index.models.encoder import Float32
from index.scoring.pool import Pool, count_terms
from index.scoring.token_vectors import JoinedTokens, Tokens

__all__ = ["pool_of", "prepared_of", "tokens_of"]


def pool_of(
    layout: Layout,
    vectors: Float32,
    codecs: Mapping[int, TokenCodec],
    *,
    articles: tuple[str, ...],
    article_of: NDArray[np.int64],
    terms: Sequence[int | None],
) -> Pool:
    """Some passages side by side.

    Args:
        layout: Of the passages.
        vectors: float32 ``(n_passages, dim)``, L2-normalised.
        codecs: By number.
        articles: Ids of the articles.
        article_of: int64 ``(n_passages,)``: position among them.
        terms: The store's number of each term asked for, None for one that it lacks.

    Raises:
        ValueError: A record is damaged.
    """
    column = np.full(len(layout.term_ids), -1, dtype=np.int64)
    for position, number in enumerate(terms):
        if number is not None:
            column[layout.term_ids == number] = position
    lengths = np.diff(layout.term_starts)
    sentence = np.repeat(np.arange(len(lengths)), lengths)
    return Pool(
        articles=articles,
        article_of=article_of.astype(np.int32),
        passage_spans=layout.passage_spans,
        paragraphs=layout.paragraphs,
        pages=layout.pages,
        sentence_spans=layout.sentence_spans,
        sentence_starts=layout.sentence_starts,
        token_starts=layout.token_starts,
        token_ids=layout.token_ids.astype(np.int32),
        passage_vectors=vectors,
        tokens=tokens_of(layout, vectors, codecs),
        traits=layout.traits,
        term_counts=count_terms(sentence, column, len(lengths), len(terms)),
        lengths=lengths.astype(np.int32),
    )


def tokens_of(layout: Layout, vectors: Float32, codecs: Mapping[int, TokenCodec]) -> Tokens:
    """The word pieces of some passages, whichever codec each was kept with.

    Args:
        layout: As for ``pool_of``; so are the next two.
        vectors: See there.
        codecs: See there.
    """
    starts = layout.token_starts[layout.sentence_starts]
    pieces = [layout.token_ids[a:b] for a, b in zip(starts, starts[1:], strict=False)]
    parts, sizes = [], []
    for number, run in groupby(range(len(pieces)), key=layout.codecs.tolist().__getitem__):
        own = list(run)
        lot = slice(own[0], own[-1] + 1)
        parts.append(codecs[number].tokens(vectors[lot], layout.codes[lot], pieces[lot]))
        sizes.append(int(starts[lot.stop] - starts[lot.start]))
    return parts[0] if len(parts) == 1 else JoinedTokens(parts, sizes)


def prepared_of(
    article: Article,
    entry: Entry,
    layout: Layout,
    vectors: Float32,
    codecs: Mapping[int, TokenCodec],
    terms: Mapping[int, str],
) -> PreparedArticle:
    """A stored article as it could be added to another store, without encoding it again.

    Args:
        article: The article.
        entry: What the archive knows of it.
        layout: Of all its passages.
        vectors: As for ``pool_of``.
        codecs: By number.
        terms: By number.
    """
    tokens = tokens_of(layout, vectors, codecs).vectors()
    passages = []
    for place, (first, last) in enumerate(
        zip(layout.sentence_starts, layout.sentence_starts[1:], strict=False)
    ):
        pieces = slice(int(layout.token_starts[first]), int(layout.token_starts[last]))
        start, end = layout.passage_spans[place].tolist()
        bounds = layout.term_starts[first : last + 1].tolist()
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
                token_starts=layout.token_starts[first : last + 1] - layout.token_starts[first],
                traits=layout.traits[first:last],
                terms=tuple(
                    tuple(terms[number] for number in layout.term_ids[a:b].tolist())
                    for a, b in zip(bounds, bounds[1:], strict=False)
                ),
            )
        )
    return PreparedArticle(article, tuple(passages), entry.tags, entry.source)
