"""An archive as Parquet files: what goes in comes out, and what was tampered with does not."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import DamagedLibrary, LibraryBusy, NewerFormat, NotALibrary, OtherModel
from index.archive.folder.store import FolderStore
from index.archive.migration import Moved, migrate
from index.archive.records.token_codec import ByteCodec
from index.archive.shards.location import Location
from index.archive.shards.manifest import Manifest, Shard
from index.archive.shards.parquet_file import prepared_of_row, row_of, schema
from index.archive.shards.store import ShardStore
from index.archive.store import Where
from qa import Library
from qa.cli import main
from tests.support.archive import DIM, MODEL, generated, make_article, prepare, vector_of_text
from tests.support.milvus import give_back, temporary_store


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[FolderStore]:
    made = FolderStore.create(tmp_path / "library", MODEL)
    made.add(generated(40))
    made.remove([generated(40)[7].article.id])
    yield made
    made.close()


@pytest.fixture
def shards(folder: FolderStore, tmp_path: Path) -> Path:
    """The folder's articles, exported into two shards."""
    target = ShardStore.create(Location(tmp_path / "x.shards"), MODEL)
    migrate(folder, target)
    target.close()
    return tmp_path / "x.shards"


def opened(shards: Path) -> ShardStore:
    return ShardStore.open(Location(shards))


def loaded(shards: Path, into: Path) -> FolderStore:
    store = FolderStore.create(into, MODEL)
    migrate(opened(shards), store)
    return store


def contents(store: FolderStore) -> list[object]:
    """Every number that a library answers from."""
    tables = ("SELECT data FROM vector", "SELECT data FROM passage", "SELECT * FROM term")
    with sqlite3.connect(store.folder / "library.sqlite") as connection:
        stored = [connection.execute(f"{table} ORDER BY 1").fetchall() for table in tables]
    with store.read() as snapshot:
        entries = [replace(entry, added="") for entry in snapshot.entries()]
        articles = [snapshot.article(entry.id) for entry in entries]
        return [stored, entries, articles, snapshot.statistics]


def test_a_library_that_was_exported_and_imported_holds_the_same_bytes(
    shards: Path, tmp_path: Path
) -> None:
    once = loaded(shards, tmp_path / "once")
    again = tmp_path / "again.shards"
    target = ShardStore.create(Location(again), MODEL)
    migrate(once, target)
    twice = loaded(again, tmp_path / "twice")
    assert contents(twice) == contents(once)
    # The very files are the same: the same articles always give the same shards.
    assert sorted(p.name for p in again.glob("*.parquet")) == sorted(
        p.name for p in shards.glob("*.parquet")
    )
    once.close()
    twice.close()


def test_a_library_made_from_shards_is_the_one_made_by_adding(tmp_path: Path) -> None:
    articles = generated(30)
    added = FolderStore.create(tmp_path / "added", MODEL)
    added.add(articles)
    target = ShardStore.create(Location(tmp_path / "x.shards"), MODEL)
    target.add(articles[:20])
    target.add(articles[20:])
    made = loaded(tmp_path / "x.shards", tmp_path / "made")
    assert contents(made) == contents(added)
    added.close()
    made.close()


def test_a_cluster_is_filled_from_shards_and_emptied_into_them(
    shards: Path, folder: FolderStore, tmp_path: Path
) -> None:
    milvus = temporary_store(MODEL)
    try:
        assert migrate(opened(shards), milvus) == Moved(copied=39, present=0, left=0)
        back = ShardStore.create(Location(tmp_path / "back.shards"), MODEL)
        migrate(milvus, back)
        assert back.statistics == opened(shards).statistics
        assert back.entries() == opened(shards).entries()
    finally:
        give_back(milvus)
        milvus.close()


def test_an_export_that_was_interrupted_goes_on(folder: FolderStore, tmp_path: Path) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    place = Location(tmp_path / "x.shards")
    target = ShardStore.create(place, MODEL)
    with pytest.raises(KeyboardInterrupt):
        migrate(folder, target, interrupt)
    target.close()
    assert migrate(folder, ShardStore.create(place, MODEL)) == Moved(copied=7, present=32, left=0)


def test_an_article_in_two_shards_counts_once_as_it_was_last(tmp_path: Path) -> None:
    first, second = generated(2)
    renamed = replace(first, article=replace(first.article, title="Another title"))
    target = ShardStore.create(Location(tmp_path / "x.shards"), MODEL)
    target.add([first, second])
    target.add([renamed])
    assert [entry.title for entry in target.entries()] == ["Article 1", "Another title"]
    assert target.entries(Where(ids=(first.article.id,)))[0].title == "Another title"
    target.close()
    store = loaded(tmp_path / "x.shards", tmp_path / "made")
    assert migrate(opened(tmp_path / "x.shards"), store) == Moved(copied=0, present=2, left=0)
    store.close()


def test_shards_may_lie_behind_a_url(folder: FolderStore, tmp_path: Path) -> None:
    place = Location("memory://somewhere/x.shards")
    migrate(folder, ShardStore.create(place, MODEL))
    assert [name for name in place.names() if not name.endswith(".parquet")] == ["manifest.json"]
    assert ShardStore.open(place).entries() == ShardStore.create(place, MODEL).entries()
    store = FolderStore.create(tmp_path / "made", MODEL)
    assert migrate(ShardStore.open(place), store).copied == 39
    store.close()


WORDS = st.text(st.characters(exclude_characters="\n")).filter(lambda text: bool(text.split()))


@given(st.lists(WORDS, min_size=1, max_size=4), st.none() | st.text(), st.none() | WORDS)
def test_any_article_survives(lines: list[str], title: str | None, source: str | None) -> None:
    before = prepare(make_article("\n".join(lines), title=title, authors=("é", "\ud800")),
                     ("a", "\udfff"), source)  # fmt: skip
    table = pa.Table.from_pylist([row_of(before)], schema=schema())
    after = prepared_of_row(table.to_pylist()[0], DIM)
    assert row_of(after) == row_of(before)
    assert (after.article, after.tags, after.source) == (before.article, before.tags, source)
    for old, new in zip(before.passages, after.passages, strict=True):
        assert (old.start, old.end, old.paragraph, old.page, old.terms) == (
            new.start, new.end, new.paragraph, new.page, new.terms)  # fmt: skip
        for name in ("token_ids", "sentence_spans", "token_starts", "traits"):
            assert np.array_equal(getattr(old, name), getattr(new, name))
        np.testing.assert_allclose(new.vector, old.vector, atol=0.01)
        np.testing.assert_allclose(new.token_vectors, old.token_vectors, atol=0.01)
        codec = ByteCodec(DIM)
        codes = [codec.encode(p.vector, p.token_vectors, p.token_ids) for p in (old, new)]
        assert codes[0] == codes[1]


def first_shard(shards: Path) -> Path:
    return min(shards.glob("*.parquet"))


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data)


HARM: dict[str, Callable[[Path], object]] = {
    "a bit": flip_a_bit,
    "its end": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "all of it": lambda path: path.write_bytes(b""),
    "the file": Path.unlink,
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_a_damaged_shard_is_named_and_nothing_of_it_is_loaded(
    harm: Callable[[Path], object], shards: Path, tmp_path: Path
) -> None:
    path = first_shard(shards)
    harm(path)
    store = FolderStore.create(tmp_path / "made", MODEL)
    with pytest.raises(DamagedLibrary, match=f"{path.name}.*damaged.*(build|export) again"):
        migrate(opened(shards), store)
    with store.read() as snapshot:
        assert snapshot.statistics.n_articles == 0
    store.close()


def change(folder: Path, **values: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def change_shard(folder: Path, **values: object) -> None:
    listed = json.loads((folder / "manifest.json").read_text())["shards"]
    change(folder, shards=[listed[0] | values, *listed[1:]])


@pytest.mark.parametrize(
    "values",
    [
        {"file": "../library/library.sqlite"},
        {"file": "/etc/passwd"},
        {"file": "shard-000000-0123456789abcdef.parquet/../../x"},
        {"bytes": 2**40},
        {"bytes": -1},
        {"articles": True},
        {"articles": 10**12},
        {"sha256": ""},
        {"sha256": None},
        {"number": 1},
        {"more": 1},
    ],
)
def test_a_manifest_that_names_what_no_shard_is_is_refused(
    values: dict[str, object], shards: Path
) -> None:
    change_shard(shards, **values)
    with pytest.raises(DamagedLibrary, match="malformed"):
        opened(shards)


def test_a_manifest_of_something_else_or_of_the_future_is_refused(shards: Path) -> None:
    change(shards, version=3)
    with pytest.raises(NewerFormat, match="format 3"):
        opened(shards)
    change(shards, version=1)
    with pytest.raises(OtherModel, match=r"old format 1; make it again .* build-archive"):
        opened(shards)
    change(shards, version=2, segmenter="other-rules/7 passages/1")
    with pytest.raises(OtherModel, match="other-rules/7"):
        opened(shards)
    change(shards, format="article-qa/index")
    with pytest.raises(NotALibrary, match="does not describe shards"):
        opened(shards)
    (shards / "manifest.json").write_text("{")
    with pytest.raises(DamagedLibrary, match="not JSON"):
        opened(shards)
    with pytest.raises(NotALibrary, match="holds no shards"):
        opened(shards.parent / "absent.shards")


def test_another_models_shards_are_refused(shards: Path, tmp_path: Path) -> None:
    other = FolderStore.create(tmp_path / "other", replace(MODEL, fingerprint="e" * 64))
    with pytest.raises(OtherModel, match="different models"):
        migrate(opened(shards), other)
    other.close()


def forged(**values: Any) -> Callable[[dict[str, Any]], None]:
    """A first passage with such parts, under the checksum that it should have."""

    def forge(row: dict[str, Any]) -> None:
        prepared = generated(1)[0]
        first = replace(prepared.passages[0], **values)
        wrong = row_of(replace(prepared, passages=(first, *prepared.passages[1:])))
        row.update(terms=wrong["terms"], records=wrong["records"], vectors=wrong["vectors"])

    return forge


def of_rows(row: dict[str, Any], column: str, *values: bytes) -> None:
    row[column] = [*values, *row[column][len(values) :]]


@pytest.mark.parametrize(
    "spoil",
    [
        forged(end=10**6),
        forged(start=-1),
        forged(paragraph=-1),
        forged(sentence_spans=np.asarray([(0, 10**6)], np.int32)),
        forged(sentence_spans=np.asarray([(5, 3)], np.int32)),
        forged(sentence_spans=np.zeros((0, 2), np.int32)),
        forged(token_ids=np.full(13, -1, np.int32)),
        forged(token_ids=np.full(13, 2**30, np.int32)),
        forged(token_starts=np.asarray([0, 5], np.int32)),
        forged(token_vectors=np.ones((2, DIM), np.float32)),
        forged(vector=np.ones(DIM - 1, np.float32)),
        lambda row: of_rows(row, "records", b"123"),
        lambda row: of_rows(row, "records", *row["records"][1::-1]),
        lambda row: of_rows(row, "vectors", *row["vectors"][1::-1]),
        lambda row: row.update(terms="[]"),
        lambda row: row.update(terms="["),
        lambda row: row.update(records=None),
        lambda row: row.update(records=[], vectors=[]),
        lambda row: row.update(entry=row_of(generated(2)[1])["entry"]),
        lambda row: row.update(article=json.dumps(make_article("Other text.").to_dict())),
        lambda row: row.update(entry=row["entry"].replace('"n_passages": 3', '"n_passages": 4')),
    ],
)
def test_a_shard_whose_numbers_do_not_fit_its_text_is_refused_though_its_bytes_are_right(
    spoil: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    place = Location(tmp_path / "x.shards")
    row = row_of(generated(1)[0])
    spoil(row)
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([row], schema=schema()), sink)
    data = sink.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    shard = Shard(0, f"shard-000000-{digest[:16]}.parquet", len(data), digest, 1, 3)
    place.write(shard.file, data)
    Manifest(MODEL).with_shards([shard]).write(place)
    store = FolderStore.create(tmp_path / "made", MODEL)
    with pytest.raises(DamagedLibrary, match="is damaged"):
        migrate(ShardStore.open(place), store)
    store.close()


def test_a_file_that_is_no_shard_is_refused(shards: Path) -> None:
    change_shard(shards, articles=3)
    with pytest.raises(DamagedLibrary, match="holds 32 articles, not 3"):
        opened(shards)
    path = first_shard(shards)
    path.write_bytes(b"PAR1" + b"x" * (path.stat().st_size - 8) + b"PAR1")
    with pytest.raises(DamagedLibrary, match=path.name):
        opened(shards)


def test_one_writes_at_a_time(tmp_path: Path) -> None:
    place = Location(tmp_path / "x.shards")
    first = ShardStore.create(place, MODEL)
    (tmp_path / "x.shards" / ".manifest.json.0123456789ab").write_text("left by who was killed")
    with pytest.raises(LibraryBusy, match="another process is writing"):
        ShardStore.create(place, MODEL)
    first.close()
    ShardStore.create(place, MODEL).close()
    assert not list((tmp_path / "x.shards").glob(".manifest*"))


def test_two_who_load_at_once_end_with_one_of_each(shards: Path, tmp_path: Path) -> None:
    FolderStore.create(tmp_path / "made", MODEL).close()

    def load() -> None:
        store = FolderStore(tmp_path / "made")
        migrate(opened(shards), store)
        store.close()

    with ThreadPoolExecutor(2) as pool:
        for loading in [pool.submit(load), pool.submit(load)]:
            loading.result()
    store = FolderStore(tmp_path / "made")
    with store.read() as snapshot:
        listed = opened(shards).statistics
        assert snapshot.statistics.n_articles == listed.n_articles
        assert snapshot.statistics.n_passages == listed.n_passages
        ids = [entry.id for entry in snapshot.entries()]
        assert sorted(ids) == sorted(entry.id for entry in opened(shards).entries())
    store.close()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x.shards").mkdir()
    (tmp_path / "x.shards" / "thesis.txt").write_text("mine")
    with pytest.raises(NotALibrary, match="not empty"):
        ShardStore.create(Location(tmp_path / "x.shards"), MODEL)
    with pytest.raises(NotALibrary, match=r"which nothing searches.*article-qa migrate"):
        Library.open(tmp_path / "x.shards")


def test_the_commands_export_and_import(
    folder: FolderStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there, back = str(tmp_path / "there.shards"), str(tmp_path / "back")
    assert main(["migrate", str(folder.folder), there]) == 0
    assert main(["migrate", there, back]) == 0
    assert main(["migrate", there, back]) == 0
    assert capsys.readouterr().out == (
        "39 copied, 0 already there, counts agree\n" * 2
        + "0 copied, 39 already there, counts agree\n"
    )
    store = FolderStore(back)
    with store.read() as snapshot, folder.read() as original:
        vector = vector_of_text("harbour violin")
        np.testing.assert_allclose(
            snapshot.dense(vector, 10).scores, original.dense(vector, 10).scores, atol=1e-3
        )
    store.close()
