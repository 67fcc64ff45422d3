"""What a crash, a bad disk or another's hand can do to an archive: nothing that goes unnoticed."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from index import ArticleQAError, DamagedLibrary, LibraryError
from index.archive.folder.database import DATABASE, HEAD
from index.archive.folder.integrity import check_database
from index.archive.folder.store import FolderStore, repair
from index.archive.store import Where
from tests.support.archive import MODEL, generated, vector_of_text
from tests.support.crashing_writer import operations

ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("ARTICLE_QA_KILLS", "30"))
FLIPS = int(os.environ.get("ARTICLE_QA_FLIPS", "60"))


def contents(folder: Path) -> dict[str, Any]:
    """Everything that a question can draw from an archive."""
    store = FolderStore(folder)
    try:
        with store.read() as snapshot:
            found: dict[str, Any] = {"entries": snapshot.entries()}
            for where in (None, Where(tags=("even",)), Where(sites=("herald",))):
                for query in ("harbour violin", "comet ember tundra"):
                    dense = snapshot.dense(vector_of_text(query), 6, where)
                    lexical = snapshot.lexical(query.split(), 6, where)
                    pool = snapshot.pool(dense.rows, query.split())
                    found[f"{where} {query}"] = (
                        dense.rows.tolist(),
                        dense.scores.round(5).tolist(),
                        lexical.rows.tolist(),
                        lexical.scores.round(4).tolist(),
                        pool.articles,
                        pool.passage_spans.tolist(),
                        pool.term_counts.tolist(),
                        pool.tokens.vectors().round(4).tolist(),
                        [snapshot.article(a).text for a in pool.articles],
                    )
        return found
    finally:
        store.close()


# --- killed


@pytest.fixture
def nursery() -> Iterator[Callable[[str], str]]:
    """Starts writers quickly: a process that has imported everything, and forks."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.crashing_writer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdin
    assert process.stdout

    def talk(line: str) -> str:
        if line:
            process.stdin.write(line + "\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
        return process.stdout.readline().strip()  # type: ignore[union-attr]

    yield talk
    process.stdin.close()
    process.wait()
    process.stdout.close()


def test_a_writer_that_is_killed_leaves_a_whole_archive_with_all_it_acknowledged(
    nursery: Callable[[str], str], tmp_path: Path
) -> None:
    seed, done = 3, 0
    folder, acks = tmp_path / "library", tmp_path / "acks"
    FolderStore.create(folder, MODEL).close()
    acks.touch()
    chance = random.Random(1)
    for _ in range(KILLS):
        before_it = acks.read_text().count("\n")
        writer = int(nursery(f"{folder} {acks} {seed} {done}"))
        # A moment of the work, however fast the machine: so many operations in, and a bit.
        wanted, began = chance.randrange(4), time.monotonic()
        while acks.read_text().count("\n") < before_it + wanted:
            time.sleep(0.001)
        took = (time.monotonic() - began) / wanted if wanted else 0.05
        time.sleep(chance.uniform(0, 2 * min(took, 0.2)))
        os.kill(writer, signal.SIGKILL)
        assert nursery("") == "gone"
        noted = acks.read_text().split()
        acknowledged = max(done, int(noted[-1]) + 1 if noted else 0)
        check_database(folder)
        with FolderStore(folder).read() as snapshot:
            there = frozenset(entry.id for entry in snapshot.entries())
        expected = [after for _, after in islice(operations(seed), acknowledged + 1)]
        before = expected[acknowledged - 1] if acknowledged else frozenset()
        # What was in progress happened whole, or not at all.
        assert there in (before, expected[acknowledged])
        done = acknowledged + (there != before)
    assert done > KILLS / 2


# --- damaged


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good") / "library"
    store = FolderStore.create(folder, MODEL)
    store.add(generated(25))
    store.remove([generated(25)[7].article.id])
    store.compact()
    store.add(generated(4, seed=1))
    store.remove([generated(25)[3].article.id])
    store.close()
    return folder


def unclosed(good: Path, target: Path) -> None:
    """A copy whose last commits are still in the write-ahead log."""
    shutil.copytree(good, target)
    store = FolderStore(target)
    with store.read():
        store.add(generated(3, seed=2))
        kept = target.with_name("kept")
        shutil.copytree(target, kept)
    store.close()
    shutil.rmtree(target)
    kept.rename(target)
    (target / f"{DATABASE}-shm").unlink()


@pytest.mark.parametrize("trial", range(FLIPS))
@pytest.mark.parametrize("log", [False, True], ids=["closed", "with a log"])
def test_a_changed_byte_is_noticed_or_changes_nothing(
    good: Path, tmp_path: Path, trial: int, log: bool
) -> None:
    chance = random.Random(trial)
    folder = tmp_path / "library"
    if log:
        unclosed(good, folder)
    else:
        shutil.copytree(good, folder)
    shutil.copytree(folder, tmp_path / "pristine")
    expected = contents(tmp_path / "pristine")
    path = chance.choice(sorted(folder.iterdir()))
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data))
    data[at] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    try:
        found = contents(folder)
    except ArticleQAError as error:
        assert str(folder) in str(error)
    else:
        assert found == expected, f"{path.name} at {at}"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE article SET entry = replace(entry, 'Herald', 'Courier')",
        "UPDATE article SET last = last - 1 WHERE number = 5",
        "UPDATE term SET df = df + 1",
        "UPDATE removed SET last = last + 1",
        "DELETE FROM removed",
        "UPDATE passage SET data = (SELECT data FROM passage ORDER BY row LIMIT 1)",
        "UPDATE vector SET data = zeroblob(length(data))",
        "DELETE FROM vector WHERE row = 76",
        "DELETE FROM passage WHERE row < 20",
        "UPDATE body SET data = (SELECT data FROM body ORDER BY number LIMIT 1)",
        "UPDATE state SET record = replace(record, '\"next_row\": 87', '\"next_row\": 84')",
        "UPDATE state SET record = '{}'",
        "DELETE FROM state",
    ],
)
def test_a_row_that_another_hand_changed_is_noticed(
    good: Path, tmp_path: Path, change: str
) -> None:
    folder = tmp_path / "library"
    shutil.copytree(good, folder)
    connection = sqlite3.connect(folder / DATABASE)
    with connection:
        assert connection.execute(change).rowcount > 0
    connection.close()
    with pytest.raises(DamagedLibrary, match="article-qa repair"):
        contents(folder)
    if "removed" in change:  # what is there says what is not
        repair(folder)
        assert contents(folder)["entries"] == contents(good)["entries"]
    else:
        with pytest.raises(DamagedLibrary):
            repair(folder)


@pytest.mark.parametrize("trial", range(FLIPS // 4))
def test_a_file_that_is_cut_off_is_noticed_or_changes_nothing(
    good: Path, tmp_path: Path, trial: int
) -> None:
    chance = random.Random(trial)
    folder = tmp_path / "library"
    shutil.copytree(good, folder)
    expected = contents(good)
    path = chance.choice(sorted(folder.iterdir()))
    os.truncate(path, chance.randrange(path.stat().st_size))
    try:
        found = contents(folder)
    except ArticleQAError as error:
        assert str(folder) in str(error)
    else:
        assert found == expected, path.name


def test_lost_commits_are_noticed_and_repair_goes_on_with_what_is_left(
    good: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "library"
    unclosed(good, folder)
    (folder / f"{DATABASE}-wal").unlink()
    with pytest.raises(DamagedLibrary, match=r"changes .* are lost.*article-qa repair"):
        FolderStore(folder)
    repair(folder)
    assert contents(folder)["entries"] == contents(good)["entries"]


def test_repair_refuses_a_database_that_is_not_whole(good: Path, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    shutil.copytree(good, folder)
    path = folder / DATABASE
    data = bytearray(path.read_bytes())
    (place,) = (data.find(b"Article 11"),)
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedLibrary):
        repair(folder)


def test_repair_makes_everything_else_anew(good: Path, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    shutil.copytree(good, folder)
    expected = contents(good)
    for path in folder.iterdir():
        if path.name != DATABASE:
            path.write_bytes(b"rubbish")
    repair(folder)
    found = contents(folder)
    assert found["entries"] == expected["entries"]
    assert {k: v[4] for k, v in found.items() if k != "entries"} == {
        k: v[4] for k, v in expected.items() if k != "entries"
    }
    assert not any(p.read_bytes() == b"rubbish" for p in folder.iterdir())


def test_clocks_and_time_stamps_mean_nothing(good: Path, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    shutil.copytree(good, folder)
    names = sorted(p.name for p in folder.iterdir())
    for number, name in enumerate(names):
        os.utime(folder / name, (number % 2 * 4e9, number % 2 * 4e9))
    assert contents(folder) == contents(good)
    assert {n for n in names if n.startswith(("terms", "vectors", HEAD))} <= {
        p.name for p in folder.iterdir()
    }


# --- full and read-only


def in_child(folder: Path, setup: Callable[[], None], action: Callable[[], None]) -> str:
    """What an action in a process of its own ends with: "done", or the error's name and text."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            setup()
            action()
            os.write(write, b"done")
        except BaseException as error:
            os.write(write, f"{type(error).__name__}: {error}".encode()[:4000])
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read, "rb") as pipe:
        return pipe.read().decode()


@pytest.mark.parametrize("spare", [0, 4_000, 60_000, 200_000])
@pytest.mark.parametrize("change", ["add", "compact"])
def test_a_full_disk_is_told_and_changes_nothing(
    good: Path, tmp_path: Path, change: str, spare: int
) -> None:
    folder = tmp_path / "library"
    shutil.copytree(good, folder)
    expected = contents(folder)
    largest = max(p.stat().st_size for p in folder.iterdir())
    limit = spare if change == "compact" else largest // 8 + spare

    def act() -> None:
        store = FolderStore(folder)
        # No file may grow past this: what SQLite and we write next fails half way.
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        if change == "add":
            store.add(generated(400, seed=3, paragraphs=6))
        else:
            store.compact()

    said = in_child(folder, lambda: None, act)
    check_database(folder)
    if said != "done":
        assert said.startswith("LibraryError: cannot write"), said
        assert "free some space" in said
        found = contents(folder)
        assert found["entries"] == expected["entries"]
    assert spare > 0 or said != "done"


@pytest.fixture
def public(good: Path) -> Iterator[Path]:
    """A copy in a folder that anyone may enter and nobody may write."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    folder = place / "library"
    shutil.copytree(good, folder)
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(place)


def as_nobody() -> None:
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)


def test_a_folder_that_cannot_be_written_can_be_asked(public: Path) -> None:
    expected = contents(public.parent / "library")

    def ask() -> None:
        assert contents(public) == expected

    for path in public.glob(f"{DATABASE}-*"):
        path.unlink()
    assert in_child(public, as_nobody, ask) == "done"
    said = in_child(public, as_nobody, lambda: FolderStore(public).add(generated(1, seed=9)))
    assert said.startswith("ReadOnlyLibrary:")
    assert "ask it as it is" in said


def test_who_may_only_read_sees_what_the_owner_commits(public: Path) -> None:
    for path in public.glob(f"{DATABASE}-*"):
        path.unlink()
    owner = os.geteuid()

    def articles(store: FolderStore) -> int:
        with store.read() as snapshot:
            return snapshot.statistics.n_articles

    def own() -> None:
        """Add an article as the owner."""
        os.seteuid(owner)
        public.chmod(0o755)
        for path in public.iterdir():
            path.chmod(0o644)
        store = FolderStore(public)
        store.add(generated(1, seed=9))
        store.compact()
        store.close()
        for path in public.iterdir():
            path.chmod(0o444)
        public.chmod(0o555)

    def read_on() -> None:
        if owner == 0:
            os.seteuid(65534)
        store = FolderStore(public)
        before = articles(store)
        own()
        if owner == 0:
            os.seteuid(65534)
        assert articles(store) == before + 1

    assert in_child(public, lambda: None, read_on) == "done"


def test_a_damaged_index_that_cannot_be_made_anew_gives_no_wrong_answer(public: Path) -> None:
    expected = contents(public)
    (path,) = public.glob("vectors-*")
    path.chmod(0o644)
    path.write_bytes(b"x" * path.stat().st_size)
    path.chmod(0o444)
    for extra in public.glob(f"{DATABASE}-*"):
        extra.unlink()

    def ask() -> None:
        found = contents(public)
        assert found["entries"] == expected["entries"]
        key = "None harbour violin"
        assert found[key][4] == expected[key][4]

    assert in_child(public, as_nobody, ask) == "done"


def test_errors_of_an_archive_share_a_base() -> None:
    assert issubclass(DamagedLibrary, LibraryError)
