"""Passages are whole sentences of one paragraph, and fit the encoder."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index import Article, BlockKind, EmptyArticle
from index.models.encoder import Encoder
from index.reading.plaintext import article_from_text
from index.segmentation.passages import MAX_SENTENCE_CHARS, segment

ANY_TEXT = st.text(max_size=400) | st.text(
    alphabet="aé e\u0301.?!\n\r\u200d👩שלום\x00 ", max_size=300
)


def by_characters(texts: object) -> list[int]:
    """A tokenizer for which every character is a word piece."""
    return [len(text) for text in texts]  # type: ignore[attr-defined]


def citable(article: Article) -> str:
    return "".join(
        "".join(article.text[b.start : b.end].split())
        for b in article.blocks
        if b.kind.citable and b.kind is not BlockKind.CAPTION
    )


@given(ANY_TEXT, st.integers(1, 60))
@example("e\u0301" * 200, 7)
@example("word " * 300, 40)
@example("x" * 2500, 50)
@example("One. Two.\r\nThree\x00 four.\r\n\r\nFive?", 12)
def test_sentences_tile_the_body_and_passages_hold_them_all(text: str, max_tokens: int) -> None:
    try:
        article = article_from_text(text)
        passages, sentences = segment(article, by_characters, max_tokens)
    except EmptyArticle:
        return
    quotes = [text[s.start : s.end] for s in sentences]
    assert "".join("".join(quote.split()) for quote in quotes) == citable(article)
    assert all(quote == quote.strip() != "" for quote in quotes)
    assert all(a.end <= b.start for a, b in zip(sentences, sentences[1:], strict=False))
    for row, passage in enumerate(passages):
        inside = sentences[passage.first : passage.last]
        assert (inside[0].start, inside[-1].end) == (passage.start, passage.end)
        assert {s.passage for s in inside} == {row}
        assert passage.end - passage.start <= max_tokens or len(inside) == 1
        assert all(s.end - s.start <= max(1, max_tokens) for s in inside)
    assert [p.first for p in passages[1:]] + [len(sentences)] == [p.last for p in passages]


def cut(text: str) -> list[tuple[str | None, int, str]]:
    """Heading, number of the first paragraph and text of each passage."""
    article = article_from_text(text)
    passages, _ = segment(article, by_words, 254)
    return [(p.heading, p.paragraph, article.text[p.start : p.end]) for p in passages]


def by_words(texts: object) -> list[int]:
    """A tokenizer for which every word is a word piece."""
    return [len(text.split()) for text in texts]  # type: ignore[attr-defined]


def test_short_paragraphs_are_read_together_but_never_across_a_heading() -> None:
    text = "The lead says it all.\n\nWhy it matters\n\nBecause.\n\nOther people disagree."
    assert cut(text) == [
        (None, 0, "The lead says it all."),
        ("Why it matters", 1, "Because.\n\nOther people disagree."),
    ]


def test_paragraphs_long_enough_stand_alone() -> None:
    one, two = "One word after the other. " * 20, "Two words after the other. " * 20
    assert [paragraph for _, paragraph, _ in cut(f"{one}\n\n{two}")] == [0, 1]


def test_a_passage_never_takes_in_what_may_not_be_cited() -> None:
    assert [text for _, _, text in cut("It rained.\n\nYOU MAY LIKE\n\nIt snowed.")] == [
        "It rained.",
        "It snowed.",
    ]


def test_a_long_paragraph_becomes_passages_of_about_equal_length() -> None:
    article = article_from_text(" ".join(f"Sentence number {n:03} stands here." for n in range(30)))
    passages, _ = segment(article, by_characters, 600)
    lengths = [p.end - p.start for p in passages]
    assert len(passages) == 2
    assert max(lengths) - min(lengths) < 80


def test_no_passage_is_longer_than_the_real_encoder_reads(encoder: Encoder) -> None:
    words = " ".join(f"sesquipedalian{n}" for n in range(900)) + "."
    passages, _ = segment(article_from_text(words), encoder.count_tokens, encoder.max_tokens)
    texts = [words[p.start : p.end] for p in passages]
    assert max(encoder.count_tokens(texts)) <= encoder.max_tokens
    assert "".join("".join(t.split()) for t in texts) == "".join(words.split())


def test_an_endless_sentence_is_split_between_words() -> None:
    text = "word " * 2000
    _, sentences = segment(article_from_text(text), by_characters, 10_000)
    assert all(s.end - s.start <= MAX_SENTENCE_CHARS for s in sentences)
    assert all(set(text[s.start : s.end].split()) == {"word"} for s in sentences)


def test_a_megabyte_on_one_line_is_cut_in_time() -> None:
    passages, _ = segment(article_from_text("ab" * 2**19), by_characters, 256)
    assert passages[-1].end == 2**20


def test_a_letter_keeps_its_accent() -> None:
    text = "e\u0301" * 100
    _, sentences = segment(article_from_text(text), by_characters, 7)
    assert all(text[s.start] == "e" for s in sentences)


def test_white_space_is_no_article() -> None:
    with pytest.raises(EmptyArticle):
        article_from_text(" \n\t ")
