"""Word pieces in a few bytes: what is kept of them, and what a question makes of that."""

from __future__ import annotations

import numpy as np
import pytest

from index.archive.records.token_codec import ByteCodec, ResidualCodec, TokenCodec, train
from index.models.encoder import Float32, Int32
from index.scoring.token_vectors import JoinedTokens, Tokens, VectorTokens

DIM, PIECES = 64, 30


def clustered(n_passages: int = 300) -> tuple[Float32, Float32, Int32]:
    """Tokens that depend on the word piece, on the passage, and on chance."""
    rng = np.random.default_rng(0)
    pieces, topics = rng.standard_normal((40, DIM)), rng.standard_normal((n_passages, DIM))
    ids = rng.integers(40, size=(n_passages, PIECES)).astype(np.int32)
    chance = rng.standard_normal((n_passages, PIECES, DIM))
    tokens = unit(pieces[ids] + topics[:, None] + 0.4 * chance)
    return unit(tokens.mean(axis=1)), tokens, ids


def unit(vectors: Float32) -> Float32:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / norms).astype(np.float32)


def learnt(vectors: Float32, tokens: Float32, ids: Int32) -> ResidualCodec:
    owner = np.repeat(np.arange(len(vectors)), PIECES).astype(np.int32)
    codec = train(vectors, tokens.reshape(-1, DIM), ids.ravel(), owner)
    return ResidualCodec.from_bytes(codec.to_bytes(), DIM)


def kept(codec: TokenCodec, vectors: Float32, tokens: Float32, ids: Int32) -> Tokens:
    """What is read back of some passages."""
    codes = [codec.encode(*passage) for passage in zip(vectors, tokens, ids, strict=True)]
    return codec.tokens(vectors, codes, [own.astype(np.int64) for own in ids])


@pytest.fixture(scope="module")
def material() -> tuple[ResidualCodec, Float32, Float32, Int32]:
    """A codec, and passages that it has not seen."""
    vectors, tokens, ids = clustered()
    codec = learnt(vectors[:250], tokens[:250], ids[:250])
    return codec, vectors[250:], tokens[250:], ids[250:]


STARTS = np.asarray([0, 0, 12, 30, 31, 31, 60], dtype=np.int32)
"""Sentences of two passages; one begins with a sentence of nothing."""


def means(tokens: Float32) -> Float32:
    lots = np.split(tokens, STARTS[1:-1])
    return np.stack([lot.mean(axis=0) if len(lot) else np.zeros(DIM) for lot in lots])


def test_a_trained_codec_keeps_tokens_in_few_bytes(
    material: tuple[ResidualCodec, Float32, Float32, Int32],
) -> None:
    codec, vectors, tokens, ids = material
    code = codec.encode(vectors[0], tokens[0], ids[0])
    assert len(code) == PIECES * len(codec.codebook) <= 4 * PIECES
    read = kept(codec, vectors, tokens, ids).vectors()
    assert np.einsum("ij,ij->i", read, tokens.reshape(-1, DIM)).mean() > 0.9


def test_a_word_piece_that_was_never_seen_is_read(
    material: tuple[ResidualCodec, Float32, Float32, Int32],
) -> None:
    codec, vectors, tokens, _ = material
    read = kept(codec, vectors[:1], tokens[:1, :1], np.asarray([[10**6]], dtype=np.int32))
    assert np.linalg.norm(read.vectors()) == pytest.approx(1)
    assert np.isfinite(read.cosines(vectors)).all()


def test_a_question_meets_coded_tokens_as_if_they_were_decoded(
    material: tuple[ResidualCodec, Float32, Float32, Int32],
) -> None:
    codec, *passages = material
    coded = kept(codec, *passages)
    queries = unit(np.random.default_rng(1).standard_normal((5, DIM)).astype(np.float32))
    decoded = queries @ coded.vectors().T
    cosines = coded.cosines(queries)
    assert cosines.shape == decoded.shape
    assert cosines.dtype == np.float32
    # Lengths are estimated, so that all of a token's cosines are off by the same factor.
    assert np.corrcoef(cosines.ravel(), decoded.ravel())[0, 1] > 0.99
    assert (cosines / decoded).std(axis=0).max() < 1e-2


def test_tokens_kept_with_a_byte_a_dimension_are_all_but_exact() -> None:
    vectors, tokens, ids = clustered(2)
    read = kept(ByteCodec(DIM), vectors, tokens, ids)
    flat = tokens.reshape(-1, DIM)
    np.testing.assert_allclose(read.cosines(vectors), vectors @ flat.T, atol=0.01)
    exact = np.linalg.norm(means(flat), axis=1)
    np.testing.assert_allclose(read.mean_lengths(STARTS), exact, atol=0.01)


def test_the_length_of_a_sentences_mean_is_estimated(
    material: tuple[ResidualCodec, Float32, Float32, Int32],
) -> None:
    codec, vectors, tokens, ids = material
    coded = kept(codec, vectors[:2], tokens[:2], ids[:2])
    exact = np.linalg.norm(means(coded.vectors()), axis=1)
    found = coded.mean_lengths(STARTS)
    assert (found[exact == 0] == 0).all()
    np.testing.assert_allclose(found, exact, rtol=0.1)
    assert found[3] == pytest.approx(1, abs=0.01)  # a sentence of one word piece


def test_lots_that_were_kept_in_different_ways_are_one(
    material: tuple[ResidualCodec, Float32, Float32, Int32],
) -> None:
    codec, vectors, tokens, ids = material
    first = kept(codec, vectors[:1], tokens[:1], ids[:1])
    second = VectorTokens(tokens[1])
    joined = JoinedTokens([first, second], [PIECES, PIECES])
    both = joined.cosines(vectors)
    np.testing.assert_array_equal(both[:, :PIECES], first.cosines(vectors))
    np.testing.assert_array_equal(both[:, PIECES:], second.cosines(vectors))
    np.testing.assert_array_equal(joined.vectors()[PIECES:], tokens[1])
    exact = np.linalg.norm(means(joined.vectors()), axis=1)
    np.testing.assert_allclose(joined.mean_lengths(STARTS), exact, rtol=0.1)


def test_a_codec_for_other_vectors_is_refused() -> None:
    data = learnt(*clustered(60)).to_bytes()
    with pytest.raises(ValueError, match="other vectors"):
        ResidualCodec.from_bytes(data, DIM // 2)
