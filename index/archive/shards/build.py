"""From an input to shards, on the processors of a Ray cluster.

    input ─▶ parts ─▶ a Ray task each ─▶ shard, written by the task ─▶ manifest, by the driver

A part is made whole or not at all, and its shard depends on nothing else: so the result is the
same however many workers there are, in whatever order they end and whichever of them are lost.
What the manifest lists is not made again. Ray repeats the task of a worker that is lost,
wherever there is room.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from index.archive.preparation import batches, prepare_articles
from index.archive.shards.input import ArchiveInput, InputArticle, Limits, Part
from index.archive.shards.location import Location
from index.archive.shards.manifest import Manifest, Shard, is_shard_file
from index.archive.shards.parquet_file import read_refused, write_shard
from index.archive.shards.ray_cluster import ray_cluster
from index.archive.store import ModelRef, PreparedArticle
from index.article import Article
from index.errors import ArticleQAError, EmptyArticle, LibraryError, NotALibrary, OtherModel
from index.extras import require
from index.files import sha256_of
from index.models.encoder import Encoder, Progress
from index.models.loading import load_encoder
from index.segmentation.passages import SEGMENTATION

__all__ = ["Built", "build_shards", "make_part", "make_shard"]

ATTEMPTS: Final = 4
"""After so many lost workers the part itself is at fault: perhaps it needs too much memory."""
MAX_CHARACTERS: Final = 4_000_000
"""Of one article: as many take a gigabyte of memory while they are prepared."""
_STALLED_SECONDS: Final = 1_800.0
_MANIFEST_SHARE: Final = 0.02
"""Of the time, spent on writing the manifest: with many shards it grows to megabytes."""


@dataclass(frozen=True, slots=True)
class Built:
    """The outcome of a build.

    Attributes:
        made: Shards that were made; ``kept`` had been made by an earlier build.
        articles: In all of them; one that is in several counts in each.
        refused: What could not be used, and why.
    """

    made: int
    kept: int
    articles: int
    passages: int
    refused: tuple[tuple[str, str], ...]


def build_shards(
    source: ArchiveInput,
    location: Location,
    *,
    workers: int | None = None,
    address: str | None = None,
    model: str | None = None,
    fingerprint: str | None = None,
    tags: Sequence[str] = (),
    limits: Limits | None = None,
    attempts: int = ATTEMPTS,
    progress: Progress | None = None,
) -> Built:
    """Make the shards of an input that are not there yet.

    Args:
        source: The input; every worker must be able to read it where it is.
        location: Where the shards go; every worker must be able to write there.
        workers: How many; None for one a processor of the cluster.
        address: The cluster's; None to start one on this machine.
        model: Makes the vectors; None for the bundled MiniLM.
        fingerprint: As for `index.models.loading.load_encoder`.
        tags: Given to every article.
        limits: Of a shard.
        attempts: How often a part is tried whose worker is lost.
        progress: Called with the articles that are done.

    Raises:
        SourceError: The input cannot be read, or changed meanwhile.
        OtherModel, NotALibrary: The shards that are there are of another model or input.
        LibraryBusy: Another process is making them.
        LibraryError: They cannot be written, or workers are lost again and again.
        MissingExtra: Ray, pyarrow or fsspec is not installed.
    """
    require("ray", "pyarrow", of="ray")
    # Prepared once, here: the workers of this machine find it done.
    encoder = load_encoder(model, fingerprint=fingerprint, progress=progress)
    ref = ModelRef(encoder.name, encoder.fingerprint, encoder.dimension)
    del encoder
    parts = source.parts(limits or Limits(), progress)
    sizes = {part.number: part.n for part in parts}
    with location.locked():
        manifest = _resumed(location, ref, parts, tuple(tags))
        done = {shard.number: shard for shard in manifest.shards}
        missing = [part for part in parts if part.number not in done]

        def tell() -> None:
            if progress:
                progress("preparing articles", sum(sizes[n] for n in done), sum(sizes.values()))

        tell()
        if missing:
            due = 0.0
            arguments = (source, ref, location, tuple(tags))
            try:
                with ray_cluster(address, n_cpus=workers) as ray:
                    for shard in _made(ray, missing, arguments, workers, attempts):
                        done[shard.number] = shard
                        began = time.monotonic()
                        if began >= due:
                            manifest.with_shards([*done.values()]).write(location)
                            due = time.monotonic() + (time.monotonic() - began) / _MANIFEST_SHARE
                        tell()
            finally:
                manifest.with_shards([*done.values()]).write(location)
        manifest = _finished(location, manifest.with_shards([*done.values()]))
    refused = [one for shard in manifest.shards for one in read_refused(location, shard)]
    return Built(
        made=len(missing),
        kept=len(parts) - len(missing),
        articles=sum(shard.articles for shard in manifest.shards),
        passages=sum(shard.passages for shard in manifest.shards),
        refused=tuple(refused),
    )


def _resumed(
    location: Location, ref: ModelRef, parts: Sequence[Part], tags: tuple[str, ...]
) -> Manifest:
    """The manifest of a folder, with the shards of these parts that still stand."""
    before = Manifest.read_or_create(location, ref)
    if before.model.fingerprint != ref.fingerprint or before.segmenter != SEGMENTATION:
        raise OtherModel(
            f"the shards in {str(location)!r} were made with model {before.model.name!r}"
            f" ({before.model.fingerprint}) and {before.segmenter!r}, not with {ref.name!r}"
            f" ({ref.fingerprint}) and {SEGMENTATION!r}; name another folder"
        )
    there = {shard.part: shard for shard in before.shards}
    known = [(part, there[mark]) for part in parts if (mark := _mark_of(part, tags)) in there]
    # Shards of another input, or exported ones, must not be deleted.
    if before.shards and (not known or "" in there):
        raise NotALibrary(
            f"{str(location)!r} holds other shards than those of this input with these tags;"
            " remove it, or name another folder"
        )
    # A file that is missing or cut short is made again; a changed byte shows when it is read.
    kept = [
        replace(shard, number=part.number)
        for part, shard in known
        if location.size(shard.file) == shard.bytes
    ]
    return replace(before, complete=False).with_shards(kept)


def _finished(location: Location, manifest: Manifest) -> Manifest:
    """Declare the shards complete, and delete those that are not listed any more."""
    manifest = replace(manifest, complete=True)
    manifest.write(location)
    listed = {shard.file for shard in manifest.shards}
    for name in location.names():
        if is_shard_file(name) and name not in listed:
            location.remove(name)
    return manifest


def _made(
    ray: Any,  # noqa: ANN401 - the module
    parts: Sequence[Part],
    arguments: tuple[ArchiveInput, ModelRef, Location, tuple[str, ...]],
    workers: int | None,
    attempts: int,
) -> Iterator[Shard]:
    """The shards of parts, in whatever order they are done."""
    source, model, location, tags = arguments
    task = ray.remote(
        num_cpus=1, max_retries=attempts - 1, retry_exceptions=[OSError, LibraryError]
    )(make_part)
    # As many tasks as may run, or a few more than can where there is no limit.
    at_once = workers or 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
    waiting = list(reversed(parts))
    running: dict[Any, Part] = {}

    def start() -> None:
        while waiting and len(running) < at_once:
            part = waiting.pop()
            running[task.remote(source, part, model, location, tags)] = part

    try:
        start()
        while running:
            done, _ = ray.wait(list(running), num_returns=1, timeout=_STALLED_SECONDS)
            if not done:
                raise LibraryError(
                    f"no part was made in {_STALLED_SECONDS / 60:.0f} minutes; the cluster has free"
                    f" {ray.available_resources()}, and a worker needs a processor"
                )
            part = running.pop(done[0])
            try:
                shard: Shard = ray.get(done[0])
            except ray.exceptions.RayError as error:
                cause = getattr(error, "cause", None) or error
                if isinstance(cause, ArticleQAError):
                    raise cause from error
                reason = str(cause).strip().splitlines() or [""]
                raise LibraryError(
                    f"{part} cannot be made: {attempts} attempts failed, the last with"
                    f" {type(cause).__name__}: {reason[0]}; what is done stays, run the same again"
                    " to go on"
                ) from error
            start()  # now: whoever takes the shard takes time
            yield shard
    finally:
        for task_reference in running:
            ray.cancel(task_reference, force=True)


def _mark_of(part: Part, tags: tuple[str, ...]) -> str:
    """What a part's shard is known by: equal marks, made with one model, are equal shards."""
    return sha256_of(json.dumps([part.fingerprint, *tags]).encode("ascii"))


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
        part=_mark_of(part, tags),
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
