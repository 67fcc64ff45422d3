"""One shard: a Parquet file of articles, written whole, read only if every byte is right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from index.archive.shards.location import Place
from index.archive.shards.manifest import Shard, file_name
from index.archive.shards.parquet_schema import entry_of_row, prepared_of_row, row_of, schema
from index.archive.store import Entry, PreparedArticle
from index.errors import DamagedLibrary
from index.extras import extra

__all__ = ["Counts", "OpenShard", "read_counts", "read_entries", "read_refused", "write_shard"]

Counts = tuple[str, int, int, int]
"""Of an article: its id, and its passages, sentences and terms."""

_REFUSED: Final = b"article-qa/refused"
_MAX_VALUES: Final = 2**27
_MAX_UNPACKED_BYTES: Final = 2**32


def write_shard(
    place: Place,
    number: int,
    batches: Iterable[Sequence[PreparedArticle]],
    *,
    refused: Sequence[tuple[str, str]] = (),
    part: str = "",
    holds: str = "",
) -> Shard:
    """Write articles; the same articles give the same file.

    Args:
        place: Where to.
        number: The shard's.
        batches: Articles that are read together, a row group each.
        refused: What could not be used, and why; read when ``batches`` is exhausted.
        part: As in ``Shard``; so is the next.
        holds: See there.

    Raises:
        OSError: It cannot be written.
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
    name = file_name(number, data)
    place.write(name, data)
    digest = hashlib.sha256(data).hexdigest()
    return Shard(number, name, len(data), digest, n_articles, n_passages, len(refused), part, holds)


def read_counts(place: Place, shard: Shard) -> list[Counts]:
    """The articles of a shard by number; only the columns needed for that are read."""
    rows = _columns(place, shard, ["id", "entry", "n_sentences", "n_terms"])
    try:
        return [_counts(row) for row in rows]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise DamagedLibrary(damaged(place, shard, str(error))) from error


def _counts(row: dict[str, Any]) -> Counts:
    entry = entry_of_row(row)
    if entry.id != row["id"] or min(entry.n_passages, row["n_sentences"], row["n_terms"]) < 0:
        raise ValueError(f"article {row['id']} is not what its entry says")
    return entry.id, entry.n_passages, row["n_sentences"], row["n_terms"]


def read_entries(place: Place, shard: Shard) -> list[Entry]:
    """What is known of a shard's articles without opening them."""
    try:
        return [entry_of_row(row) for row in _columns(place, shard, ["entry"])]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise DamagedLibrary(damaged(place, shard, str(error))) from error


def read_refused(place: Place, shard: Shard) -> list[tuple[str, str]]:
    """What could not be used of a shard's part of the input, and why."""
    if not shard.refused:
        return []
    pq = extra("pyarrow.parquet", of="ray")
    try:
        with place.open(shard.file) as file:
            listed = json.loads(pq.read_metadata(file).metadata[_REFUSED])
        return [(str(name), str(why)) for name, why in listed]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DamagedLibrary(damaged(place, shard, str(error))) from error


class OpenShard:
    """A shard in memory, every byte as the manifest says; row groups are unpacked as needed."""

    def __init__(self, place: Place, shard: Shard, dimension: int) -> None:
        """Read and check a shard.

        Args:
            place: Where it is.
            shard: What is known of it.
            dimension: Of its vectors.

        Raises:
            DamagedLibrary: It is missing, or not what was written.
        """
        self._place, self.shard, self._dimension = place, shard, dimension
        pa, pq = extra("pyarrow", of="ray"), extra("pyarrow.parquet", of="ray")
        try:
            data = place.read(shard.file, shard.bytes)
        except OSError as error:
            raise DamagedLibrary(damaged(place, shard, str(error))) from error
        if len(data) != shard.bytes or hashlib.sha256(data).hexdigest() != shard.sha256:
            raise DamagedLibrary(damaged(place, shard, "it is not what was written"))
        try:
            self._file = pq.ParquetFile(pa.BufferReader(data))
            groups = _checked(self._file, shard)
        except (OSError, ValueError) as error:
            raise DamagedLibrary(damaged(place, shard, str(error))) from error
        self._where = [(group, row) for group, rows in enumerate(groups) for row in range(rows)]
        self._group = lru_cache(maxsize=1)(self._unpacked)

    def prepared(self, row: int) -> PreparedArticle:
        """An article, checked.

        Raises:
            DamagedLibrary: It is malformed, though its bytes are those that were written.
        """
        group, place_in_group = self._where[row]
        try:
            return prepared_of_row(self._group(group)[place_in_group], self._dimension)
        except (OSError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise DamagedLibrary(damaged(self._place, self.shard, str(error))) from error

    def _unpacked(self, group: int) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._file.read_row_group(group).to_pylist()
        return rows


def damaged(place: Place, shard: Shard, what: str) -> str:
    """What to say of a shard that cannot be used."""
    return (
        f"{shard.file} in {str(place)!r} is damaged ({what}); remove it and build or export again,"
        " which makes only what is missing, or get another copy"
    )


def _columns(place: Place, shard: Shard, names: list[str]) -> list[dict[str, Any]]:
    """Some columns of a shard.

    Raises:
        DamagedLibrary: It is missing, or not as large as it was.
    """
    pq = extra("pyarrow.parquet", of="ray")
    try:
        if place.size(shard.file) != shard.bytes:
            raise ValueError("it is missing, or not as long as it was")
        with place.open(shard.file) as opened, pq.ParquetFile(opened) as file:
            _checked(file, shard)
            rows: list[dict[str, Any]] = file.read(columns=names).to_pylist()
            return rows
    except (OSError, ValueError) as error:
        raise DamagedLibrary(damaged(place, shard, str(error))) from error


def _checked(file: Any, shard: Shard) -> list[int]:  # noqa: ANN401 - pyarrow's ParquetFile
    """The rows of each row group.

    Raises:
        ValueError: The file is another's, or would unpack to more than memory should hold.
    """
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
