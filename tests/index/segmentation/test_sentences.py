"""What a sentence is, by example, and what holds for any text at all."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.segmentation.sentences import SEGMENTER, split_sentences


def sentences(text: str, language: str | None = None) -> list[str]:
    """The sentences of a whole text, read back through their offsets."""
    return [text[start:end] for start, end in split_sentences(text, 0, len(text), language)]


def assert_split(marked: str, language: str | None = None) -> None:
    """``marked`` shows with a bar where, and only where, its text is to be cut."""
    assert sentences(marked.replace("| ", " "), language) == re.split(r"\| ", marked)


@pytest.mark.parametrize(
    "marked",
    [
        "It rained all day.| Nobody minded.",
        "Did it rain?| Yes!| All day.",
        "What?!| You are early.",
        "No full stop at the end",
    ],
)
def test_a_mark_before_a_capital_ends_a_sentence(marked: str) -> None:
    assert_split(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "“We are done,” he said.| “We are not!” she replied.| Nobody laughed.",
        "“Will you stay?” he asked.| “No!” she said.",
        "She said it was “a mistake.”| He disagreed.",
        '"It works," said Dr. Lee.| "We tried it twice."| The board agreed.',
        "‘You must.’| He shrugged.",
        "« Il est parti. »| Elle aussi.",
        "„Und auch keine Lust.“| Dann ging sie.",
    ],
)
def test_quotes_stay_with_their_sentence(marked: str) -> None:
    assert_split(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "Mr. Fry met Dr. Ode, Sen. Park and Gov. Lund.| They talked.",
        "Acme Inc. Chairman Ann Holt resigned.| Acme Corp. bought Bolt Ltd. in May.",
        "He moved to the U.S.| It had changed.",
        "The U.S. Department of Justice sued.| The U.K. did not.",
        "George W. Bush, J. K. Rowling and J.R.R. Tolkien are names.",
        "We walked, you and I.| Then it rained.",
        "At 5 a.m. Mr. Fry woke.| The shop opened at 9 a.m. on Monday.",
        "He left at 6 p.m.| Mrs. Fry stayed.",
        "It happened on Jan. 5, see p. 12 and Fig. 3.| So it was.",
        "She said no.| No. 7 won.| See Vol. II and ch. IV.",
        "Fruit, i.e. apples, e.g. Braeburn, etc. were sold vs. Nuts.",
        "He lives in Boise, Idaho, not in Spokane, Wash. or Peoria, Ill. any more.",
        "P.S. I love you.",
    ],
)
def test_abbreviations_and_initials(marked: str) -> None:
    assert_split(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "Shares rose 3.5 percent to $10.25.| Rivals fell 1.2%.",
        "Version 2.0.1 is on example.com.| Write to ann.holt@example.org.",
        "The film won.[1]| It was shown in 1999.[2][3]| 14th-century art was not.",
        "She paused ... then went on.| Then … nothing.",
        "He was not sure…| Nobody was.",
        "I waited. . . .| Nobody came.",
        "The plan (It was secret.) failed.| (Nobody was told.)| Work went on.",
        "He quoted “all [...] of it (!) at once.”| She left.",
        "They got (?) Nothing [...] Much.",
        "Yahoo! hired twenty.| iPhone users cheered.| eBay did not.",
        "See you there! :-)| Bring cake. 😀| Do not be late.",
    ],
)
def test_numbers_ellipses_brackets_and_faces(marked: str) -> None:
    assert_split(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "it was great.| they fixed it.| great service.",
        "It was great.| they fixed it.",
        "It was great. fixed at once.",
        "See it here.| https://example.com/a.b",
        "He lives on Main st. near the lake.",
    ],
)
def test_a_small_letter_starts_a_sentence_only_where_the_writing_is_careless(marked: str) -> None:
    assert_split(marked)


def test_lists_are_cut_at_their_items() -> None:
    assert sentences("1. Wash it 2. Dry it 3. Fold it") == ["1. Wash it", "2. Dry it", "3. Fold it"]
    assert sentences("a) Wash it b) Dry it") == ["a) Wash it", "b) Dry it"]
    assert sentences("To do:\n- Wash it\n- Dry it\n") == ["To do:", "- Wash it", "- Dry it"]
    assert sentences("To do:\r\n  1. Wash it\r\n  2. Dry it") == [
        "To do:",
        "1. Wash it",
        "2. Dry it",
    ]


def test_numbers_in_prose_are_no_list() -> None:
    assert len(sentences("They met (O\n2) and 3) others in\n12) nobody else")) == 1


def test_a_blank_line_ends_a_sentence_and_a_line_break_does_not() -> None:
    assert sentences("A heading\n\nSome\nwrapped text.") == ["A heading", "Some\nwrapped text."]
    assert sentences("A heading\r\n \r\nSome text") == ["A heading", "Some text"]
    assert sentences("A heading\u2029Some text") == ["A heading", "Some text"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("これはペンです。本ですか？はい！", ["これはペンです。", "本ですか？", "はい！"]),
        ("「行く。」と言った。雨だ。", ["「行く。」と言った。", "雨だ。"]),
        ("天气很好。他说：“走吧！”我们走了。", ["天气很好。", "他说：“走吧！”", "我们走了。"]),
        ("すごい!次は何?", ["すごい!", "次は何?"]),
        ("増加率は３．２％です。", ["増加率は３．２％です。"]),
        ("هل أنت بخير؟ نعم. شكرا", ["هل أنت بخير؟", "نعم.", "شكرا"]),
        ("वह गया। वह आया।", ["वह गया।", "वह आया।"]),
        ("وہ گیا۔ وہ آیا۔", ["وہ گیا۔", "وہ آیا۔"]),
    ],
)
def test_other_scripts_by_content(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_the_language_decides_what_the_text_leaves_open() -> None:
    ordinal = "Er kam am 12. Juni nach Rom."
    assert sentences(ordinal, "de-AT") == [ordinal]
    assert sentences("Τι είναι; Δεν ξέρω.", "el") == ["Τι είναι;", "Δεν ξέρω."]


def test_spans_count_from_the_start_of_the_text_not_of_the_region() -> None:
    text = "Mr. 😀 e\u0301 One. Two. Three."
    start = text.index("One")
    assert split_sentences(text, start, len(text) - 7) == [
        (start, start + 4),
        (start + 5, start + 9),
    ]
    assert split_sentences(text, 3, 3) == []
    assert split_sentences(" \n\t ", 0, 4) == []


def test_no_mark_is_parted_from_what_combines_with_it() -> None:
    assert sentences("終わり。\u0301 次") == ["終わり。\u0301 次"]


def test_the_rules_are_named_with_a_version() -> None:
    assert re.fullmatch(r"[a-z-]+/\d+", SEGMENTER)


ALPHABET = st.one_of(
    st.characters(),  # surrogates too
    st.sampled_from(list(".!?…。؟।\"'“”’»)]( \n\r\t\0\u2028\u2029\u200d\ufe0f\u0301😀aAI19•-:;")),
    st.sampled_from(
        ["Mr. ", "U.S. ", "a.m. ", ". . . ", "1. ", "2) ", "\r\n", "\n\n", ".[1]", "。」と"]
    ),
)
TEXTS = st.lists(ALPHABET, max_size=60).map("".join)
LANGUAGES = st.sampled_from([None, "", "en", "de-AT", "el", "hy", "zh_Hans", "?"])


@given(TEXTS, LANGUAGES, st.data())
def test_sentences_tile_any_region_of_any_text(
    text: str, language: str | None, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    spans = split_sentences(text, start, end, language)
    edges = [start, *(edge for span in spans for edge in span), end]
    assert edges == sorted(edges)
    for left, right in spans:
        assert text[left:right] == text[left:right].strip() != ""
    between = [start, *(right for _, right in spans)], [*(left for left, _ in spans), end]
    assert all(not text[left:right].strip() for left, right in zip(*between, strict=True))
    assert all(left[1] <= right[0] for left, right in pairwise(spans))


@given(TEXTS, TEXTS, TEXTS)
def test_a_region_is_split_as_if_it_stood_alone(before: str, text: str, behind: str) -> None:
    shift = len(before)
    alone = split_sentences(text, 0, len(text))
    within = split_sentences(before + text + behind, shift, shift + len(text))
    assert within == [(start + shift, end + shift) for start, end in alone]


MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        ". ",
        ".",
        '?" ',
        "Mr. ",
        "U.",
        "1. a ",
        "• a ",
        "\n-",
        "\r ",
        ".[1]",
        "あ。」と",
        "x. ab ",
    ]
    + ["The quick fox, e.g. Mr. Fox of the U.S., ran 3.5 miles. "],
)
def test_a_megabyte_on_one_line_takes_seconds(unit: str) -> None:
    text = unit * (MEGABYTE // len(unit))
    started = time.perf_counter()
    split_sentences(text, 0, len(text))
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize("text", [".{} x", "1.{} x", "\n{}x", "x{}", '." {}', "\n\n{}"])
@pytest.mark.parametrize("filler", [" ", "\n", '"', "."])
def test_a_megabyte_of_one_character_takes_seconds(text: str, filler: str) -> None:
    long = text.format(filler * MEGABYTE)
    started = time.perf_counter()
    split_sentences(long, 0, len(long))
    assert time.perf_counter() - started < 20
