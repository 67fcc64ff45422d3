"""One shard: a Parquet file of articles, written whole, read only if every byte is right.

A row is an article with all that was computed for it:

    entry     its metadata, as JSON (see index.archive.store.Entry)
    article   its text, structure and metadata, as JSON (see Article.to_dict)
    terms     the distinct words of its passages, as JSON: records name them by position
    records   of its passages, as a new folder library has them (see records.passage)
    vectors   theirs

Packing what was unpacked gives the same bytes again, so a library loaded from shards holds the
numbers of one that was added to directly. JSON is ASCII: Parquet's strings must be valid Unicode,
and an article's need not be.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from index.archive.entries import entry_json, entry_of
from index.archive.records.passage import (
    pack,
    prepared_of,
    unpack_passages,
    unpack_vectors,
)
from index.archive.records.token_codec import ByteCodec
from index.archive.shards.location import Location
from index.archive.shards.manifest import Shard
from index.archive.store import Entry, PreparedArticle
from index.article import Article
from index.errors import DamagedLibrary
from index.extras import extra
from index.files import sha256_of

__all__ = [
    "OpenShard",
    "prepared_of_row",
    "read_entries",
    "read_refused",
    "row_of",
    "schema",
    "write_shard",
]

_REFUSED: Final = b"article-qa/refused"
_MAX_VALUES: Final = 2**27
_MAX_UNPACKED_BYTES: Final = 2**32


def schema() -> Any:  # noqa: ANN401 - pyarrow.Schema
    """The columns of a shard."""
    pa = extra("pyarrow", of="ray")
    return pa.schema(
        [(name, pa.string()) for name in ("entry", "article", "terms")]
        + [(name, pa.list_(pa.binary())) for name in ("records", "vectors")]
    )


def row_of(prepared: PreparedArticle) -> dict[str, Any]:
    """An article as a row of the table."""
    passages = prepared.passages
    terms = sorted({term for passage in passages for words in passage.terms for term in words})
    numbers = {term: number for number, term in enumerate(terms)}
    codec = ByteCodec(len(passages[0].vector))
    packed = [
        pack(row, passage, article=0, term_numbers=numbers, codec=codec, codec_number=0)
        for row, passage in enumerate(passages)
    ]
    return {
        # When it was added is for the library to say that it is added to.
        "entry": entry_json(prepared, added=""),
        "article": json.dumps(prepared.article.to_dict()),
        "terms": json.dumps(terms),
        "records": [record for _, record, _ in packed],
        "vectors": [vector for vector, _, _ in packed],
    }


def prepared_of_row(row: dict[str, Any], dimension: int) -> PreparedArticle:
    """The article that ``row_of`` was given.

    Raises:
        LookupError, TypeError, ValueError: The row is malformed, or its parts do not fit each
            other.
    """
    article, entry = Article.from_dict(json.loads(row["article"])), entry_of(row["entry"])
    rows = range(len(row["records"]))
    layout = unpack_passages(rows, row["records"])
    if not rows or layout.passage_spans.max() > len(article.text):
        raise ValueError(f"the passages of article {entry.id} are not in its text")
    prepared = prepared_of(
        article,
        entry,
        layout,
        unpack_vectors(rows, row["vectors"], dimension),
        {0: ByteCodec(dimension)},
        dict(enumerate(map(str, json.loads(row["terms"])))),
    )
    if entry_of(entry_json(prepared, added="")) != replace(entry, added=""):
        raise ValueError(f"article {entry.id} is not what its entry says")
    return prepared


def write_shard(
    location: Location,
    number: int,
    batches: Iterable[Sequence[PreparedArticle]],
    *,
    refused: Sequence[tuple[str, str]] = (),
    part: str = "",
) -> Shard:
    """Write articles, a row group a batch; the same articles give the same file.

    ``refused`` is what could not be used, and why; it is read when ``batches`` is exhausted. The
    other arguments are as in ``Shard``.
    """
    pa, pq = extra("pyarrow", of="ray"), extra("pyarrow.parquet", of="ray")
    buffer = pa.BufferOutputStream()
    n_articles = n_passages = 0
    with pq.ParquetWriter(
        buffer, schema(), compression="zstd", use_dictionary=False, write_statistics=False
    ) as writer:
        for batch in batches:
            if batch:
                writer.write_table(pa.Table.from_pylist([*map(row_of, batch)], schema=schema()))
            n_articles += len(batch)
            n_passages += sum(len(prepared.passages) for prepared in batch)
        writer.add_key_value_metadata({_REFUSED: json.dumps(list(refused)).encode("ascii")})
    data = buffer.getvalue().to_pybytes()
    digest = sha256_of(data)
    name = f"shard-{number:06}-{digest[:16]}.parquet"
    location.write(name, data)
    return Shard(number, name, len(data), digest, n_articles, n_passages, len(refused), part)


def read_entries(location: Location, shard: Shard) -> list[Entry]:
    """The metadata of a shard's articles."""
    pq = extra("pyarrow.parquet", of="ray")
    with _explained(location, shard):
        if location.size(shard.file) != shard.bytes:
            raise ValueError("it is missing, or not as long as it was")
        with location.open(shard.file) as opened, pq.ParquetFile(opened) as file:
            _row_groups(file, shard)
            return [entry_of(text) for text in file.read(columns=["entry"])["entry"].to_pylist()]


def read_refused(location: Location, shard: Shard) -> list[tuple[str, str]]:
    """What could not be used of a shard's part of the input, and why."""
    if not shard.refused:
        return []
    pq = extra("pyarrow.parquet", of="ray")
    with _explained(location, shard), location.open(shard.file) as file:
        listed = json.loads(pq.read_metadata(file).metadata[_REFUSED])
        return [(str(name), str(why)) for name, why in listed]


class OpenShard:
    """A shard in memory, every byte as the manifest says; row groups are unpacked as needed."""

    def __init__(self, location: Location, shard: Shard, dimension: int) -> None:
        """Read and check a shard."""
        self._location, self.shard, self._dimension = location, shard, dimension
        pa, pq = extra("pyarrow", of="ray"), extra("pyarrow.parquet", of="ray")
        with _explained(location, shard):
            data = location.read(shard.file, shard.bytes)
            if len(data) != shard.bytes or sha256_of(data) != shard.sha256:
                raise ValueError("it is not what was written")
            self._file = pq.ParquetFile(pa.BufferReader(data))
            groups = _row_groups(self._file, shard)
        self._where = [(group, row) for group, rows in enumerate(groups) for row in range(rows)]
        self._group = lru_cache(maxsize=1)(
            lambda group: self._file.read_row_group(group).to_pylist()
        )

    def prepared(self, row: int) -> PreparedArticle:
        """An article, checked."""
        group, row_in_group = self._where[row]
        with _explained(self._location, self.shard):
            return prepared_of_row(self._group(group)[row_in_group], self._dimension)


@contextmanager
def _explained(location: Location, shard: Shard) -> Iterator[None]:
    """Report that a shard cannot be used, and what to do."""
    try:
        yield
    except (OSError, LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise DamagedLibrary(
            f"{shard.file} in {str(location)!r} is damaged ({error}); remove it and build or"
            " export again, which makes only what is missing, or get another copy"
        ) from error


def _row_groups(file: Any, shard: Shard) -> list[int]:  # noqa: ANN401 - pyarrow's ParquetFile
    """The number of rows of each, of a file that is certainly this shard and fits memory."""
    about = file.metadata
    if not file.schema_arrow.equals(schema()):
        raise ValueError("it has other columns")
    if about.num_rows != shard.articles:
        raise ValueError(f"it holds {about.num_rows} articles, not {shard.articles}")
    groups = [about.row_group(number) for number in range(about.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    columns = (group.column(n) for group in groups for n in range(group.num_columns))
    values = max((column.num_values for column in columns), default=0)
    if unpacked > _MAX_UNPACKED_BYTES or values > _MAX_VALUES:
        raise ValueError(f"it would unpack to {unpacked:,} bytes")
    return [group.num_rows for group in groups]
