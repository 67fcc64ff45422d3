"""Where an article comes from: a path, an address, bytes or a stream, of any known format."""

from __future__ import annotations

import os
import re
import stat
from importlib import resources
from pathlib import Path, PurePath
from typing import BinaryIO, Final, TextIO, TypeAlias

from index.article import Article
from index.errors import FetchError, SourceError, SourceNotFound, UnreadableSource
from index.reading.assembly import Metadata
from index.reading.dates import date_of_name
from index.reading.encodings import decode_text
from index.reading.formats import Format, format_of
from index.reading.plaintext import article_from_text

__all__ = ["Source", "bundled_article", "is_address", "read_article", "read_source"]

Source: TypeAlias = "str | os.PathLike[str] | bytes | BinaryIO | TextIO"

MAX_BYTES = 100 * 2**20
"""No article is larger; a file that is was given by mistake."""
SMALL_TEXT_BYTES = 2**16
"""What has no structure to parse is cheaper read here than sent to a child, up to this size."""

WHOLE_ARTICLE = 2000
"""Characters from which a page that is for subscribers is taken to be there as a whole."""
_LONGEST_NAME: Final = 255
"""Characters that the name of a file has at most, on any system."""
_FOR_SUBSCRIBERS = re.compile(rb'"isAccessibleForFree"\s*:\s*"?false', re.IGNORECASE)

SUFFIXES = frozenset(
    ".txt .text .md .markdown .html .htm .xhtml .pdf .docx .eml .mht .mhtml .mbox".split()
)
"""Names under which articles are looked for in a folder."""


def read_article(source: Source, *, allow_private: bool = False) -> Article:
    """Read an article, with nothing embedded yet.

    A web page, PDF, Word document (.docx), e-mail, Markdown or plain text; which of these it
    is, its content says, and its name only where that leaves it open. A file whose content names
    no title has its name for one.

    Args:
        source: A path, an ``http`` or ``https`` address, the file's bytes, or an open stream
            of bytes or text.
        allow_private: Also fetch addresses of this machine and the local network.

    Raises:
        SourceNotFound: There is no file at the path.
        FetchError: The address cannot be fetched, or may not be.
        UnreadableSource: A folder, a binary file, undecodable or damaged bytes, no permission.
        SourceError: It is too large, or takes too long or too much memory to read.
        EmptyArticle: Nothing in it can be cited.
    """
    return read_source(source, allow_private=allow_private)[0]


def read_source(source: Source, *, allow_private: bool = False) -> tuple[Article, bytes]:
    """An article and the bytes that it was read from; otherwise as ``read_article``."""
    if isinstance(source, bytes):
        return _read(source, ""), source
    if isinstance(source, str) and is_address(source):
        from index.reading.web.fetch import fetch

        page = fetch(source, allow_private=allow_private)
        article = _read(page.data, page.url, url=page.url, content_type=page.content_type)
        _check_paywall(page.data, article, page.url)
        return article, page.data
    if isinstance(source, (str, os.PathLike)):
        data = _read_file(Path(source))
        return _read(data, str(source)), data
    given = source.read(MAX_BYTES + 1)
    name = getattr(source, "name", "")
    data = given if isinstance(given, bytes) else given.encode("utf-8", "surrogatepass")
    return _read(data, name if isinstance(name, str) else ""), data


def bundled_article() -> Article:
    """The news article that ships with the package."""
    return read_article(
        resources.files("index").joinpath("data/amazon-rekognition.txt").read_bytes()
    )


def is_address(source: str) -> bool:
    """Whether a source is a URL rather than a path; a drive letter (``C:``) is none."""
    scheme, colon, rest = source.strip().partition(":")
    return bool(colon) and len(scheme) > 1 and scheme.isalnum() and rest.startswith("//")


def _read(data: bytes, name: str, *, url: str | None = None, content_type: str = "") -> Article:
    shown = name or "the data given"
    if len(data) > MAX_BYTES:
        raise SourceError(f"{shown} is larger than {MAX_BYTES // 2**20} MB; give one article")
    kind = format_of(data, name, content_type)
    if kind is Format.TEXT and len(data) <= SMALL_TEXT_BYTES:
        article = article_from_text(decode_text(data, shown), url=url)
    else:
        from index.reading.sandbox import read_bounded

        article = read_bounded(kind, data, name=shown, url=url, content_type=content_type)
    return article if url else _named(article, name, kind)


def _named(article: Article, name: str, kind: Format) -> Article:
    """An article with what its file's name says and it does not: people know it by that."""
    file = PurePath(name).name
    if not file or file[0] == "<":  # streams that are no files have names such as <stdin>
        return article
    dated = kind in (Format.TEXT, Format.MARKDOWN) and not article.published
    return Metadata.of(
        {
            "title": ("" if article.title else file, "file name"),
            "published": (date_of_name(file) if dated else None, "file name"),
        }
    ).over(article)


def _check_paywall(data: bytes, article: Article, url: str) -> None:
    """Refuse the mere beginning of a page that says itself that the rest has to be paid for.

    Raises:
        FetchError: Asked about the rest, it would be said not to say what it does.
    """
    if _FOR_SUBSCRIBERS.search(data) and len(article.text) < WHOLE_ARTICLE:
        raise FetchError(
            f"{url} shows only the beginning of this article to who has no subscription; open it in"
            " a browser where you are logged in, save the page, and give the saved file"
        )


def _read_file(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            # A pipe that nobody writes to would be waited for without end.
            raise UnreadableSource(
                f"{str(path)!r} is a pipe or a device, not a file; save the article, or give it to"
                " article-qa as its standard input: -"
            )
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise SourceNotFound(_no_file(path)) from error
    except IsADirectoryError as error:
        raise UnreadableSource(
            f"{str(path)!r} is a folder and holds no saved index; give an article's file, or ask"
            f" all of them: article-qa ask QUESTION {str(path)!r}, or qa.open_folder"
        ) from error
    except (OSError, ValueError) as error:
        # ValueError: a NUL in the path; on Windows a folder is a PermissionError.
        if _is_text(path):
            raise SourceNotFound(_no_file(path)) from error
        raise UnreadableSource(f"cannot read {str(path)!r}: {error}") from error


def _is_text(path: Path) -> bool:
    """Whether what does not exist as a file is rather the text of an article."""
    return "\n" in str(path) or any(len(part) > _LONGEST_NAME for part in path.parts)


def _no_file(path: Path) -> str:
    name = str(path)
    if _is_text(path):
        return (
            f"there is no file {name[:40] + '…'!r}, which seems to be an article's text; give that"
            " to ArticleBot.from_text, or to article-qa as its standard input: -"
        )
    return f"there is no file {name!r}; check the path"
