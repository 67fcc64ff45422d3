"""Windows hold whole sentences, as many as fit, and what they are about."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qa.reading.windows import around

lengths = st.lists(st.integers(1, 300), min_size=1, max_size=12)


def spans(lengths: list[int]) -> list[tuple[int, int]]:
    placed, start = [], 0
    for length in lengths:
        placed.append((start, start + length))
        start += length + 1
    return placed


@given(lengths, st.data())
def test_a_window_holds_its_sentence_and_no_more_than_fits(
    lengths: list[int], data: st.DataObject
) -> None:
    sentences = spans(lengths)
    centre = data.draw(st.integers(0, len(sentences) - 1))
    window = around(sentences, centre, size=250)
    assert centre in window
    size = sentences[window[-1]][1] - sentences[window[0]][0]
    assert size <= 250 or len(window) == 1


def test_the_sentences_before_and_after_join_in_turn() -> None:
    sentences = spans([50] * 9)
    assert around(sentences, 4, size=255) == range(2, 7)
    assert around(sentences, 0, size=255) == range(5)
    assert around(sentences, 8, size=255) == range(4, 9)
