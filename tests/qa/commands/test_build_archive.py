"""An archive built on a Ray cluster: whatever is lost on the way, the same library."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

from index import Article, LibraryBusy, LibraryError, NotALibrary, OtherModel
from index.archive.folder.store import FolderStore
from index.archive.shards.build import Built, build_shards, make_part, make_shard
from index.archive.shards.input import ArchiveInput, Limits
from index.archive.shards.location import Location
from index.archive.shards.manifest import Manifest, Shard
from index.archive.shards.parquet_file import read_refused
from index.archive.store import ModelRef
from index.errors import MissingExtra, SourceError
from index.models.encoder import Encoder
from qa import Library
from qa.cli import main

LIMITS = Limits(articles=3)
N_PARTS = 12
NODE = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80 * 2**20}


class Nodes:
    """A head that works on nothing, and nodes with a processor each that come and go."""

    def __init__(self) -> None:
        # A node that is killed is missed after seconds; one that is slow is given time.
        health = {"health_check_period_ms": 500, "health_check_timeout_ms": 20_000}
        head = {**NODE, "num_cpus": 0, "_system_config": health}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.workers: list[Any] = []

    def have(self, n: int) -> None:
        while len(self.workers) < n:
            self.workers.append(self.cluster.add_node(**NODE))

    def lose(self, node: Any) -> None:
        """As when a machine goes: with all that runs on it."""
        processes = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
                     if parent_of(pid) == raylet(node).pid]  # fmt: skip
        self.workers.remove(node)
        self.cluster.remove_node(node, allow_graceful=False)
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def of(self, pid: int) -> Any:
        """The node on which a process runs."""
        return next(n for n in self.workers if raylet(n).pid == parent_of(pid))


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has ended
        return 0


def raylet(node: Any) -> subprocess.Popen[bytes]:
    process: subprocess.Popen[bytes] = node.all_processes["raylet"][0].process
    return process


@pytest.fixture(scope="module")
def nodes(cache: Path) -> Iterator[Nodes]:
    environment = pytest.MonkeyPatch()
    environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
    before = signal.getsignal(signal.SIGTERM)
    made = Nodes()
    ray.init(address=made.cluster.address, log_to_driver=False, logging_level="ERROR")
    processes = [raylet(node) for node in made.cluster.list_all_nodes()]
    yield made
    processes += [raylet(node) for node in made.cluster.list_all_nodes()]
    ray.shutdown()
    made.cluster.shutdown()
    signal.signal(signal.SIGTERM, before)
    environment.undo()
    assert all(process.wait(timeout=30) is not None for process in processes)


def facts(number: int) -> str:
    return f"Ferry number {number} left the harbour at noon. It carried {number * 7} crates."


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of text files, of lines, and of what cannot be read."""
    folder = tmp_path_factory.mktemp("articles")
    for number in range(16):
        (folder / f"{number:02}.txt").write_text(facts(number))
    (folder / "07b.txt").write_bytes(b"\0\1\2")
    lines = [json.dumps({"text": facts(n), "title": f"Ferry {n}"}) for n in range(16, 33)]
    lines[4] = '{"text": null}'
    (folder / "lines.jsonl").write_text("\n".join(lines))
    return folder


REFUSED = {"07b.txt": "binary", "lines.jsonl, line 5": "text must be the article's text"}
N_ARTICLES = 32


def build(articles: Path, shards: Path, **options: Any) -> Built:
    return build_shards(
        ArchiveInput(Location(articles)), Location(shards), limits=LIMITS, **options
    )


def listed(shards: Path) -> tuple[Shard, ...]:
    manifest = Manifest.read(Location(shards))
    assert manifest is not None
    return manifest.shards


@pytest.fixture(scope="module")
def whole(nodes: Nodes, articles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shards as one worker makes them when nothing goes wrong."""
    nodes.have(1)
    shards = tmp_path_factory.mktemp("whole") / "x.shards"
    built = build(articles, shards, workers=1)
    assert (built.made, built.kept) == (N_PARTS, 0)
    return shards


def once(act: Callable[[], object]) -> Callable[[str, int, int], None]:
    """Do something when the first part is done."""
    acts = [act]

    def progress(what: str, done: int, total: int) -> None:
        if what == "preparing articles" and done and acts:
            acts.pop()()

    return progress


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of texts, a part each, of which all but the first take a while."""
    folder = tmp_path_factory.mktemp("long")
    for number in range(4):
        text = "\n\n".join(facts(n) for n in range(number * 300, number * 300 + 300))
        (folder / f"{number}.txt").write_text(text if number else facts(0))
    return folder


@pytest.fixture(scope="module")
def long_whole(nodes: Nodes, long: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its shards when nothing goes wrong."""
    nodes.have(1)
    shards = tmp_path_factory.mktemp("long_whole") / "x.shards"
    build_one_by_one(long, shards)
    return shards


def build_one_by_one(articles: Path, shards: Path, **options: Any) -> Built:
    source, location = ArchiveInput(Location(articles)), Location(shards)
    return build_shards(source, location, limits=Limits(articles=1), **options)


def at_work() -> int:
    """A process that makes a part."""
    for _ in range(2_000):
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "cmdline").read_bytes().startswith(b"ray::make_part"):
                    return int(process.name)
        time.sleep(0.01)
    raise AssertionError("nobody makes a part")


def test_two_workers_make_what_one_makes(
    nodes: Nodes, articles: Path, whole: Path, tmp_path: Path
) -> None:
    nodes.have(2)
    build(articles, tmp_path / "x.shards", workers=2)
    assert listed(tmp_path / "x.shards") == listed(whole)


def test_a_node_that_is_lost_loses_nothing(
    nodes: Nodes, long: Path, long_whole: Path, tmp_path: Path
) -> None:
    nodes.have(2)
    lose = once(lambda: nodes.lose(nodes.of(at_work())))
    built = build_one_by_one(long, tmp_path / "x.shards", workers=2, progress=lose)
    assert built.made == 4
    assert listed(tmp_path / "x.shards") == listed(long_whole)


def test_a_worker_that_is_killed_is_replaced(
    nodes: Nodes, long: Path, long_whole: Path, tmp_path: Path
) -> None:
    nodes.have(1)
    kill = once(lambda: os.kill(at_work(), signal.SIGKILL))
    built = build_one_by_one(long, tmp_path / "x.shards", workers=1, progress=kill)
    assert built.made == 4
    assert listed(tmp_path / "x.shards") == listed(long_whole)


def test_a_part_that_kills_every_worker_ends_the_build_and_the_rest_stays(
    nodes: Nodes, long: Path, tmp_path: Path
) -> None:
    nodes.have(1)
    kill = once(lambda: os.kill(at_work(), signal.SIGKILL))
    with pytest.raises(LibraryError, match=r"1\.txt cannot be made.*run the same again"):
        build_one_by_one(long, tmp_path / "x.shards", workers=1, attempts=1, progress=kill)
    assert len(listed(tmp_path / "x.shards")) == 1


def test_a_build_that_is_stopped_goes_on_and_makes_nothing_twice(
    nodes: Nodes, articles: Path, whole: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def stop() -> None:
        raise KeyboardInterrupt

    nodes.have(1)
    with pytest.raises(KeyboardInterrupt):
        build(articles, tmp_path / "x.shards", workers=1, progress=once(stop))
    done = listed(tmp_path / "x.shards")
    assert main(["migrate", str(tmp_path / "x.shards"), str(tmp_path / "library")]) == 2
    assert "not finished; run the same build-archive again" in capsys.readouterr().err
    stamps = {shard.file: (tmp_path / "x.shards" / shard.file).stat() for shard in done}
    assert 0 < len(done) < N_PARTS
    built = build(articles, tmp_path / "x.shards", workers=1)
    assert (built.made, built.kept) == (N_PARTS - len(done), len(done))
    for name, stamp in stamps.items():
        now = (tmp_path / "x.shards" / name).stat()
        assert (now.st_ino, now.st_mtime_ns) == (stamp.st_ino, stamp.st_mtime_ns)
    assert listed(tmp_path / "x.shards") == listed(whole)
    again = build(articles, tmp_path / "x.shards", workers=1)
    assert (again.made, again.kept) == (0, N_PARTS)


def test_an_input_that_changes_meanwhile_ends_the_build(nodes: Nodes, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(facts(1))

    def meddle(what: str, done: int, total: int) -> None:
        if what == "preparing articles":
            (tmp_path / "a.txt").write_text(facts(2))

    nodes.have(1)
    with pytest.raises(SourceError, match=r"a.txt.*changed while the archive was built"):
        build(tmp_path / "a.txt", tmp_path / "x.shards", workers=1, progress=meddle)
    assert listed(tmp_path / "x.shards") == ()


def test_a_node_with_another_model_is_refused(
    articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as it is set there
    model = ModelRef("all-MiniLM-L6-v2", "e" * 64, 384)
    source, shards = ArchiveInput(Location(articles)), Location(tmp_path / "x.shards")
    with pytest.raises(OtherModel, match="install the same article-qa and the same model"):
        make_part(source, source.parts(LIMITS)[0], model, shards, ())


def test_an_article_too_long_for_a_worker_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    for number in (5, 123456):
        (tmp_path / f"{number:06}.txt").write_text(facts(number))
    source, place = ArchiveInput(Location(tmp_path)), Location(tmp_path / "x.shards")
    (part,) = source.parts(LIMITS)
    shard = make_shard(source, part, encoder, place, max_characters=60)
    assert (shard.articles, shard.refused) == (0, 2)
    assert "may have 60; cut it" in read_refused(place, shard)[0][1]


def test_what_cannot_be_read_is_counted_and_listed_then_and_later(
    articles: Path, whole: Path
) -> None:
    built = build(articles, whole)
    assert built.articles == N_ARTICLES
    assert len(built.refused) == len(REFUSED)
    for (name, why), (ending, reason) in zip(built.refused, REFUSED.items(), strict=True):
        assert name == f"{articles}/{ending}"
        assert reason in why


def test_a_shard_that_is_missing_is_made_again_and_what_nobody_lists_goes(
    nodes: Nodes, articles: Path, whole: Path
) -> None:
    nodes.have(1)
    before = listed(whole)
    (whole / before[3].file).unlink()
    (whole / "shard-000001-0123456789abcdef.parquet").write_text("left from before")
    built = build(articles, whole, workers=1)
    assert (built.made, built.kept) == (1, N_PARTS - 1)
    assert listed(whole) == before
    assert {path.name for path in whole.glob("shard-*")} == {shard.file for shard in before}


def test_the_library_is_the_one_that_adding_makes(
    articles: Path, whole: Path, encoder: Encoder, tmp_path: Path
) -> None:
    source = ArchiveInput(Location(articles))
    readings = [one for part in source.parts(LIMITS) for one in source.read(part)]
    added = Library.open(tmp_path / "added")
    added.add_from((one.found, one.source) for one in readings if isinstance(one.found, Article))
    assert main(["migrate", str(whole), str(tmp_path / "loaded")]) == 0
    loaded = Library.open(tmp_path / "loaded", create=False)
    assert [e.id for e in loaded.articles()] == [e.id for e in added.articles()]
    for number in range(0, 32, 5):
        question = f"How many crates did ferry number {number} carry?"
        theirs, ours = added.ask(question), loaded.ask(question)
        assert [c.quote for c in ours.citations] == [c.quote for c in theirs.citations]
        for one, other in zip(ours.citations, theirs.citations, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-3)
            assert loaded.article(one.article.id).text[one.start : one.end] == one.quote


def test_shards_of_something_else_are_left_alone(
    articles: Path, whole: Path, tmp_path: Path
) -> None:
    (tmp_path / "other.txt").write_text("Something else entirely happened here.")
    before = listed(whole)
    with pytest.raises(NotALibrary, match="other shards than those of this input"):
        build(tmp_path / "other.txt", whole)
    with pytest.raises(NotALibrary, match="with these tags"):
        build(articles, whole, tags=["new"])
    with Location(whole).locked(), pytest.raises(LibraryBusy):
        build(articles, whole)
    assert listed(whole) == before
    manifest = json.loads((whole / "manifest.json").read_text())
    other = tmp_path / "other.shards"
    other.mkdir()
    manifest["model"]["fingerprint"] = "e" * 64
    (other / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(OtherModel, match="were made with model"):
        build(articles, other)


def test_without_the_extra_it_is_said_what_to_install(
    articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.extras.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"'ray': pip install 'article-qa\[ray\]'"):
        build(articles, tmp_path / "x.shards")
    assert not (tmp_path / "x.shards").exists()


def test_a_library_that_cannot_take_the_result_is_refused_before_anything_is_built(
    articles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    FolderStore.create(tmp_path / "library", ModelRef("all-MiniLM-L6-v2", "e" * 64, 384)).close()
    assert main(["build-archive", str(articles), "--library", str(tmp_path / "library")]) == 2
    assert "the library was made with model" in capsys.readouterr().err
    assert not (tmp_path / "library.shards").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "name a library with --library"),
        (["--shards", "x"], "must end in .shards: x.shards"),
        (["--library", "x", "--workers", "0"], "--workers must be a whole number from 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: list[str], message: str, articles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build-archive", str(articles), *options]) == 2
    assert message in capsys.readouterr().err


def listening(session: int) -> set[str]:
    """Addresses, as the kernel writes them, at which the processes of a session listen."""
    at = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A":
                at[f"socket:[{inode}]"] = local.partition(":")[0]
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getsid(int(process.name)) == session:
                found |= {at.get(os.readlink(fd), "") for fd in (process / "fd").iterdir()}
    return found - {""}


def test_one_command_builds_a_library_on_this_machine_alone(
    articles: Path, tmp_path: Path, cache: Path
) -> None:
    """In a process of its own, with Ray started and ended by the command."""
    library = tmp_path / "library"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[3])

    def run() -> tuple[int, str, str, set[str]]:
        command = [sys.executable, "-W", "error", "-m", "qa.cli", "build-archive", str(articles),
                   "--library", str(library), "--workers", "1"]  # fmt: skip
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment, start_new_session=True,
        )  # fmt: skip
        addresses: set[str] = set()
        while process.poll() is None:
            addresses |= listening(process.pid)
            time.sleep(0.1)
        out, err = process.communicate()
        return process.returncode, out, err, addresses

    code, out, err, addresses = run()
    assert code == 2, err  # something was refused
    assert out.splitlines()[-1] == f"{N_ARTICLES} copied, 0 already there, counts agree"
    assert f"{N_ARTICLES} articles, {N_ARTICLES} passages, 2 refused in {library}.shards" in out
    assert len(err.splitlines()) == len(REFUSED)
    # 127.0.0.1, as such and as an address of version 6.
    assert addresses
    assert addresses <= {"0100007F", "0000000000000000FFFF00000100007F"}
    answer = Library.open(library, create=False).ask("How many crates did ferry number 23 carry?")
    assert answer.citations[0].article.title == "Ferry 23"
    _, again, err_again, _ = run()
    assert again.startswith("0 shards made, ")
    assert again.endswith(f"0 copied, {N_ARTICLES} already there, counts agree\n")
    assert err_again == err


def test_a_cluster_that_is_there_is_used(
    nodes: Nodes, articles: Path, whole: Path, tmp_path: Path
) -> None:
    nodes.have(1)

    def run(shards: str, address: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-m", "qa.cli", "build-archive", str(articles),
                   "--shards", str(tmp_path / shards), "--address", address]  # fmt: skip
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    done = run("x.shards", nodes.cluster.address)
    assert done.stdout.startswith("2 shards made, 0 already there: 32 articles"), done.stderr
    assert raylet(nodes.workers[0]).poll() is None
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    done = run("y.shards", address)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"nobody answers at {address!r}" in done.stderr
