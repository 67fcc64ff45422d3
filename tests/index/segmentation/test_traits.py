"""What a sentence is seen to contain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.segmentation.traits import TRAITS, sentence_traits


def traits(sentence: str) -> set[str]:
    row = sentence_traits([sentence])[0]
    return {trait for trait, found in zip(TRAITS, row, strict=True) if found}


@pytest.mark.parametrize(
    ("sentence", "seen"),
    [
        ("Nothing to see.", set()),
        ("They left in June 2020.", {"number", "date", "name", "pronoun_first"}),
        ("The ban lasted three years.", {"number", "duration"}),
        ("The last years were quiet.", set()),
        ("It cost $9bn.", {"number", "money", "pronoun_first"}),
        ("Some 40% agreed.", {"number", "percentage"}),
        ("The police of Minnesota said so.", {"name"}),
        ("“This was banned because of protests.", {"cause", "pronoun_first"}),
    ],
)
def test_what_is_seen_in_a_sentence(sentence: str, seen: set[str]) -> None:
    assert traits(sentence) == seen


def test_the_capital_that_opens_a_sentence_is_no_name() -> None:
    assert "name" not in traits("Police were banned.")
    assert "name" in traits("Later, Émile agreed.")


def test_no_sentences_give_no_rows() -> None:
    assert sentence_traits([]).shape == (0, len(TRAITS))


@given(st.lists(st.text(max_size=60), max_size=5))
def test_each_sentence_is_judged_by_itself(sentences: list[str]) -> None:
    rows = sentence_traits(sentences)
    assert rows.shape == (len(sentences), len(TRAITS))
    assert set(rows.ravel().tolist()) <= {0, 1}
    for row, sentence in zip(rows, sentences, strict=True):
        assert (row == sentence_traits([sentence])[0]).all()


def test_each_cue_of_a_cause_counts() -> None:
    sentences = ["It rained.", "It closed because of rain.", "Amid protests, sparked by a killing."]
    assert sentence_traits(sentences)[:, TRAITS.index("cause")].tolist() == [0, 1, 2]
