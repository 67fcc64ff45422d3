"""Reading that ends: what is foreign is parsed in a child process, in bounded time and memory.

A child stays for the next source, so that a page costs a few milliseconds more than if it were
read here. One that read a PDF, something large, or nothing is replaced: tearing down a damaged
document can crash or hang.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import json
import os
import subprocess
import sys
import threading
from importlib import import_module
from typing import Any, BinaryIO, cast

from index import errors
from index.article import Article
from index.errors import SourceError, UnreadableSource
from index.reading.encodings import decode_text
from index.reading.formats import Format

__all__ = ["MAX_MEMORY", "MAX_SECONDS", "draw_page", "lay_out_pages", "read_bounded", "read_here"]

MAX_SECONDS = 10.0
MAX_MEMORY = 500 * 2**20
"""Bytes of address space a child may have beyond the source itself."""
MAX_WRITTEN_BYTES = 10 * 2**20
MAX_IDLE = 2
"""Children that wait for a source."""
MAX_ORDERS = 100
"""Sources that one child reads."""
LARGE = 2**20

_READERS = {
    Format.HTML: ("html.page", "read_html"),
    Format.PDF: ("pdf.document", "read_pdf"),
    Format.DOCX: ("docx", "read_docx"),
    Format.EMAIL: ("email", "read_email"),
    Format.MARKDOWN: ("markdown", "read_markdown"),
    Format.TEXT: ("plaintext", "article_from_text"),
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
    """Read a source within bounded time and memory.

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
    order = {"kind": kind.name, "name": name, "url": url, "content_type": content_type}
    kept = kind is not Format.PDF and len(data) <= LARGE
    return Article.from_dict(_ordered(order, data, seconds, keep_child=kept))


def lay_out_pages(data: bytes, *, name: str = "") -> list[dict[str, Any]]:
    """Where the characters of a PDF stand: ``pdf.pages.page_layouts``, bounded as reading is."""
    order = {"kind": Format.PDF.name, "name": name, "page": 0}
    pages: list[dict[str, Any]] = _ordered(order, data, MAX_SECONDS)["pages"]
    return pages


def draw_page(data: bytes, number: int, *, name: str = "") -> bytes:
    """A page of a PDF as WebP: ``pdf.pages.page_picture``, bounded as reading is.

    Raises:
        SourceError: There is no such page, or it takes too long or too much memory to draw.
    """
    order = {"kind": Format.PDF.name, "name": name, "page": number}
    return base64.b64decode(_ordered(order, data, MAX_SECONDS)["picture"])


def _ordered(
    order: dict[str, Any], data: bytes, seconds: float, *, keep_child: bool = False
) -> dict[str, Any]:
    """What a child answers to an order; errors as of ``read_bounded``."""
    name = order["name"]
    child = _idle_child() or _Child()
    kept = False
    try:
        result = child.ask(order, data, seconds)
        kept = keep_child
    except TimeoutError as error:
        raise SourceError(
            f"reading {name} took more than {seconds:g} seconds and was stopped; give a shorter"
            " part of it"
        ) from error
    except OSError as error:
        raise UnreadableSource(
            f"{name} could not be read: it is damaged, nested too deeply, or needs more than"
            f" {MAX_MEMORY // 2**20} MB of memory; save it again or give a shorter part of it"
        ) from error
    finally:
        _put_back(child, usable=kept)
    if "error" in result:
        raise getattr(errors, result["error"], SourceError)(result["message"])
    return result


def read_here(
    kind: Format, data: bytes, *, name: str, url: str | None = None, content_type: str = ""
) -> Article:
    """Read in this process; arguments and errors as for ``read_bounded``."""
    module, function = _READERS[kind]
    read = getattr(import_module(f"index.reading.{module}"), function)
    if kind is Format.HTML:
        article: Article = read(data, url=url, charset=_charset(content_type))
    elif kind in _WRITTEN:
        article = read(decode_text(data, name), url=url)
    else:
        article = read(data, name=name, url=url)
    return article


def _charset(content_type: str) -> str | None:
    _, found, charset = content_type.lower().partition("charset=")
    return charset.split(";")[0].strip() if found else None


class _Child:
    """A process that reads one source after another.

    A line of JSON and the bytes that it announces go in, and a line of JSON comes out.
    """

    def __init__(self) -> None:
        # An isolated interpreter: nothing of the working directory can be imported in its place.
        path = json.dumps([p or os.getcwd() for p in sys.path])
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-c", _CHILD, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._input = cast("BinaryIO", self._process.stdin)
        self._output = cast("BinaryIO", self._process.stdout)
        self._orders = 0
        self.parent = os.getpid()

    @property
    def usable(self) -> bool:
        return self._orders < MAX_ORDERS and self._process.poll() is None

    def ask(self, order: dict[str, Any], data: bytes, seconds: float) -> dict[str, Any]:
        """The answer to an order.

        Raises:
            TimeoutError: There was none in time.
            OSError: The child died of it.
        """
        self._orders += 1
        header = json.dumps(order | {"size": len(data)})
        self._input.write(header.encode("ascii") + b"\n")
        self._input.flush()
        self._output.readline()  # what the child imports first is not the source's fault
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            self._input.write(data)
            self._input.flush()
            answer = self._output.readline()
            if not answer.endswith(b"\n"):
                raise BrokenPipeError("the process that reads has ended")
        except OSError as error:
            raise (TimeoutError() if late.is_set() else error) from error
        finally:
            timer.cancel()
        result: dict[str, Any] = json.loads(answer)
        return result

    def end(self) -> None:
        self._process.kill()
        for pipe in (self._input, self._output):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()


_idle: list[_Child] = []
_lock = threading.Lock()


def _idle_child() -> _Child | None:
    with _lock:
        while _idle:
            child = _idle.pop()
            if child.parent != os.getpid():  # of the process that this one was forked from
                continue
            if child.usable:
                return child
            child.end()
    return None


def _put_back(child: _Child, *, usable: bool) -> None:
    with _lock:
        if usable and child.usable and len(_idle) < MAX_IDLE:
            _idle.append(child)
            return
    child.end()


@atexit.register
def _end_idle() -> None:
    while child := _idle_child():
        child.end()


def child_main() -> None:
    """What a child process does: read orders and sources, write articles or errors."""
    orders, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library's print is no answer
    while header := orders.readline():
        order = json.loads(header)
        kind = Format[order.pop("kind")]
        import_module(f"index.reading.{_READERS[kind][0]}")
        answers.write(b"\n")
        answers.flush()
        data = orders.read(order.pop("size"))
        _limit_memory(len(data))
        try:
            page = order.pop("page", None)
            if page is None:
                result = read_here(kind, data, **order).to_dict()
            else:
                result = _pages(data, page)
        except SourceError as error:
            result = {"error": type(error).__name__, "message": str(error)}
        answers.write(json.dumps(result).encode("ascii") + b"\n")
        answers.flush()
    os._exit(0)


def _pages(data: bytes, number: int) -> dict[str, Any]:
    """The layout of all pages, or from 1 on the picture of one."""
    from index.reading.pdf.pages import page_layouts, page_picture

    try:
        if number == 0:
            return {"pages": page_layouts(data)}
        return {"picture": base64.b64encode(page_picture(data, number)).decode("ascii")}
    except (IndexError, RuntimeError) as error:  # PdfiumError is a RuntimeError
        raise SourceError(f"the page cannot be drawn: {error}") from error


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
