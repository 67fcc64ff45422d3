"""From a part of an input to a shard: what one worker does, alone."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final

from index.archive.preparation import batches, prepare_articles
from index.archive.shards.input import ArchiveInput, InputArticle, Part
from index.archive.shards.location import Location
from index.archive.shards.manifest import Shard
from index.archive.shards.parquet_file import write_shard
from index.archive.store import ModelRef, PreparedArticle
from index.article import Article
from index.errors import EmptyArticle, OtherModel
from index.models.encoder import Encoder
from index.models.loading import load_encoder

__all__ = ["make_part", "make_shard", "mark_of"]

MAX_CHARACTERS: Final = 4_000_000
"""Of one article: as many take a gigabyte of memory while they are prepared."""


def mark_of(part: Part, tags: tuple[str, ...]) -> str:
    """What a part's shard is known by: equal marks, made with one model, are equal shards."""
    return hashlib.sha256(json.dumps([part.fingerprint, *tags]).encode("ascii")).hexdigest()


def make_part(
    source: ArchiveInput, part: Part, model: ModelRef, location: Location, tags: tuple[str, ...]
) -> Shard:
    """Make a shard on a node of a cluster; a process loads the model once."""
    return make_shard(source, part, _encoder(model), location, tags)


@lru_cache(maxsize=1)
def _encoder(model: ModelRef) -> Encoder:
    os.environ["OMP_NUM_THREADS"] = "1"  # the processor that Ray has set aside
    encoder = load_encoder(model.name, fingerprint=model.fingerprint)
    if encoder.fingerprint != model.fingerprint:
        raise OtherModel(
            f"a node of the cluster has model {encoder.name!r} with fingerprint"
            f" {encoder.fingerprint}, not {model.fingerprint}; install the same article-qa and the"
            " same model on all nodes"
        )
    return encoder


def make_shard(
    source: ArchiveInput,
    part: Part,
    encoder: Encoder,
    location: Location,
    tags: tuple[str, ...] = (),
    *,
    max_characters: int = MAX_CHARACTERS,
) -> Shard:
    """Read, cut, encode and write the articles of a part; the same part gives the same shard.

    Every article is given ``tags`` before its own; one of more than ``max_characters`` is refused.

    Raises:
        SourceError: The input has changed since it was cut.
        LibraryError: The shard cannot be written.
    """
    refused: list[tuple[str, str]] = []
    return write_shard(
        location,
        part.number,
        _prepared(source.read(part), encoder, tags, refused, max_characters),
        refused=refused,
        part=mark_of(part, tags),
        holds=str(part),
    )


def _prepared(
    items: Iterator[InputArticle],
    encoder: Encoder,
    tags: tuple[str, ...],
    refused: list[tuple[str, str]],
    max_characters: int,
) -> Iterator[list[PreparedArticle]]:
    def articles() -> Iterator[tuple[InputArticle, Article]]:
        for item in items:
            found = item.found
            if not isinstance(found, Article):
                refused.append((item.name, str(found)))
            elif len(found.text) > max_characters:
                why = f"its text has {len(found.text):,} characters, and may have"
                refused.append((item.name, f"{why} {max_characters:,}; cut it at its chapters"))
            else:
                yield item, found

    for batch in batches(articles(), lambda one: one[1]):
        results = prepare_articles(
            [article for _, article in batch], encoder, sources=[one.source for one, _ in batch]
        )
        prepared = []
        for (item, _), result in zip(batch, results, strict=True):
            if isinstance(result, EmptyArticle):
                refused.append((item.name, str(result)))
            else:
                own = tuple(dict.fromkeys((*tags, *item.tags)))
                prepared.append(replace(result, tags=own))
        yield prepared
