"""A saved index is whole or refused; a save is whole or did not happen."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import DamagedIndex, IndexFolderError, NewerFormat, NotAnIndex, OtherModel
from index.single.storage import MANIFEST, open_index, save_index
from qa import ArticleBot

QUESTION = "What did Microsoft say?"


@pytest.fixture
def folder(bot: ArticleBot, tmp_path: Path) -> Path:
    return save_index(bot.index, tmp_path / "index")


def edit_manifest(folder: Path, **changes: object) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_saved_index_answers_exactly_as_the_one_that_was_built(
    bot: ArticleBot, folder: Path
) -> None:
    assert ArticleBot.open(folder).ask(QUESTION).to_dict() == bot.ask(QUESTION).to_dict()


def test_every_array_comes_back(bot: ArticleBot, folder: Path) -> None:
    index = open_index(folder)
    assert index.article == bot.article
    assert (index.passages, index.sentences) == (bot.index.passages, bot.index.sentences)
    for name in ("token_vectors", "token_ids", "token_starts", "traits"):
        np.testing.assert_array_equal(getattr(index, name), getattr(bot.index, name))
    n = len(index.passages)
    np.testing.assert_array_equal(
        index.passage_index.reconstruct_n(0, n), bot.index.passage_index.reconstruct_n(0, n)
    )


def test_nothing_in_the_folder_is_a_pickle(folder: Path) -> None:
    assert {path.suffix for path in folder.iterdir()} == {".json", ".faiss", ".npz"}
    npz = next(folder.glob("*.npz"))
    with np.load(npz, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays)


def test_saving_again_replaces_the_index_and_leaves_nothing_behind(
    bot: ArticleBot, folder: Path
) -> None:
    other = ArticleBot.from_text("Cats sleep all day. Dogs bark at night.")
    other.save(folder)
    assert len(list(folder.iterdir())) == 4
    assert ArticleBot.open(folder).article.text == other.article.text


def test_an_interrupted_save_leaves_the_old_index_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def die(source: object, target: object) -> None:
        if str(target).endswith(MANIFEST):
            raise KeyboardInterrupt
        replace(source, target)  # type: ignore[arg-type]

    before = open_index(folder).article
    other = ArticleBot.from_text("Cats sleep all day. Dogs bark at night.")
    monkeypatch.setattr(os, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        other.save(folder)
    assert open_index(folder).article == before


def test_a_first_save_that_was_interrupted_can_be_done_again(bot: ArticleBot, folder: Path) -> None:
    (folder / MANIFEST).unlink()
    bot.save(folder)
    assert open_index(folder).article == bot.article


def test_a_folder_with_something_else_in_it_is_left_alone(bot: ArticleBot, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(NotAnIndex, match="name a new or an empty folder"):
        bot.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_folder_that_cannot_be_written_is_a_typed_error(bot: ArticleBot, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IndexFolderError, match="cannot save"):
        bot.save(tmp_path / "file" / "index")


def test_another_model_is_refused_with_the_way_out(folder: Path) -> None:
    with pytest.raises(OtherModel, match="build it again or name its model"):
        open_index(folder, fingerprint="0" * 64)


def test_another_splitter_is_refused(folder: Path) -> None:
    edit_manifest(folder, segmenter="other/1")
    with pytest.raises(OtherModel, match="build it again"):
        open_index(folder)


def test_a_newer_format_is_refused_with_the_way_out(folder: Path) -> None:
    edit_manifest(folder, version=99)
    with pytest.raises(NewerFormat, match="upgrade article-qa or build the index again"):
        open_index(folder)


def test_no_index_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(NotAnIndex, match="article-qa build"):
        open_index(tmp_path)
    (tmp_path / MANIFEST).write_text("{}")
    with pytest.raises(NotAnIndex):
        open_index(tmp_path)
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(DamagedIndex):
        open_index(tmp_path)


@given(data=st.data())
def test_one_changed_byte_anywhere_is_noticed(data: st.DataObject, bot: ArticleBot) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as place:
        folder = save_index(bot.index, Path(place) / "index")
        names = sorted(path.name for path in folder.iterdir() if path.name != MANIFEST)
        path = folder / data.draw(st.sampled_from(names))
        content = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        with pytest.raises(DamagedIndex, match="build it again from its article"):
            open_index(folder)


@pytest.mark.parametrize("name", ["article", "passages", "arrays"])
@pytest.mark.parametrize("damage", ["missing", "empty", "short", "long"])
def test_a_damaged_file_is_noticed(folder: Path, name: str, damage: str) -> None:
    (path,) = folder.glob(f"{name}-*")
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes({"empty": b"", "short": content[:-1], "long": content + b"x"}[damage])
    with pytest.raises(DamagedIndex):
        open_index(folder)


@pytest.mark.parametrize("path", ["../secret.json", "/etc/passwd", "article-x.json", 7, None])
def test_a_manifest_cannot_name_files_outside_its_folder(folder: Path, path: object) -> None:
    files = json.loads((folder / MANIFEST).read_text())["files"]
    files["article.json"]["path"] = path
    edit_manifest(folder, files=files)
    with pytest.raises(DamagedIndex):
        open_index(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"files": {}},
        {"files": None},
        {"model": None},
        {"model": {"name": 5, "fingerprint": "f00d"}},
        {"version": "1"},
    ],
)
def test_a_manifest_that_lacks_a_part_is_damaged(folder: Path, changes: dict[str, object]) -> None:
    edit_manifest(folder, **changes)
    with pytest.raises(DamagedIndex):
        open_index(folder)
