"""A folder of articles is asked as one: whatever is in it, and as it is now."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from index import SourceError, SourceNotFound
from index.models.encoder import Encoder
from qa import ArticleBot, open_folder
from qa.cli import main
from qa.folder_sync import article_files, sync

BRIDGE = "The council closed the Orsted bridge because rust had weakened its cables."
ZOO = "The zoo of Vale opened in 1874."


@pytest.fixture
def folder(encoder: Encoder, tmp_path: Path) -> Path:
    made = tmp_path / "articles"
    (made / "old").mkdir(parents=True)
    (made / ".hidden").mkdir()
    (made / "bridge.txt").write_text(BRIDGE)
    (made / "old" / "zoo.md").write_text(f"# Animals\n\n{ZOO}\n")
    (made / "notes.bin").write_bytes(b"\0")
    (made / ".hidden" / "whale.txt").write_text("A whale swam into the harbour.")
    return made


def test_every_article_of_a_folder_is_asked(folder: Path) -> None:
    library = open_folder(folder)
    assert len(library) == 2
    for question, quote in (("Why was the bridge closed?", BRIDGE), ("When did it open?", ZOO)):
        assert library.ask(question).citations[0].quote == quote


def test_what_came_changed_or_went_since_is_noticed(folder: Path) -> None:
    open_folder(folder)
    (folder / "bridge.txt").write_text("The Orsted bridge was opened again on Monday.")
    (folder / "old" / "zoo.md").unlink()
    (folder / "whale.txt").write_text("A whale swam into the harbour of Orsted.")
    library = open_folder(folder)
    text = {library.article(entry.id).text for entry in library.articles()}
    assert text == {
        "The Orsted bridge was opened again on Monday.",
        "A whale swam into the harbour of Orsted.",
    }


def test_what_did_not_change_is_not_read_again(folder: Path) -> None:
    open_folder(folder)
    before = (folder / "bridge.txt").stat()
    (folder / "bridge.txt").write_text(BRIDGE.upper())
    os.utime(folder / "bridge.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert open_folder(folder).ask("Why was the bridge closed?").citations[0].quote == BRIDGE


def test_files_of_the_same_text_are_one_article_and_read_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "copy.txt").write_text(BRIDGE)
    (folder / "third.txt").write_text(BRIDGE)
    first = open_folder(folder)
    assert len(first) == 2
    state = [(entry.id, entry.source) for entry in first.articles()]
    monkeypatch.setattr("qa.sources.read_article", None)
    again = open_folder(folder)
    assert [(entry.id, entry.source) for entry in again.articles()] == state
    monkeypatch.undo()
    files = list(map(os.path.abspath, article_files(folder)))
    synced = sync(again, folder, files)
    assert (synced.added.added, synced.gone) == ((), 0)
    assert [(entry.id, entry.source) for entry in again.articles()] == state


def test_a_text_stays_while_one_of_its_files_does(folder: Path) -> None:
    (folder / "copy.txt").write_text(BRIDGE)
    open_folder(folder)
    (folder / "bridge.txt").write_text("The Orsted bridge was opened again on Monday.")
    for _ in range(2):
        assert len(open_folder(folder)) == 3
    (folder / "copy.txt").unlink()
    for _ in range(2):
        library = open_folder(folder)
        text = {library.article(entry.id).text for entry in library.articles()}
        assert len(text) == 2
        assert BRIDGE not in text


def test_a_file_that_cannot_be_read_is_told_of_each_time(folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"broken\.pdf: .*PDF"):
            assert len(open_folder(folder)) == 2
    told: list[str] = []
    open_folder(folder, refused=lambda path, why: told.append(path))
    assert told == [str(folder / "broken.pdf")]


def test_a_damaged_library_in_the_cache_is_made_again(folder: Path, cache: Path) -> None:
    open_folder(folder).close()
    for database in (cache / "folders").glob("*/library.sqlite"):
        database.write_bytes(b"no database")
    assert len(open_folder(folder)) == 2


def test_other_users_cannot_read_the_library_of_a_folder(folder: Path, cache: Path) -> None:
    (cache / "folders").mkdir(exist_ok=True)
    (cache / "folders").chmod(0o755)
    open_folder(folder)
    assert stat.S_IMODE((cache / "folders").stat().st_mode) == 0o700


def test_a_folder_without_articles_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no article"):
        open_folder(tmp_path)
    with pytest.raises(SourceNotFound, match="is no folder"):
        open_folder(tmp_path / "absent")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    with pytest.raises(SourceError, match=r"no file .* can be read"):
        open_folder(tmp_path)


def test_one_article_is_not_a_folder_and_the_message_says_how_to_ask_it(folder: Path) -> None:
    with pytest.raises(SourceError, match="open_folder"):
        ArticleBot.open(folder)


def test_the_command_line_asks_a_folder_as_it_asks_an_article(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    assert main(["ask", "Why was the bridge closed?", str(folder), "-k", "1"]) == 0
    said = capsys.readouterr()
    assert BRIDGE in said.out
    assert "broken.pdf" in said.err
    assert main(["ask", "When did the zoo open?", str(folder), "--since", "2020-01-01"]) == 1
    assert main(["ask", "Why?", str(folder), "--reranker", "x"]) == 2


def test_the_command_line_asks_a_library_that_is_given_as_a_source(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = str(tmp_path / "library")
    assert main(["sync", str(folder), "--library", library]) == 0
    assert main(["ask", "Why was the bridge closed?", library]) == 0
    assert BRIDGE in capsys.readouterr().out
