"""An article and its passages as a store keeps them: bytes that say when they are damaged.

    body   = CRC-32 · text and structure (JSON, deflated)
    record = CRC-32 · size of the numbers · codec · numbers (int32, deflated) · token codes
    vector = CRC-32 · int8 per dimension

The checksums cover the number of the article or the row of the passage as well, so that bytes
found under another's are noticed.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from index.archive.records.token_codec import ByteCodec, ResidualCodec, TokenCodec, train
from index.archive.store import Entry, PreparedArticle, PreparedPassage, Statistics
from index.arrays import normalised, ranges
from index.article import Article
from index.models.encoder import Float32, Int32
from index.scoring.token_vectors import JoinedTokens, Tokens
from index.segmentation.traits import TRAITS

__all__ = [
    "Layout",
    "count_passages",
    "learn_codec",
    "pack",
    "pack_body",
    "pack_vector",
    "prepared_of",
    "recode",
    "tokens_of",
    "unpack_body",
    "unpack_passages",
    "unpack_vectors",
]

_HEAD = struct.Struct("<IIB")
_FIXED = 8
_MAX_BODY_BYTES = 2**30
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

    def counts(self) -> tuple[Statistics, Counter[int], Counter[int]]:
        """Their statistics, less the articles, and in how many each term and word piece occurs."""
        counters = Counter[int](), Counter[int]()
        columns = ((self.term_ids, self.term_starts), (self.token_ids, self.token_starts))
        for counter, (ids, starts) in zip(counters, columns, strict=True):
            bounds = starts[self.sentence_starts]
            for begin, end in zip(bounds, bounds[1:], strict=False):
                counter.update(np.unique(ids[begin:end]).tolist())
        sizes = len(self.articles), len(self.sentence_spans), len(self.term_ids)
        return Statistics(0, *sizes), *counters


def count_passages(
    passages: Iterable[PreparedPassage],
) -> tuple[Statistics, Counter[str], Counter[int]]:
    """What ``Layout.counts`` says of passages once they are stored."""
    n_passages = n_sentences = n_terms = 0
    terms, pieces = Counter[str](), Counter[int]()
    for passage in passages:
        n_passages += 1
        n_sentences += len(passage.terms)
        n_terms += sum(map(len, passage.terms))
        terms.update({term for words in passage.terms for term in words})
        pieces.update(set(passage.token_ids.tolist()))
    return Statistics(0, n_passages, n_sentences, n_terms), terms, pieces


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

    The vector, float32 ``(dim,)``, is the passage's as it is stored; ``codec`` is the trained codec
    as it will be read back, which the store knows by ``number``.
    """
    layout = unpack_passages([row], [record])
    tokens = ByteCodec(len(vector)).tokens(vector[None], layout.codes, [layout.token_ids])
    codes = codec.encode(vector, tokens.vectors(), layout.token_ids.astype(np.int32))
    _, size, _ = _HEAD.unpack_from(record)
    return _sealed(row, record[_HEAD.size : _HEAD.size + size], number, codes)


def _sealed(row: int, data: bytes, codec: int, codes: bytes) -> bytes:
    return _checked(row, _HEAD.pack(0, len(data), codec)[4:] + data + codes)


def unpack_passages(rows: Sequence[int], records: Sequence[bytes]) -> Layout:
    """Read what ``pack`` made of some passages.

    Raises:
        ValueError: A record is damaged, another row's, or its parts do not fit each other.
    """
    parts, codecs, codes = [], [], []
    left = _MAX_NUMBERS_BYTES
    for row, record in zip(rows, records, strict=True):
        if len(record) <= _HEAD.size or not _is_whole(row, record):
            raise ValueError(f"passage {row} is missing or damaged")
        _, size, codec = _HEAD.unpack_from(record)
        end = _HEAD.size + size
        planes = _inflated(record[_HEAD.size : end], left, f"passage {row}")
        left -= len(planes)
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
    return _checked(row, bytes(body))


def unpack_vectors(rows: Sequence[int], records: Sequence[bytes], dimension: int) -> Float32:
    """Read vectors: float32 ``(n, dimension)``, L2-normalised.

    Raises:
        ValueError: A record is damaged, or another row's.
    """
    for row, record in zip(rows, records, strict=True):
        if len(record) != 4 + dimension or not _is_whole(row, record):
            raise ValueError(f"the vector of passage {row} is missing or damaged")
    table = np.frombuffer(b"".join(records), dtype=np.int8).reshape(-1, 4 + dimension)
    return normalised(table[:, 4:].astype(np.float32))


def pack_body(number: int, article: Article) -> bytes:
    """An article's text and structure; its number in the store is covered by the checksum."""
    data = json.dumps(article.to_dict(), ensure_ascii=True).encode("ascii")
    return _checked(number, zlib.compress(data))


def unpack_body(number: int, data: bytes, article_id: str) -> Article:
    """Read what ``pack_body`` gave.

    Raises:
        ValueError, KeyError, TypeError: It is damaged, or another article's.
    """
    what = f"the text of article {article_id}"
    if not _is_whole(number, data):
        raise ValueError(f"{what} is missing or damaged")
    article = Article.from_dict(json.loads(_inflated(data[4:], _MAX_BODY_BYTES, what)))
    if article.id != article_id:
        raise ValueError(f"{what} is another's")
    return article


def _checked(number: int, data: bytes) -> bytes:
    return zlib.crc32(data, number & 0xFFFFFFFF).to_bytes(4, "little") + data


def _is_whole(number: int, data: bytes) -> bool:
    crc = zlib.crc32(memoryview(data)[4:], number & 0xFFFFFFFF)
    return crc == int.from_bytes(data[:4], "little")


def _inflated(data: bytes, limit: int, what: str) -> bytes:
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(data, max(1, limit))
    except zlib.error as error:
        raise ValueError(f"{what} is damaged") from error
    if inflater.unconsumed_tail:
        raise ValueError(f"{what} is too long")
    return inflated


def tokens_of(layout: Layout, vectors: Float32, codecs: Mapping[int, TokenCodec]) -> Tokens:
    """The word pieces of some passages, whichever codec each was kept with."""
    starts = layout.passage_tokens.tolist()
    pieces = [layout.token_ids[a:b] for a, b in zip(starts, starts[1:], strict=False)]
    parts, sizes = [], []
    for number, run in groupby(range(len(pieces)), key=layout.codecs.__getitem__):
        own = list(run)
        lot = slice(own[0], own[-1] + 1)
        parts.append(codecs[number].tokens(vectors[lot], layout.codes[lot], pieces[lot]))
        sizes.append(starts[lot.stop] - starts[lot.start])
    return parts[0] if len(parts) == 1 else JoinedTokens(parts, sizes)


def learn_codec(layout: Layout, vectors: Float32) -> bytes:
    """Train a token codec on passages that were kept with the byte codec."""
    return train(
        vectors,
        tokens_of(layout, vectors, {0: ByteCodec(vectors.shape[1])}).vectors(),
        layout.token_ids.astype(np.int32),
        np.repeat(np.arange(len(vectors)), np.diff(layout.passage_tokens)).astype(np.int32),
    ).to_bytes()


def prepared_of(
    article: Article,
    entry: Entry,
    layout: Layout,
    vectors: Float32,
    codecs: Mapping[int, TokenCodec],
    terms: Mapping[int, str],
) -> PreparedArticle:
    """A stored article with all its passages, ready for another store without encoding."""
    tokens = tokens_of(layout, vectors, codecs).vectors()
    passages = []
    firsts = layout.sentence_starts.tolist()
    for place, (first, last) in enumerate(zip(firsts, firsts[1:], strict=False)):
        own = slice(first, last + 1)
        pieces = slice(int(layout.token_starts[first]), int(layout.token_starts[last]))
        start, end = layout.passage_spans[place].tolist()
        bounds = layout.term_starts[own].tolist()
        passages.append(
            PreparedPassage(
                start=start,
                end=end,
                paragraph=int(layout.paragraphs[place]),
                page=int(layout.pages[place]) or None,
                vector=vectors[place],
                token_vectors=tokens[pieces],
                token_ids=layout.token_ids[pieces].astype(np.int32),
                sentence_spans=layout.sentence_spans[first:last],
                token_starts=layout.token_starts[own] - layout.token_starts[first],
                traits=layout.traits[first:last],
                terms=tuple(
                    tuple(terms[number] for number in layout.term_ids[a:b].tolist())
                    for a, b in zip(bounds, bounds[1:], strict=False)
                ),
            )
        )
    return PreparedArticle(article, tuple(passages), entry.tags, entry.source)
