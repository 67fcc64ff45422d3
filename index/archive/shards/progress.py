"""Which parts of an input are done: the manifest of its shards, while it grows."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from index.archive.shards.input import Part
from index.archive.shards.location import Place
from index.archive.shards.make_shard import mark_of
from index.archive.shards.manifest import Manifest, Shard, is_shard_file
from index.archive.shards.parquet_file import read_refused
from index.archive.store import ModelRef
from index.errors import LibraryError, NotALibrary, OtherModel
from index.segmentation.passages import SEGMENTATION

__all__ = ["Built", "Ledger"]

_MANIFEST_SHARE: Final = 0.02
"""Of the time, spent on writing the manifest: with many shards it grows to megabytes."""


@dataclass(frozen=True, slots=True)
class Built:
    """What became of an input.

    Attributes:
        made: Shards that were made.
        kept: Shards that were there from before.
        articles: In all of them; one that stands in several counts in each.
        passages: Theirs.
        refused: What could not be used, and why.
        lost: Workers that were lost and replaced.
    """

    made: int
    kept: int
    articles: int
    passages: int
    refused: tuple[tuple[str, str], ...]
    lost: int


class Ledger:
    """Which parts are done: the manifest, while it grows."""

    def __init__(self, place: Place, manifest: Manifest, parts: Sequence[Part]) -> None:
        self._place, self._parts = place, parts
        self._manifest = replace(manifest, input="")  # until all of it is made
        self._sizes = {part.number: part.n for part in parts}
        self._done = {shard.number: shard for shard in manifest.shards}
        self._due = 0.0

    @classmethod
    def open(
        cls, place: Place, ref: ModelRef, parts: Sequence[Part], tags: tuple[str, ...]
    ) -> Ledger:
        """Find out what of an earlier run still stands.

        Raises:
            OtherModel: It was made with another model, or cut by other rules.
            NotALibrary: It was made from something else.
        """
        before = Manifest.read(place)
        if before is None:
            if place.names():
                raise NotALibrary(
                    f"{str(place)!r} is not empty and holds no shards; name a new folder"
                )
            before = Manifest(ref)
            before.write(place)
        if before.model.fingerprint != ref.fingerprint or before.segmenter != SEGMENTATION:
            raise OtherModel(
                f"the shards in {str(place)!r} were made with model {before.model.name!r}"
                f" ({before.model.fingerprint}) and {before.segmenter!r}, not with {ref.name!r}"
                f" ({ref.fingerprint}) and {SEGMENTATION!r}; name another folder"
            )
        there = {shard.part: shard for shard in before.shards}
        kept = []
        for part in parts:
            shard = there.get(mark_of(part, tags))
            # A file that is gone or cut short is made again; a byte that changed shows later.
            if shard and place.size(shard.file) == shard.bytes:
                kept.append(replace(shard, number=part.number))
        known = any(mark_of(part, tags) in there for part in parts)
        # Shards of another input, or exported ones, are not to be tidied away.
        if before.shards and (not known or "" in there):
            raise NotALibrary(
                f"{str(place)!r} holds other shards than those of this input with these tags;"
                " remove it, or name another folder"
            )
        return cls(place, before.with_shards(kept), parts)

    @property
    def missing(self) -> list[Part]:
        """The parts that have yet to be made."""
        return [part for part in self._parts if part.number not in self._done]

    @property
    def articles(self) -> int:
        """Of the whole input, those that will be refused included."""
        return sum(self._sizes.values())

    @property
    def articles_done(self) -> int:
        """Of the parts that are done."""
        return sum(self._sizes[number] for number in self._done)

    def add(self, shard: Shard) -> None:
        """Note a shard; soon afterwards it is in the manifest."""
        self._done[shard.number] = shard
        if time.monotonic() >= self._due:
            self.write()

    def write(self) -> None:
        """Bring the manifest up to date."""
        began = time.monotonic()
        self._manifest = self._manifest.with_shards(list(self._done.values()))
        self._manifest.write(self._place)
        now = time.monotonic()
        self._due = now + (now - began) / _MANIFEST_SHARE

    def close(self, *, made: int, kept: int, lost: int) -> Built:
        """Declare the shards whole, and remove those that nothing is made of any more.

        Raises:
            LibraryError: They are not whole.
        """
        if missing := self.missing:
            raise LibraryError(f"{missing[0]} was not made; run the same again")
        marks = "".join(shard.part for shard in self._manifest.with_shards(self.shards).shards)
        whole = hashlib.sha256(marks.encode("ascii")).hexdigest()
        self._manifest = replace(self._manifest, input=whole)
        self.write()
        listed = {shard.file for shard in self.shards}
        for name in self._place.names():
            if is_shard_file(name) and name not in listed:
                self._place.remove(name)
        refused = [
            one for shard in self._manifest.shards for one in read_refused(self._place, shard)
        ]
        return Built(
            made=made,
            kept=kept,
            articles=sum(shard.articles for shard in self.shards),
            passages=sum(shard.passages for shard in self.shards),
            refused=tuple(refused),
            lost=lost,
        )

    @property
    def shards(self) -> list[Shard]:
        """Those that are done."""
        return list(self._done.values())
