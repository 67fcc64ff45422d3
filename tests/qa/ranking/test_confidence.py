"""A probability that means what it says, and reasons that a person can check."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qa.ranking.confidence
from index.models.encoder import Encoder
from index.scoring.terms import terms
from index.single.snapshot import ArticleSnapshot
from qa import Answer, ArticleBot, QuestionError
from qa.ranking.candidates import candidates_of, parse_question, query_of
from qa.ranking.confidence import (
    MIN_CONFIDENCE,
    ConfidenceModel,
    Logistic,
    confidence_model,
    to_json,
)
from qa.ranking.confidence_features import (
    ANSWER_FEATURES,
    BOUNDS,
    MOST_PASSAGES,
    READ_FEATURES,
    TOPIC_FEATURES,
)
from qa.ranking.content_words import Wording, wording
from qa.ranking.ranking import score

QUESTIONS = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "data" / "bundled_questions.jsonl")
    .read_text("utf-8")
    .splitlines()
]


def asked(bot: ArticleBot, *kinds: str) -> list[Answer]:
    return [bot.ask(q["question"]) for q in QUESTIONS if q["kind"] in kinds]


def test_questions_about_something_else_find_nothing(bot: ArticleBot) -> None:
    answers = asked(bot, "far")
    assert len(answers) > 20
    assert [a.question for a in answers if a.found] == []


def test_plain_questions_find_their_answer(bot: ArticleBot) -> None:
    answers = asked(bot, "what", "who", "when", "where", "which", "why", "how")
    assert np.mean([a.found for a in answers]) >= 0.95


def test_what_looks_answerable_and_is_not_is_less_sure(bot: ArticleBot) -> None:
    near = np.median([a.confidence for a in asked(bot, "near")])
    answerable = [bot.ask(q["question"]).confidence for q in QUESTIONS if q["answerable"]]
    assert near < np.median(answerable) - 0.1


def test_an_article_of_one_passage_is_no_less_sure(encoder: Encoder) -> None:
    """The probability means the same however long the article is."""
    first = "The bridge over the Tay was opened in 1887 by the railway engineer William Barlow."
    rest = [
        f"Chapter {n} tells of the harvest, of rain in month {n} and of sheep." for n in range(40)
    ]
    alone = ArticleBot.from_text(first)
    among = ArticleBot.from_text("\n\n".join([*rest[:20], first, *rest[20:]]))
    question = "Who opened the bridge over the Tay in 1887?"
    off = "Which vitamin do oranges contain?"
    assert alone.ask(question).confidence == pytest.approx(among.ask(question).confidence, abs=0.15)
    for bot in (alone, among):
        assert bot.ask(question).confidence > 0.5
        assert not bot.ask(off).found


def test_among_many_passages_a_likeness_shows_less(bot: ArticleBot, encoder: Encoder) -> None:
    """One or the other passage of a large archive resembles any question."""
    question = "How did the firm react?"
    snapshot, encoding = ArticleSnapshot(bot.index), encoder.encode_query(question)
    parsed = parse_question(snapshot, question, encoding)
    query = query_of(snapshot, parsed)
    asked = wording(question, encoding, parsed.known)
    pool = snapshot.pool(np.arange(len(bot.index.passages)), parsed.known)
    columns = range(len(parsed.known))
    candidates = candidates_of(pool, columns, snapshot.statistics, parsed)

    def sure(n_passages: int) -> float:
        among = replace(query, n_passages=n_passages)
        return score(among, candidates, asked).confidence

    few, some, many, most = (sure(n) for n in (4, 100, MOST_PASSAGES, 10**7))
    assert few > some > many == most


@given(st.text(min_size=1, max_size=80).filter(lambda q: any(map(str.isalnum, q))))
def test_any_question_has_a_probability_and_few_reasons(bot: ArticleBot, question: str) -> None:
    answer = bot.ask(question)
    assert 0.0 <= answer.confidence <= 1.0
    assert len(answer.why) <= 5
    assert all(reason == reason.strip() and not reason.endswith(".") for reason in answer.why)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("Does Google sell face recognition software to police?",
         "'Google' is not mentioned in the article"),
        ("What did Jeff Bezos say about the moratorium?",
         "'Jeff Bezos' is not mentioned in the article"),
        ("When was the American Civil Liberties Union founded?",
         "no date in the sentences found, and the question asks when"),
        ("What is the boiling point of ethanol?",
         "nothing in the article comes close to the question"),
        ("Who is Nathan Freed Wessler?",
         "every word of the question stands in the first sentence"),
        ("Who wrote this article?",
         "the question is about the article itself, and it says so in its own lines"),
    ],
)  # fmt: skip
def test_the_reasons_are_said_in_words(bot: ArticleBot, question: str, reason: str) -> None:
    assert reason in bot.ask(question).why


def test_both_factors_must_hold() -> None:
    """A sentence that would answer is no answer in an article about something else."""

    def part(bias: float) -> Logistic:
        return Logistic(("cosine",), np.zeros(1), np.zeros(1), np.ones(1), bias)

    likely, even, never = part(50.0), part(0.0), part(-50.0)
    assert ConfidenceModel(likely, even).probability({"cosine": 1.0}) == pytest.approx(0.5)
    assert ConfidenceModel(even, even).probability({"cosine": 1.0}) == pytest.approx(0.25)
    assert ConfidenceModel(never, likely).probability({"cosine": 1.0}) == pytest.approx(0.0)


def test_the_threshold_can_be_moved(bot: ArticleBot) -> None:
    question = "How much does Rekognition cost?"
    usual = bot.ask(question)
    assert usual.found == (usual.confidence >= MIN_CONFIDENCE)
    assert bot.ask(question, min_confidence=0).found
    assert not bot.ask(question, min_confidence=1.0).found
    assert bot.ask(question, min_confidence=usual.confidence).found


@pytest.mark.parametrize("threshold", [-0.1, 1.1, "0.5", None, True, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(bot: ArticleBot, threshold: Any) -> None:
    with pytest.raises(QuestionError, match="min_confidence must be a number from 0 to 1, not"):
        bot.ask("Who protested?", min_confidence=threshold)


@pytest.mark.parametrize("read", [True, False])
def test_weights_stay_within_their_bounds(read: bool) -> None:
    model = confidence_model(read=read)
    for part in (model.topic, model.answer):
        for name, weight, spread in zip(part.names, part.weights, part.spreads, strict=True):
            low, high = BOUNDS.get(name, (None, None))
            assert low is None or weight >= low * spread - 1e-3, name
            assert high is None or weight <= high * spread + 1e-3, name


@pytest.mark.parametrize("read", [True, False])
def test_the_weights_that_ship_are_read_as_they_were_written(read: bool) -> None:
    data = to_json(confidence_model(read=read))
    assert set(data["topic"]["features"]) == set(TOPIC_FEATURES)
    assert set(data["answer"]["features"]) == set(READ_FEATURES if read else ANSWER_FEATURES)
    assert {*BOUNDS} <= {*TOPIC_FEATURES, *READ_FEATURES}


def test_what_the_reader_finds_counts_for_the_answer(bot: ArticleBot, encoder: Encoder) -> None:
    question = "Where was George Floyd killed?"
    unread = ArticleBot(bot.index, encoder, reader=False).ask(question)
    read = bot.ask(question)
    assert read.confidence > unread.confidence
    assert read.citations[0].exact is not None
    assert all(citation.exact is None for citation in unread.citations)


def test_weights_for_other_features_are_refused() -> None:
    part = to_json(confidence_model(read=False))["topic"]
    part["features"]["luck"] = part["features"].pop("cosine")
    with pytest.raises(ValueError, match="cosine, luck"):
        qa.ranking.confidence._logistic(part, TOPIC_FEATURES)


def words(encoder: Encoder, question: str, article: str) -> Wording:
    used = set(terms(article))
    known = [term for term in dict.fromkeys(terms(question)) if term in used]
    return wording(question, encoder.encode_query(question), known)


def test_names_and_numbers_are_told_from_other_words(encoder: Encoder) -> None:
    found = words(encoder, "Did the ACLU’s lawyer sue IBM over 3.5 million faces?", "faces")
    assert [w.text for w in found.words if w.named] == ["ACLU", "IBM", "3.5"]
    assert [w.text for w in found.words if not w.named] == ["lawyer", "sue", "million", "faces"]
    assert [w.text for w in found.words if w.column is not None] == ["faces"]


def test_capitals_tell_nothing_where_all_is_capitals(encoder: Encoder) -> None:
    assert not any(w.named for w in words(encoder, "WHY DID AMAZON HALT IT?", "").words)


@pytest.mark.parametrize(
    ("question", "negated"),
    [
        ("Why didn’t it rain?", True),
        ("Who did not vote?", True),
        ("What is a knot?", False),
        ("Who sent the note?", False),
    ],
)
def test_a_negative_is_noticed(encoder: Encoder, question: str, negated: bool) -> None:
    assert words(encoder, question, "").negated is negated


@given(st.text(min_size=1, max_size=60))
def test_every_word_has_pieces_of_its_own(encoder: Encoder, question: str) -> None:
    encoding = encoder.encode_query(question)
    for word in wording(question, encoding, []).words:
        assert 0 <= word.pieces.start < word.pieces.stop <= len(encoding.token_ids)
        assert word.weight > 0
