"""A passage as a store keeps it: a few hundred bytes that say when they are damaged.

    record = CRC-32 · length of the numbers · numbers (LEB128) · token codes
    vector = CRC-32 · scale (float32) · int8 per dimension

The checksums cover the row as well, so that a record found under another row is noticed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.archive.records import varint
from index.arrays import normalised, ranges
from index.models.encoder import Float32, Int32
from index.segmentation.traits import TRAITS

__all__ = [
    "Layout",
    "pack_passage",
    "pack_vector",
    "unpack_passages",
    "unpack_vectors",
    "vector_bytes",
]

_HEAD = struct.Struct("<II")
_FIXED = 9
_TRAIT_VALUES = 4
"""Values that a trait may have: present or not, or how many cues up to three."""
_TRAIT_PLACES = _TRAIT_VALUES ** np.arange(len(TRAITS), dtype=np.int64)
_VECTOR_HEAD = np.dtype([("crc", "<u4"), ("scale", "<f4")])


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of some passages lie; the passages one after another.

    Attributes:
        articles: int64 ``(n_passages,)``: number of the article.
        passage_spans: int32 ``(n_passages, 2)``, code points.
        paragraphs: int32 ``(n_passages,)``.
        pages: int32 ``(n_passages,)``, 0 for none.
        sentence_spans: int32 ``(n_sentences, 2)``, code points.
        sentence_starts: int32 ``(n_passages + 1,)``.
        token_starts: int32 ``(n_sentences + 1,)``.
        term_starts: int32 ``(n_sentences + 1,)``.
        traits: uint8 ``(n_sentences, len(TRAITS))``.
        term_ids: int64 ``(n_terms,)``: the store's number of each term, in order.
        token_ids: int64 ``(n_tokens,)``: word pieces.
        codecs: int64 ``(n_passages,)``: which codec made the codes.
        codes: The token codes of each passage.
    """

    articles: NDArray[np.int64]
    passage_spans: Int32
    paragraphs: Int32
    pages: Int32
    sentence_spans: Int32
    sentence_starts: Int32
    token_starts: Int32
    term_starts: Int32
    traits: NDArray[np.uint8]
    term_ids: NDArray[np.int64]
    token_ids: NDArray[np.int64]
    codecs: NDArray[np.int64]
    codes: tuple[bytes, ...]


def pack_passage(
    row: int,
    *,
    article: int,
    span: tuple[int, int],
    paragraph: int,
    page: int | None,
    sentence_spans: Int32,
    token_starts: Int32,
    traits: NDArray[np.uint8],
    term_ids: Sequence[Sequence[int]],
    token_ids: Int32,
    codec: int,
    codes: bytes,
) -> bytes:
    """One passage as bytes; arguments as in ``Layout``, starts relative to the passage."""
    if traits.max(initial=0) >= _TRAIT_VALUES:
        raise ValueError(f"a trait is {traits.max()}, and at most {_TRAIT_VALUES - 1} is kept")
    n_terms = [len(ids) for ids in term_ids]
    begins, ends = sentence_spans[:, 0], sentence_spans[:, 1]
    fixed = [article, span[0], span[1] - span[0], paragraph, page or 0]
    counts = [len(sentence_spans), len(token_ids), sum(n_terms), codec]
    numbers = np.concatenate(
        [
            np.asarray(fixed + counts),
            begins - np.concatenate([[span[0]], ends[:-1]]),
            ends - begins,
            np.diff(token_starts),
            np.asarray(n_terms),
            traits @ _TRAIT_PLACES,
            np.asarray([number for ids in term_ids for number in ids], dtype=np.int64),
            token_ids,
        ]
    ).astype(np.int64)
    data = varint.encode(numbers)
    body = _HEAD.pack(0, len(data))[4:] + data + codes
    return zlib.crc32(body, row & 0xFFFFFFFF).to_bytes(4, "little") + body


def unpack_passages(rows: Sequence[int], records: Sequence[bytes]) -> Layout:
    """Read passages.

    Args:
        rows: The row of each.
        records: What ``pack_passage`` made for it.

    Raises:
        ValueError: A record is damaged, or another row's.
    """
    parts, codes, sizes = [], [], []
    for row, record in zip(rows, records, strict=True):
        crc, size = _HEAD.unpack_from(record) if len(record) > _HEAD.size else (0, 0)
        if size == 0 or zlib.crc32(memoryview(record)[4:], row & 0xFFFFFFFF) != crc:
            raise ValueError(f"passage {row} is damaged")
        end = _HEAD.size + size
        parts.append(record[_HEAD.size : end])
        codes.append(record[end:])
        sizes.append(size)
    numbers = varint.decode(b"".join(parts))
    # Where each passage's numbers begin: the count of last bytes before its first byte.
    octets = np.frombuffer(b"".join(parts), dtype=np.uint8)
    ends = np.concatenate([[0], np.cumsum(octets < 128)])
    starts = ends[np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)]
    return _layout(numbers, starts, tuple(codes))


def _layout(
    numbers: NDArray[np.int64], starts: NDArray[np.int64], codes: tuple[bytes, ...]
) -> Layout:
    """Sort the numbers of all passages into columns, without a loop over passages."""
    fixed = numbers[starts[:-1, None] + np.arange(_FIXED)]
    n_sentences, n_tokens, n_terms = fixed[:, 5], fixed[:, 6], fixed[:, 7]
    at = starts[:-1] + _FIXED
    columns = []
    for counts in (n_sentences,) * 5 + (n_terms, n_tokens):
        columns.append(numbers[ranges(at, counts)])
        at = at + counts
    if not np.array_equal(at, starts[1:]):
        raise ValueError("the numbers of a passage do not add up")
    gaps, lengths, tokens, terms, traits, term_ids, token_ids = columns
    first = np.concatenate([[0], np.cumsum(n_sentences)])
    # Ends relative to the passage: running sums of gaps and lengths, restarted at each passage.
    running = np.cumsum(gaps + lengths)
    before = np.concatenate([[0], running])[first[:-1]]
    ends = running + np.repeat(fixed[:, 1] - before, n_sentences)
    return Layout(
        articles=fixed[:, 0],
        passage_spans=np.stack([fixed[:, 1], fixed[:, 1] + fixed[:, 2]], axis=1).astype(np.int32),
        paragraphs=fixed[:, 3].astype(np.int32),
        pages=fixed[:, 4].astype(np.int32),
        sentence_spans=np.stack([ends - lengths, ends], axis=1).astype(np.int32),
        sentence_starts=first.astype(np.int32),
        token_starts=np.concatenate([[0], np.cumsum(tokens)]).astype(np.int32),
        term_starts=np.concatenate([[0], np.cumsum(terms)]).astype(np.int32),
        traits=(traits[:, None] // _TRAIT_PLACES % _TRAIT_VALUES).astype(np.uint8),
        term_ids=term_ids,
        token_ids=token_ids,
        codecs=fixed[:, 8],
        codes=codes,
    )


def vector_bytes(dimension: int) -> int:
    """Size of a packed vector."""
    return _VECTOR_HEAD.itemsize + dimension


def pack_vector(row: int, vector: Float32) -> bytes:
    """A vector with each dimension in a byte; moves a cosine by less than 0.001."""
    scale = np.float32(max(float(np.abs(vector).max()), 1e-12) / 127)
    body: bytes = scale.tobytes() + np.rint(vector / scale).astype(np.int8).tobytes()
    return zlib.crc32(body, row & 0xFFFFFFFF).to_bytes(4, "little") + body


def unpack_vectors(rows: Sequence[int], records: Sequence[bytes], dimension: int) -> Float32:
    """Read vectors.

    Returns:
        float32 ``(n, dimension)``, L2-normalised.

    Raises:
        ValueError: A record is damaged, or another row's.
    """
    size = vector_bytes(dimension)
    for row, record in zip(rows, records, strict=True):
        if len(record) != size or zlib.crc32(
            memoryview(record)[4:], row & 0xFFFFFFFF
        ) != int.from_bytes(record[:4], "little"):
            raise ValueError(f"the vector of passage {row} is damaged")
    table = np.frombuffer(
        b"".join(records), dtype=[("head", _VECTOR_HEAD), ("codes", np.int8, (dimension,))]
    )
    # The scale cancels out when the vector is normalised again.
    return normalised(table["codes"].astype(np.float32))
