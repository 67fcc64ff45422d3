"""What a folder of shards holds: one JSON file, replaced whole or not at all.

    {"format": "article-qa/shards", "version": 2, "segmenter": …,
     "model": {"name": …, "fingerprint": …, "dimension": …}, "complete": true,
     "shards": [{"number": 0, "file": "shard-000000-<sha256>.parquet", "bytes": …, "sha256": …,
                 "articles": …, "passages": …, "refused": …, "part": …}, …]}

A folder of shards may come from somebody else: files are named without paths and sizes are
bounded before a byte is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Final

from index.archive.compatibility import check_segmenter, check_version
from index.archive.shards.location import Location
from index.archive.store import ModelRef
from index.archive.typed_json import from_json
from index.errors import DamagedLibrary, LibraryError, NotALibrary
from index.segmentation.passages import SEGMENTATION

__all__ = ["MANIFEST", "Manifest", "Shard", "is_shard_file", "is_shards"]

MANIFEST: Final = "manifest.json"
FORMAT: Final = "article-qa/shards"
VERSION: Final = 2
MAX_SHARD_BYTES: Final = 2**31
_MAX_MANIFEST_BYTES: Final = 2**28
_MAX_ARTICLES: Final = 2**24
_FILE = re.compile(r"shard-[0-9]{6,9}-[0-9a-f]{16}\.parquet")
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of articles.

    Attributes:
        number: Its position among the shards, from 0.
        bytes: Its size, as ``sha256`` is of these.
        refused: How many of its part of the input could not be used.
        part: Fingerprint of its part of the input; "" for one that was exported.
    """

    number: int
    file: str
    bytes: int
    sha256: str
    articles: int
    passages: int
    refused: int = 0
    part: str = ""

    def __post_init__(self) -> None:
        """Refuse what no shard of ours is."""
        if not _FILE.fullmatch(self.file) or not _HEX.fullmatch(self.sha256):
            raise ValueError(f"{self.file!r} with checksum {self.sha256!r} is no shard")
        limits = {"number": 10**9, "bytes": MAX_SHARD_BYTES, "articles": _MAX_ARTICLES}
        for name, limit in limits.items():
            if getattr(self, name) >= limit:
                raise ValueError(f"{self.file} has {name} {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder of shards holds, in the order of their numbers.

    Attributes:
        complete: Whether no part of the input that they are built from is missing.
    """

    model: ModelRef
    segmenter: str = SEGMENTATION
    complete: bool = True
    shards: tuple[Shard, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no folder of ours holds."""
        if not 0 < self.model.dimension <= 2**16:
            raise ValueError(f"vectors of {self.model.dimension} dimensions")
        if len({shard.number for shard in self.shards}) < len(self.shards):
            raise ValueError("two shards have one number")

    def with_shards(self, shards: Sequence[Shard]) -> Manifest:
        """The same with other shards."""
        return replace(self, shards=tuple(sorted(shards, key=lambda s: (s.number, s.file))))

    def write(self, location: Location) -> None:
        """Replace the manifest of a folder."""
        data = {"format": FORMAT, "version": VERSION, **asdict(self)}
        location.write(MANIFEST, json.dumps(data, indent=1).encode("ascii"))

    @classmethod
    def read_or_create(cls, location: Location, model: ModelRef) -> Manifest:
        """The manifest of a folder, written for an empty one.

        Raises:
            NotALibrary: The folder holds something else.
        """
        manifest = cls.read(location)
        if manifest is None:
            if location.names():
                raise NotALibrary(
                    f"{str(location)!r} is not empty and holds no shards; name a new folder"
                )
            manifest = cls(model)
            manifest.write(location)
        return manifest

    @classmethod
    def read(cls, location: Location) -> Manifest | None:
        """The manifest of a folder; None if it has none.

        Raises:
            NotALibrary: It describes something else.
            NewerFormat, OtherModel: Another version made it.
            DamagedLibrary: It is malformed.
        """
        where = repr(str(location))
        try:
            data = location.read(MANIFEST, _MAX_MANIFEST_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise LibraryError(f"cannot read {where}: {error}") from error
        lost = "build the shards again, or get another copy"
        try:
            values = json.loads(data) if len(data) <= _MAX_MANIFEST_BYTES else None
        except (ValueError, RecursionError) as error:
            raise DamagedLibrary(f"{MANIFEST} in {where} is not JSON; {lost}") from error
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise NotALibrary(f"{MANIFEST} in {where} does not describe shards of articles")
        what, again = (
            f"the folder of shards {where}",
            "article-qa build-archive INPUT --shards NEW.shards",
        )
        try:
            check_version(what, int(values["version"]), VERSION, again)
            about = {field.name: values[field.name] for field in fields(cls)}
            manifest = from_json(cls, about)
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedLibrary(f"{MANIFEST} in {where} is malformed ({error}); {lost}") from error
        check_segmenter(what, manifest.segmenter, again)
        return manifest


def is_shards(where: object) -> bool:
    """Whether a path or URL is one for shards: it ends in ``.shards``.

    >>> is_shards("s3://bucket/news.shards"), is_shards("news")
    (True, False)
    """
    return str(where).rstrip("/\\").lower().endswith(".shards")


def is_shard_file(name: str) -> bool:
    """Whether a file has a shard's name."""
    return _FILE.fullmatch(name) is not None
