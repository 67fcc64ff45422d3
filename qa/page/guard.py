"""What the server refuses before Gradio sees it, and what it adds to every response.

Plain ASGI, so that it holds for each route, Gradio's own and MCP included.
"""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import json
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

__all__ = ["PROBLEM_TYPE", "Guard", "is_loopback", "problem"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_SECONDS = 20.0
"""A request whose body has not arrived by then is dropped."""
LOGIN_SECONDS = 1.0
"""What a wrong password costs whoever sent it; one at a time is tried for each address."""
PROBLEM_TYPE = "application/problem+json"
KNOWN_CLIENTS = 1000

# Served by Gradio, used by nothing here: each takes files, cancels or resets for anybody.
UNUSED = ("upload", "reset", "cancel", "stream", "process_recording", "run-history", "vibe")

# Gradio compiles the templates of its HTML component, so 'unsafe-eval' cannot be left out; what
# is refused is every script, inline or from elsewhere, that did not come with the page.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' 'nonce-{nonce}';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:;"
    " object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


class Guard:
    """ASGI middleware around the whole server."""

    def __init__(
        self,
        app: App,
        *,
        head: str,
        host: str,
        max_body: int,
        allowed: Iterable[str] = (),
        proxied: bool = False,
        credentials: Iterable[str] = (),
    ) -> None:
        """Guard an app.

        Args:
            app: What answers.
            head: HTML for the head of the page, added as it is served: what Gradio takes as
                ``head`` it adds in the browser, after the page was first drawn.
            host: What the server listens on; on the loopback, only loopback names are answered.
            max_body: Bytes of the largest request.
            allowed: Names under which it is reached besides.
            proxied: Whether a proxy was named, whose ``X-Forwarded-Host`` counts.
            credentials: Values of the ``Authorization`` header, one of which ``/api`` and ``/mcp``
                ask for;
                none where it is open. The page has a login of its own.
        """
        self._app = app
        self._head = head
        self._max_body = max_body
        self._allowed = {name.lower() for name in allowed}
        self._any_host = not is_loopback(host) and not self._allowed
        self._allowed.add(host.lower())
        self._proxied = proxied
        self._credentials = [value.encode() for value in credentials]
        self._logins: OrderedDict[str, asyncio.Lock] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        names = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        path = _path(scope)
        nonce = secrets.token_urlsafe(16)
        send = _hardened(send, nonce)
        plain = path.startswith(("/api/", "/mcp"))
        refusal = self._refusal(scope, names)
        if not refusal and plain and not await self._is_known(scope, names):
            refusal = 401, "Name an account of this server, or a key: Authorization: Bearer KEY."
        if refusal:
            await _reply(send, *refusal, as_problem=plain)
            return
        if not self._proxied:
            scope["headers"] = [
                (name, value)
                for name, value in scope["headers"]
                if not name.startswith(b"x-forwarded-")
            ]
        if path == "/":
            small = "gzip" in names.get("accept-encoding", "")
            send = _with_head(send, self._head, nonce, small=small)
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        body = await self._body(receive)
        if body is None:
            words = "The request is too large, or did not arrive in time."
            await _reply(send, 413, words, as_problem=plain)
        elif path.rstrip("/") == "/login":
            await self._login(scope, _again(body, receive), send)
        else:
            await self._app(scope, _again(body, receive), send)

    def _refusal(self, scope: Scope, names: dict[str, str]) -> tuple[int, str] | None:
        host = names.get("host", "")
        if not self._answers_to(host):
            return 421, (
                f"This server does not answer to the name {_name(host)[:100]!r}; start it with"
                " --allow-host NAME if that is its name."
            )
        own = {host}
        if self._proxied and self._answers_to(names.get("x-forwarded-host", "")):
            own.add(names.get("x-forwarded-host", ""))
        origin = names.get("origin")
        foreign = origin is not None and (
            urlsplit(origin).netloc.lower() not in own
            and (is_loopback(_name(origin)) or _name(origin) not in self._allowed)
        )
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and (
            foreign or names.get("sec-fetch-site") == "cross-site"
        ):
            return 403, "A page of another origin may not ask here."
        path = _path(scope)
        part = path.removeprefix("/gradio_api/")
        if part != path and part.startswith(UNUSED):
            return 404, "There is no such thing here."
        length = names.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._max_body:
            return 413, f"At most {self._max_body:,} bytes are taken."
        return None

    def _answers_to(self, host: str) -> bool:
        name = _name(host)
        return self._any_host or is_loopback(name) or name in self._allowed

    async def _body(self, receive: Receive) -> bytes | None:
        """The whole body; None where it is too large, or too slow in coming."""

        async def read() -> bytes | None:
            body = bytearray()
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                body += message.get("body", b"")
                if len(body) > self._max_body:
                    return None
                if not message.get("more_body"):
                    return bytes(body)

        try:
            return await asyncio.wait_for(read(), BODY_SECONDS)
        except asyncio.TimeoutError:
            return None

    def _try_of(self, scope: Scope) -> asyncio.Lock:
        """What lets one try at a time of each address be made."""
        client = (scope.get("client") or ("",))[0]
        lock = self._logins.setdefault(client, asyncio.Lock())
        self._logins.move_to_end(client)
        while len(self._logins) > KNOWN_CLIENTS:
            self._logins.popitem(last=False)
        return lock

    async def _is_known(self, scope: Scope, names: dict[str, str]) -> bool:
        """Whether a request brings a credential, where one is asked for."""
        given = names.get("authorization", "").encode("latin-1")
        if not self._credentials or not given:
            return not self._credentials
        async with self._try_of(scope):
            known = any(secrets.compare_digest(given, value) for value in self._credentials)
            if not known:
                await asyncio.sleep(LOGIN_SECONDS)
            return known

    async def _login(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A failed try takes a while."""

        async def slowed(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                await asyncio.sleep(LOGIN_SECONDS)
            await send(message)

        async with self._try_of(scope):
            await self._app(scope, receive, slowed)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server on that address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _path(scope: Scope) -> str:
    """The path below that under which the page is mounted, if it is."""
    path: str = scope["path"]
    root = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def _name(host: str) -> str:
    """The name in ``name:port``, in an origin or in ``[::1]:80``."""
    try:
        return urlsplit(host if "//" in host else f"//{host}").hostname or ""
    except ValueError:
        return ""


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, as a request brings it; then what the connection says."""
    told = False

    async def again() -> MutableMapping[str, Any]:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def problem(status: HTTPStatus, detail: str, kind: str = "", title: str = "") -> bytes:
    """Why a program got no answer, as RFC 9457 has it.

    Args:
        status: Of the response.
        detail: What was wrong and what to do.
        kind: Name of the error.
        title: What every such error means.
    """
    said = {"type": f"urn:article-qa:{kind}" if kind else "about:blank"}
    said |= {"title": title or status.phrase, "detail": detail}
    return json.dumps({**said, "status": status}).encode()


async def _reply(send: Send, status: int, text: str, *, as_problem: bool) -> None:
    kind, body = "text/plain; charset=utf-8", text.encode("utf-8", "replace")
    if as_problem:
        kind, body = PROBLEM_TYPE, problem(HTTPStatus(status), text)
    headers = [(b"content-type", kind.encode()), (b"connection", b"close")]
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b'Basic realm="article-qa", Bearer'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _hardened(send: Send, nonce: str) -> Send:
    """A ``send`` that adds the headers, and keeps cookies from travelling with other sites."""
    added = [
        (b"content-security-policy", POLICY.format(nonce=nonce).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    ]

    async def hardened(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = [
                (name, value.replace(b"SameSite=none", b"SameSite=lax"))
                if name.lower() == b"set-cookie"
                else (name, value)
                for name, value in message.get("headers", ())
            ]
            message = {**message, "headers": [*headers, *added]}
        await send(message)

    return hardened


def _with_head(send: Send, head: str, nonce: str, *, small: bool) -> Send:
    """A ``send`` that puts our head into the page, and the nonce on the scripts it comes with.

    ``small`` compresses the page, as Gradio does all its other files.
    """
    start: MutableMapping[str, Any] = {}
    body = bytearray()

    async def changed(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        headers = {name.lower(): value for name, value in start["headers"]}
        page = bytes(body)
        if headers.get(b"content-type", b"").startswith(b"text/html") and page:
            # In the page's data every "<" is escaped, so what looks like a tag is one.
            page = page.replace(b"</head>", head.encode() + b"</head>", 1)
            page = page.replace(b"<script", f'<script nonce="{nonce}"'.encode())
        kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        if small and page and b"content-encoding" not in headers:
            page = gzip.compress(page)
            kept += [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
        length = (b"content-length", str(len(page)).encode())
        await send({**start, "headers": [*kept, length]})
        await send({"type": "http.response.body", "body": page})

    return changed
