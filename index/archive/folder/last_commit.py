"""How far an archive had come: told apart from the database, which may have lost its end.

SQLite drops the end of a write-ahead log whose checksum fails, for it cannot tell damage
from a commit that was never finished. The number of the last commit, kept in a file of its
own, can. The file may lag behind after a crash, and never runs ahead.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import zlib
from pathlib import Path
from typing import Final

__all__ = ["HEAD", "read_head", "write_head"]

HEAD: Final = "library.head"


def read_head(folder: Path) -> int:
    """The last commit that is known of; 0 where nothing is."""
    try:
        with (folder / HEAD).open("rb") as file:
            number, crc = file.read(64).split()
        # A damaged head says nothing: it is written again with the next commit.
        return int(number) if int(crc) == zlib.crc32(number) else 0
    except (OSError, ValueError):
        return 0


def write_head(folder: Path, generation: int) -> None:
    """Note a commit; an archive without the note is as good as before."""
    number = str(generation).encode()
    temporary = folder / f".{HEAD}.{secrets.token_hex(8)}"
    with contextlib.suppress(OSError):
        try:
            temporary.write_bytes(b"%s %d\n" % (number, zlib.crc32(number)))
            os.replace(temporary, folder / HEAD)
        finally:
            temporary.unlink(missing_ok=True)
