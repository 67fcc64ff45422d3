"""Articles from files, addresses, and files that hold several: mailboxes and lines of JSON."""

from __future__ import annotations

import json
import mailbox
import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path, PurePath
from typing import TypeAlias

from index.archive.shards.input_record import article_of_record
from index.article import Article
from index.errors import SourceError, SourceNotFound, UnreadableSource
from index.files import SEVERAL
from index.reading.reader import MAX_BYTES, SUFFIXES, is_address, read_article

__all__ = ["Item", "Refused", "article_files", "read_each"]

Item: TypeAlias = "tuple[Article, str | None, tuple[str, ...]]"
"""An article, where it was read from, and the tags that it brings along."""
Refused: TypeAlias = "list[tuple[str, str]]"
"""What could not be read, and why."""


def article_files(path: Path) -> Iterator[Path]:
    """The articles of a folder and the folders in it, in order of their names.

    Links to folders are not followed, and hidden files are passed over. A file that holds several
    articles stands for itself.

    Raises:
        SourceNotFound: There is no such folder.
    """
    if path.suffix.lower() in SEVERAL and os.path.isfile(path):
        yield path
        return
    if not os.path.isdir(path):
        raise SourceNotFound(f"{str(path)!r} is no folder; name the one with the articles")
    for entry in sorted(path.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from article_files(entry)
        elif entry.suffix.lower() in SUFFIXES and entry.is_file():
            yield entry


def read_each(
    sources: Iterable[str], refused: Refused, *, allow_private: bool = False
) -> Iterator[Item]:
    """Read articles; those of a file that holds several are numbered: ``letters.mbox#2``.

    Args:
        sources: Paths and addresses.
        refused: What cannot be read is put here.
        allow_private: As for ``read_article``.
    """
    for source in sources:
        suffix = "" if is_address(source) else PurePath(source).suffix.lower()
        try:
            if suffix not in SEVERAL:
                yield read_article(source, allow_private=allow_private), source, ()
                continue
            several = _mails(source) if suffix == ".mbox" else _lines(source)
            for number, data in enumerate(several, 1):
                place = f"{source}#{number}"
                try:
                    if suffix == ".mbox":
                        yield read_article(data), place, ()
                    elif data.strip():
                        article, tags, own = _of_record(data)
                        yield article, own or place, tags
                except SourceError as error:
                    refused.append((place, str(error)))
        except SourceError as error:
            refused.append((source, str(error)))
        except OSError as error:
            refused.append((source, f"cannot read it: {error}; check the path"))


def _mails(path: str) -> Iterator[bytes]:
    with closing(mailbox.mbox(path, create=False)) as box:
        for key in box.iterkeys():
            with box.get_file(key) as mail:
                yield mail.read(MAX_BYTES + 1)


def _lines(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while line := file.readline(MAX_BYTES + 1):
            yield line


def _of_record(data: bytes) -> tuple[Article, tuple[str, ...], str | None]:
    try:
        record = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableSource(f"the line is not JSON: {error}") from error
    if not isinstance(record, dict):
        raise UnreadableSource("the line is no JSON object with the fields of an article")
    return article_of_record(record)
