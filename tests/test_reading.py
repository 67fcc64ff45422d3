from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.article_index import build_index
from index.encoder import Encoder, Encoding, Progress
from index.passages import segment
from index.plaintext import article_from_text
from index.reading import ALONE, read_passages

TEXT = "The council closed the old bridge. It had cracked in the frost. Lorries now take the ferry."


def read(*texts: str, encoder: Encoder, progress: Progress | None = None) -> list[Encoding]:
    articles = [article_from_text(text) for text in texts]
    cut = [(a.text, *segment(a, encoder.count_tokens, encoder.max_tokens)) for a in articles]
    return read_passages(cut, encoder, progress=progress)


def test_a_word_piece_is_what_it_is_in_its_passage_and_in_its_sentence_alone(
    encoder: Encoder,
) -> None:
    (reading,) = read(TEXT, encoder=encoder)
    second = "It had cracked in the frost."
    whole, alone = encoder.encode_documents([TEXT, second])

    def frost(encoding: Encoding, text: str) -> np.ndarray:
        start = text.index("frost")
        return encoding.token_vectors[encoding.token_spans.tolist().index([start, start + 5])]

    mean = frost(whole, TEXT) + ALONE * frost(alone, second)
    assert frost(reading, TEXT) == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_the_passage_as_a_whole_and_where_its_word_pieces_stand_stay(encoder: Encoder) -> None:
    (reading,) = read(TEXT, encoder=encoder)
    (whole,) = encoder.encode_documents([TEXT])
    assert np.array_equal(reading.vector, whole.vector)
    assert np.array_equal(reading.token_ids, whole.token_ids)
    assert np.array_equal(reading.token_spans, whole.token_spans)


def test_a_passage_of_one_sentence_is_read_once(encoder: Encoder) -> None:
    text = "The council closed the old bridge."
    seen: list[tuple[int, int]] = []
    (reading,) = read(text, encoder=encoder, progress=lambda _, done, n: seen.append((done, n)))
    (whole,) = encoder.encode_documents([text])
    assert reading.token_vectors == pytest.approx(whole.token_vectors, abs=1e-6)
    assert seen == [(1, 1)]


def test_progress_counts_passages_and_sentences_together(encoder: Encoder) -> None:
    seen: list[tuple[int, int]] = []
    read(TEXT, encoder=encoder, progress=lambda _, done, n: seen.append((done, n)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_articles_read_together_are_what_they_are_apart(encoder: Encoder) -> None:
    other = "Rain fell all night. By morning the river stood in the streets."
    together = read(TEXT, other, encoder=encoder)
    apart = [*read(TEXT, encoder=encoder), *read(other, encoder=encoder)]
    for one, same in zip(together, apart, strict=True):
        assert np.array_equal(one.token_vectors, same.token_vectors)


def test_a_pronoun_keeps_what_its_passage_makes_of_it(encoder: Encoder) -> None:
    (reading,) = read(TEXT, encoder=encoder)
    (alone,) = encoder.encode_documents(["It had cracked in the frost."])
    bridge = encoder.encode_query("bridge").token_vectors[0]
    spans = reading.token_spans.tolist()
    it = spans.index([TEXT.index("It"), TEXT.index("It") + 2])
    assert reading.token_vectors[it] @ bridge > alone.token_vectors[0] @ bridge


@settings(max_examples=20, deadline=None)
@given(st.text(min_size=1, max_size=200).filter(lambda text: any(map(str.isalnum, text))))
def test_whatever_is_read_has_directions(encoder: Encoder, text: str) -> None:
    index = build_index(article_from_text(text), encoder)
    norms = np.linalg.norm(index.token_vectors, axis=1)
    assert norms == pytest.approx(np.ones(len(norms)), abs=1e-3)
