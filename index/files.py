"""Atomic file replacement, content hashes, and the sweeping of what killed processes left.

Files are created readable by their owner alone: they hold texts whose source may be private.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

__all__ = [
    "PRIVATE",
    "SEVERAL",
    "UNFINISHED_SECONDS",
    "private_folder",
    "replace_file",
    "sha256_of",
    "sweep_unfinished",
]

PRIVATE: Final = 0o600
SEVERAL: Final = frozenset((".mbox", ".jsonl", ".ndjson"))
"""Names of files that hold several articles."""
UNFINISHED_SECONDS: Final = 3600.0
"""A file that was being written for longer than this belongs to a process that is gone."""
_UNFINISHED: Final = re.compile(r"\..+\.[0-9a-f]{12}")
_CHUNK: Final = 2**22


def replace_file(path: Path, data: bytes | Iterable[bytes], *, mode: int = PRIVATE) -> None:
    """Replace a file in one step; its bytes are on the disk before its name is.

    Raises:
        OSError: It cannot be written; the old file is untouched.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as f:
            f.writelines([data] if isinstance(data, bytes) else data)
            f.flush()
            os.fsync(f.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def private_folder(folder: Path) -> None:
    """Create a folder that only its owner may enter; one that exists keeps its permissions."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def sha256_of(data: bytes | BinaryIO) -> str:
    """Hex digest of bytes, or of the rest of an open file, read in chunks."""
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    digest = hashlib.sha256()
    while chunk := data.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def sweep_unfinished(folder: Path, older_than: float = UNFINISHED_SECONDS) -> None:
    """Delete the temporary files of writers that were killed.

    Args:
        folder: Where ``replace_file`` writes.
        older_than: Age in seconds; 0 where a lock excludes other writers.
    """
    for path in folder.glob(".*"):
        if _UNFINISHED.fullmatch(path.name):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime >= older_than:
                    path.unlink()
