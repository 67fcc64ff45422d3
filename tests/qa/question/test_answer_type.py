"""What a question asks for, and what it misspells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa import ArticleBot
from qa.question.answer_type import ANSWER_TYPES, answer_type, correct_spelling, repair_typos


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When did the ban begin?", "date"),
        ("In what year was it founded?", "date"),
        ("Who supported the decision?", "person"),
        ("Whose death sparked protests?", "person"),
        ("Where was he arrested?", "place"),
        ("Which city hosted the game?", "place"),
        ("How many officers were there?", "number"),
        ("How tall is the tower?", "number"),
        ("What percentage of people agreed?", "percentage"),
        ("How much money did it cost?", "money"),
        ("How long did it last?", "duration"),
        ("Why did Amazon stop?", "cause"),
        ("How does it work?", "manner"),
        ("What is the service called?", "name"),
        ("What does Amazon offer?", "other"),
        ("", "other"),
    ],
)
def test_the_expected_kind_of_answer(question: str, kind: str) -> None:
    assert answer_type(question) == kind


def test_the_most_specific_kind_wins() -> None:
    assert answer_type("How many percent of those who voted agreed?") == "percentage"


@given(st.text(max_size=200))
def test_any_text_has_one_of_the_kinds_whatever_its_case(question: str) -> None:
    assert answer_type(question) in ANSWER_TYPES


VOCABULARY = {"amazon", "police", "recognition", "moratorium", "floyd", "2020"}


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("recogniton", "recognition"),
        ("moratoriumm", "moratorium"),
        ("polise", "police"),
        ("amzaon", "amazon"),
        ("foyd", "floyd"),
    ],
)
def test_one_edit_from_a_word_of_the_article_is_repaired(misspelt: str, meant: str) -> None:
    assert repair_typos([misspelt], VOCABULARY) == {misspelt: meant}


@pytest.mark.parametrize("word", ["police", "bicycle", "2021", "amz", ""])
def test_what_is_right_far_off_numeric_or_short_is_left_alone(word: str) -> None:
    assert repair_typos([word], VOCABULARY) == {}


def test_a_word_known_elsewhere_is_no_misspelling() -> None:
    assert repair_typos(["floyds"], VOCABULARY, known={"floyds"}) == {}


def test_of_several_words_the_most_similar_is_meant() -> None:
    assert repair_typos(["streat"], {"street", "streatham", "strut"}) == {"streat": "street"}


@given(st.lists(st.text(max_size=12), max_size=6), st.sets(st.text(min_size=1, max_size=12)))
def test_repairs_are_words_of_the_article(words: list[str], vocabulary: set[str]) -> None:
    repairs = repair_typos(words, vocabulary)
    assert set(repairs) <= set(words) - vocabulary
    assert set(repairs.values()) <= vocabulary


WORDS = {"the", "rights", "vow", "police", "in"}


@pytest.mark.parametrize(
    ("question", "mended"),
    [
        ("Humen rights in Micorsoft?", "human rights in microsoft?"),
        ("vowing the rights", "vowing the rights"),
        ("MICORSOFT 365", "microsoft 365"),
        ("", ""),
    ],
)
def test_a_question_is_spelt_as_the_article_spells(question: str, mended: str) -> None:
    assert (
        correct_spelling(question, {"human", "microsoft", "voting"}, WORDS.__contains__) == mended
    )


@given(st.text(max_size=60))
def test_what_the_article_spells_alike_is_left_alone(question: str) -> None:
    vocabulary = {word.lower() for word in question.split()}
    assert correct_spelling(question, vocabulary, lambda _: True) == question


def test_names_without_their_accents_are_read_with_them(bot: ArticleBot) -> None:
    ferry = ArticleBot.from_text(
        "Ferry of Å\n\nCaptain Bjørn Sætre steers the ferry. Cook Renée Dubois bakes. Renee sleeps."
    )
    answer = ferry.ask("Who is Bjorn Saetre?")
    assert answer.interpreted_as == "Who is Bjørn Sætre?"
    assert answer.found
    assert "Captain" in answer.citations[0].quote
    assert ferry.ask("Does Renee sleep?").interpreted_as is None


def test_what_is_too_long_for_a_word_is_not_tried_with_every_letter_changed() -> None:
    """Of 2,000 letters there are 200,000 such, of 2,000 letters each."""
    word = "a" * 2000
    assert repair_typos([word], {word[1:]}) == {}
