"""Blobs of any length in text fields of 65,535 bytes: base64, cut into numbered pieces."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any, Final

from index.archive.milvus.client import Milvus
from index.archive.milvus.filters import between
from index.errors import LibraryError

__all__ = ["Blob", "blob_rows", "blobs_between", "read_blobs"]

_PIECE: Final = 64_000
"""Characters of a piece; the first also says how many there are."""
_MAX_PIECES: Final = 4_096
_HEAD: Final = 4


class Blob(IntEnum):
    """Kinds of blobs, each of which has numbers of its own."""

    PASSAGE = 0
    BODY = 1
    CODEC = 2


def blob_rows(blob: Blob, number: int, born: int, data: bytes) -> Iterator[dict[str, Any]]:
    """The rows of one blob.

    Raises:
        LibraryError: It is too long for any.
    """
    text = base64.b64encode(data).decode("ascii")
    pieces = [text[i : i + _PIECE] for i in range(0, len(text), _PIECE)] or [""]
    if len(pieces) > _MAX_PIECES:
        raise LibraryError(
            f"an article of {len(data):,} bytes is too long for a library on a server; leave it out"
            " or cut it"
        )
    pieces[0] = f"{len(pieces):04x}{pieces[0]}"
    for place, piece in enumerate(pieces):
        yield {"key": _key(blob, number, place), "born": born, "data": piece, "unused": [0.0, 0.0]}


def blobs_between(blob: Blob, first: int, last: int, *, place: int = 0) -> str:
    """The expression for the blobs ``first <= number < last``, from a piece of the first on."""
    return between("key", _key(blob, first, place), _key(blob, last, 0) - 1)


def read_blobs(milvus: Milvus, blob: Blob, numbers: Sequence[int]) -> dict[int, bytes]:
    """Blobs by number; one that is missing is left out.

    Raises:
        ValueError: One is damaged.
    """

    def read(keys: Sequence[int]) -> dict[int, str]:
        found = milvus.rows(milvus.names.blobs, "key", keys, ("key", "data"))
        return {int(row["key"]): str(row["data"]) for row in found}

    first = read([_key(blob, n, 0) for n in numbers])
    counts = {n: int(first[key][:_HEAD], 16) for n in numbers if (key := _key(blob, n, 0)) in first}
    rest = read([_key(blob, n, place) for n, count in counts.items() for place in range(1, count)])
    found = {}
    for n, count in counts.items():
        pieces = [rest.get(_key(blob, n, place)) for place in range(1, count)]
        if None in pieces:
            continue  # removed between the two looks
        text = first[_key(blob, n, 0)][_HEAD:] + "".join(piece for piece in pieces if piece)
        found[n] = base64.b64decode(text, validate=True)
    return found


def _key(blob: Blob, number: int, place: int) -> int:
    return (int(blob) << 60) | (number << 12) | place
