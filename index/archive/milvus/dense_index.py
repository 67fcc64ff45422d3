"""Which dense index a collection gets, and how it is searched."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["choose_index", "index_params", "search_params"]

FLAT_UP_TO: Final = 100_000
GRAPH_UP_TO: Final = 10_000_000


def choose_index(n_passages: int) -> str:
    """The kind of dense index for so many passages.

    Exact as long as that takes milliseconds, a graph while it fits the memory of a few
    machines, inverted lists with a byte a dimension beyond.
    """
    if n_passages <= FLAT_UP_TO:
        return "FLAT"
    return "HNSW" if n_passages <= GRAPH_UP_TO else "IVF_SQ8"


def index_params(kind: str) -> dict[str, Any]:
    """How to build an index of a kind; a server builds one for each of its segments."""
    return {
        "FLAT": {},
        "HNSW": {"M": 16, "efConstruction": 200},
        "IVF_SQ8": {"nlist": 2_048},
    }[kind]


def search_params(kind: str, k: int) -> dict[str, Any]:
    """How to search it for so many passages."""
    return {"FLAT": {}, "HNSW": {"ef": max(64, 2 * k)}, "IVF_SQ8": {"nprobe": 64}}[kind]
