"""What the features see, on hand-made vectors where every number can be checked by eye."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.models.encoder import Float32
from index.segmentation.traits import TRAITS
from qa.ranking.features import (
    PASSAGE_FEATURES,
    SENTENCE_FEATURES,
    Candidates,
    Query,
    interact,
    passage_features,
    piece_weights,
    sentence_features,
)

DIM = 8


def unit(*axes: int) -> Float32:
    """The direction between some axes."""
    vector = np.zeros(DIM, dtype=np.float32)
    vector[list(axes)] = 1.0
    return vector / np.linalg.norm(vector)


def query(*axes: int, answer_type: str = "other") -> Query:
    """A question of one token an axis, all alike in weight, and one known term an axis."""
    n = len(axes)
    return Query(
        token_weights=np.ones(n, dtype=np.float32),
        token_idf=np.ones(n, dtype=np.float32),
        term_idf=np.ones(n, dtype=np.float32),
        unknown_idf=0.0,
        n_passages=2,
        answer_type=answer_type,
    )


def candidates(asked: Sequence[int], *passages: list[list[int]], n_terms: int = 2) -> Candidates:
    """Passages of sentences of tokens, each token an axis, as are the question's."""
    sentences = [sentence for passage in passages for sentence in passage]
    tokens = [axis for sentence in sentences for axis in sentence]
    of_passages = [[axis for sentence in passage for axis in sentence] for passage in passages]
    return Candidates(
        passage_cosines=np.stack([unit(*axes) for axes in of_passages]) @ unit(*asked),
        sentence_cosines=np.stack([unit(*sentence) for sentence in sentences]) @ unit(*asked),
        token_cosines=np.asarray([[axis == piece for axis in tokens] for piece in asked], "f4"),
        sentence_starts=np.cumsum([0, *map(len, passages)]).astype(np.int32),
        token_starts=np.cumsum([0, *map(len, sentences)]).astype(np.int32),
        lengths=np.asarray([10 * len(sentence) for sentence in sentences], dtype=np.int32),
        traits=np.zeros((len(sentences), len(TRAITS)), dtype=np.uint8),
        passage_bm25=np.arange(len(passages), dtype=np.float32),
        sentence_bm25=np.arange(len(sentences), dtype=np.float32),
        matches=np.zeros((len(sentences), n_terms), dtype=np.bool_),
    )


def of_passages(asked: Query, found: Candidates) -> dict[str, list[float]]:
    table = passage_features(asked, found, interact(found))
    return dict(zip(PASSAGE_FEATURES, table.T.tolist(), strict=True))


def of_sentences(asked: Query, found: Candidates, *scores: float) -> dict[str, list[float]]:
    passages = np.asarray(scores or [0.0] * len(found.passage_cosines), dtype=np.float32)
    table = sentence_features(asked, found, interact(found), passages)
    return dict(zip(SENTENCE_FEATURES, table.T.tolist(), strict=True))


TWO = ([[0, 1], [2, 3]], [[4, 0], [5]])
"""Two passages of two sentences; the question of axes 0 and 1 is answered in the first."""


def test_maxsim_is_the_mean_of_each_question_tokens_best_match() -> None:
    asked, found = query(0, 1), candidates((0, 1), *TWO)
    assert of_passages(asked, found)["maxsim_plain"] == pytest.approx([1.0, 0.5])
    assert of_sentences(asked, found)["maxsim"] == pytest.approx([1.0, 0.0, 0.5, 0.0])


def test_a_weightier_token_counts_for_more() -> None:
    asked = replace(query(0, 1), token_weights=np.asarray([3.0, 1.0], dtype=np.float32))
    assert of_passages(asked, candidates((0, 1), *TWO))["maxsim_telling"] == pytest.approx(
        [1.0, 0.75]
    )


def test_a_phrase_is_met_only_in_its_order_and_within_a_sentence() -> None:
    found = candidates((0, 1), [[0, 1]], [[1, 0]], [[0], [1]])
    assert of_passages(query(0, 1), found)["phrase"] == pytest.approx([1.0, 0.5, 0.5])


def test_coverage_is_the_share_of_idf_and_counts_what_the_article_never_says() -> None:
    matches = np.asarray([[1, 0], [0, 1], [0, 0], [1, 0]], dtype=np.bool_)
    found = replace(candidates((0, 1), *TWO), matches=matches)
    asked = replace(query(0, 1), term_idf=np.asarray([1, 2], dtype=np.float32), unknown_idf=1.0)
    assert of_passages(asked, found)["coverage"] == pytest.approx([0.75, 0.25])
    assert of_sentences(asked, found)["coverage"] == pytest.approx([0.25, 0.5, 0.0, 0.25])


def test_neighbours_are_seen_within_a_passage_only() -> None:
    features = of_sentences(query(0, 1), candidates((0, 1), *TWO))
    assert features["next_maxsim"] == pytest.approx([0.0, 0.0, 0.0, 0.0])
    assert features["from_previous"] == pytest.approx([0.0, 1.0, 0.0, 0.5])


def test_the_sentence_before_matters_to_one_that_begins_with_a_pronoun() -> None:
    found = candidates((0, 1), *TWO)
    found.traits[1, TRAITS.index("pronoun_first")] = 1
    features = of_sentences(query(0, 1), found)
    assert features["pronoun_previous"] == pytest.approx([0.0, 1.0, 0.0, 0.0])


def test_a_trait_counts_where_the_question_asks_for_it() -> None:
    found = candidates((0,), *TWO, n_terms=1)
    found.traits[2, TRAITS.index("date")] = 1
    assert of_sentences(query(0, answer_type="date"), found)["date_asked"] == [0, 0, 1, 0]
    assert of_sentences(query(0, answer_type="person"), found)["date_asked"] == [0, 0, 0, 0]


def test_a_sentence_knows_its_passage_and_its_place() -> None:
    features = of_sentences(query(0, 1), candidates((0, 1), *TWO), 2.0, -1.0)
    assert features["passage"] == [2.0, 2.0, -1.0, -1.0]
    assert features["position"] == [0, 1, 0, 1]
    assert features["opens_passage"] == [1, 0, 1, 0]
    assert features["best_maxsim_of_passage"] == [1, 0, 1, 0]


def test_a_sentence_without_tokens_matches_nothing() -> None:
    found = candidates((0, 1), [[0], [1]])
    empty = replace(found, token_starts=np.asarray([0, 2, 2], dtype=np.int32))
    assert of_sentences(query(0, 1), empty)["maxsim"] == pytest.approx([1.0, 0.0])


def test_piece_weights_prefer_what_is_rare_here_and_in_general() -> None:
    ids = np.asarray([1996, 1996, 25000], dtype=np.int32)  # "the", "the", a rare piece
    frequency = np.asarray([10, 1, 1], dtype=np.int32)
    idf, weights = piece_weights(ids, frequency, 10)
    assert idf[0] < idf[1] == idf[2]
    assert weights[0] < weights[1] < weights[2]


def test_piece_weights_stay_finite_where_there_is_one_passage() -> None:
    idf, weights = piece_weights(np.asarray([0, 9]), np.asarray([0, 1]), 1)
    assert np.isfinite(idf).all()
    assert (weights > 0).all()


shapes = st.lists(
    st.lists(
        st.lists(st.integers(0, DIM - 1), min_size=1, max_size=4, unique=True),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=4,
)


@given(shapes, st.lists(st.integers(0, DIM - 1), min_size=1, max_size=5, unique=True))
def test_any_shape_of_article_has_finite_features(
    passages: list[list[list[int]]], asked: list[int]
) -> None:
    question = query(*asked)
    found = candidates(asked, *passages, n_terms=len(asked))
    interaction = interact(found)
    of_passage = passage_features(question, found, interaction)
    of_sentence = sentence_features(question, found, interaction, of_passage[:, 0])
    assert of_passage.shape == (len(passages), len(PASSAGE_FEATURES))
    assert of_sentence.shape == (len(found.lengths), len(SENTENCE_FEATURES))
    assert np.isfinite(of_passage).all()
    assert np.isfinite(of_sentence).all()
    assert of_passage.dtype == of_sentence.dtype == np.float32


@given(shapes)
def test_the_order_of_passages_changes_nothing(passages: list[list[list[int]]]) -> None:
    asked = query(0, 1)
    position_free = [n for n, name in enumerate(PASSAGE_FEATURES) if "bm25" not in name]
    forwards = candidates((0, 1), *passages)
    backwards = candidates((0, 1), *passages[::-1])
    table = passage_features(asked, forwards, interact(forwards))[:, position_free]
    mirror = passage_features(asked, backwards, interact(backwards))[:, position_free]
    assert table == pytest.approx(mirror[::-1], abs=1e-6)


def test_an_article_without_word_pieces_meets_nothing() -> None:
    empty = replace(
        candidates((0, 1), [[0]]),
        token_cosines=np.zeros((2, 0), dtype=np.float32),
        token_starts=np.zeros(2, dtype=np.int32),
    )
    assert interact(empty).pairs.shape == (1, 1)
