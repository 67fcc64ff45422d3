"""What is Milvus's own: addresses, expressions, claims, commits, and the same answers."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import (
    DamagedLibrary,
    LibraryAway,
    LibraryBusy,
    LibraryDenied,
    LibraryError,
    LibraryFull,
    NewerFormat,
    NotALibrary,
    OtherModel,
)
from index.archive.folder import store as folder_store
from index.archive.folder.store import FolderStore
from index.archive.milvus.address import Address, is_address
from index.archive.milvus.commits import Claim, publish, read_state
from index.archive.milvus.filters import all_of, among, at_most, holds_any, matching, not_among
from index.archive.milvus.schema import choose_index, index_params, search_params
from index.archive.milvus.store import MilvusStore, Tuning
from index.archive.milvus.vocabulary import WordCount, term_name
from index.archive.store import Where
from index.models.encoder import Encoder
from qa import Library
from tests.support.archive import MODEL, generated, make_article, prepare
from tests.support.milvus import give_back, temporary_store, temporary_uri


@pytest.fixture
def store() -> Iterator[MilvusStore]:
    made = temporary_store(MODEL)
    yield made
    give_back(made)
    made.close()


def rows(store: MilvusStore, collection: str = "articles", expression: str = "") -> int:
    name = getattr(store._milvus.names, collection)
    everything = expression or at_most("born", 2**62)
    return len(store._milvus.query(name, everything, ("born",)))


# --- addresses


@pytest.mark.parametrize(
    ("uri", "client", "name", "database"),
    [
        ("http://localhost:19530/news", "http://localhost:19530", "news", ""),
        ("http://localhost/news", "http://localhost:19530", "news", ""),
        ("https://host.example/prod/news_2", "https://host.example:443", "news_2", "prod"),
        ("http://[::1]:19530/news", "http://[::1]:19530", "news", ""),
        ("milvus-lite:///data/a.db/news", "/data/a.db", "news", ""),
    ],
)
def test_an_address_is_taken_apart(uri: str, client: str, name: str, database: str) -> None:
    address = Address.parse(uri, token="")
    assert (address.uri, address.name, address.database) == (client, name, database)
    assert is_address(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:19530",
        "http://localhost:19530/",
        "http://localhost:19530/my-news",
        "http://localhost:19530/1news",
        "http://localhost:port/news",
        "http://localhost:19530/news?x=1",
        "http:///news",
        "milvus-lite:///tmp/news",
        "http://localhost:19530/a/b/c",
    ],
)
def test_an_address_that_names_no_library_is_refused(uri: str) -> None:
    with pytest.raises(LibraryError, match="write"):
        Address.parse(uri)


def test_a_secret_is_neither_taken_from_an_address_nor_shown() -> None:
    with pytest.raises(LibraryError, match="token=") as refused:
        Address.parse("http://root:secret@localhost:19530/news")
    assert "secret@" not in str(refused.value)
    address = Address.parse("http://localhost:19530/news", token="root:hidden")  # noqa: S106
    assert "hidden" not in f"{address!r} {address}"


@pytest.mark.parametrize("path", ["news", "/data/http/x", Path("http:"), "C:\\news"])
def test_a_folder_is_no_address(path: str | Path) -> None:
    assert not is_address(path)


# --- expressions

_ALLOWED = re.compile(r"(?:[a-z_]+|-?[0-9]+|[\[\](), ]|>=|<=)*")
_WORDS = {"and", "in", "not", "array_contains_any", "names", "first_day", "last_day", "row"}


@given(
    st.lists(st.text(min_size=1), max_size=4),
    st.lists(st.text(min_size=1), max_size=4),
    st.none() | st.dates(),
)
def test_nothing_that_a_user_writes_enters_an_expression(
    authors: list[str], tags: list[str], day: date | None
) -> None:
    expression = matching(Where(authors=tuple(authors), tags=tuple(tags), published_from=day))
    assert _ALLOWED.fullmatch(expression)
    assert set(re.findall(r"[a-z_]+", expression)) <= _WORDS
    assert expression.count("(") == expression.count(")")


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_numbers_are_all_that_an_expression_takes(numbers: list[int]) -> None:
    text = all_of(among("row", numbers), not_among("row", numbers), holds_any("names", numbers))
    assert _ALLOWED.fullmatch(text)
    for wrong in ("1] or [1", 1.5, None):
        with pytest.raises((TypeError, AttributeError)):
            among("row", [wrong])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="no field"):
        among("row in [1] or row", [1])


@pytest.mark.parametrize("name", ['"', "x' or 1 == 1", "{a}", "\ud800", "\x00", "ß" * 5000, "☃"])
def test_any_name_is_found_by_itself_alone(store: MilvusStore, name: str) -> None:
    store.add([prepare(make_article("One text.", authors=(name,)), tags=(name,))])
    store.add([prepare(make_article("Another.", authors=("other",)))])
    with store.read() as snapshot:
        for where in (Where(authors=(name,)), Where(tags=(name,))):
            assert [entry.authors for entry in snapshot.entries(where)] == [(name,)]
        assert snapshot.entries(Where(ids=(name,))) == ()


# --- commits and claims


def test_a_load_that_was_interrupted_leaves_nothing(
    store: MilvusStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(generated(5))

    def fail(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store, "_publish", fail)
        with pytest.raises(KeyboardInterrupt):
            store.add(generated(5, seed=1), replacing=[generated(5)[2].article.id])
    with store.read() as snapshot:
        assert snapshot.statistics.n_articles == 5
        assert len(snapshot.entries()) == 5
    assert rows(store) == 5
    store.add(generated(5, seed=1))
    with store.read() as snapshot:
        assert snapshot.statistics.n_articles == len(snapshot.entries()) == 10


@pytest.mark.parametrize("published", [False, True])
def test_what_a_killed_loader_left_is_removed_by_the_next(
    store: MilvusStore, monkeypatch: pytest.MonkeyPatch, published: bool
) -> None:
    store.add(generated(5))

    def die(*args: object) -> None:
        raise SystemExit

    def publish_and_die(*args: object) -> None:
        if published:
            publish(*args)  # type: ignore[arg-type]
        raise SystemExit

    with monkeypatch.context() as patched:
        # As if the process were gone: it neither cleans nor takes its claim back.
        patched.setattr("index.archive.milvus.store.publish", publish_and_die)
        patched.setattr("index.archive.milvus.store.clean", die)
        patched.setattr(Claim, "release", die)
        with pytest.raises(SystemExit):
            store.add(generated(4, seed=1))
    expected = 9 if published else 5
    with store.read() as snapshot:
        # A reader sees all of it or nothing, before anybody has cleaned up.
        assert snapshot.statistics.n_articles == len(snapshot.entries()) == expected
        assert len(snapshot.dense(generated(1)[0].passages[0].vector, 99).rows) == 3 * expected
    impatient = MilvusStore(store.address, tuning=Tuning(busy_seconds=0.5))
    with pytest.raises(LibraryBusy, match="try again"):
        impatient.add(generated(1, seed=2))
    minutes_later(monkeypatch)
    store.add(generated(1, seed=2))
    monkeypatch.undo()
    assert rows(store) == expected + 1
    counted = dict.fromkeys(("comet", "ember"), 0)
    everything = generated(5) + (generated(4, seed=1) if published else [])
    for passage in (p for a in everything + generated(1, seed=2) for p in a.passages):
        for word in counted:
            counted[word] += any(word in sentence for sentence in passage.terms)
    with store.read() as snapshot:
        assert snapshot.document_frequencies(list(counted)).tolist() == list(counted.values())


def minutes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 300)


def test_a_claim_that_ran_out_stops_its_writer(
    store: MilvusStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = Claim(store._milvus)
    assert not claim.take(busy_seconds=1)
    minutes_later(monkeypatch)
    with pytest.raises(LibraryBusy, match="held up"):
        claim.held()
    monkeypatch.undo()
    claim.release()


def test_two_loaders_of_the_same_articles_double_nothing(store: MilvusStore) -> None:
    other = MilvusStore(store.address)
    errors: list[BaseException] = []

    def load(target: MilvusStore) -> None:
        try:
            for prepared in generated(4):
                target.add([prepared])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=load, args=(target,)) for target in (store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with store.read() as snapshot:
        assert snapshot.statistics.n_articles == len(snapshot.entries()) == 4
        assert len(snapshot.dense(generated(1)[0].passages[0].vector, 99).rows) == 12


def test_rows_of_removed_articles_go_in_time(store: MilvusStore) -> None:
    store.add(generated(5))
    store.remove([generated(5)[1].article.id])
    store.compact()
    assert rows(store) == 5
    MilvusStore(store.address, tuning=Tuning(grace_seconds=-1)).compact()
    assert (rows(store), rows(store, "passages")) == (4, 12)
    with store.read() as snapshot:
        assert len(snapshot.entries()) == 4


def test_a_word_remembers_what_it_was() -> None:
    word = WordCount("tember", 3, -1, 0).moved(2, 5).moved(1, 5).moved(4, 6)
    assert [word.at(g) for g in (5, 6, 7)] == [3, 7, 7]
    assert term_name("é") == "t\\xe9"


def test_scores_stay_exact_as_passages_grow_longer(store: MilvusStore, tmp_path: Path) -> None:
    folder = FolderStore.create(tmp_path / "library", MODEL)
    short = [prepare(make_article(f"comet {w} falls.")) for w in ("red", "blue", "old", "far")]
    for each in (store, folder):
        each.add(short)
        each.add(generated(30, paragraphs=6))
        each.add(generated(5, seed=2))
    for query in (["comet"], ["comet", "ember", "comet"], ["harbour", "red"]):
        with store.read() as ours, folder.read() as theirs:
            found, wanted = ours.lexical(query, 10), theirs.lexical(query, 10)
            assert found.rows.tolist() == wanted.rows.tolist()
            np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-6)
    folder.close()


def test_word_pieces_are_kept_in_few_bytes_once_there_is_enough_to_learn_from(
    store: MilvusStore, tmp_path: Path
) -> None:
    tuning = folder_store.Tuning(train_at=150)
    folder = FolderStore.create(tmp_path / "library", MODEL, tuning=tuning)
    early = MilvusStore(store.address, tuning=Tuning(train_at=150))
    for each in (early, folder):
        each.add(generated(60))
        each.flush()
        each.add(generated(5, seed=1))
    with store.read() as ours, folder.read() as theirs:
        some = np.asarray([3, 100, 185])
        one, other = ours.pool(some, ["comet"]), theirs.pool(some, ["comet"])
    np.testing.assert_allclose(one.tokens.vectors(), other.tokens.vectors(), atol=1e-5)
    folder.close()


# --- errors


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("auth check failure, please check api key", LibraryDenied),
        ("quota exceeded[reason=memory quota exceeded]", LibraryFull),
        ("deny to write, reason: disk quota exceeded", LibraryFull),
        ("Ssl handshake failed: certificate verify failed", LibraryAway),
        ("Fail connecting to server on 127.0.0.1:1", LibraryAway),
        ("something else", LibraryError),
    ],
)
def test_what_a_server_says_is_said_in_our_words(
    store: MilvusStore, said: str, error: type[LibraryError]
) -> None:
    with pytest.raises(LibraryError) as caught, store._milvus.explained("adding"):
        raise store._milvus.exception(1, said)
    assert type(caught.value) is error
    assert str(store.address) in str(caught.value)


def test_a_server_that_is_away_is_said_to_be() -> None:
    address, quick = Address.parse("http://127.0.0.1:9/news"), Tuning(connect_seconds=0.5)
    with pytest.raises(LibraryAway, match="check that the server runs"):
        MilvusStore(address, model=MODEL, tuning=quick)


def test_no_library_is_made_by_asking_and_foreign_collections_are_refused(
    store: MilvusStore,
) -> None:
    with pytest.raises(NotALibrary, match="article-qa add"):
        MilvusStore(Address.parse(temporary_uri()))
    assert choose_index(1000) == "FLAT"
    assert [choose_index(n) for n in (10**6, 10**8)] == ["HNSW", "IVF_SQ8"]
    for kind in ("FLAT", "HNSW", "IVF_SQ8"):
        assert isinstance(index_params(kind) | search_params(kind, 20), dict)


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"segmenter": "other/1"}, OtherModel, "new one"),
        ({"version": 1}, OtherModel, "article-qa add SOURCE --library"),
        ({"version": 99}, NewerFormat, "upgrade article-qa"),
        ({"next_row": "many"}, DamagedLibrary, "cannot be read"),
    ],
)
def test_a_state_that_this_version_cannot_use_is_refused(
    store: MilvusStore, changed: dict[str, Any], error: type[LibraryError], said: str
) -> None:
    state = read_state(store._milvus, at_least=None)
    publish(store._milvus, replace(state, **changed))
    with pytest.raises(error, match=said):
        MilvusStore(store.address)


def test_without_the_package_the_way_to_it_is_said() -> None:
    code = (
        "import sys; sys.modules['pymilvus'] = None\n"
        "from index.archive.opening import open_store\n"
        "from index import LibraryError\n"
        "try: open_store('http://localhost:19530/news')\n"
        "except LibraryError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'article-qa[milvus]'" in done.stdout


def test_a_folder_library_imports_no_client() -> None:
    code = "import sys, qa.library; print('pymilvus' in sys.modules, 'grpc' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


# --- the same answers


def test_a_question_is_answered_as_from_a_folder(encoder: Encoder, tmp_path: Path) -> None:
    """500 questions: the first citation is the same, and so are the scores."""
    articles = [p.article for p in generated(100, seed=11, paragraphs=5)]
    folder = Library.open(tmp_path / "library", reader=False)
    uri = temporary_uri()
    milvus = Library.open(uri, reader=False)
    try:
        for library in (folder, milvus):
            library.add(articles)
        same, questions = 0, 0
        for article in articles:
            for line in article.text.split("\n"):
                words = line.split()
                question = f"Where is the {' '.join(words[3:8])}?"
                one, other = folder.ask(question, k=1), milvus.ask(question, k=1)
                first, second = one.citations[0], other.citations[0]
                questions += 1
                same += (first.article.id, first.start) == (second.article.id, second.start)
                assert abs(one.confidence - other.confidence) < 1e-4
                assert abs(first.score - second.score) < 1e-4
        assert questions == 500
        assert same >= 0.99 * questions
    finally:
        milvus.store.drop()  # type: ignore[attr-defined]
        milvus.close()
        folder.close()
