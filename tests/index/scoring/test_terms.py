"""Terms are stemmed content words; BM25 over them is the Lucene variant."""

from __future__ import annotations

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.scoring.terms import Postings, TermTable, terms


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Amazon's moratoriums were extended.", None, ["amazon", "moratorium", "extend"]),
        ("Amazon\u2019s ban", None, ["amazon", "ban"]),
        ("It isn't what they don't do", None, []),
        ("$9bn in 2020", None, ["9", "dollar", "billion", "2020"]),
        ("Die Häuser der Städte", "de", ["die", "haus", "der", "stadt"]),
        ("日本語 text", "ja", ["日", "本", "語", "日本", "本語", "text"]),
        ("東 京", "ja", ["東", "京"]),
        ("ดี", "th", ["ดี"]),
        ("தமிழ் மொழி", "ta", ["தமிழ்", "மொழி"]),
        ("किताब", "hi", ["किताब"]),
        ("كِتَابٌ", "ar", ["كتاب"]),
        ("שָׁלוֹם", "he", ["שלום"]),
        ("cafe\u0301", "xx", ["cafe"]),
        ("ban bans", "xx", ["ban", "bans"]),
        ("", None, []),
    ],
)
def test_terms(text: str, language: str | None, expected: list[str]) -> None:
    assert terms(text, language) == expected


@given(st.text(st.characters(codec="ascii")))
def test_what_is_ascii_has_the_same_terms_beside_what_is_not(text: str) -> None:
    assert terms(f"{text} \u2014") == terms(text)


@given(st.text())
def test_any_text_has_terms_without_spaces(text: str) -> None:
    assert not any(character.isspace() for term in terms(text) for character in term)


WORDS = st.lists(st.sampled_from(["face", "police", "ban", "law", "amazon"]), max_size=12)


@given(st.lists(WORDS, min_size=1, max_size=8), WORDS)
def test_scores_are_those_of_bm25s(documents: list[list[str]], query: list[str]) -> None:
    table = TermTable.of(" ".join(words) for words in documents)
    ids = [table.vocabulary.index(t) for t in terms(" ".join(query)) if t in table.vocabulary]
    if not ids:
        return
    reference = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    rows = [table.ids[a:b].tolist() for a, b in zip(table.starts, table.starts[1:], strict=False)]
    vocabulary = {term: number for number, term in enumerate(table.vocabulary)}
    reference.index((rows, vocabulary), show_progress=False)
    expected = reference.get_scores_from_ids(ids)
    np.testing.assert_allclose(Postings(table).scores(ids), expected, atol=1e-5)


def test_documents_merge_without_losing_an_occurrence() -> None:
    table = TermTable.of(["face ban", "ban", "law police", ""])
    merged = table.merged(np.asarray([0, 2, 4], dtype=np.int32))
    postings = Postings(merged)
    ban = table.vocabulary.index("ban")
    assert postings.rows(ban).tolist() == [0]
    assert postings.n_documents == 2


def test_an_article_without_content_words_scores_zero() -> None:
    assert Postings(TermTable.of(["the", ""])).scores([]).tolist() == [0.0, 0.0]
