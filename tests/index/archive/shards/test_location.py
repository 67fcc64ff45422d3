"""A folder here or behind a URL: whole files, in order, one writer."""

from __future__ import annotations

import pickle
from pathlib import Path

import fsspec
import pytest

from index import LibraryError, SourceNotFound
from index.archive.shards.location import Location


@pytest.fixture(params=["here", "file", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "memory":
        memory = fsspec.filesystem("memory")
        if memory.exists("/place"):
            memory.rm("/place", recursive=True)
        return Location("memory://place")
    return Location(
        tmp_path / "place" if request.param == "here" else (tmp_path / "place").as_uri()
    )


def test_a_file_is_written_whole_read_and_removed(place: Location) -> None:
    assert place.names() == []
    assert place.size("a") is None
    place.write("a", b"before")
    place.write("a", b"0123456789")
    place.write("b", b"")
    assert (place.names(), place.size("a")) == (["a", "b"], 10)
    assert place.read("a", 100) == b"0123456789"
    assert place.read("a", 3) == b"0123"
    place.remove("a")
    place.remove("a")
    assert [name for name, _ in place.walk()] == ["b"]
    with pytest.raises(FileNotFoundError):
        place.read("a", 1)


def test_a_write_that_fails_leaves_what_was_there(
    place: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    place.write("a", b"before")
    monkeypatch.setattr("os.replace", fail)
    monkeypatch.setattr(place._fs, "mv", fail)
    with pytest.raises(LibraryError, match="full"):
        place.write("a", b"after")
    assert place.read("a", 100) == b"before"
    assert [name for name, _ in place.walk()] == ["a"]


def test_it_is_the_same_location_for_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = Location("somewhere")
    sent = pickle.dumps(place)
    monkeypatch.chdir("/")
    assert pickle.loads(sent).local_path == str(tmp_path / "somewhere")  # noqa: S301 - our own
    assert pickle.loads(pickle.dumps(Location("memory://a/b"))).where == "memory://a/b"  # noqa: S301


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.txt").write_text("x")
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a")
    assert [name for name, _ in Location(tmp_path / "a").walk()] == ["1.txt"]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="no file or folder"):
        list(Location(tmp_path / "absent").walk())
    with pytest.raises(LibraryError, match="'nothing://x' cannot be reached: Protocol not known"):
        Location("nothing://x")
    (tmp_path / "file").write_text("mine")
    with (
        pytest.raises(LibraryError, match="cannot be written"),
        Location(tmp_path / "file").locked(),
    ):
        pass
