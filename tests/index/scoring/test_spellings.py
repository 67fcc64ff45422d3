"""What people write in several ways meets in one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.scoring.spellings import folded, one_spelling
from index.scoring.terms import terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the fine was 2,750 crowns", "the fine was 2750 crowns"),
        ("2.750.000 euros", "2750000 euros"),
        ("a debt of 14m", "a debt of 14 metres million"),
        ("$3bn", "3 billion dollars"),
        ("a wall of 40 m", "a wall of 40 metres"),
        ("at 7 pm", "at 19:00"),
        ("at 7.30 p.m.", "at 19:30"),
        ("in Nov 2022", "in November 2022"),
        ("11/2022", "November 2022"),
        ("on 14/4/2022", "on 14 April 2022"),
        ("4/14/2022", "14 Apr 2022"),
        ("2022-04-14", "14 April 2022"),
        ("Bjørn Sætre", "Bjorn Saetre"),
        ("engine RB-2110", "engine RB2110"),
        ("Søren Ångström", "Soren Angstrom"),
        ("12 per cent", "12%"),
    ],
)
def test_two_ways_of_writing_have_the_same_terms(one: str, other: str) -> None:
    assert sorted(terms(one)) == sorted(terms(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("VC-1044", "VC-1440"),
        ("3/4/2022", "3 April 2022"),
        ("2,750", "27,50"),
        ("7 am", "7 pm"),
        ("in May", "in March"),
    ],
)
def test_what_differs_stays_apart(one: str, other: str) -> None:
    assert terms(one) != terms(other)


def test_years_side_by_side_are_no_thousands() -> None:
    assert one_spelling("in 2019, 2020 and 2021") == "in 2019, 2020 and 2021"


@given(st.text(max_size=60))
def test_any_text_has_a_spelling_and_words_of_other_scripts_stay(text: str) -> None:
    one_spelling(text.lower())
    assert folded("\u043c\u0438\u0440") == "\u043c\u0438\u0440"
