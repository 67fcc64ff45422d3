"""Fetching a page that the user names, and nothing else.

A page's address may be a trap that makes this machine talk to its own network (server-side
request forgery, https://owasp.org/www-community/attacks/Server_Side_Request_Forgery).
So each hop is resolved once, every address it resolves to must be a public one, and the
connection goes to an address that was checked: a name that points elsewhere a moment later
changes nothing. Proxies of the environment are not used, for they would resolve anew.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from index.errors import FetchError, PrivateAddress
from index.reading.web.robots import AGENT, refuses

__all__ = ["Page", "fetch", "is_public"]

MAX_BYTES = 10 * 2**20
MAX_REDIRECTS = 8
SECONDS = 10.0
"""For everything together: names, redirects, and the page itself."""
ROBOTS_SECONDS = 3.0
"""For the robots.txt of a host, out of these."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TYPES = (
    "text/",
    "application/xhtml",
    "application/xml",
    "application/pdf",
    "application/x-pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml",
    "message/rfc822",
    "application/octet-stream",
    "binary/octet-stream",
)
_TRANSLATING = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
_NOT_SERVED = (ipaddress.ip_network("3fff::/20"), ipaddress.ip_network("192.88.99.0/24"))
"""For documentation, and for a relay that is no more: not in every Python's list."""

Address: TypeAlias = "tuple[int, tuple[Any, ...]]"
"""Address family, and the socket address to connect to."""


@dataclass(frozen=True, slots=True)
class Page:
    """What an address holds.

    Attributes:
        url: The address after all redirects.
        data: The content, decompressed.
        content_type: As the server named it, or "".
    """

    url: str
    data: bytes
    content_type: str


def fetch(url: str, *, allow_private: bool = False, seconds: float = SECONDS) -> Page:
    """Fetch a page, whole or not at all.

    Args:
        url: An ``http`` or ``https`` address.
        allow_private: Also reach addresses of this machine and the local network.
        seconds: Time for everything together.

    Raises:
        FetchError: The address cannot or may not be fetched.
    """
    deadline = time.monotonic() + seconds
    visited: list[str] = []
    asked: dict[str, bytes] = {}
    while True:
        parts = _checked_url(url)
        url = urlunsplit(parts)
        if url in visited or len(visited) > MAX_REDIRECTS:
            raise FetchError(
                f"{visited[0]} redirects in a circle; open it in a browser and save it"
            )
        visited.append(url)
        addresses = _resolve(parts, deadline, allow_private)
        _check_robots(url, parts, addresses, asked, deadline)
        with _Exchange(parts, addresses, deadline) as exchange:
            response = exchange.request()
            location = response.getheader("Location")
            if response.status in _REDIRECTS and location:
                url = _redirected(url, location)
                continue
            _check_status(url, response.status)
            content_type = response.getheader("Content-Type") or ""
            _check_type(url, content_type)
            return Page(url, exchange.body(response), content_type)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public Internet, also within its IPv6 disguises.

    >>> is_public("93.184.215.14"), is_public("127.0.0.1"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip.teredo:
            inner = ip.teredo[1]
        elif ip in _TRANSLATING or ip in _COMPATIBLE:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local:
            return False
    return ip.is_global and not (
        any(ip in network for network in _NOT_SERVED)
        or ip.is_multicast
        or ip.is_reserved
        or ip.is_unspecified
        or ip.is_private
        or ip.is_loopback
    )


def _redirected(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise FetchError(
            f"{url} redirects to {location!r}, which is not an address; open it in a browser and"
            " save the page"
        ) from error


def _checked_url(url: str) -> SplitResult:
    """The parts of an address that may be fetched, as they are sent."""
    url = "".join(url.split("\t")).strip()
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
        host = host if ":" in host else host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError) as error:
        raise FetchError(f"{url!r} is not an address ({error}); check it") from error
    if parts.scheme not in ("http", "https"):
        raise FetchError(
            f"{parts.scheme}:// is not fetched; give an http or https address, or a path"
        )
    if not host or any(character <= " " or character == "\x7f" for character in url):
        raise FetchError(f"{url!r} is not an address; check it")
    if parts.username is not None or parts.password is not None:
        raise FetchError(f"an address with a name or password in it is not fetched: {host}")
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port != (443 if parts.scheme == "https" else 80):
        netloc += f":{port}"
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]")
    return SplitResult(parts.scheme, netloc, path, query, "")


def _resolve(parts: SplitResult, deadline: float, allow_private: bool) -> list[Address]:
    """All addresses of a host, each of them checked."""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    results: SimpleQueue[list[Address] | OSError] = SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            results.put([(family, address) for family, _, _, _, address in found])
        except (OSError, UnicodeError) as error:
            results.put(OSError(str(error)))

    # A name server that does not answer cannot be interrupted, only left behind.
    threading.Thread(target=look_up, daemon=True).start()
    try:
        found = results.get(timeout=max(0.0, deadline - time.monotonic()))
    except Empty:
        raise FetchError(f"the name {host} was not resolved in time; try again") from None
    if isinstance(found, OSError) or not found:
        raise FetchError(f"there is no host {host}; check the address and the network")
    if not allow_private:
        for _, address in found:
            if not is_public(address[0]):
                raise PrivateAddress(
                    f"{host} is at {address[0]}, which is not on the public Internet; where you"
                    " trust it, allow private addresses (--allow-private)"
                )
    return found


class _Exchange:
    """One request and its response over a connection of its own, all before a deadline."""

    def __init__(self, parts: SplitResult, addresses: list[Address], deadline: float) -> None:
        self._parts = parts
        self._deadline = deadline
        self._socket = _connect(addresses, parts, deadline)
        # A server that drips one byte a second passes every timeout of a single read.
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._cut)
        self._timer.daemon = True
        self._timer.start()
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> _Exchange:
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._socket.close()
        if self._connection is not None:
            self._connection.close()

    def _cut(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def request(self) -> http.client.HTTPResponse:
        """Send the request, and read the response as far as its headers."""
        parts = self._parts
        try:
            if parts.scheme == "https":
                context = ssl.create_default_context()
                self._socket = context.wrap_socket(self._socket, server_hostname=parts.hostname)
            connection = http.client.HTTPConnection(parts.netloc)
            connection.sock = self._socket
            self._connection = connection
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            headers = {
                "User-Agent": f"Mozilla/5.0 (compatible; {AGENT})",
                "Accept": "text/html,application/xhtml+xml,application/pdf,text/*;q=0.9,*/*;q=0.5",
                "Accept-Language": "*",
                "Accept-Encoding": "gzip, deflate, br",
                "Connection": "close",
            }
            connection.request("GET", target, headers=headers)
            return connection.getresponse()
        except ssl.SSLError as error:
            raise FetchError(
                f"{parts.hostname} offers no connection to trust ({error.reason or error})"
            ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failed(error) from error

    def body(self, response: http.client.HTTPResponse) -> bytes:
        """The content of a response: whole, decompressed and within bounds."""
        coding = (response.getheader("Content-Encoding") or "").strip().lower()
        length = response.getheader("Content-Length")
        unpack = _unpacker(coding, self._parts.hostname or "")
        data = bytearray()
        received = 0
        try:
            while True:
                chunk = response.read(65536)
                received += len(chunk)
                data += unpack(chunk) if chunk else unpack(None)
                if max(received, len(data)) > MAX_BYTES:
                    raise FetchError(
                        f"{urlunsplit(self._parts)} is larger than {MAX_BYTES // 2**20} MB;"
                        " give one article"
                    )
                if not chunk:
                    break
            if length is not None and not response.chunked and received != int(length):
                raise ValueError(f"{received} of {length} bytes arrived")
        except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
            raise self._failed(error) from error
        if time.monotonic() >= self._deadline:
            raise self._failed(TimeoutError())
        return bytes(data)

    def _failed(self, error: Exception) -> FetchError:
        host = self._parts.hostname
        if isinstance(error, TimeoutError) or time.monotonic() >= self._deadline:
            return FetchError(f"{host} did not send the page in time; try again later")
        return FetchError(f"{host} broke off or answered nonsense ({error}); try again later")


def _connect(addresses: list[Address], parts: SplitResult, deadline: float) -> socket.socket:
    problem: OSError = TimeoutError()
    for family, address in addresses:
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(max(0.01, deadline - time.monotonic()))
            connection.connect(address)
        except OSError as error:
            connection.close()
            problem = error
        else:
            return connection
    raise FetchError(f"{parts.netloc} cannot be reached ({problem}); try again later") from problem


def _unpacker(coding: str, host: str) -> Callable[[bytes | None], bytes]:
    """A function from each chunk received (None at the end) to what it unpacks to."""
    if coding in ("", "identity"):
        return lambda chunk: chunk or b""
    if coding in ("gzip", "x-gzip", "deflate"):
        return _inflater(zlib_only=coding == "deflate")
    if coding == "br":
        return _expander()
    raise FetchError(f"{host} sends the page packed as {coding!r}, which nobody asked for")


def _inflater(*, zlib_only: bool) -> Callable[[bytes | None], bytes]:
    inner = zlib.decompressobj(15 if zlib_only else 47)
    started = False

    def inflate(chunk: bytes | None) -> bytes:
        nonlocal inner, started
        if chunk is None:
            if started and not inner.eof:
                raise ValueError("the compressed page is cut off")
            return b""
        unpacked = b""
        while chunk and len(unpacked) <= MAX_BYTES:
            if inner.eof:  # gzip may come in several members, and be padded with zeros
                chunk = chunk.lstrip(b"\0")
                if zlib_only or not chunk:
                    break
                inner = zlib.decompressobj(47)
            try:
                unpacked += inner.decompress(chunk, MAX_BYTES + 1)
            except zlib.error:
                if not zlib_only or started:
                    raise
                inner = zlib.decompressobj(-15)  # some servers leave zlib's header out
                unpacked += inner.decompress(chunk, MAX_BYTES + 1)
            started = True
            chunk = inner.unused_data
        return unpacked

    return inflate


def _expander() -> Callable[[bytes | None], bytes]:
    import brotli

    decompressor = brotli.Decompressor()
    started = False

    def expand(chunk: bytes | None) -> bytes:
        nonlocal started
        if chunk is None:
            if started and not decompressor.is_finished():
                raise ValueError("the compressed page is cut off")
            return b""
        started = True
        try:
            return bytes(decompressor.process(chunk, output_buffer_limit=MAX_BYTES + 1))
        except brotli.error as error:
            raise ValueError(f"damaged brotli data: {error}") from error

    return expand


def _check_robots(
    url: str,
    parts: SplitResult,
    addresses: list[Address],
    asked: dict[str, bytes],
    deadline: float,
) -> None:
    """Refuse a page that its site's robots.txt keeps from programs."""
    origin = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
    if origin not in asked:
        asked[origin] = b""
        soon = min(deadline, time.monotonic() + ROBOTS_SECONDS)
        robots = SplitResult(parts.scheme, parts.netloc, "/robots.txt", "", "")
        # A robots.txt that cannot be had asks for nothing; a host that cannot be reached is met
        # again with the page itself.
        with contextlib.suppress(FetchError), _Exchange(robots, addresses, soon) as exchange:
            response = exchange.request()
            if response.status == http.client.OK:
                asked[origin] = exchange.body(response)
    if refuses(asked[origin], url):
        raise FetchError(
            f"{parts.hostname} asks programs not to read this page (robots.txt);"
            " open it in a browser, save the page, and give the saved file"
        )


def _check_status(url: str, status: int) -> None:
    if status in (200, 203):
        return
    save = "open it in a browser, save the page, and give the saved file"
    if status in (401, 402, 403, 407, 429, 451):
        raise FetchError(
            f"{url} does not let programs read it (status {status}): it may want a subscription or"
            f" a login, or refuse robots; {save}"
        )
    if status in (404, 410):
        raise FetchError(f"there is no page at {url} (status {status}); check the address")
    if status == http.client.PARTIAL_CONTENT:
        raise FetchError(f"{url} sent only a part of the page (status 206); {save}")
    raise FetchError(f"{url} answered with status {status}; try again later, or {save}")


def _check_type(url: str, content_type: str) -> None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind and not kind.startswith(_TYPES):
        raise FetchError(f"{url} is {kind}, not an article; give a page, PDF or Word document")
