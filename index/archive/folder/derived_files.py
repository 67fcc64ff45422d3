"""Files that an archive can do without: named by content, checked before use, made again.

The database names each with its size and SHA-256, so that a file that is missing, older or
changed by a byte is never searched. Nothing of the folder is trusted: names are checked
against a pattern before they are joined to a path, sizes before anything is allocated.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["DerivedFile", "pack_arrays", "read_verified", "sweep", "unpack_arrays", "write_derived"]

MAX_BYTES: Final = 64 * 2**30
_NAME: Final = re.compile(r"(vectors|terms)-[0-9a-f]{32}\.(faiss|arrays)")
_UNFINISHED: Final = re.compile(r"\.(vectors|terms)\.[0-9a-f]{16}")
_DTYPES: Final = frozenset({"<i4", "<i8", "|u1", "<u2", "<u4"})
_ALIGN: Final = 64
_CHUNK: Final = 2**22


@dataclass(frozen=True, slots=True)
class DerivedFile:
    """What the database says of a file.

    Attributes:
        path: Its name in the folder.
        bytes: Its size.
        sha256: Of its content, in hex.
    """

    path: str
    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        """Refuse names that could lead out of the folder, and sizes that no file has."""
        if not isinstance(self.path, str) or not _NAME.fullmatch(self.path):
            raise ValueError(f"{self.path!r} is no name of a derived file")
        if not isinstance(self.bytes, int) or not 0 < self.bytes <= MAX_BYTES:
            raise ValueError(f"{self.path} cannot have {self.bytes!r} bytes")


def write_derived(folder: Path, stem: str, suffix: str, parts: Iterable[bytes]) -> DerivedFile:
    """Write a file under the name of its content, safely on the disk before it appears."""
    temporary = folder / f".{stem}.{secrets.token_hex(8)}"
    digest, size = hashlib.sha256(), 0
    try:
        with temporary.open("xb") as file:
            for part in parts:
                digest.update(part)
                size += len(part)
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        name = f"{stem}-{digest.hexdigest()[:32]}.{suffix}"
        os.replace(temporary, folder / name)
    finally:
        temporary.unlink(missing_ok=True)
    return DerivedFile(name, size, digest.hexdigest())


def read_verified(folder: Path, file: DerivedFile) -> mmap.mmap:
    """A file's bytes, mapped into memory, after every one of them was checked.

    Raises:
        FileNotFoundError: It is missing.
        ValueError: It is not what was written.
    """
    with (folder / file.path).open("rb") as stream:
        if os.fstat(stream.fileno()).st_size != file.bytes:
            raise ValueError(f"{file.path} has another size than was written")
        digest = hashlib.sha256()
        # Read rather than mapped: checking must not make the whole file resident.
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
        if digest.hexdigest() != file.sha256:
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
    line = data[: 2**16]
    head, newline, _ = line.partition(b"\n")
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


def sweep(folder: Path, names: Iterable[str]) -> None:
    """Remove derived files that nothing names any more."""
    for name in names:
        if is_derived(name):
            try:
                (folder / name).unlink(missing_ok=True)
            except OSError:
                # Another process may still read it where the system forbids removal.
                continue


def is_derived(name: str) -> bool:
    """Whether a file is of this module's making, finished or not."""
    return bool(_NAME.fullmatch(name) or _UNFINISHED.fullmatch(name))
