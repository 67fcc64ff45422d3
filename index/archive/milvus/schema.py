"""The five collections of an archive on Milvus, made and checked by us.

    NAME_passages   one row a passage: vector, sparse term weights, what filters ask of
    NAME_articles   one row an article: metadata
    NAME_blobs      texts, passage records and codecs, in pieces that a field can hold
    NAME_words      terms and word pieces: number, document frequency, and the one before
    NAME_commits    states, claims of writers, removals: what makes the others consistent

Keys are integers throughout, so that every expression is made of integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from index.archive.milvus.client import SLOW_SECONDS
from index.errors import NotALibrary, UnsupportedServer

if TYPE_CHECKING:
    from index.archive.milvus.client import Milvus

__all__ = ["MAX_NAMES", "MAX_TEXT", "VERSION", "Names", "create", "drop", "exists", "load"]

VERSION: Final = 1
MARK: Final = f"article-qa library/{VERSION}"
MAX_TEXT: Final = 65_535
"""Bytes of the longest text that a field holds."""
MAX_NAMES: Final = 1_024
MAX_TERMS: Final = 4_096


@dataclass(frozen=True, slots=True)
class Names:
    """What the collections of an archive are called."""

    library: str

    @property
    def passages(self) -> str:
        """Of passages."""
        return f"{self.library}_passages"

    @property
    def articles(self) -> str:
        """Of articles."""
        return f"{self.library}_articles"

    @property
    def blobs(self) -> str:
        """Of what is too long for a field."""
        return f"{self.library}_blobs"

    @property
    def words(self) -> str:
        """Of terms and word pieces."""
        return f"{self.library}_words"

    @property
    def commits(self) -> str:
        """Of states, claims and removals."""
        return f"{self.library}_commits"

    def all(self) -> tuple[str, ...]:
        """Every one; the last is made last."""
        return (self.passages, self.articles, self.blobs, self.words, self.commits)


def exists(milvus: Milvus, names: Names) -> bool:
    """Whether an archive is there.

    Raises:
        NotALibrary: Collections of its names are, but they are something else's.
    """
    present = [n for n in names.all() if milvus.call("has_collection", n)]
    for name in present:
        _check(milvus, names, name)
    return len(present) == len(names.all())


def create(milvus: Milvus, names: Names, dimension: int) -> None:
    """Make what is missing; two that do so at once make it once."""
    for name in names.all():
        if milvus.call("has_collection", name):
            _check(milvus, names, name)
            continue
        schema, index = _definition(milvus, names, name, dimension)
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
    load(milvus, names)


def load(milvus: Milvus, names: Names) -> None:
    """Make an archive's collections searchable."""
    for name in names.all():
        milvus.call("load_collection", name, deadline=SLOW_SECONDS)


def drop(milvus: Milvus, names: Names) -> None:
    """Remove an archive altogether."""
    for name in reversed(names.all()):
        if milvus.call("has_collection", name):
            milvus.call("drop_collection", name)


def _fields(milvus: Milvus, names: Names, name: str, dimension: int) -> dict[str, dict[str, Any]]:
    from pymilvus import DataType

    integer: dict[str, Any] = {"datatype": DataType.INT64}
    text: dict[str, Any] = {"datatype": DataType.VARCHAR, "max_length": MAX_TEXT}
    # Servers before 2.6 have no collection without a vector.
    unused: dict[str, Any] = {"datatype": DataType.FLOAT_VECTOR, "dim": 2}

    def several(most: int) -> dict[str, Any]:
        return {
            "datatype": DataType.ARRAY,
            "element_type": DataType.INT64,
            "max_capacity": most,
        }

    about = {"first_day": integer, "last_day": integer, "names": several(MAX_NAMES)}
    if name == names.passages:
        fields = {
            "row": integer,
            "article": integer,
            "born": integer,
            **about,
            "terms": several(MAX_TERMS),
            "vector": {"datatype": DataType.FLOAT_VECTOR, "dim": dimension},
        }
        if milvus.has_sparse:
            fields["weights"] = {"datatype": DataType.SPARSE_FLOAT_VECTOR}
        return fields
    if name == names.articles:
        return {
            "number": integer,
            "digest": integer,
            "born": integer,
            **about,
            "first": integer,
            "last": integer,
            "entry": text,
            "unused": unused,
        }
    if name == names.blobs:
        return {"key": integer, "born": integer, "data": text, "unused": unused}
    if name == names.words:
        return {
            "digest": integer,
            "name": text,
            "number": integer,
            "born": integer,
            "df": integer,
            "before": integer,
            "df_before": integer,
            "unused": unused,
        }
    return {"key": integer, "kind": integer, "born": integer, "record": text, "unused": unused}


def _definition(milvus: Milvus, names: Names, name: str, dimension: int) -> tuple[Any, Any]:
    fields = _fields(milvus, names, name, dimension)
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


def _check(milvus: Milvus, names: Names, name: str) -> None:
    """Refuse a collection that another program, or another version, made."""
    found = milvus.call("describe_collection", name)
    present = {field["name"] for field in found["fields"]}
    wanted = set(_fields(milvus, names, name, 2)) - {"weights"}
    if present - {"weights"} != wanted:
        raise NotALibrary(
            f"the collection {name!r} of {milvus.address} is not a library's: it has the fields"
            f" {', '.join(sorted(present))}; choose another name for the library"
        )
    mark = found.get("description", "")
    if mark and mark != MARK:
        raise NotALibrary(
            f"the collection {name!r} of {milvus.address} was made by {mark!r}, and this version"
            f" reads {MARK!r}; choose another name for the library, or upgrade article-qa"
        )
    if "weights" in present and not milvus.has_sparse:
        raise UnsupportedServer(
            f"the library {milvus.address} was made on Milvus 2.4 or later; this server has"
            f" {milvus.version}"
        )
