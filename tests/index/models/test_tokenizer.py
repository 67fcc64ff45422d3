from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import ModelError
from index.models.loading import resolve
from index.models.tokenizer import WordPieces, without_surrogates

any_character = st.characters(exclude_categories=())  # surrogates and unassigned ones too
any_text = st.text(any_character, max_size=60)


def pieces_with(
    document_prompt: str = "", query_prompt: str = "", max_length: int = 12
) -> WordPieces:
    folder = resolve().folder
    assert folder is not None
    return WordPieces.from_file(
        folder / "tokenizer.json",
        max_length=max_length,
        document_prompt=document_prompt,
        query_prompt=query_prompt,
    )


PLAIN = pieces_with(max_length=100)
PROMPTED = pieces_with("passage: ", "query: ", max_length=100)


def test_spans_are_code_points_of_the_text() -> None:
    text = "Zoë's 🦊 naïveté"
    spans = PLAIN.document(text).spans
    assert "".join(text[start:end] for start, end in spans) == text.replace(" ", "")


def test_special_tokens_are_read_but_are_not_the_texts_own() -> None:
    pieces = PLAIN.document("rain")
    assert len(pieces.ids) == 3
    assert pieces.token_ids.tolist() == pieces.ids[1:2]


def test_a_special_token_spelled_out_in_the_text_is_text() -> None:
    pieces = PLAIN.document("a [SEP] b")
    assert [(int(a), int(b)) for a, b in pieces.spans] == [(0, 1), (2, 7), (8, 9)]


def test_a_prompt_is_read_but_not_counted_and_moves_no_offset() -> None:
    plain, prompted = PLAIN.document("rain fell"), PROMPTED.document("rain fell")
    assert prompted.spans.tolist() == plain.spans.tolist()
    assert prompted.token_ids.tolist() == plain.token_ids.tolist()
    assert len(prompted.ids) == len(plain.ids) + 2
    assert PROMPTED.count(["rain fell", ""]) == [2, 0]
    assert PROMPTED.max_tokens == PLAIN.max_tokens - 2


def test_the_longest_document_that_fits_is_read_whole() -> None:
    assert len(pieces_with().document("rain " * 10).spans) == 10


def test_a_longer_document_is_refused_with_both_numbers() -> None:
    with pytest.raises(ModelError, match=r"'rain rain.* has 11 word pieces.* reads 10 at a time"):
        pieces_with().document("rain " * 11)


@pytest.mark.parametrize(("prompt", "room"), [("", 10), ("query: ", 8)])
def test_a_longer_query_is_cut_at_the_end(prompt: str, room: int) -> None:
    pieces = pieces_with(query_prompt=prompt)
    cut, whole = pieces.query("rain snow " * 9), pieces.query("rain snow " * (room // 2))
    assert (cut.ids, cut.type_ids, cut.own) == (whole.ids, whole.type_ids, whole.own)
    assert cut.spans.tolist() == whole.spans.tolist()
    assert len(cut.ids) == 12


def test_a_prompt_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ModelError, match=r"its prompt .* fills them"):
        pieces_with(document_prompt="a b c d e f g h i j ")


def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    damaged = tmp_path / "tokenizer.json"
    damaged.write_text("{")
    with pytest.raises(ModelError, match="is no tokenizer"):
        WordPieces.from_file(damaged, max_length=9, document_prompt="", query_prompt="")


@given(any_text)
def test_any_text_keeps_its_length_without_surrogates(text: str) -> None:
    readable = without_surrogates(text)
    assert len(readable) == len(text)
    readable.encode()


@given(any_text)
def test_spans_stay_inside_any_text_in_order(text: str) -> None:
    for pieces in (PLAIN.query(text), PROMPTED.query(text)):
        spans = pieces.spans
        assert len(spans) == len(pieces.token_ids)
        assert (spans[:, 0] <= spans[:, 1]).all()
        assert (spans[1:, 0] >= spans[:-1, 0]).all()
        assert (spans >= 0).all()
        assert (spans <= len(text)).all()
    assert PLAIN.count([text])[0] >= len(PLAIN.query(text).spans)
