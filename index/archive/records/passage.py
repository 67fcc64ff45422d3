"""A passage as a store keeps it: a few hundred bytes that say when they are damaged.

    record = CRC-32 · size of the numbers · codec · numbers (int32, deflated) · token codes
    vector = CRC-32 · int8 per dimension

The checksums cover the row as well, so that a record found under another row is noticed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.archive.records.token_codec import ByteCodec, ResidualCodec, TokenCodec
from index.archive.store import PreparedPassage
from index.arrays import normalised, ranges
from index.models.encoder import Float32, Int32
from index.segmentation.traits import TRAITS

__all__ = ["Layout", "pack", "pack_vector", "recode", "unpack_passages", "unpack_vectors"]

_HEAD = struct.Struct("<IIB")
_FIXED = 8
_MAX_NUMBERS_BYTES = 2**28
"""Of all that are read at once: a forged record may inflate to a thousand times its size."""
_MAX_TOKEN_ID = 2**24
_TRAIT_VALUES = 4
"""Values that a trait may have: present or not, or how many cues up to three."""
_TRAIT_PLACES = _TRAIT_VALUES ** np.arange(len(TRAITS), dtype=np.int64)


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
        codecs: Number of the codec of each passage.
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
    codecs: tuple[int, ...]
    codes: tuple[bytes, ...]

    @property
    def passage_tokens(self) -> Int32:
        """int32 ``(n_passages + 1,)``: where the tokens of each passage start."""
        return self.token_starts[self.sentence_starts]

    def by_passage(self, ids: NDArray[np.int64], starts: Int32) -> list[list[int]]:
        """The distinct terms, or word pieces, of each passage."""
        bounds = starts[self.sentence_starts]
        return [np.unique(ids[a:b]).tolist() for a, b in zip(bounds, bounds[1:], strict=False)]


def pack(
    row: int,
    passage: PreparedPassage,
    *,
    article: int,
    term_numbers: Mapping[str, int],
    codec: TokenCodec,
    codec_number: int,
) -> tuple[bytes, bytes, Float32]:
    """A passage as it is kept.

    Args:
        row: Number of the passage in the store.
        passage: What was computed for it.
        article: Number of its article.
        term_numbers: Numbers of its terms, and perhaps of others.
        codec: For its token vectors.
        codec_number: By which the store knows the codec.

    Returns:
        The packed vector; the record; the vector as it will be read back, float32 ``(dim,)``,
        to which the token codes refer.
    """
    if passage.traits.max(initial=0) >= _TRAIT_VALUES:
        raise ValueError(f"a trait is {passage.traits.max()}, at most {_TRAIT_VALUES - 1} is kept")
    packed = pack_vector(row, passage.vector)
    (vector,) = unpack_vectors([row], [packed], len(passage.vector))
    begins, ends = passage.sentence_spans[:, 0], passage.sentence_spans[:, 1]
    n_terms = [len(terms) for terms in passage.terms]
    fixed = (article, passage.start, passage.end - passage.start, passage.paragraph)
    counts = (passage.page or 0, len(begins), len(passage.token_ids), sum(n_terms))
    numbers = np.concatenate(
        [
            np.asarray(fixed + counts),
            begins - np.concatenate([[passage.start], ends[:-1]]),
            ends - begins,
            np.diff(passage.token_starts),
            np.asarray(n_terms),
            passage.traits @ _TRAIT_PLACES,
            np.asarray([term_numbers[t] for terms in passage.terms for t in terms], dtype=np.int64),
            passage.token_ids,
        ]
    ).astype("<i4")
    # Lowest bytes first, then the next: long runs of zeros deflate well.
    data = zlib.compress(numbers.view(np.uint8).reshape(-1, 4).T.tobytes())
    codes = codec.encode(vector, passage.token_vectors, passage.token_ids)
    return packed, _sealed(row, data, codec_number, codes), vector


def recode(row: int, record: bytes, vector: Float32, codec: ResidualCodec, number: int) -> bytes:
    """A record made with the byte codec, made with a trained one instead.

    Args:
        row: Number of the passage.
        record: The old one.
        vector: float32 ``(dim,)``: the passage's, as it is stored.
        codec: The trained codec, as it will be read back.
        number: By which the store knows it.
    """
    layout = unpack_passages([row], [record])
    tokens = ByteCodec(len(vector)).tokens(vector[None], layout.codes, [layout.token_ids])
    codes = codec.encode(vector, tokens.vectors(), layout.token_ids.astype(np.int32))
    _, size, _ = _HEAD.unpack_from(record)
    return _sealed(row, record[_HEAD.size : _HEAD.size + size], number, codes)


def _sealed(row: int, data: bytes, codec: int, codes: bytes) -> bytes:
    body = _HEAD.pack(0, len(data), codec)[4:] + data + codes
    return zlib.crc32(body, row & 0xFFFFFFFF).to_bytes(4, "little") + body


def unpack_passages(rows: Sequence[int], records: Sequence[bytes]) -> Layout:
    """Read what ``pack`` made of some passages.

    Raises:
        ValueError: A record is damaged, another row's, or its parts do not fit each other.
    """
    parts, codecs, codes = [], [], []
    left = _MAX_NUMBERS_BYTES
    for row, record in zip(rows, records, strict=True):
        crc, size, codec = _HEAD.unpack_from(record) if len(record) > _HEAD.size else (0, 0, 0)
        if size == 0 or zlib.crc32(memoryview(record)[4:], row & 0xFFFFFFFF) != crc:
            raise ValueError(f"passage {row} is missing or damaged")
        end = _HEAD.size + size
        inflater = zlib.decompressobj()
        try:
            planes = inflater.decompress(record[_HEAD.size : end], left)
        except zlib.error as error:
            raise ValueError(f"passage {row} is damaged") from error
        left -= len(planes)
        if left <= 0:
            raise ValueError(f"passage {row} is too long")
        numbers = np.frombuffer(planes, dtype=np.uint8).reshape(4, -1).T
        parts.append(np.ascontiguousarray(numbers).view("<i4").ravel())
        codecs.append(codec)
        codes.append(record[end:])
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    joined = np.concatenate([np.zeros(0, dtype="<i4"), *parts]).astype(np.int64)
    return _layout(joined, starts, tuple(codecs), tuple(codes))


def _layout(
    numbers: NDArray[np.int64],
    starts: NDArray[np.int64],
    codecs: tuple[int, ...],
    codes: tuple[bytes, ...],
) -> Layout:
    """Sort the numbers of all passages into columns, without a loop over passages."""
    if np.diff(starts).min(initial=_FIXED) < _FIXED or numbers.min(initial=0) < 0:
        raise ValueError("the numbers of a passage do not add up")
    fixed = numbers[starts[:-1, None] + np.arange(_FIXED)]
    begins, n_sentences, n_tokens, n_terms = fixed[:, 1], fixed[:, 5], fixed[:, 6], fixed[:, 7]
    if not np.array_equal(_FIXED + 5 * n_sentences + n_terms + n_tokens, np.diff(starts)):
        raise ValueError("the numbers of a passage do not add up")
    at = starts[:-1] + _FIXED
    columns = []
    for counts in (n_sentences,) * 5 + (n_terms, n_tokens):
        columns.append(numbers[ranges(at, counts)])
        at = at + counts
    gaps, lengths, tokens, terms, traits, term_ids, token_ids = columns
    first = _starts(n_sentences)
    # Ends relative to the passage: running sums of gaps and lengths, restarted at each passage.
    running = np.concatenate([[0], np.cumsum(gaps + lengths)])
    ends = running[1:] + np.repeat(begins - running[first[:-1]], n_sentences)
    token_starts, term_starts = _starts(tokens), _starts(terms)
    if (
        (n_sentences < 1).any()
        or (running[first[1:]] - running[first[:-1]] > fixed[:, 2]).any()
        or not np.array_equal(np.diff(token_starts[first]), n_tokens)
        or not np.array_equal(np.diff(term_starts[first]), n_terms)
    ):
        raise ValueError("the sentences of a passage do not fit it")
    if token_ids.max(initial=0) >= _MAX_TOKEN_ID:
        raise ValueError("there is no such word piece")
    return Layout(
        articles=fixed[:, 0],
        passage_spans=np.stack([begins, begins + fixed[:, 2]], axis=1).astype(np.int32),
        paragraphs=fixed[:, 3].astype(np.int32),
        pages=fixed[:, 4].astype(np.int32),
        sentence_spans=np.stack([ends - lengths, ends], axis=1).astype(np.int32),
        sentence_starts=first,
        token_starts=token_starts,
        term_starts=term_starts,
        traits=(traits[:, None] // _TRAIT_PLACES % _TRAIT_VALUES).astype(np.uint8),
        term_ids=term_ids,
        token_ids=token_ids,
        codecs=codecs,
        codes=codes,
    )


def _starts(counts: NDArray[np.int64]) -> Int32:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


def pack_vector(row: int, vector: Float32) -> bytes:
    """A vector with each dimension in a byte; moves a cosine by less than 0.001."""
    # The scale is not kept: vectors are normalised when they are read.
    largest = max(float(np.abs(vector).max()), 1e-12)
    body = np.rint(vector / largest * 127).astype(np.int8).tobytes()
    return zlib.crc32(body, row & 0xFFFFFFFF).to_bytes(4, "little") + bytes(body)


def unpack_vectors(rows: Sequence[int], records: Sequence[bytes], dimension: int) -> Float32:
    """Read vectors.

    Returns:
        float32 ``(n, dimension)``, L2-normalised.

    Raises:
        ValueError: A record is damaged, or another row's.
    """
    for row, record in zip(rows, records, strict=True):
        if len(record) != 4 + dimension or zlib.crc32(
            memoryview(record)[4:], row & 0xFFFFFFFF
        ) != int.from_bytes(record[:4], "little"):
            raise ValueError(f"the vector of passage {row} is missing or damaged")
    table = np.frombuffer(b"".join(records), dtype=np.int8).reshape(-1, 4 + dimension)
    return normalised(table[:, 4:].astype(np.float32))
