"""From a part of an input to a shard: what one worker does, alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from index.archive.preparation import batches, prepare_articles
from index.archive.shards.input import ArchiveInput, Part, Reading
from index.archive.shards.location import Place
from index.archive.shards.manifest import Shard
from index.archive.shards.parquet_file import write_shard
from index.archive.store import PreparedArticle
from index.article import Article
from index.errors import EmptyArticle
from index.models.encoder import Encoder

__all__ = ["make_shard", "mark_of"]

MAX_CHARACTERS: Final = 4_000_000
"""Of one article: as many take a gigabyte of memory while they are prepared."""


def mark_of(part: Part, tags: tuple[str, ...]) -> str:
    """What a part's shard is known by: equal marks, made with one model, are equal shards."""
    return hashlib.sha256(json.dumps([part.fingerprint, *tags]).encode("ascii")).hexdigest()


def make_shard(
    source: ArchiveInput, part: Part, encoder: Encoder, place: Place, tags: tuple[str, ...] = ()
) -> Shard:
    """Read, cut, encode and write the articles of a part; the same part gives the same shard.

    Args:
        source: The input.
        part: Of it.
        encoder: Makes the vectors.
        place: Where the shard is written to.
        tags: Given to every article, before its own.

    Raises:
        SourceError: The input is not what it was when it was cut.
        OSError: The shard cannot be written.
    """
    refused: list[tuple[str, str]] = []
    return write_shard(
        place,
        part.number,
        _prepared(source.read(part), encoder, tags, refused),
        refused=refused,
        part=mark_of(part, tags),
        holds=str(part),
    )


def _prepared(
    readings: Iterator[Reading],
    encoder: Encoder,
    tags: tuple[str, ...],
    refused: list[tuple[str, str]],
) -> Iterator[list[PreparedArticle]]:
    def articles() -> Iterator[tuple[Reading, Article]]:
        for reading in readings:
            found = reading.found
            if not isinstance(found, Article):
                refused.append((reading.name, str(found)))
            elif len(found.text) > MAX_CHARACTERS:
                why = (
                    f"its text has {len(found.text):,} characters, and may have {MAX_CHARACTERS:,}"
                )
                refused.append((reading.name, f"{why}; cut it at its chapters"))
            else:
                yield reading, found

    for batch in batches(articles(), lambda one: one[1]):
        results = prepare_articles(
            [article for _, article in batch], encoder, sources=[one.source for one, _ in batch]
        )
        prepared = []
        for (reading, _), result in zip(batch, results, strict=True):
            if isinstance(result, EmptyArticle):
                refused.append((reading.name, str(result)))
            else:
                own = tuple(dict.fromkeys((*tags, *reading.tags)))
                prepared.append(replace(result, tags=own))
        yield prepared
