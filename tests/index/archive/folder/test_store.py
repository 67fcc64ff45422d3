"""An archive in a folder: derived files come and go, readers follow, numbers are chosen once."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import (
    DamagedLibrary,
    LibraryBusy,
    NewerFormat,
    NotALibrary,
    OtherModel,
)
from index.archive.folder import database, maintenance, vector_index
from index.archive.folder.database import DATABASE, Tuning
from index.archive.folder.lexical_index import best, build_segment
from index.archive.folder.store import FolderStore, repair
from index.archive.folder.vector_index import choose_kind
from index.archive.records.passage import pack_vector, unpack_vectors
from index.archive.store import Statistics, Where
from index.scoring.terms import Postings, TermTable
from tests.support.archive import DIM, MODEL, generated, make_article, prepare, vector_of_text


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FolderStore]:
    made = FolderStore.create(tmp_path / "library", MODEL)
    yield made
    made.close()


def tuned(store: FolderStore, **values: Any) -> FolderStore:
    """The same archive, which does things with fewer passages than others."""
    store.close()
    return FolderStore(store.folder, tuning=Tuning(**values))


def nearest(store: FolderStore, text: str, k: int = 5) -> list[str]:
    with store.read() as snapshot:
        pool = snapshot.pool(snapshot.dense(vector_of_text(text), k).rows, ())
        return [
            snapshot.article(pool.articles[a]).text[start:end]
            for a, (start, end) in zip(pool.article_of, pool.passage_spans, strict=True)
        ]


def derived(store: FolderStore) -> set[str]:
    return {p.name for p in store.folder.iterdir() if p.suffix in {".faiss", ".arrays"}}


# --- derived files


def test_the_indexes_are_used_once_they_are_made(store: FolderStore) -> None:
    store.add(generated(30))
    store.compact()
    assert "of 90 passages" in store.index_state()
    assert "; 0 newer ones" in store.index_state()
    store.add(generated(2, seed=1))
    assert "of 90 passages" in store.index_state()
    assert "; 6 newer ones" in store.index_state()


def test_the_state_says_what_was_made_and_how_good_it_is(store: FolderStore) -> None:
    store.add(generated(10))
    store.compact()
    assert store.index_state() == (
        "IDMap,SQfp16 of 30 passages, recall@10 1.000 when it was built;"
        " 0 newer ones compared exactly"
    )


def test_small_additions_leave_the_files_alone(store: FolderStore) -> None:
    store.add(generated(30))
    store.compact()
    before = derived(store)
    store.add(generated(5, seed=1))
    store.flush()
    assert derived(store) == before


def test_many_additions_are_taken_into_the_files(store: FolderStore) -> None:
    store = tuned(store, flush_after=20)
    store.add(generated(30))
    store.flush()
    store.add(generated(10, seed=1))
    store.flush()
    assert "; 0 newer ones" in store.index_state()
    assert len(derived(store)) == 2
    text = generated(10, seed=1)[3].article.text.split("\n")[1]
    assert nearest(store, text, 1) == [text]


def test_what_was_removed_stays_removed_when_the_files_are_added_to(store: FolderStore) -> None:
    store = tuned(store, flush_after=20)
    articles = generated(30)
    store.add(articles)
    store.flush()
    store.remove([articles[4].article.id])
    store.add(generated(10, seed=1))
    store.flush()
    again = FolderStore(store.folder)
    text = articles[4].article.text.split("\n")[1]
    assert text not in nearest(again, text, 100)
    assert len(nearest(again, text, 1000)) == 39 * 3
    again.compact()
    assert len(nearest(FolderStore(store.folder), text, 1000)) == 39 * 3


def test_what_is_compacted_away_is_forgotten_by_who_has_it_open(store: FolderStore) -> None:
    articles = generated(3)
    store.add(articles)
    text = articles[0].article.text.split("\n")[0]
    assert nearest(store, text, 1) == [text]
    other = FolderStore(store.folder)
    other.remove([prepared.article.id for prepared in articles])
    other.compact()
    assert nearest(store, text) == []
    store.add(generated(2, seed=1))
    assert text not in nearest(store, text, 100)
    assert len(nearest(store, text, 100)) == len(nearest(FolderStore(store.folder), text, 100))


def test_segments_that_are_full_are_written_once(store: FolderStore) -> None:
    store = tuned(store, segment_rows=32, flush_after=5)
    expected = TermTable.of(
        [t for s in (0, 1) for a in generated(15, seed=s) for t in a.article.text.split("\n")]
    )
    store.add(generated(15))
    store.flush()
    first = {p for p in derived(store) if p.startswith("terms")}
    store.add(generated(15, seed=1))
    store.flush()
    second = {p for p in derived(store) if p.startswith("terms")}
    assert len(first) == 2
    assert len(second) == 3
    assert len(first & second) == 1
    known = [expected.vocabulary.index("ember")]
    with store.read() as snapshot:
        hits = snapshot.lexical(["ember"], 10)
    np.testing.assert_allclose(
        hits.scores, np.sort(Postings(expected).scores(known))[::-1][:10], rtol=1e-5
    )


def test_what_a_library_holds_is_for_its_owner_alone(store: FolderStore) -> None:
    store.add(generated(3))
    store.compact()
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()}
    assert len(modes) >= 4
    assert set(modes.values()) == {0o600}


def test_an_earlier_format_says_how_to_make_it_again(store: FolderStore) -> None:
    store.close()
    with sqlite3.connect(store.folder / DATABASE) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(OtherModel, match="article-qa add SOURCE --library"):
        FolderStore(store.folder)


def test_compaction_leaves_nothing_behind(store: FolderStore) -> None:
    store.add(generated(40))
    store.remove([p.article.id for p in generated(40)[:30]])
    names = [f"vectors-{'0' * 32}.faiss", f".terms-{'1' * 32}.arrays.{'1' * 12}"]
    strays = [store.folder / name for name in names]
    for stray in strays:
        stray.write_bytes(b"left by a process that was killed")
        os.utime(stray, (0, 0))
    fresh = store.folder / f"terms-{'2' * 32}.arrays"
    fresh.write_bytes(b"of a process that is about to name it")
    before = sum(p.stat().st_size for p in store.folder.glob(f"{DATABASE}*"))
    store.compact()
    assert not any(stray.exists() for stray in strays)
    fresh.unlink()
    assert len(derived(store)) == 2
    assert (store.folder / DATABASE).stat().st_size < before
    with store.read() as snapshot:
        assert snapshot.statistics.n_articles == 10


@pytest.mark.parametrize("damage", ["missing", "flipped", "short", "long", "empty"])
@pytest.mark.parametrize("kind", ["vectors", "terms"])
def test_a_derived_file_that_is_damaged_is_made_again(
    store: FolderStore, kind: str, damage: str
) -> None:
    store.add(generated(20))
    store.compact()
    expected = nearest(store, "harbour violin")
    (path,) = store.folder.glob(f"{kind}-*")
    data = bytearray(path.read_bytes())
    whole = bytes(data)
    path.unlink()
    if damage == "flipped":
        data[len(data) // 2] ^= 4
    if damage != "missing":
        path.write_bytes(
            {"flipped": data, "short": data[:-1], "long": data + b"x", "empty": b""}[damage]
        )
    again = FolderStore(store.folder)
    assert nearest(again, "harbour violin") == expected
    assert "of 60 passages" in again.index_state()
    assert path.read_bytes() == whole


def test_a_manifest_cannot_name_files_elsewhere(store: FolderStore) -> None:
    store.add(generated(5))
    store.compact()
    (store.folder.parent / "secret.faiss").write_bytes(b"secret")
    with maintenance.changing(store.folder, Tuning()) as (connection, state):
        manifest = dict(state.derived or {})
        manifest["vectors"] = manifest["vectors"] | {"path": "../secret.faiss"}
        database.write_state(
            connection, replace(state, generation=state.generation + 1, derived=manifest)
        )
    again = FolderStore(store.folder)
    assert len(nearest(again, "harbour")) == 5
    assert (store.folder.parent / "secret.faiss").read_bytes() == b"secret"


# --- readers and writers


def test_a_reader_in_another_process_sees_what_was_committed(store: FolderStore) -> None:
    code = (
        "import sys; sys.path.insert(0, '.');"
        "from tests.support.archive import generated, MODEL;"
        "from index.archive.folder.store import FolderStore;"
        f"FolderStore({str(store.folder)!r}).add(generated(4, seed=2))"
    )
    with store.read() as snapshot:
        assert snapshot.statistics.n_articles == 0
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[4])
    with store.read() as snapshot:
        assert snapshot.statistics.n_articles == 4
    text = generated(4, seed=2)[1].article.text.split("\n")[0]
    assert nearest(store, text, 1) == [text]


def test_asking_goes_on_from_many_threads_while_articles_come_and_go(store: FolderStore) -> None:
    store.add(generated(10))
    stop, failures, asked = threading.Event(), [], []

    def ask() -> None:
        while not stop.is_set():
            try:
                found = nearest(store, "harbour violin", 5)
                asked.append(len(found))
            except Exception as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for round_ in range(6):
        new = generated(6, seed=10 + round_)
        store.add(new)
        store.remove([new[0].article.id])
        if round_ % 2:
            store.compact()
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert asked
    assert set(asked) == {5}


def test_two_writers_take_turns(store: FolderStore) -> None:
    other = FolderStore(store.folder)
    errors: list[BaseException] = []

    def write(target: FolderStore, seed: int) -> None:
        try:
            for article in generated(8, seed=seed):
                target.add([article])
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=write, args=(target, seed))
        for seed, target in enumerate((store, other))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    repair(store.folder)
    with store.read() as snapshot:
        assert snapshot.statistics.n_articles == 16


def test_a_writer_that_waits_too_long_is_told_why(store: FolderStore) -> None:
    store = tuned(store, busy_seconds=0.05)
    with (
        maintenance.changing(store.folder, Tuning()),
        pytest.raises(LibraryBusy, match="try again when it is done"),
    ):
        store.add(generated(1))


# --- what is not a library


def test_no_library_is_told_from_a_foreign_folder(tmp_path: Path) -> None:
    with pytest.raises(NotALibrary, match="article-qa add"):
        FolderStore(tmp_path)
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(NotALibrary, match="name a new or an empty folder"):
        FolderStore.create(tmp_path, MODEL)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


def test_another_database_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(NotALibrary, match="not a library"):
        FolderStore(tmp_path)


def test_bytes_that_are_no_database_are_refused(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"x" * 10_000)
    with pytest.raises(DamagedLibrary):
        FolderStore(tmp_path)


def test_a_newer_format_is_refused(store: FolderStore) -> None:
    store.close()
    with sqlite3.connect(store.folder / DATABASE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(NewerFormat, match="upgrade article-qa"):
        FolderStore(store.folder)


def test_another_splitter_is_refused(store: FolderStore) -> None:
    with maintenance.changing(store.folder, Tuning()) as (connection, state):
        database.write_state(connection, replace(state, segmenter="other/1"))
    with pytest.raises(OtherModel, match="new one"):
        FolderStore(store.folder)


@pytest.mark.parametrize(
    "forged",
    [
        {"statistics": Statistics(1, "many", 1, 1)},  # type: ignore[arg-type]
        {"generation": -1},
        {"next_row": 2**40},
        {"codec": 7},
        {"segmenter": 5},
    ],
)
def test_a_forged_state_is_damage_whatever_its_checksum(
    store: FolderStore, forged: dict[str, Any]
) -> None:
    store.add(generated(2))
    with maintenance.changing(store.folder, Tuning()) as (connection, state):
        values = asdict(replace(state, **forged))
        database.insert(connection, "state", 1, json.dumps(values))
        connection.execute("COMMIT")
        with pytest.raises(DamagedLibrary, match="article-qa repair"):
            nearest(FolderStore(store.folder), "harbour")
        connection.execute("BEGIN")
        database.write_state(connection, state)


@pytest.mark.parametrize(
    "forged",
    [
        "{}",
        "[]",
        {"title": 3},
        {"authors": "abc", "tags": [1]},
        {"n_passages": "three"},
        {"n_characters": 10},  # so that its passages lie beyond its end
    ],
)
def test_forged_metadata_is_damage_whatever_its_checksum(store: FolderStore, forged: Any) -> None:
    store.add(generated(1))
    with maintenance.changing(store.folder, Tuning()) as (connection, _):
        ((number, key, first, last, entry),) = database.select(connection, "article")
        text = forged if isinstance(forged, str) else json.dumps(json.loads(entry) | forged)
        database.insert(connection, "article", number, key, first, last, text)
    with pytest.raises(DamagedLibrary, match="article-qa repair"):
        nearest(FolderStore(store.folder), "harbour")


def test_a_database_that_brings_a_trigger_is_refused(store: FolderStore) -> None:
    store.close()
    with sqlite3.connect(store.folder / DATABASE) as connection:
        connection.execute(
            "CREATE TRIGGER t AFTER INSERT ON article BEGIN DELETE FROM article; END"
        )
    connection.close()
    with pytest.raises(DamagedLibrary, match="tables"):
        FolderStore(store.folder)


# --- the parts


@given(st.integers(0, 395), st.integers(1, 255))
def test_a_changed_byte_of_a_vector_is_noticed(at: int, change: int) -> None:
    vector = np.full(392, 392**-0.5, dtype=np.float32)
    data = bytearray(pack_vector(7, vector))
    data[at] ^= change
    with pytest.raises(ValueError, match="damaged"):
        unpack_vectors([7], [bytes(data)], 392)
    with pytest.raises(ValueError, match="damaged"):
        unpack_vectors([8], [pack_vector(7, vector)], 392)


def test_a_vector_keeps_its_direction() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kept = unpack_vectors(range(50), [pack_vector(i, v) for i, v in enumerate(vectors)], 384)
    assert np.einsum("ij,ij->i", kept, vectors).min() > 0.9995


@given(
    st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=9), min_size=1, max_size=40),
    st.lists(st.integers(0, 14), min_size=1, max_size=4, unique=True),
    st.integers(1, 20),
    st.integers(1, 40),
)
def test_segments_score_as_postings_do(
    documents: list[list[int]], query: list[int], k: int, width: int
) -> None:
    table = TermTable.of([" ".join(f"w{t}" for t in d) for d in documents])
    number = {term: int(term[1:]) for term in table.vocabulary}
    ids = np.asarray([number[table.vocabulary[i]] for i in table.ids], dtype=np.int64)
    rows = np.repeat(np.arange(len(documents)), np.diff(table.starts))
    segments = []
    for first in range(0, len(documents), width):
        last = min(len(documents), first + width)
        own = (rows >= first) & (rows < last)
        segments.append(build_segment(first, last, rows[own], ids[own]))
    postings = Postings(table)
    known = [(q, table.vocabulary.index(f"w{q}")) for q in query if f"w{q}" in table.vocabulary]
    if not known:
        return
    expected = postings.scores([position for _, position in known])
    found, scores = best(
        segments,
        np.asarray([q for q, _ in known], dtype=np.int64),
        postings.idf[[position for _, position in known]],
        float(np.diff(table.starts).mean()),
        k,
        None,
    )
    wanted = np.sort(expected[expected > 0])[::-1][:k]
    np.testing.assert_allclose(scores, wanted, rtol=1e-4)
    np.testing.assert_allclose(expected[found], scores, rtol=1e-4)


@pytest.mark.parametrize("n", [0, 1, 1_000, 20_000, 50_000, 1_000_000, 30_000_000])
def test_a_kind_is_chosen_that_faiss_knows_and_that_fits(n: int) -> None:
    kind = choose_kind(n, 256 * 2**20, 384, 20_000)
    assert faiss.index_factory(384, kind.spec, faiss.METRIC_INNER_PRODUCT) is not None
    assert choose_kind(n, 256 * 2**20, 384, 20_000) == kind
    assert (kind.probes > 0) == kind.spec.startswith("IVF")


def test_an_approximate_index_finds_nearly_all(store: FolderStore) -> None:
    store = tuned(store, scan_up_to=100)
    store.add(generated(400))
    store.compact()
    with store.read() as snapshot:
        said = re.match(r"IVF\S+ of 1,200 passages, recall@10 (\d\.\d+)", store.index_state())
        assert said is not None
        assert float(said[1]) >= 0.95
        where = Where(tags=("even",), authors=("Author 1",))
        everything = snapshot.dense(vector_of_text("harbour"), 2_000, where)
        assert len(everything.rows) == 3 * len(snapshot.entries(where))


def test_the_same_vectors_give_the_same_index() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((600, DIM)).astype(np.float32)
    kind = vector_index.Kind("IVF8,RaBitQ", probes=4, candidates=4)
    made = []
    for _ in range(2):
        index = vector_index.train(kind, vectors, DIM)
        index.add_with_ids(vectors, np.arange(600))
        made.append(faiss.serialize_index(index).tobytes())
    assert made[0] == made[1]


def test_bytes_that_are_no_index_are_refused() -> None:
    kind = vector_index.Kind("IDMap,SQfp16", 0, 1)
    with pytest.raises(ValueError, match="FAISS cannot read it"):
        vector_index.load(memoryview(b"IxMp" + b"\xff" * 60), kind, DIM)
    flat = faiss.serialize_index(vector_index.train(kind, np.zeros((0, DIM)), DIM)).tobytes()
    with pytest.raises(ValueError, match="another kind"):
        vector_index.load(memoryview(flat), kind, DIM + 1)


def n_codecs(store: FolderStore) -> int:
    with sqlite3.connect(store.folder / DATABASE) as connection:
        (n,) = connection.execute("SELECT count(*) FROM codec").fetchone()
    connection.close()
    return int(n)


def test_the_codec_is_learnt_once_there_is_enough(store: FolderStore) -> None:
    store = tuned(store, train_at=150)
    articles = generated(60)
    store.add(articles[:40])
    store.flush()
    assert n_codecs(store) == 0
    store.add(articles[40:])
    store.flush()
    store.add(generated(5, seed=1))
    repair(store.folder)
    assert n_codecs(store) == 1
    wanted = articles[3].passages[2]
    with store.read() as snapshot:
        pool = snapshot.pool(snapshot.dense(wanted.vector, 1).rows, ())
    assert np.einsum("ij,ij->i", pool.tokens.vectors(), wanted.token_vectors).mean() > 0.9


def test_articles_of_one_word_and_of_thousands_fit(store: FolderStore) -> None:
    short = prepare(make_article("Ember"))
    long = prepare(make_article("\n".join(f"harbour {i} violin" for i in range(2_000))))
    store.add([short, long])
    repair(store.folder)
    assert nearest(store, "ember", 1) == ["Ember"]
