from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.models.attention_bias import ELSEWHERE, MASKED, attention_bias
from index.models.encoder import Encoder, Encoding
from index.models.tokenizer import Pieces
from index.reading.plaintext import article_from_text
from index.single.article_index import build_index
from index.types import Float32

FIRST, SECOND, THIRD = (
    "The council closed the old bridge.",
    "It had cracked in the frost.",
    "Lorries now take the ferry.",
)
TEXT = f"{FIRST} {SECOND} {THIRD}"
STARTS = [0, TEXT.index(SECOND), TEXT.index(THIRD)]


def pieces(*spans: tuple[int, int]) -> Pieces:
    """A text of these word pieces between two special tokens."""
    n = len(spans)
    return Pieces(
        [101, *range(n), 102],
        [0] * (n + 2),
        slice(1, n + 1),
        np.asarray(spans, dtype=np.int32).reshape(-1, 2),
    )


def vector(encoding: Encoding, word: str) -> Float32:
    start = TEXT.index(word)
    row = encoding.token_spans.tolist().index([start, start + len(word)])
    found: Float32 = encoding.token_vectors[row]
    return found


def read(encoder: Encoder, text: str = TEXT, starts: list[int] | None = None) -> Encoding:
    return encoder.encode_documents([text], starts=None if starts is None else [starts])[0]


def test_sentences_are_told_apart_and_special_tokens_are_near_to_all() -> None:
    bias = attention_bias([pieces((0, 2), (3, 4), (5, 9))], [[0, 5]], 5)
    near, apart = 0.0, -ELSEWHERE
    assert bias[0, 0] == pytest.approx(
        np.asarray(
            [
                [near, near, near, near, near],
                [near, near, near, apart, near],
                [near, near, near, apart, near],
                [near, apart, apart, near, near],
                [near, near, near, near, near],
            ]
        )
    )


def test_a_word_piece_that_begins_with_the_space_before_it_belongs_to_what_follows() -> None:
    bias = attention_bias([pieces((0, 4), (4, 9))], [[0, 5]], 4)
    assert bias[0, 0, 1, 2] == pytest.approx(-ELSEWHERE)


def test_padding_is_attended_to_by_nobody() -> None:
    bias = attention_bias([pieces((0, 2)), pieces((0, 2), (3, 4), (5, 9))], None, 5)
    assert (bias[0, 0, :, 3:] == MASKED).all()
    assert not bias[0, 0, :, :3].any()
    assert not bias[1].any()


def test_a_sentence_alone_is_read_as_ever(encoder: Encoder) -> None:
    one, other = read(encoder, FIRST, [0]), read(encoder, FIRST)
    assert np.array_equal(one.token_vectors, other.token_vectors)
    assert np.array_equal(one.vector, other.vector)


def test_where_word_pieces_stand_does_not_depend_on_sentences(encoder: Encoder) -> None:
    one, other = read(encoder, starts=STARTS), read(encoder)
    assert np.array_equal(one.token_ids, other.token_ids)
    assert np.array_equal(one.token_spans, other.token_spans)


def test_a_word_piece_is_nearer_to_what_it_is_in_its_sentence_alone(encoder: Encoder) -> None:
    (alone,) = encoder.encode_documents([SECOND])
    frost = alone.token_vectors[5]
    told, untold = read(encoder, starts=STARTS), read(encoder)
    assert vector(told, "frost") @ frost > vector(untold, "frost") @ frost


def test_a_pronoun_still_knows_what_it_stands_for(encoder: Encoder) -> None:
    bridge = encoder.encode_query("bridge").token_vectors[0]
    (alone,) = encoder.encode_documents([SECOND])
    assert vector(read(encoder, starts=STARTS), "It") @ bridge > alone.token_vectors[0] @ bridge


def test_texts_read_together_are_what_they_are_apart(encoder: Encoder) -> None:
    together = encoder.encode_documents([TEXT, FIRST], starts=[STARTS, [0]])
    apart = [read(encoder, TEXT, STARTS), read(encoder, FIRST, [0])]
    for one, same in zip(together, apart, strict=True):
        assert np.array_equal(one.token_vectors, same.token_vectors)


def test_an_article_is_read_by_its_sentences(encoder: Encoder) -> None:
    index = build_index(article_from_text(TEXT), encoder)
    told = read(encoder, starts=STARTS)
    assert index.token_vectors == pytest.approx(told.token_vectors, abs=1e-3)
    assert index.passage_index.reconstruct(0) == pytest.approx(told.vector, abs=1e-6)


@given(st.text(min_size=1, max_size=200).filter(lambda text: any(map(str.isalnum, text))))
def test_whatever_is_read_has_directions(encoder: Encoder, text: str) -> None:
    index = build_index(article_from_text(text), encoder)
    norms = np.linalg.norm(index.token_vectors.astype(np.float32), axis=1)
    assert norms == pytest.approx(np.ones(len(norms)), abs=1e-3)
