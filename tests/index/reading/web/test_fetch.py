"""Fetching: what is refused before a byte is sent, and what a server can do to a client."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import brotli
import pytest

from index import FetchError, read_article
from index.reading.web import fetch as fetching
from index.reading.web.fetch import fetch, is_public

HTML = b"<!doctype html><html><body><article>" + b"".join(
    b"<p>Sentence number %d of the page stands here, and it is long enough to be kept.</p>" % number
    for number in range(5)
)
HTML += b"</article></body></html>"

PAID = b"""<script type="application/ld+json">
{"@type": "NewsArticle", "isAccessibleForFree": "False"}</script>"""


class Handler(BaseHTTPRequestHandler):
    requests: list[tuple[str, dict[str, str]]] = []  # noqa: RUF012
    robots = b""

    def do_GET(self) -> None:
        if self.path == "/robots.txt":
            self.send(self.robots, 200 if self.robots else 404, kind="text/plain")
            return
        self.requests.append((self.path, dict(self.headers)))
        getattr(self, "do" + self.path.partition("?")[0].replace("/", "_"), self.do_missing)()

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", headers.pop("kind", "text/html; charset=utf-8"))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_missing(self) -> None:
        self.send(b"no", 404)

    def do_page(self) -> None:
        self.send(HTML)

    def do_moved(self) -> None:
        self.send(b"", 302, Location="/page")

    def do_circle(self) -> None:
        self.send(b"", 302, Location="/circle")

    def do_abroad(self) -> None:
        self.send(b"", 302, Location="file:///etc/passwd")

    def do_gzip(self) -> None:
        self.send(gzip.compress(HTML), Content_Encoding="gzip")

    def do_deflate(self) -> None:
        self.send(zlib.compress(HTML), Content_Encoding="deflate")

    def do_bomb(self) -> None:
        self.send(gzip.compress(b"0" * 50_000_000), Content_Encoding="gzip")

    def do_large(self) -> None:
        self.send(b"0" * 11_000_000)

    def do_picture(self) -> None:
        self.send(b"\x89PNG", kind="image/png")

    def do_wall(self) -> None:
        self.send(b"pay", 402)

    def do_teaser(self) -> None:
        self.send(HTML.replace(b"<article>", b"<article>" + PAID))

    def do_subscribed(self) -> None:
        self.send(HTML.replace(b"<article>", b"<article>" + PAID).replace(b"long", b"long " * 99))

    def cut(
        self, body: bytes, length: int | None = None, status: int = 200, **headers: str
    ) -> None:
        """Promise a whole page and send half of it, unless the query asks for all."""
        if self.path.endswith("?whole"):
            self.send(body, **headers)
            return
        self.send_response(status)
        for name, value in {"Content-Type": "text/html", "ETag": '"one"', **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])

    def do_short(self) -> None:
        self.cut(HTML, len(HTML))

    def do_short_gzip(self) -> None:
        self.cut(gzip.compress(HTML), Content_Encoding="gzip")

    def do_short_brotli(self) -> None:
        self.cut(brotli.compress(HTML), Content_Encoding="br")

    def do_broken_chunk(self) -> None:
        self.protocol_version = "HTTP/1.1"
        body = HTML if self.path.endswith("?whole") else b"400\r\n" + HTML[:200]
        chunked = {} if body is HTML else {"Transfer_Encoding": "chunked"}
        self.cut(body * (1 + bool(chunked)), **chunked)

    def do_part(self) -> None:
        self.cut(HTML, len(HTML) // 2, status=206, Content_Range=f"bytes 0-9/{len(HTML)}")

    def do_members(self) -> None:
        half = len(HTML) // 2
        members = gzip.compress(HTML[:half]) + gzip.compress(HTML[half:])
        self.send(members, Content_Encoding="gzip")

    def do_astray(self) -> None:
        self.send(b"", 302, Location=self.path.partition("?")[2])

    def do_drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b"a")
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            return

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        running.block_on_close = False
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _nothing_asked() -> None:
    Handler.requests.clear()


@pytest.mark.parametrize(
    "address",
    """127.0.0.1 127.8.8.8 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0
    224.0.0.1 255.255.255.255 240.0.0.1 192.0.2.1 198.18.0.1 ::1 :: fe80::1 fe80::1%eth0 fc00::1
    ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
    2002:7f00:1:: 2002:a00:1:: 2001:db8::1
    fec0::1 3fff::1 192.88.99.1""".split(),
)
def test_addresses_off_the_public_internet_are_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "017700000001", "127.1", "[::1]", "[::]"],
)
def test_no_spelling_of_this_machine_is_reached(host: str) -> None:
    with pytest.raises(FetchError, match=r"public|no host"):
        fetch(f"http://{host}:9/")


@pytest.mark.parametrize(
    "url",
    """file:///etc/passwd ftp://example.org/a gopher://example.org/ http:///path
    http://user:secret@example.org/ http://example.org:99999/ http://exa\u0000mple.org/""".split(),
)
def test_other_schemes_and_odd_addresses_are_refused(url: str) -> None:
    with pytest.raises(FetchError):
        read_article(url)


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(*_: object, **__: object) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("8.8.8.8", "10.0.0.1")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(FetchError, match=r"10\.0\.0\.1"):
        fetch("http://example.org/")


def test_the_connection_goes_to_the_address_that_was_checked(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(server.rpartition(":")[2])
    asked: list[str] = []

    def once(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        ip = "127.0.0.1" if len(asked) == 1 else "10.255.255.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]

    monkeypatch.setattr(socket, "getaddrinfo", once)
    assert fetch(f"http://rebinding.example:{port}/page", allow_private=True).data == HTML
    assert asked == ["rebinding.example"]
    assert Handler.requests[0][1]["Host"] == f"rebinding.example:{port}"


def test_a_redirect_inside_is_checked_like_any_address(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "is_public", lambda _: not Handler.requests)
    with pytest.raises(FetchError, match="public"):
        fetch(f"{server}/moved")


@pytest.mark.parametrize("path", ["page", "moved", "gzip", "deflate"])
def test_pages_arrive_whole(server: str, path: str) -> None:
    assert fetch(f"{server}/{path}", allow_private=True).data == HTML


def test_a_fetched_page_is_read_with_its_address(server: str) -> None:
    article = read_article(f"{server}/moved", allow_private=True)

    assert article.url == f"{server}/page"
    assert "Sentence number 4" in article.text


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("missing", "no page"),
        ("circle", "circle"),
        ("abroad", "not fetched"),
        ("bomb", "larger"),
        ("large", "larger"),
        ("picture", "image/png"),
        ("wall", "subscription"),
    ],
)
def test_what_cannot_be_read_is_said(server: str, path: str, says: str) -> None:
    with pytest.raises(FetchError, match=says):
        fetch(f"{server}/{path}", allow_private=True)


def test_a_server_that_drips_is_cut_off(server: str) -> None:
    start = time.monotonic()
    with pytest.raises(FetchError, match="in time"):
        fetch(f"{server}/drip", allow_private=True, seconds=0.5)
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("cut", ["short", "short_gzip", "short_brotli", "broken_chunk", "part"])
def test_a_page_that_arrives_in_part_is_refused_and_read_whole_the_next_time(
    server: str, cut: str
) -> None:
    with pytest.raises(FetchError, match=r"try again|save the page"):
        fetch(f"{server}/{cut}", allow_private=True)
    assert fetch(f"{server}/{cut}?whole", allow_private=True).data == HTML


def test_gzip_in_several_members_is_one_page(server: str) -> None:
    assert fetch(f"{server}/members", allow_private=True).data == HTML


@pytest.mark.parametrize("location", ["http://[", "http://[::1", "//[x]/"])
def test_a_redirect_to_no_address_is_refused(server: str, location: str) -> None:
    with pytest.raises(FetchError, match="address"):
        fetch(f"{server}/astray?{location}", allow_private=True)


@pytest.mark.parametrize(
    ("robots", "refused"),
    [
        (b"User-agent: *\nDisallow: /page", True),
        (b"User-agent: *\nDisallow: /\n\nUser-agent: article-qa\nAllow: /", False),
        (b"User-agent: othercrawler\nDisallow: /", False),
        (b"User-agent: *\nDisallow: /search", False),
        (b"User-agent: *\nDisallow: /\nAllow: /page", False),
        (b"User-agent: *\nDisallow: /*ge$", True),
        (b"<html>not found</html>", False),
        (b"\xff\xfe\x00", False),
    ],
)
def test_what_robots_txt_keeps_from_programs_is_not_read(
    server: str, monkeypatch: pytest.MonkeyPatch, robots: bytes, refused: bool
) -> None:
    monkeypatch.setattr(Handler, "robots", robots)
    if not refused:
        assert fetch(f"{server}/page", allow_private=True).data == HTML
        return
    for path in ("page", "moved"):
        with pytest.raises(FetchError, match=r"robots\.txt.*save the page"):
            fetch(f"{server}/{path}", allow_private=True)
    assert [path for path, _ in Handler.requests] == ["/moved"]


def test_the_mere_beginning_of_a_page_for_subscribers_is_said_to_be_one(server: str) -> None:
    with pytest.raises(FetchError, match="only the beginning"):
        read_article(f"{server}/teaser", allow_private=True)
    assert "Sentence number 4" in read_article(f"{server}/subscribed", allow_private=True).text
