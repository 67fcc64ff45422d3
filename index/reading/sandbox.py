"""Reading that ends: what a library cannot be trusted to bound is read in a child process.

A child costs about a fifth of a second, so small pages and documents, whose cost is known to
be small, are read here. PDFs always go to a child: a few bytes of one can stand for anything.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from index import errors
from index.article import Article
from index.errors import SourceError, UnreadableSource
from index.reading.encodings import decode_text
from index.reading.formats import Format
from index.reading.plaintext import article_from_text

__all__ = ["MAX_MEMORY", "MAX_SECONDS", "read_bounded"]

MAX_SECONDS = 10.0
MAX_MEMORY = 500 * 2**20
"""Bytes of address space a child may have beyond what it starts with."""
MAX_WRITTEN_BYTES = 10 * 2**20
SMALL_PAGE_BYTES = 2**20

# Characters that cost a parser most, and how many of them are sure to be cheap.
_COSTLY = {
    Format.HTML: (b"<", 30_000),
    Format.MARKDOWN: (b"[", 2_000),
    Format.EMAIL: (b"\n--", 500),
}
_WRITTEN = (Format.HTML, Format.MARKDOWN, Format.TEXT)

_CHILD = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]);"
    "from index.reading.sandbox import child_main; child_main()"
)


def read_bounded(
    kind: Format,
    data: bytes,
    *,
    name: str = "",
    url: str | None = None,
    content_type: str = "",
    seconds: float = MAX_SECONDS,
) -> Article:
    """Read a page, PDF, Word document or e-mail within bounded time and memory.

    Args:
        kind: Its format.
        data: All of it.
        name: What to call it in an error.
        url: Where it came from.
        content_type: What the server called it.
        seconds: Time after which reading is given up.

    Raises:
        SourceError: It is too large, or took too long or too much memory.
        UnreadableSource: It is damaged or encrypted.
        EmptyArticle: Nothing in it can be cited.
    """
    if kind in _WRITTEN and len(data) > MAX_WRITTEN_BYTES:
        raise SourceError(
            f"{name} has {len(data) / 2**20:.0f} MB, and {kind.value} may have"
            f" {MAX_WRITTEN_BYTES // 2**20}; save the article's part of it"
        )
    if _is_small(kind, data):
        try:
            return read_here(kind, data, name=name, url=url, content_type=content_type)
        except RecursionError as error:
            raise UnreadableSource(
                f"{name} is nested too deeply to be read; save it anew"
            ) from error
    return _read_in_child(kind, data, name, url, content_type, seconds)


def read_here(
    kind: Format, data: bytes, *, name: str, url: str | None = None, content_type: str = ""
) -> Article:
    """Read in this process; arguments and errors as for ``read_bounded``."""
    if kind is Format.HTML:
        from index.reading.html.page import read_html

        return read_html(data, url=url, charset=_charset(content_type))
    if kind is Format.PDF:
        from index.reading.pdf.document import read_pdf

        return read_pdf(data, name=name, url=url)
    if kind is Format.TEXT:
        return article_from_text(decode_text(data, name), url=url)
    if kind is Format.MARKDOWN:
        from index.reading.markdown import read_markdown

        return read_markdown(decode_text(data, name), url=url)
    if kind is Format.DOCX:
        from index.reading.docx import read_docx

        return read_docx(data, name=name, url=url)
    from index.reading.email import read_email

    return read_email(data, name=name)


def _is_small(kind: Format, data: bytes) -> bool:
    """Whether reading it here is sure to be quick."""
    if kind is Format.PDF or len(data) > SMALL_PAGE_BYTES:
        return False
    if kind is Format.DOCX:  # its reader bounds what it unpacks by itself
        return True
    mark, cheap = _COSTLY.get(kind, (b"\n", len(data)))
    return data.count(mark) <= cheap


def _charset(content_type: str) -> str | None:
    _, found, charset = content_type.lower().partition("charset=")
    return charset.split(";")[0].strip() if found else None


def _read_in_child(
    kind: Format, data: bytes, name: str, url: str | None, content_type: str, seconds: float
) -> Article:
    order = {"kind": kind.name, "name": name, "url": url, "content_type": content_type}
    # An isolated interpreter: nothing of the working directory can be imported in its place.
    command = [sys.executable, "-I", "-c", _CHILD, json.dumps([p or os.getcwd() for p in sys.path])]
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        try:
            answer, _ = child.communicate(
                json.dumps(order).encode("ascii") + b"\n" + data, timeout=seconds
            )
        except subprocess.TimeoutExpired as error:
            child.kill()
            raise SourceError(
                f"reading {name} took more than {seconds:g} seconds and was stopped; give a shorter"
                " part of it"
            ) from error
        except BaseException:
            child.kill()
            raise
    return _article_of(answer, child.returncode, name)


def _article_of(answer: bytes, status: int, name: str) -> Article:
    try:
        result: dict[str, Any] = json.loads(answer)
    except ValueError as error:
        raise UnreadableSource(
            f"{name} could not be read: it is damaged, or needs more than"
            f" {MAX_MEMORY // 2**20} MB of memory (status {status}); save it again or give a"
            " shorter part of it"
        ) from error
    if "error" in result:
        kind = getattr(errors, result["error"], SourceError)
        raise kind(result["message"])
    return Article.from_dict(result)


def child_main() -> None:
    """What a child process does: read an order and a file, write an article or an error."""
    header = sys.stdin.buffer.readline()
    data = sys.stdin.buffer.read()
    order = json.loads(header)
    _limit_memory(len(data))
    result: dict[str, Any]
    try:
        article = read_here(
            Format[order["kind"]],
            data,
            name=order["name"],
            url=order["url"],
            content_type=order["content_type"],
        )
        result = article.to_dict()
    except SourceError as error:
        result = {"error": type(error).__name__, "message": str(error)}
    except MemoryError:
        result = {
            "error": "SourceError",
            "message": f"{order['name']} needs more than {MAX_MEMORY // 2**20} MB of memory to"
            " read; give a shorter part of it",
        }
    sys.stdout.buffer.write(json.dumps(result).encode("ascii"))
    sys.stdout.buffer.flush()
    os._exit(0)  # tearing down a damaged document can crash or hang


def _limit_memory(size: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: only time is bounded there
        return
    limit = MAX_MEMORY + size
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
