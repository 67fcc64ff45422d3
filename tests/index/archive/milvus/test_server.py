"""What the real Milvus 2.3.5 does with an archive: it has no sparse vectors, but a log on disk.

Set ``ARTICLE_QA_MILVUS_SERVER`` to the Python of an environment that has ``milvus==2.3.5``.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import date

import numpy as np
import pytest

from index import LibraryAway, NotALibrary, UnknownArticle
from index.archive.folder.store import FolderStore
from index.archive.milvus.address import Address
from index.archive.milvus.store import MilvusStore
from index.archive.store import Store, Where
from tests.support.archive import MODEL, generated, make_article, prepare, vector_of_text
from tests.support.milvus_server import RealServer

PYTHON = os.environ.get("ARTICLE_QA_MILVUS_SERVER")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not PYTHON,
        reason="ARTICLE_QA_MILVUS_SERVER names no Python that has the package milvus",
    ),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    made = RealServer(str(PYTHON), tmp_path_factory.mktemp("milvus"))
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(server: RealServer) -> Address:
    return Address.parse(f"http://127.0.0.1:{server.port}/archive")


@pytest.fixture(scope="module")
def store(address: Address) -> Iterator[MilvusStore]:
    made = MilvusStore(address, model=MODEL)
    made.add(generated(20))
    yield made
    made.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FolderStore]:
    made = FolderStore.create(tmp_path_factory.mktemp("folder") / "library", MODEL)
    made.add(generated(20))
    yield made
    made.close()


def found(store: Store, text: str, where: Where | None = None) -> tuple[list, list]:
    """Rows and scores of both searches."""
    with store.read() as snapshot:
        dense = snapshot.dense(vector_of_text(text), 12, where)
        lexical = snapshot.lexical(text.split(), 12, where)
        return (
            [dense.rows.tolist(), lexical.rows.tolist()],
            [dense.scores, lexical.scores],
        )


def same(store: Store, folder: Store, text: str, where: Where | None = None) -> None:
    (rows, scores), (wanted, wanted_scores) = found(store, text, where), found(folder, text, where)
    assert rows == wanted
    for one, other in zip(scores, wanted_scores, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_it_is_a_server_without_sparse_vectors(store: MilvusStore) -> None:
    assert not store.sparse


@pytest.mark.parametrize(
    "where",
    [
        None,
        Where(tags=("even",)),
        Where(sites=("herald",), published_from=date(2015, 1, 1)),
        Where(ids=(generated(2)[1].article.id,)),
        Where(authors=('x" or 1 == 1 or "',)),
    ],
)
def test_both_searches_find_what_the_folder_finds(
    store: MilvusStore, folder: FolderStore, where: Where | None
) -> None:
    for text in ("comet ember", "harbour violin canyon", "willow"):
        same(store, folder, text, where)


def test_what_is_stored_comes_back(store: MilvusStore) -> None:
    with store.read() as snapshot:
        assert snapshot.statistics.n_articles == 20
        for prepared in generated(20)[:5]:
            assert snapshot.article(prepared.article.id) == prepared.article
        pool = snapshot.pool(np.asarray([7, 2, 30]), ["comet"])
        assert len(pool) == 3
        assert len(snapshot.entries(Where(tags=("odd",)))) == 10


def test_an_article_is_removed_and_replaced(store: MilvusStore, folder: FolderStore) -> None:
    extra = generated(2, seed=4)
    for each in (store, folder):
        each.add(extra)
        each.remove([extra[0].article.id])
        each.add([prepare(make_article(extra[1].article.text, title="Corrected"))])
        with each.read() as snapshot:
            assert snapshot.statistics.n_articles == 21
            assert [e.title for e in snapshot.entries()][-1] == "Corrected"
            with pytest.raises(UnknownArticle):
                snapshot.article(extra[0].article.id)
        each.remove([extra[1].article.id])
    with store.read() as snapshot:
        assert len(snapshot.dense(vector_of_text("comet"), 100).rows) == 60


def test_two_writers_at_once_lose_and_double_nothing(store: MilvusStore, address: Address) -> None:
    other = MilvusStore(address)
    errors: list[BaseException] = []

    def write(target: MilvusStore, seed: int) -> None:
        try:
            for prepared in generated(2, seed=seed):
                target.add([prepared])
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=write, args=(target, seed))
        for target, seed in ((store, 21), (other, 22))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert errors == []
    added = [p.article.id for seed in (21, 22) for p in generated(2, seed=seed)]
    with store.read() as snapshot:
        assert snapshot.statistics.n_articles == 24
        ids = [entry.id for entry in snapshot.entries()]
        assert sorted(ids[-4:]) == sorted(added)
        assert len(snapshot.dense(vector_of_text("comet"), 100).rows) == 72
    store.remove(added)


def test_collections_of_something_else_are_left_alone(store: MilvusStore) -> None:
    from pymilvus import DataType

    client = store._milvus.client
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=4)
    client.create_collection("theirs_passages", schema=schema)
    with pytest.raises(NotALibrary, match="another name"):
        MilvusStore(Address.parse(f"{store.address.uri}/theirs"), model=MODEL)
    assert client.has_collection("theirs_passages")
    client.drop_collection("theirs_passages")


def test_what_was_acknowledged_outlives_a_kill(
    store: MilvusStore, folder: FolderStore, server: RealServer
) -> None:
    late = generated(3, seed=8)
    store.add(late)
    server.kill()
    with pytest.raises(LibraryAway, match="does not answer"):
        MilvusStore(store.address)
    server.start()
    # The same store goes on: it connects again by itself.
    deadline = time.monotonic() + 120
    while True:
        try:
            with store.read() as snapshot:
                assert snapshot.statistics.n_articles == 23
                assert snapshot.article(late[2].article.id) == late[2].article
                best = snapshot.dense(late[1].passages[0].vector, 1)
                assert snapshot.pool(best.rows, ()).articles == (late[1].article.id,)
            break
        except LibraryAway:
            assert time.monotonic() < deadline
            time.sleep(1)
    store.remove([p.article.id for p in late])
    same(store, folder, "comet ember")
