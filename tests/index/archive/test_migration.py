"""From a folder to Milvus and back: nothing is lost, doubled or encoded again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index import DamagedLibrary, OtherModel
from index.archive.folder.store import FolderStore
from index.archive.health_check import check_up
from index.archive.migration import Moved, migrate
from index.archive.milvus.blobs import Blob, blobs_between
from index.archive.milvus.filters import among
from index.archive.milvus.store import MilvusStore
from index.archive.store import Store
from qa.cli import main
from tests.support.archive import MODEL, generated, vector_of_text
from tests.support.milvus import give_back, temporary_store


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[FolderStore]:
    made = FolderStore.create(tmp_path / "library", MODEL)
    made.add(generated(40))
    made.remove([generated(40)[7].article.id])
    yield made
    made.close()


@pytest.fixture
def milvus() -> Iterator[MilvusStore]:
    made = temporary_store(MODEL)
    yield made
    give_back(made)
    made.close()


def answers(store: Store) -> list[object]:
    with store.read() as snapshot:
        lexical = snapshot.lexical(["comet", "ember"], 10)
        dense = snapshot.dense(vector_of_text("harbour violin"), 10)
        pool = snapshot.pool(dense.rows, ["comet"])
        return [
            [pool.articles[a] for a in pool.article_of],
            pool.passage_spans.tolist(),
            np.round(dense.scores, 4).tolist(),
            np.round(lexical.scores, 4).tolist(),
            snapshot.statistics,
            [replace(entry, added="") for entry in snapshot.entries()],
        ]


def test_there_and_back_is_the_same_library(
    folder: FolderStore, milvus: MilvusStore, tmp_path: Path
) -> None:
    assert migrate(folder, milvus) == Moved(copied=39, present=0, left=0)
    assert answers(milvus) == answers(folder)
    back = FolderStore.create(tmp_path / "back", MODEL)
    migrate(milvus, back)
    assert answers(back) == answers(folder)
    back.close()


def test_a_migration_that_was_interrupted_goes_on(folder: FolderStore, milvus: MilvusStore) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(folder, milvus, interrupt)
    with milvus.read() as snapshot:
        assert snapshot.statistics.n_articles == 32
    assert migrate(folder, milvus) == Moved(copied=7, present=32, left=0)
    assert migrate(folder, milvus) == Moved(copied=0, present=39, left=0)


def test_what_only_the_target_has_stays(folder: FolderStore, milvus: MilvusStore) -> None:
    milvus.add(generated(2, seed=3))
    assert migrate(folder, milvus).left == 2


def test_another_models_library_is_refused(folder: FolderStore, tmp_path: Path) -> None:
    other = FolderStore.create(tmp_path / "other", replace(MODEL, fingerprint="e" * 64))
    with pytest.raises(OtherModel, match="different models"):
        migrate(folder, other)


def test_a_sound_library_is_said_to_be_sound(folder: FolderStore, milvus: MilvusStore) -> None:
    migrate(folder, milvus)
    for store in (folder, milvus):
        found = check_up(store, sample=10)
        assert found.sound
        assert (found.n_articles, found.n_passages, found.n_sampled) == (39, 117, 10)
        assert found.recall == 1.0


def test_the_index_of_either_store_is_described(folder: FolderStore, milvus: MilvusStore) -> None:
    migrate(folder, milvus)
    folder.compact()
    folder.add(generated(1, seed=5))
    assert folder.index_state() == (
        "IDMap,SQfp16 of 117 passages, recall@10 1.000 when it was built; 3 newer ones compared"
        " exactly"
    )
    assert milvus.index_state().startswith("FLAT, Loaded")


def test_rows_that_vanished_are_noticed(folder: FolderStore, milvus: MilvusStore) -> None:
    migrate(folder, milvus)
    milvus._milvus.delete(milvus._milvus.names.passages, among("row", [4]))
    found = check_up(milvus)
    assert not found.sound
    assert "damaged" in found.problems[0]


def test_an_article_whose_passages_are_damaged_is_not_removed_by_halves(
    folder: FolderStore, milvus: MilvusStore
) -> None:
    migrate(folder, milvus)
    milvus._milvus.delete(milvus._milvus.names.blobs, blobs_between(Blob.PASSAGE, 4, 5))
    with milvus.read() as snapshot:
        ids = [entry.id for entry in snapshot.entries()]
    with pytest.raises(DamagedLibrary, match="passage 4 is missing"):
        milvus.remove(ids[:2])
    with milvus.read() as snapshot:
        assert [entry.id for entry in snapshot.entries()] == ids


def test_the_commands_say_what_they_did(
    folder: FolderStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = str(tmp_path / "copy")
    assert main(["migrate", str(folder.folder), target]) == 0
    assert capsys.readouterr().out == "39 copied, 0 already there, counts agree\n"
    assert main(["doctor", "--library", target]) == 0
    said = capsys.readouterr().out
    assert "39 listed, 39 counted" in said
    assert "117 passages compared exactly" in said
    assert said.endswith("sound\n")
    assert main(["migrate", str(tmp_path / "absent"), target]) == 2
    assert "no library" in capsys.readouterr().err
