"""An article with all that was computed for it, as one row of a Parquet table, and back.

    id            string
    entry         its metadata, as JSON (see index.archive.store.Entry)
    n_sentences   in all its passages
    n_terms       occurrences in them
    article       its text, structure and metadata, as JSON (see Article.to_dict)
    passages      a list, each with
        start, end, paragraph, page
        vector          float32, little endian, dimension
        tokens          int8, n_tokens × dimension: each token's direction, largest number 127
        token_ids       int32, n_tokens
        sentence_spans  int32, n_sentences × 2
        token_starts    int32, n_sentences + 1
        traits          uint8, n_sentences × n_traits
        terms           a list of words for each sentence, as JSON

A token takes a byte a dimension, as in a new folder library (`token_codec.ByteCodec`).
Encoding what was decoded gives the same bytes again, so a library loaded from shards holds
the numbers of one that was added to directly. A passage of 100 word pieces takes 36 kB, of
half-precision numbers it would take 72 (zstd finds little in either).

JSON is ASCII: Parquet's strings must be valid Unicode, and an article's need not be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from index.archive.entries import entry_json, entry_of
from index.archive.records.token_codec import ByteCodec
from index.archive.store import PreparedArticle, PreparedPassage
from index.article import Article
from index.extras import extra
from index.models.encoder import Int32
from index.segmentation.traits import MOST_CUES, TRAITS

__all__ = ["prepared_of_row", "row_of", "schema"]

_NORM_TOLERANCE: Final = 0.01
_MAX_TOKEN_ID: Final = 2**24


def schema() -> Any:  # noqa: ANN401 - pyarrow.Schema
    """The columns of a shard.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    pa = extra("pyarrow", of="ray")
    passage = pa.struct(
        [(name, pa.int32()) for name in ("start", "end", "paragraph", "page")]
        + [(name, pa.binary()) for name in ("vector", "tokens", "token_ids", "sentence_spans",
                                            "token_starts", "traits")]
        + [("terms", pa.string())]
    )  # fmt: skip
    return pa.schema(
        [
            ("id", pa.string()),
            ("entry", pa.string()),
            ("n_sentences", pa.int64()),
            ("n_terms", pa.int64()),
            ("article", pa.string()),
            ("passages", pa.list_(passage)),
        ]
    )


def row_of(prepared: PreparedArticle) -> dict[str, Any]:
    """An article as a row of the table."""
    return {
        "id": prepared.article.id,
        # When it was added is for the library to say that it is added to.
        "entry": entry_json(prepared, added=""),
        "n_sentences": sum(len(passage.terms) for passage in prepared.passages),
        "n_terms": sum(len(words) for passage in prepared.passages for words in passage.terms),
        "article": json.dumps(prepared.article.to_dict()),
        "passages": [_row_of_passage(passage) for passage in prepared.passages],
    }


def prepared_of_row(row: Mapping[str, Any], dimension: int) -> PreparedArticle:
    """The article that ``row_of`` was given, every offset checked.

    Raises:
        KeyError, TypeError, ValueError: The row is malformed, or its parts do not fit each
            other.
    """
    article, entry = Article.from_dict(json.loads(row["article"])), entry_of(row["entry"])
    passages = tuple(_passage_of_row(one, article, dimension) for one in row["passages"])
    prepared = PreparedArticle(article, passages, entry.tags, entry.source)
    if not passages or entry_of(entry_json(prepared, added="")) != replace(entry, added=""):
        raise ValueError(f"article {row['id']} is not what its entry says")
    counted = (
        sum(len(passage.terms) for passage in passages),
        sum(len(words) for passage in passages for words in passage.terms),
    )
    if (article.id, counted) != (row["id"], (row["n_sentences"], row["n_terms"])):
        raise ValueError(f"article {row['id']} is not what its row says")
    return prepared


def _row_of_passage(passage: PreparedPassage) -> dict[str, Any]:
    codec = ByteCodec(len(passage.vector))
    return {
        "start": passage.start,
        "end": passage.end,
        "paragraph": passage.paragraph,
        "page": passage.page,
        "vector": passage.vector.astype("<f4").tobytes(),
        "tokens": codec.encode(passage.vector, passage.token_vectors, passage.token_ids),
        "token_ids": passage.token_ids.astype("<i4").tobytes(),
        "sentence_spans": passage.sentence_spans.astype("<i4").tobytes(),
        "token_starts": passage.token_starts.astype("<i4").tobytes(),
        "traits": passage.traits.astype(np.uint8).tobytes(),
        "terms": json.dumps(passage.terms),
    }


def _passage_of_row(row: Mapping[str, Any], article: Article, dimension: int) -> PreparedPassage:
    start, end, page = row["start"], row["end"], row["page"]
    if not 0 <= start < end <= len(article.text) or row["paragraph"] < 0:
        raise ValueError(f"a passage at {start}:{end} is not in the text")
    if page is not None and page < 1:
        raise ValueError(f"there is no page {page}")
    spans = _integers(row["sentence_spans"]).reshape(-1, 2)
    inside = np.concatenate([[start], spans.ravel(), [end]])
    if not len(spans) or (np.diff(inside) < 0).any() or (spans[:, 0] >= spans[:, 1]).any():
        raise ValueError(f"the sentences of the passage at {start}:{end} are not in it, in order")
    token_ids = _integers(row["token_ids"])
    if len(token_ids) and not 0 <= token_ids.min() <= token_ids.max() < _MAX_TOKEN_ID:
        raise ValueError("there is no such word piece")
    starts = _integers(row["token_starts"])
    edges = (len(starts) == len(spans) + 1, starts[:1].tolist(), starts[-1:].tolist())
    if edges != (True, [0], [len(token_ids)]) or (np.diff(starts) < 0).any():
        raise ValueError("the word pieces of a passage are not those of its sentences")
    traits = np.frombuffer(row["traits"], dtype=np.uint8).reshape(len(spans), len(TRAITS))
    if traits.max(initial=0) > MOST_CUES:
        raise ValueError(f"a sentence has a trait {traits.max()}")
    terms = tuple(tuple(map(str, words)) for words in json.loads(row["terms"]))
    if len(terms) != len(spans):
        raise ValueError("the terms of a passage are not those of its sentences")
    return PreparedPassage(
        start=start,
        end=end,
        paragraph=row["paragraph"],
        page=page,
        vector=_vector(row["vector"], dimension),
        token_vectors=_tokens(row["tokens"], token_ids, dimension),
        token_ids=token_ids,
        sentence_spans=spans,
        token_starts=starts,
        traits=traits,
        terms=terms,
    )


def _integers(data: bytes) -> Int32:
    return np.frombuffer(data, dtype="<i4").astype(np.int32)


def _vector(data: bytes, dimension: int) -> NDArray[np.float32]:
    vector = np.frombuffer(data, dtype="<f4").astype(np.float32)
    norm = float(np.linalg.norm(vector))
    # Written so that a norm that is no number is refused as well.
    if vector.shape != (dimension,) or not abs(norm - 1) < _NORM_TOLERANCE:
        raise ValueError(f"a vector has {len(vector)} dimensions and length {norm:.3g}")
    return vector


def _tokens(data: bytes, token_ids: Int32, dimension: int) -> NDArray[np.float32]:
    if len(data) != len(token_ids) * dimension:
        raise ValueError("the word pieces of a passage have no vectors of their own")
    ids = token_ids.astype(np.int64)
    return (
        ByteCodec(dimension).tokens(np.empty((1, dimension), np.float32), [data], [ids]).vectors()
    )
