"""A passage as bytes: it survives, and says when it is damaged or another's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.archive.records.passage import pack, recode, unpack_passages, unpack_vectors
from index.archive.records.token_codec import ByteCodec
from index.archive.store import PreparedPassage
from tests.support.archive import DIM, generated

PASSAGES = [passage for prepared in generated(3) for passage in prepared.passages]
NUMBERS = {t: n for n, t in enumerate(sorted({t for p in PASSAGES for s in p.terms for t in s}))}


def packed(row: int, passage: PreparedPassage) -> tuple[bytes, bytes]:
    vector, record, _ = pack(
        row, passage, article=row // 3, term_numbers=NUMBERS, codec=ByteCodec(DIM), codec_number=0
    )
    return vector, record


def test_passages_survive_side_by_side() -> None:
    records = [packed(row, passage)[1] for row, passage in enumerate(PASSAGES)]
    layout = unpack_passages(range(len(records)), records)
    assert layout.articles.tolist() == [row // 3 for row in range(len(PASSAGES))]
    assert layout.passage_spans.tolist() == [[p.start, p.end] for p in PASSAGES]
    assert layout.pages.tolist() == [p.page for p in PASSAGES]
    spans = [span for p in PASSAGES for span in p.sentence_spans.tolist()]
    assert layout.sentence_spans.tolist() == spans
    assert layout.traits.tolist() == [t for p in PASSAGES for t in p.traits.tolist()]
    assert layout.token_ids.tolist() == [t for p in PASSAGES for t in p.token_ids.tolist()]
    terms = [NUMBERS[t] for p in PASSAGES for s in p.terms for t in s]
    assert layout.term_ids.tolist() == terms


@given(st.data())
def test_a_changed_byte_of_a_record_is_noticed(data: Any) -> None:
    _, record = packed(4, PASSAGES[4])
    at, change = data.draw(st.integers(0, len(record) - 1)), data.draw(st.integers(1, 255))
    changed = bytearray(record)
    changed[at] ^= change
    with pytest.raises(ValueError, match="passage 4 is missing or damaged"):
        unpack_passages([4], [bytes(changed)])
    with pytest.raises(ValueError, match="passage 5"):
        unpack_passages([5], [record])
    with pytest.raises(ValueError, match="passage 4"):
        unpack_passages([4], [record[: at // 2]])


@pytest.mark.parametrize(
    "forged",
    [
        {"end": 3},
        {"start": -1, "end": 90},
        {"sentence_spans": np.zeros((0, 2), np.int32)},
        {"sentence_spans": np.asarray([(0, 10**6)], np.int32)},
        {"token_starts": np.asarray([0, 3], np.int32)},
    ],
)
def test_parts_that_do_not_fit_are_refused_though_their_checksum_is_right(
    forged: dict[str, Any],
) -> None:
    _, record = packed(0, replace(PASSAGES[0], **forged))
    with pytest.raises(ValueError, match="passage"):
        unpack_passages([0], [record])


def test_a_record_is_recoded_without_losing_anything_else() -> None:
    class Constant:
        def encode(self, *_: object) -> bytes:
            return b"codes"

    vector, record = packed(2, PASSAGES[2])
    (read,) = unpack_vectors([2], [vector], DIM)
    again = recode(2, record, read, Constant(), 1)  # type: ignore[arg-type]
    before, after = unpack_passages([2], [record]), unpack_passages([2], [again])
    assert (after.codecs, after.codes) == ((1,), (b"codes",))
    assert after.term_ids.tolist() == before.term_ids.tolist()
    assert after.sentence_spans.tolist() == before.sentence_spans.tolist()
