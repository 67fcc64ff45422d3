"""Files are replaced whole or not at all, are private, and leave nothing behind."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from pathlib import Path

import pytest

from index.files import private_folder, replace_file, sha256_of, sweep_unfinished


def test_a_file_is_replaced_by_whole_content(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    replace_file(path, b"before")
    replace_file(path, [b"af", b"ter"])
    assert path.read_bytes() == b"after"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    def parts() -> object:
        yield b"half"
        raise OSError("the disk is full")

    path = tmp_path / "a.json"
    replace_file(path, b"before")
    with pytest.raises(OSError, match="full"):
        replace_file(path, parts())  # type: ignore[arg-type]
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_files_and_folders_are_for_their_owner_alone_unless_said_otherwise(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    private_folder(folder)
    replace_file(folder / "a", b"")
    replace_file(folder / "b", b"", mode=0o644)
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (folder, folder / "a", folder / "b")]
    assert modes[:2] == [0o700, 0o600]
    assert modes[2] & 0o400
    folder.chmod(0o755)
    private_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_what_a_killed_writer_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    for name in (".a.json.0123456789ab", ".b.json.0123456789ab", ".hidden", ".a.json.tmp"):
        (tmp_path / name).write_bytes(b"half")
    os.utime(tmp_path / ".a.json.0123456789ab", (0, 0))
    sweep_unfinished(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        ".b.json.0123456789ab",
        ".hidden",
        ".a.json.tmp",
    }
    sweep_unfinished(tmp_path, older_than=0)
    assert {p.name for p in tmp_path.iterdir()} == {".hidden", ".a.json.tmp"}


def test_a_digest_is_that_of_bytes_and_of_files() -> None:
    expected = hashlib.sha256(b"text").hexdigest()
    assert sha256_of(b"text") == sha256_of(io.BytesIO(b"text")) == expected
