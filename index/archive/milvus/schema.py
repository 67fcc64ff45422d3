"""The five collections of an archive on Milvus, and their indexes.

    NAME_passages   a row for each passage: vector, sparse term weights, filterable metadata
    NAME_articles   a row for each article: metadata
    NAME_blobs      texts, passage records and codecs, in pieces that a field can hold
    NAME_words      terms and word pieces: number, document frequency, and the one before
    NAME_commits    states, claims of writers, removals: what makes the others consistent

Keys are integers throughout, so that every expression is made of integers.
"""

from __future__ import annotations

from typing import Any, Final

from index.archive.milvus.client import SLOW_SECONDS, Milvus
from index.errors import NotALibrary, UnsupportedServer

__all__ = [
    "MAX_NAMES",
    "MAX_TERMS",
    "MAX_TEXT",
    "VERSION",
    "choose_index",
    "create",
    "drop",
    "exists",
    "index_params",
    "load",
    "search_params",
]

VERSION: Final = 2
MARK: Final = f"article-qa library/{VERSION}"
MAX_TEXT: Final = 65_535
"""Bytes of the longest text that a field holds."""
MAX_NAMES: Final = 1_024
MAX_TERMS: Final = 4_096
_FIELDS: Final = (
    "row article born first_day last_day names terms vector weights",
    "number digest born first_day last_day names first last entry unused",
    "key born data unused",
    "digest name number born df before df_before unused",
    "key kind born record unused",
)
"""Of each collection, in the order of `address.Names`; the first is the primary key."""
_TEXTS: Final = ("entry", "data", "name", "record")
_INTEGERS: Final = (
    "row article born first_day last_day number digest first last key df before df_before kind"
).split()
FLAT_UP_TO: Final = 100_000
GRAPH_UP_TO: Final = 10_000_000


def exists(milvus: Milvus) -> bool:
    """Whether an archive exists.

    Raises:
        NotALibrary: Collections of its names do, but they belong to something else.
    """
    present = [n for n in milvus.names.all() if milvus.call("has_collection", n)]
    for name in present:
        _check(milvus, name)
    return len(present) == len(milvus.names.all())


def create(milvus: Milvus, dimension: int) -> None:
    """Create the collections that are missing; two processes may do so at once."""
    for name in milvus.names.all():
        if milvus.call("has_collection", name):
            _check(milvus, name)
            continue
        schema, index = _definition(milvus, name, dimension)
        try:
            milvus.call(
                "create_collection",
                name,
                schema=schema,
                index_params=index,
                consistency_level="Strong",
                deadline=SLOW_SECONDS,
            )
        except Exception:
            if not milvus.call("has_collection", name):
                raise
    load(milvus)


def load(milvus: Milvus) -> None:
    """Load an archive's collections for searching."""
    for name in milvus.names.all():
        milvus.call("load_collection", name, deadline=SLOW_SECONDS)


def drop(milvus: Milvus) -> None:
    """Delete an archive."""
    for name in reversed(milvus.names.all()):
        if milvus.call("has_collection", name):
            milvus.call("drop_collection", name)


def _fields(milvus: Milvus, name: str, dimension: int) -> dict[str, dict[str, Any]]:
    from pymilvus import DataType

    integer: dict[str, Any] = {"datatype": DataType.INT64}
    text: dict[str, Any] = {"datatype": DataType.VARCHAR, "max_length": MAX_TEXT}
    kinds = dict.fromkeys(_INTEGERS, integer) | dict.fromkeys(_TEXTS, text)
    for field, most in (("names", MAX_NAMES), ("terms", MAX_TERMS)):
        kinds[field] = {
            "datatype": DataType.ARRAY,
            "element_type": DataType.INT64,
            "max_capacity": most,
        }
    kinds["vector"] = {"datatype": DataType.FLOAT_VECTOR, "dim": dimension}
    kinds["weights"] = {"datatype": DataType.SPARSE_FLOAT_VECTOR}
    # Servers before 2.6 have no collection without a vector.
    kinds["unused"] = {"datatype": DataType.FLOAT_VECTOR, "dim": 2}
    wanted = _FIELDS[milvus.names.all().index(name)].split()
    return {f: kinds[f] for f in wanted if f != "weights" or milvus.has_sparse}


def _definition(milvus: Milvus, name: str, dimension: int) -> tuple[Any, Any]:
    fields = _fields(milvus, name, dimension)
    schema = milvus.client.create_schema(
        auto_id=False, enable_dynamic_field=False, description=MARK
    )
    index = milvus.client.prepare_index_params()
    for position, (field, options) in enumerate(fields.items()):
        schema.add_field(field, is_primary=position == 0, **options)
        if field == "weights":
            index.add_index(
                field, index_type="SPARSE_INVERTED_INDEX", metric_type="IP",
                params={"drop_ratio_build": 0.0},
            )  # fmt: skip
        elif field in ("vector", "unused"):
            index.add_index(field, index_type="FLAT", metric_type="IP", params={})
    return schema, index


def _check(milvus: Milvus, name: str) -> None:
    """Refuse a collection that another program, or another version, made."""
    found = milvus.call("describe_collection", name)
    present = {field["name"] for field in found["fields"]}
    wanted = set(_fields(milvus, name, 2)) - {"weights"}
    if present - {"weights"} != wanted:
        raise NotALibrary(
            f"the collection {name!r} of {milvus.address} is not a library's: it has the fields"
            f" {', '.join(sorted(present))}; choose another name for the library"
        )
    mark = found.get("description", "")
    if mark and mark != MARK:
        raise NotALibrary(
            f"the collection {name!r} of {milvus.address} was made by {mark!r}, and this version"
            f" reads {MARK!r}; upgrade article-qa, or make the library again under another name:"
            " article-qa add SOURCE --library URI"
        )
    if "weights" in present and not milvus.has_sparse:
        raise UnsupportedServer(
            f"the library {milvus.address} was made on Milvus 2.4 or later; this server has"
            f" {milvus.version}"
        )


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
    return {"FLAT": {}, "HNSW": {"M": 16, "efConstruction": 200}, "IVF_SQ8": {"nlist": 2_048}}[kind]


def search_params(kind: str, k: int) -> dict[str, Any]:
    """How to search it for so many passages."""
    return {"FLAT": {}, "HNSW": {"ef": max(64, 2 * k)}, "IVF_SQ8": {"nprobe": 64}}[kind]
