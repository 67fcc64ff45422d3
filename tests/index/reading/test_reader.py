"""An article is read from a path, bytes or a stream, whatever its encoding."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from index import (
    Article,
    Block,
    BlockKind,
    EmptyArticle,
    SourceNotFound,
    UnreadableSource,
    read_article,
)
from index.errors import DataError, LibraryError, ModelError, SourceError
from index.models.loading import load_encoder
from qa import ArticleBot, evaluate, open_folder
from qa.library import Library

TEXT = "Café owners protested on Monday. “It’s unfair,” one said."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_with_a_mark_or_utf8(encoding: str) -> None:
    assert read_article(TEXT.encode(encoding)).text == TEXT


def test_an_old_encoding_is_told_by_its_bytes() -> None:
    text = "Les propriétaires de cafés ont protesté lundi à l'été; là-bas, c'est déjà très cher."
    assert read_article(text.encode("cp1252")).text == text


@pytest.mark.parametrize("damage", [b"\xff", b"\xe2\x82", b"F\xc3"])
def test_a_damaged_byte_costs_one_character_and_not_the_encoding(damage: bytes) -> None:
    text = "One line in English. " * 9 + "Die Brücke ist zu. "
    assert read_article(text.encode() + damage).text.count("\ufffd") == 1
    assert "Die Brücke" in read_article(text.encode() + damage).text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_told_without_a_mark(encoding: str) -> None:
    text = "The bridge is shut. Die Brücke ist zu.\n"
    assert read_article(text.encode(encoding)).text == text


def test_paths_bytes_and_streams_are_the_same_article(tmp_path: Path) -> None:
    path = tmp_path / "näme with spaces.txt"
    path.write_bytes(TEXT.encode())
    articles = [
        read_article(path),
        read_article(str(path)),
        read_article(TEXT.encode()),
        read_article(io.BytesIO(TEXT.encode())),
        read_article(io.StringIO(TEXT)),
    ]
    assert {article.hash for article in articles} == {articles[0].hash}


def test_a_file_that_names_no_title_goes_by_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "minutes of May.txt"
    path.write_text(TEXT, encoding="utf-8")
    assert read_article(path).title == "minutes of May.txt"
    with path.open("rb") as file:
        assert read_article(file).title == "minutes of May.txt"
    assert read_article(TEXT.encode()).title is None
    path.write_text(f"Cafés close\n\n{TEXT}", encoding="utf-8")
    assert read_article(path).title == "Cafés close"


def test_line_ends_are_kept_as_they_are() -> None:
    assert read_article(b"One.\r\n\r\nTwo.\r\n").text == "One.\r\n\r\nTwo.\r\n"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match=r"nothing\.txt.*check the path"):
        read_article(tmp_path / "nothing.txt")


@pytest.mark.parametrize(
    "text", [f"{TEXT}\n\n{TEXT}", f"{TEXT} " * 30, f"One/two {TEXT * 20}/three", "é" * 300]
)
@pytest.mark.parametrize("opened", [read_article, ArticleBot.open])
def test_a_text_in_the_place_of_a_path_is_told_where_it_belongs(
    opened: Callable[[str], object], text: str
) -> None:
    with pytest.raises(SourceNotFound, match=r"there is no file .*ArticleBot\.from_text") as raised:
        opened(text)
    assert len(str(raised.value)) < 250


def test_a_folder_is_no_article(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource):
        read_article(tmp_path)


def test_a_path_that_no_system_allows_is_refused() -> None:
    with pytest.raises(UnreadableSource):
        read_article("a\0b")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_or_a_device_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    for source in (tmp_path / "pipe.txt", Path("/dev/zero")):
        with pytest.raises(UnreadableSource, match="pipe or a device"):
            read_article(source)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a" * 5_000_001, "characters"),
        ("No. " * 100_001, "sentences"),
        ("No\n\n" * 100_001, "blocks"),
    ],
)
def test_an_article_larger_than_a_long_book_is_refused(text: str, what: str) -> None:
    kind = BlockKind.PARAGRAPH
    blocks = (Block(kind, 0, len(text)),)
    if what == "blocks":
        blocks = tuple(Block(kind, at, at + 2) for at in range(0, len(text), 4))
    with pytest.raises(SourceError, match=f"{what}.*give a part"):
        Article(text, blocks)


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(range(256)) * 4])
def test_binary_files_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadableSource, match="binary"):
        read_article(data)


def test_bytes_that_contradict_their_mark_are_refused() -> None:
    with pytest.raises(UnreadableSource, match="save it as UTF-8"):
        read_article(b"\xef\xbb\xbf\xff\xfe\xfa")


@pytest.mark.parametrize("data", [b"", b" \n\t\n", b"YOU MAY LIKE\n"])
def test_an_article_with_nothing_to_cite_is_refused(data: bytes) -> None:
    with pytest.raises(EmptyArticle):
        read_article(data)


@pytest.mark.parametrize("name", [f"{TEXT} " * 200, "a\0b", "é" * 300])
@pytest.mark.parametrize(
    ("opened", "error"),
    [
        (read_article, SourceError),
        (ArticleBot.open, SourceError),
        (open_folder, SourceError),
        (Library.open, LibraryError),
        (load_encoder, ModelError),
        (evaluate, DataError),
    ],
)
def test_a_name_that_nothing_can_have_is_no_failure_of_the_system(
    opened: Callable[[str], object], error: type[Exception], name: str
) -> None:
    with pytest.raises(error):
        opened(name)
