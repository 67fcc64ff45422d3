"""Files that an archive can do without: named by content, checked before use, made again.

The database names each with its size and SHA-256, so that a file that is missing, older or
changed by a byte is never searched. Nothing of the folder is trusted: names are checked
against a pattern before they are joined to a path, sizes before anything is allocated.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from index.archive.folder.database import DATABASE
from index.archive.folder.vector_index import Kind
from index.archive.typed_json import from_json
from index.files import UNFINISHED_SECONDS, replace_file, sha256_of, sweep_unfinished

__all__ = [
    "DerivedFile",
    "Manifest",
    "pack_arrays",
    "read_verified",
    "sweep",
    "unpack_arrays",
    "write_derived",
]

MAX_BYTES: Final = 64 * 2**30
_NAME: Final = re.compile(r"(vectors|terms)-[0-9a-f]{32}\.(faiss|arrays)")
_DTYPES: Final = frozenset({"<i4", "<i8", "|u1", "<u2", "<u4"})
_ALIGN: Final = 64


@dataclass(frozen=True, slots=True)
class DerivedFile:
    """What the database says of a file: its name in the folder, its size, and its digest in hex."""

    path: str
    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        """Refuse names that could lead out of the folder, and sizes that no file has."""
        if not _NAME.fullmatch(self.path):
            raise ValueError(f"{self.path!r} is no name of a derived file")
        if not 0 < self.bytes <= MAX_BYTES:
            raise ValueError(f"{self.path} cannot have {self.bytes!r} bytes")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the derived files are, and what they cover.

    Attributes:
        upto: One past the last row that they cover.
        n_alive: Passages that existed when they were made.
        generation: Of the archive when they were made.
        rebuilt: Generation of the last rebuild from nothing: what was removed before is in
            none of the files.
        n: Vectors in the FAISS index, of which ``trained_on`` existed when it was trained.
        recall: recall@10 against exact search, measured when it was built.
        segments: First row, one past the last, and file of each segment of postings.
    """

    upto: int
    n_alive: int
    generation: int
    rebuilt: int
    kind: Kind
    n: int
    trained_on: int
    recall: float
    vectors: DerivedFile
    segments: tuple[tuple[int, int, DerivedFile], ...]

    @classmethod
    def usable(cls, values: Mapping[str, Any] | None) -> Manifest | None:
        """The manifest; None for one that is malformed: its files are made again."""
        with contextlib.suppress(ValueError, TypeError):
            return from_json(cls, values) if values is not None else None
        return None

    @property
    def names(self) -> set[str]:
        """The names of all its files."""
        return {self.vectors.path, *(file.path for _, _, file in self.segments)}


def write_derived(folder: Path, stem: str, suffix: str, parts: Iterable[bytes]) -> DerivedFile:
    """Write a file under the name of its content."""
    data = b"".join(parts)
    digest = sha256_of(data)
    name = f"{stem}-{digest[:32]}.{suffix}"
    replace_file(folder / name, data, mode=(folder / DATABASE).stat().st_mode & 0o666)
    return DerivedFile(name, len(data), digest)


def read_verified(folder: Path, file: DerivedFile) -> mmap.mmap:
    """Map a file into memory, after every byte was checked.

    Raises:
        OSError, ValueError: It is missing, or not what was written.
    """
    with (folder / file.path).open("rb") as stream:
        if os.fstat(stream.fileno()).st_size != file.bytes:
            raise ValueError(f"{file.path} has another size than was written")
        # Read rather than mapped: checking must not make the whole file resident.
        if sha256_of(stream) != file.sha256:
            raise ValueError(f"{file.path} is not what was written")
        return mmap.mmap(stream.fileno(), file.bytes, access=mmap.ACCESS_READ)


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> Iterable[bytes]:
    """Arrays as a file that can be mapped: a line of JSON, then each array, aligned."""
    table, offset = {}, 0
    for name, array in arrays.items():
        table[name] = [array.dtype.str, len(array), offset]
        offset += -(-array.nbytes // _ALIGN) * _ALIGN
    head = json.dumps(table).encode("ascii")
    yield head + b" " * (-(len(head) + 1) % _ALIGN) + b"\n"
    for array in arrays.values():
        yield array.tobytes() + b"\0" * (-array.nbytes % _ALIGN)


def unpack_arrays(data: mmap.mmap) -> dict[str, NDArray[Any]]:
    """The arrays of a file, still in the map.

    Raises:
        ValueError: The file is not of that form.
    """
    head, newline, _ = data[: 2**16].partition(b"\n")
    table = json.loads(head)
    if not newline or not isinstance(table, dict):
        raise ValueError("a derived file has no head")
    arrays = {}
    for name, (dtype, length, offset) in table.items():
        start = len(head) + 1 + offset
        if dtype not in _DTYPES or not (length >= 0 and offset >= 0):
            raise ValueError(f"a derived file holds {dtype!r}")
        if start + length * np.dtype(dtype).itemsize > len(data):
            raise ValueError("a derived file is cut off")
        arrays[name] = np.frombuffer(data, dtype=dtype, count=length, offset=start)
    return arrays


def sweep(folder: Path, manifest: Manifest | None, last: Manifest | None) -> None:
    """Delete derived files that are not used any more, and what killed writers left.

    Those that ``last`` names were in use until now. Any other may belong to a process that is
    about to name it, and is deleted when it is old.
    """
    used = manifest.names if manifest else set()
    for path in folder.iterdir():
        if _NAME.fullmatch(path.name) and path.name not in used:
            # On some systems a file that another process reads cannot be deleted.
            with contextlib.suppress(OSError):
                age = time.time() - path.stat().st_mtime
                if (last and path.name in last.names) or age > UNFINISHED_SECONDS:
                    path.unlink()
    sweep_unfinished(folder)
