"""How features become scores, and how the weights are fitted."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.fitting import Example, fit, folds
from qa.ranking.features import PASSAGE_FEATURES, SENTENCE_FEATURES
from qa.ranking.fusion import (
    Fusion,
    by_cost,
    by_sentences,
    by_support,
    coefficients,
    from_json,
    fuse,
    to_json,
)
from tests.qa.ranking.test_features import TWO, candidates, query


def test_of_two_equal_sentences_the_shorter_is_read_first() -> None:
    scores = by_cost(np.zeros(2, dtype=np.float32), np.asarray([100, 200], dtype=np.int32))
    assert scores[0] - scores[1] == pytest.approx(np.log(2) / 2)


def test_a_fragment_gains_nothing_from_being_tiny() -> None:
    scores = by_cost(np.zeros(3, dtype=np.float32), np.asarray([0, 1, 60], dtype=np.int32))
    assert scores[0] == scores[1] == scores[2]


def test_of_two_equal_passages_the_one_with_the_likelier_sentences_comes_first() -> None:
    starts = np.asarray([0, 2, 4], dtype=np.int32)
    sentences = np.asarray([1.0, 0.0, 2.0, 0.0], dtype=np.float32)
    shown = by_sentences(np.zeros(2, dtype=np.float32), sentences, starts)
    assert shown[1] > shown[0]


def test_sentences_that_share_the_odds_speak_for_their_passage_together() -> None:
    starts = np.asarray([0, 1, 3], dtype=np.int32)
    # Two at even odds are worth one at twice the odds.
    sentences = np.asarray([np.log(2), 0.0, 0.0], dtype=np.float32)
    shown = by_sentences(np.zeros(2, dtype=np.float32), sentences, starts)
    assert shown[0] == pytest.approx(shown[1])


def test_scores_far_from_zero_do_not_overflow() -> None:
    starts = np.asarray([0, 2], dtype=np.int32)
    for score in (-1e4, 1e4):
        sentences = np.full(2, score, dtype=np.float32)
        assert np.isfinite(by_sentences(np.zeros(1, dtype=np.float32), sentences, starts)).all()


def test_beside_the_first_what_speaks_of_the_question_itself_comes_next() -> None:
    starts = np.asarray([0, 3, 5], dtype=np.int32)
    scores = np.asarray([3.0, 1.0, 0.9, 2.0, 2.0], dtype=np.float32)
    own_words = np.asarray([0.8, 0.4, 0.5, 0.1, 0.9], dtype=np.float32)
    ordered = by_support(scores, own_words, starts)
    assert ordered[2] > ordered[1]
    assert ordered[[0, 3, 4]] == pytest.approx(scores[[0, 3, 4]])  # other passages stay
    assert ordered[1:3].mean() == pytest.approx(scores[1:3].mean())


@given(st.data())
def test_whatever_supports_the_first_stays_behind_it(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    starts = np.cumsum([0, *sizes]).astype(np.int32)
    row = st.lists(st.floats(-20, 20, width=32), min_size=sum(sizes), max_size=sum(sizes))
    scores, own_words = (np.asarray(data.draw(row), dtype=np.float32) for _ in range(2))
    assert by_support(scores, own_words, starts).argmax() == scores.argmax()


def test_the_shipped_weights_find_the_sentence_that_says_what_is_asked() -> None:
    fused = fuse(query(0, 1), candidates((0, 1), *TWO), coefficients())
    assert fused.passages.argmax() == 0
    assert fused.sentences.argmax() == 0


def test_the_shipped_weights_rank_an_article_of_one_sentence() -> None:
    fused = fuse(query(0, 1), candidates((0, 1), [[0, 2]]), coefficients())
    assert fused.passages.shape == fused.sentences.shape == (1,)
    assert np.isfinite([*fused.passages, *fused.sentences]).all()


def test_weights_survive_being_written_and_read() -> None:
    shipped = coefficients()
    again = from_json(json.loads(json.dumps(to_json(shipped))))
    assert again.passages.names == PASSAGE_FEATURES
    assert again.sentences.names == SENTENCE_FEATURES
    assert again.sentences.weights == pytest.approx(shipped.sentences.weights, abs=1e-4)
    assert again.sentences.spreads == pytest.approx(shipped.sentences.spreads, rel=1e-3)


def test_weights_for_other_features_are_refused_by_name() -> None:
    data = to_json(coefficients())
    data["passages"]["moon_phase"] = data["passages"].pop("bm25")
    with pytest.raises(ValueError, match="bm25, moon_phase"):
        from_json(data)


def example(rng: np.random.Generator, weights: list[float]) -> Example:
    """Ten candidates, of which the best by some hidden weights is right."""
    features = rng.normal(size=(10, len(weights))).astype(np.float32)
    return Example(features, np.asarray([int((features @ weights).argmax())]))


def test_fitting_finds_what_tells_right_from_wrong() -> None:
    rng = np.random.default_rng(0)
    fitted = fit([example(rng, [2.0, 0.0, -1.0]) for _ in range(300)], ("good", "idle", "bad"))
    good, idle, bad = fitted.weights
    assert good > 4 * abs(idle)
    assert bad < -4 * abs(idle)
    fresh = [example(rng, [2.0, 0.0, -1.0]) for _ in range(100)]
    hits = [fitted.scores(one.features).argmax() == one.gold[0] for one in fresh]
    assert np.mean(hits) > 0.9


def test_a_feature_that_never_varies_gets_no_weight() -> None:
    rng = np.random.default_rng(0)
    examples = [example(rng, [1.0]) for _ in range(20)]
    widened = [
        Example(np.pad(one.features, ((0, 0), (0, 1)), constant_values=7.0), one.gold)
        for one in examples
    ]
    assert fit(widened, ("good", "constant")).weights[1] == pytest.approx(0.0, abs=1e-6)


def test_a_supporting_feature_is_never_held_against_a_candidate() -> None:
    rng = np.random.default_rng(0)
    examples = [example(rng, [2.0, -1.0]) for _ in range(100)]
    assert fit(examples, ("good", "bad")).weights[1] < 0
    assert fit(examples, ("good", "bad"), supporting={"good", "bad"}).weights[1] == 0


def test_a_feature_counts_at_least_what_it_is_said_to() -> None:
    rng = np.random.default_rng(0)
    examples = [example(rng, [2.0, -1.0]) for _ in range(100)]
    held = fit(examples, ("good", "bad"), least={"bad": 1.5})
    assert held.weights[1] / held.spreads[1] == pytest.approx(1.5)


def test_any_of_several_right_candidates_will_do() -> None:
    features = np.asarray([[1.0], [1.0], [0.0]], dtype=np.float32)
    fitted = fit([Example(features, np.asarray([0, 1]))] * 5, ("good",))
    assert fitted.weights[0] > 0


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([], "no question has a known answer"),
        ([Example(np.zeros((2, 1), np.float32), np.zeros(0, np.int64))], "no right candidate"),
    ],
)
def test_what_cannot_be_fitted_is_refused(examples: list[Example], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(examples, ("one",))


def test_an_articles_questions_stay_in_one_fold() -> None:
    dealt = folds(["b", "a", "b", "c", "d"], 2)
    assert set(dealt) == {"a", "b", "c", "d"}
    assert sorted(dealt.values()) == [0, 0, 1, 1]
    assert dealt == folds(["d", "c", "b", "a"], 2)


def test_a_weight_counts_for_each_usual_spread() -> None:
    fusion = Fusion(("one",), np.asarray([3.0], np.float32), np.asarray([0.5], np.float32))
    assert fusion.scores(np.asarray([[0.0], [0.5]], dtype=np.float32)) == pytest.approx([0, 3])


def test_a_score_does_not_depend_on_what_else_is_scored() -> None:
    fusion = coefficients().passages
    table = np.random.default_rng(0).normal(size=(5, len(fusion.names))).astype(np.float32)
    assert fusion.scores(table[:1]) == pytest.approx(fusion.scores(table)[:1], rel=1e-5)
