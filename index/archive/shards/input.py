"""The input of an archive, cut into parts that workers read on their own.

    a folder                 files of any kind that `index.reading` reads, and of the next two
    articles.jsonl           an article a line (see `input_record`)
    articles.parquet         an article a row, the same fields

Files are read in the order of their names, and parts end at fixed counts and sizes, so the same
input always gives the same parts. A part carries a checksum of its content: its shard stays
valid as long as the input has such a part, wherever it stands and whatever else changes.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final, Literal

from index.archive.shards.input_record import FIELDS, article_of_record
from index.archive.shards.location import Location
from index.archive.shards.manifest import is_shards
from index.article import Article
from index.errors import SourceError, UnreadableSource
from index.extras import extra
from index.models.encoder import Progress
from index.reading.reader import MAX_BYTES, SUFFIXES, read_article

__all__ = ["ArchiveInput", "InputArticle", "Limits", "Part"]

Kind = Literal["files", "lines", "rows"]
_KINDS: Final[dict[str, Kind]] = {".jsonl": "lines", ".ndjson": "lines", ".parquet": "rows"}
_ROWS_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest size of a part.

    Attributes:
        articles: How many it holds at most.
        bytes: Their size at most, except that an article alone may be larger. A megabyte of
            plain text has about 2,000 passages: a minute or two of one core, 70 MB of shard.
    """

    articles: int = 64
    bytes: int = 2**20


@dataclass(frozen=True, slots=True)
class Part:
    """Some consecutive articles of an input.

    Attributes:
        names: Its files; one for lines and rows.
        at: Byte at which its lines begin, or number of its first row.
        first: Number of the first line or row, from 1.
        n: How many articles.
        fingerprint: SHA-256, in hex, of its content, the names of its files and its first number.
    """

    number: int
    kind: Kind
    names: tuple[str, ...]
    at: int
    first: int
    n: int
    fingerprint: str

    def __str__(self) -> str:
        if self.kind == "files":
            return self.names[0] if self.n == 1 else f"{self.names[0]} to {self.names[-1]}"
        return f"{self.names[0]}, {self.n} from {self.kind[:-1]} {self.first}"


@dataclass(frozen=True, slots=True)
class InputArticle:
    """One file, line or row of an input.

    Attributes:
        name: Which one: "news.jsonl, line 12".
        found: The article, or why there is none.
        source: Where it was read from, if that is known.
    """

    name: str
    found: Article | SourceError
    tags: tuple[str, ...] = ()
    source: str | None = None


class ArchiveInput:
    """The articles of a folder or a file. Can be pickled."""

    def __init__(self, location: Location) -> None:
        self.location = location

    def parts(self, limits: Limits, progress: Progress | None = None) -> list[Part]:
        """Cut the input; everything is read once, for the checksums.

        Raises:
            SourceError: It does not exist, cannot be read, or holds no article.
        """
        found = [(name, size, self._kind(name)) for name, size in self.location.walk()]
        files = [(name, size, kind) for name, size, kind in found if kind]
        if not files:
            known = ", ".join(sorted({*SUFFIXES, *_KINDS}))
            raise SourceError(f"{str(self.location)!r} holds no article; those read are {known}")
        parts: list[Part] = []
        waiting: list[tuple[str, int]] = []
        for done, (name, size, kind) in enumerate(files, 1):
            full = len(waiting) >= limits.articles or (
                sum(size for _, size in waiting) + size > limits.bytes
            )
            if waiting and (kind != "files" or full):
                parts.append(self._files(len(parts), [name for name, _ in waiting]))
                waiting = []
            if kind == "files":
                waiting.append((name, size))
            else:
                parts += self._cut(name, kind, len(parts), limits)
            if progress:
                progress("reading the input", done, len(files))
        if waiting:
            parts.append(self._files(len(parts), [name for name, _ in waiting]))
        return parts

    def read(self, part: Part) -> Iterator[InputArticle]:
        """Read the articles of a part.

        Raises:
            SourceError: The input has changed since it was cut.
        """
        digest = hashlib.sha256()
        if part.kind == "files":
            for name in part.names:
                data = self._file(name)
                _add(digest, data if isinstance(data, bytes) else b"")
                yield self._document(name, data)
        else:
            found = self._records(part.names[0], part.at, part.first)
            for number, _, data in islice(found, part.n):
                _add(digest, data)
                yield self._record(part.names[0], part.kind, number, data)
        if _named(digest, part.names, part.first) != part.fingerprint:
            raise SourceError(
                f"{part} of {str(self.location)!r} changed while the archive was built; run the"
                " same again"
            )

    def _kind(self, name: str) -> Kind | None:
        if any(map(is_shards, PurePosixPath(name).parents)):
            return None  # an earlier result of the build, kept inside its input
        suffix = PurePosixPath(name or self.location.where.rstrip("/")).suffix.lower()
        # A file that was named is read whatever it is called; one that was found is not.
        return _KINDS.get(suffix, "files" if suffix in SUFFIXES or not name else None)

    def _files(self, number: int, names: list[str]) -> Part:
        digest = hashlib.sha256()
        for name in names:
            data = self._file(name)
            # What cannot be read is refused where it is read, like all that holds no article.
            _add(digest, data if isinstance(data, bytes) else b"")
        fingerprint = _named(digest, names, 1)
        return Part(number, "files", tuple(names), 0, 1, len(names), fingerprint)

    def _cut(self, name: str, kind: Kind, number: int, limits: Limits) -> Iterator[Part]:
        """The parts of a file of records."""
        digest, size, n, at, first = hashlib.sha256(), 0, 0, 0, 1
        for record, position, data in self._records(name, 0, 1):
            if n and (n >= limits.articles or size + len(data) > limits.bytes):
                yield Part(number, kind, (name,), at, first, n, _named(digest, [name], first))
                number += 1
                digest, size, n, at, first = hashlib.sha256(), 0, 0, position, record
            _add(digest, data)
            size, n = size + len(data), n + 1
        if n:
            yield Part(number, kind, (name,), at, first, n, _named(digest, [name], first))

    def _file(self, name: str) -> bytes | OSError:
        try:
            return self.location.read(name, MAX_BYTES)
        except OSError as error:
            return error

    def _document(self, name: str, data: bytes | OSError) -> InputArticle:
        source = self.location.source_of(name)
        if isinstance(data, OSError):
            return InputArticle(source, UnreadableSource(f"cannot read it: {data}"), source=source)
        try:
            return InputArticle(source, read_article(_Named(data, source)), source=source)
        except SourceError as error:
            return InputArticle(source, error)

    def _records(self, name: str, at: int, first: int) -> Iterator[tuple[int, int, bytes]]:
        """Number from 1, position and JSON of each line or row, from one on."""
        try:
            with self.location.open(name) as file:
                found = _lines(file, at) if self._kind(name) == "lines" else _rows(file, at)
                for number, (position, data) in enumerate(found, first):
                    if data.strip():
                        yield number, position, data
        except (OSError, ValueError) as error:
            raise UnreadableSource(
                f"cannot read {self.location.source_of(name)!r}: {error}"
            ) from error

    def _record(self, name: str, kind: Kind, number: int, data: bytes) -> InputArticle:
        shown = f"{self.location.source_of(name)}, {kind[:-1]} {number:,}"
        if len(data) > MAX_BYTES:
            return InputArticle(shown, SourceError(f"it is longer than {MAX_BYTES // 2**20} MB"))
        try:
            record = json.loads(data)
            if not isinstance(record, dict):
                raise UnreadableSource("it is no JSON object with the fields of an article")
            return InputArticle(shown, *article_of_record(record))
        except SourceError as error:
            return InputArticle(shown, error)
        except (ValueError, RecursionError) as error:
            return InputArticle(shown, UnreadableSource(f"it is not JSON: {error}"))


class _Named(io.BytesIO):
    """Bytes with the name of where they come from, for the reader's messages."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def _lines(file: BinaryIO, at: int) -> Iterator[tuple[int, bytes]]:
    """Lines with the bytes at which they begin; of one that is too long, its beginning."""
    file.seek(at)
    while line := file.readline(MAX_BYTES + 1):
        yield at, line
        at += len(line)
        while len(line) > MAX_BYTES and not line.endswith(b"\n"):
            line = file.readline(MAX_BYTES + 1)
            at += len(line)


def _rows(file: BinaryIO, at: int) -> Iterator[tuple[int, bytes]]:
    """Rows as JSON with their positions."""
    with extra("pyarrow.parquet", of="ray").ParquetFile(file) as table:
        names = [name for name in FIELDS if name in table.schema_arrow.names]
        if "text" not in names:
            others = ", ".join(table.schema_arrow.names)[:200]
            raise UnreadableSource(f"it has no column 'text', but {others}")
        position = 0
        for batch in table.iter_batches(_ROWS_AT_ONCE, columns=names):
            if position + len(batch) > at:
                for row in batch.to_pylist()[max(0, at - position) :]:
                    yield max(position, at), json.dumps(row, default=_plain).encode("ascii")
                    position = max(position, at) + 1
            else:
                position += len(batch)


def _plain(value: object) -> object:
    """What JSON has no word for: dates as ISO 8601, anything else as no field can be."""
    return value.isoformat() if isinstance(value, date) else {type(value).__name__: str(value)}


def _add(digest: Any, *parts: bytes) -> None:  # noqa: ANN401 - a hash of hashlib
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)


def _named(digest: Any, names: Iterable[str], first: int) -> str:  # noqa: ANN401 - a hash
    """The fingerprint of a part: of its content and of what its articles are called."""
    _add(digest, b"%d" % first, *(name.encode("utf-8", "surrogatepass") for name in names))
    return str(digest.hexdigest())
