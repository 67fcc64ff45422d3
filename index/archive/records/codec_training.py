"""Learn a codec from stored passages, and keep a passage with it, in whatever store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from index.archive.records.passage import (
    Layout,
    pack_passage,
    pack_vector,
    unpack_passages,
    unpack_vectors,
)
from index.archive.records.token_codec import ByteCodec, ResidualCodec, TokenCodec, train
from index.archive.store import PreparedPassage
from index.models.encoder import Float32

__all__ = ["MAX_SAMPLE", "TRAIN_AT", "learn", "recoded", "recorded"]

TRAIN_AT: Final = 1_000
"""Passages that an archive holds when its codec is learnt."""
MAX_SAMPLE: Final = 2_000


def learn(layout: Layout, vectors: Float32) -> bytes:
    """A codec for an archive, as it is kept.

    Args:
        layout: Some of its passages, kept with a byte a dimension.
        vectors: float32 ``(n_passages, dim)``: theirs.
    """
    starts = layout.token_starts[layout.sentence_starts]
    pieces = [layout.token_ids[a:b] for a, b in zip(starts, starts[1:], strict=False)]
    codec = train(
        vectors,
        ByteCodec(vectors.shape[1]).tokens(vectors, layout.codes, pieces).vectors(),
        layout.token_ids.astype(np.int32),
        np.repeat(np.arange(len(vectors)), np.diff(starts)).astype(np.int32),
    )
    return codec.to_bytes()


def recorded(
    row: int,
    passage: PreparedPassage,
    *,
    article: int,
    term_ids: Sequence[Sequence[int]],
    codec: TokenCodec,
    codec_number: int,
) -> tuple[bytes, bytes, Float32]:
    """A passage as it is kept.

    Args:
        row: The passage's.
        passage: What was computed for it.
        article: Number of its article.
        term_ids: The store's numbers of the terms of each sentence.
        codec: For its token vectors.
        codec_number: Of that codec.

    Returns:
        The packed vector; the record; the vector as it will be read back, float32 ``(dim,)``,
        to which the codes refer.
    """
    packed = pack_vector(row, passage.vector)
    (vector,) = unpack_vectors([row], [packed], len(passage.vector))
    record = pack_passage(
        row,
        article=article,
        span=(passage.start, passage.end),
        paragraph=passage.paragraph,
        page=passage.page,
        sentence_spans=passage.sentence_spans,
        token_starts=passage.token_starts,
        traits=passage.traits,
        term_ids=term_ids,
        token_ids=passage.token_ids,
        codec=codec_number,
        codes=codec.encode(vector, passage.token_vectors, passage.token_ids),
    )
    return packed, record, vector


def recoded(row: int, record: bytes, vector: Float32, codec: ResidualCodec, number: int) -> bytes:
    """A passage's record, kept with a byte a dimension so far, with another codec.

    Args:
        row: The passage's.
        record: As it is.
        vector: float32 ``(dim,)``: as it is stored.
        codec: As it will be read back.
        number: Of that codec.
    """
    layout = unpack_passages([row], [record])
    tokens = ByteCodec(len(vector)).tokens(vector[None], layout.codes, [layout.token_ids])
    pieces = layout.token_ids.astype(np.int32)
    (span,) = layout.passage_spans.tolist()
    return pack_passage(
        row,
        article=int(layout.articles[0]),
        span=(span[0], span[1]),
        paragraph=int(layout.paragraphs[0]),
        page=int(layout.pages[0]) or None,
        sentence_spans=layout.sentence_spans,
        token_starts=layout.token_starts,
        traits=layout.traits,
        term_ids=[
            layout.term_ids[a:b].tolist()
            for a, b in zip(layout.term_starts, layout.term_starts[1:], strict=False)
        ],
        token_ids=pieces,
        codec=number,
        codes=codec.encode(vector, tokens.vectors(), pieces),
    )
