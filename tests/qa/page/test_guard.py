"""What the server refuses before anything sees it, and what every response carries."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest

import qa.page.guard
from qa.page.guard import Guard, is_loopback

PAGE = b"<html><head></head><body><script>1</script></body></html>"


async def inner(scope: Any, receive: Any, send: Any) -> None:
    """Answers "/" with a page, "/login" with a refusal and a cookie, all else with what it got."""
    body = (await receive()).get("body", b"") if scope["method"] == "POST" else b""
    status, kind, said = 200, b"text/plain", body
    headers = []
    if scope["path"] == "/":
        kind, said = b"text/html", PAGE
    elif scope["path"] == "/login":
        status = 400
        headers = [(b"set-cookie", b"token=1; SameSite=none; Secure")]
    elif scope["path"] == "/headers":
        said = b",".join(name for name, _ in scope["headers"])
    headers += [(b"content-type", kind)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said})


Reply = tuple[int, dict[str, str], bytes]


def request(
    guard: Guard,
    path: str = "/",
    method: str = "GET",
    body: bytes = b"x",
    *,
    root_path: str = "",
    **headers: str,
) -> Reply:
    return asyncio.run(sent(guard, path, method, body, root_path=root_path, **headers))


async def sent(
    guard: Guard, path: str, method: str, body: bytes, *, root_path: str = "", **headers: str
) -> Reply:
    given = {"host": "127.0.0.1:7860"} | {k.replace("_", "-"): v for k, v in headers.items()}
    scope = {
        "type": "http",
        "path": path,
        "root_path": root_path,
        "method": method,
        "client": ("192.0.2.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    out: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        out.append(message)

    await guard(scope, receive, send)
    got = {name.decode(): value.decode() for name, value in out[0]["headers"]}
    return out[0]["status"], got, b"".join(m.get("body", b"") for m in out[1:])


@pytest.fixture
def make() -> Callable[..., Guard]:
    def made(host: str = "127.0.0.1", **options: Any) -> Guard:
        return Guard(inner, **{"head": "<title>x</title>", "host": host, "max_body": 100} | options)

    return made


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "[::1]:7860", "LOCALHOST:1"])
def test_the_loopback_answers_to_its_own_names(make: Callable[..., Guard], host: str) -> None:
    assert request(make(), host=host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example:7860", "127.0.0.1.evil.example", "", "[", "1.2.3.4"]
)
def test_a_name_that_was_rebound_to_the_loopback_is_refused(
    make: Callable[..., Guard], host: str
) -> None:
    status, _, text = request(make(), host=host)
    assert status == 421
    assert b"--allow-host" in text


def test_a_name_that_was_allowed_is_answered_and_a_network_address_too(
    make: Callable[..., Guard],
) -> None:
    assert request(make(allowed=["qa.example"]), host="QA.example:80")[0] == 200
    assert request(make("0.0.0.0"), host="anything.example")[0] == 200  # noqa: S104
    assert request(make("0.0.0.0", allowed=["qa.example"]), host="other.example")[0] == 421  # noqa: S104


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec_fetch_site": "cross-site"},
        {"origin": "http://evil.example", "x_forwarded_host": "evil.example"},
    ],
)
def test_a_page_of_another_origin_changes_nothing(
    make: Callable[..., Guard], headers: dict[str, str]
) -> None:
    assert request(make(), "/gradio_api/call/ask", "POST", **headers)[0] == 403
    assert request(make(proxied=True), "/gradio_api/call/ask", "POST", **headers)[0] == 403


def test_the_pages_own_origin_and_programs_without_one_may_ask(make: Callable[..., Guard]) -> None:
    own = {"origin": "http://127.0.0.1:7860"}
    assert request(make(), "/ask", "POST", **own)[::2] == (200, b"x")
    assert request(make(), "/ask", "POST")[::2] == (200, b"x")


def test_a_forwarded_name_counts_only_from_a_proxy_that_was_named(
    make: Callable[..., Guard],
) -> None:
    through = {"origin": "http://localhost:80", "x_forwarded_host": "localhost:80"}
    assert request(make(), "/ask", "POST", **through)[0] == 403
    assert request(make(proxied=True), "/ask", "POST", **through)[0] == 200
    assert b"x-forwarded-host" not in request(make(), "/headers", **through)[2]


def test_what_is_too_large_is_not_read(make: Callable[..., Guard]) -> None:
    assert request(make(), "/ask", "POST", b"x" * 101)[0] == 413
    assert request(make(), "/ask", "POST", content_length="60000000")[0] == 413
    assert request(make(), "/ask", "POST", content_length="-1")[0] == 413


def test_a_request_that_is_sent_by_half_is_dropped(
    make: Callable[..., Guard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qa.page.guard, "BODY_SECONDS", 0.05)
    out: list[MutableMapping[str, Any]] = []

    async def never() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {}

    async def send(message: MutableMapping[str, Any]) -> None:
        out.append(message)

    scope = {
        "type": "http",
        "path": "/ask",
        "method": "POST",
        "headers": [(b"host", b"localhost")],
    }
    asyncio.run(make()(scope, never, send))
    assert out[0]["status"] == 413


@pytest.mark.parametrize("name", ["upload", "upload/", "reset", "cancel", "vibe-edit/", "stream/x"])
def test_what_the_page_does_not_use_is_not_there(make: Callable[..., Guard], name: str) -> None:
    assert request(make(), f"/gradio_api/{name}", "POST")[0] == 404


def test_every_response_is_hardened_and_only_the_pages_own_scripts_run(
    make: Callable[..., Guard],
) -> None:
    _, headers, body = request(make())
    policy = headers["content-security-policy"]
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert f'<script nonce="{nonce}">1</script>'.encode() in body
    assert b"<title>x</title></head>" in body
    assert int(headers["content-length"]) == len(body)
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert "frame-ancestors 'none'" in policy
    for other in (headers, request(make(), host="evil.example")[1]):
        assert other["x-content-type-options"] == "nosniff"
        assert other["referrer-policy"] == "no-referrer"
    assert nonce not in request(make())[1]["content-security-policy"]


def test_the_page_is_compressed_for_who_takes_that(make: Callable[..., Guard]) -> None:
    _, headers, body = request(make(), accept_encoding="gzip, br")
    assert headers["content-encoding"] == "gzip"
    assert int(headers["content-length"]) == len(body)
    assert b"<title>x</title></head>" in gzip.decompress(body)
    assert "content-encoding" not in request(make(), "/other", accept_encoding="gzip")[1]


def test_failed_logins_are_slow_and_one_at_a_time(
    make: Callable[..., Guard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qa.page.guard, "LOGIN_SECONDS", 0.1)

    async def three(guard: Guard) -> list[Reply]:
        return list(await asyncio.gather(*(sent(guard, "/login", "POST", b"x") for _ in range(3))))

    begin = time.monotonic()
    replies = asyncio.run(three(make()))
    assert time.monotonic() - begin >= 0.3
    assert "SameSite=lax" in replies[0][1]["set-cookie"]


def test_programs_bring_a_credential_where_one_is_asked_for(
    make: Callable[..., Guard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qa.page.guard, "LOGIN_SECONDS", 0.2)
    guard = make(credentials=["Bearer key", "Basic YW5uOnNlY3JldA=="])
    for path in ("/api/ask", "/api/openapi.json", "/mcp"):
        for known in ("Bearer key", "Basic YW5uOnNlY3JldA=="):
            assert request(guard, path, "POST", authorization=known)[0] == 200
        status, headers, body = request(guard, path, "POST")
        assert (status, headers["content-type"]) == (401, "application/problem+json")
        assert headers["www-authenticate"].startswith("Basic")
        assert json.loads(body)["status"] == 401
    begin = time.monotonic()
    assert request(guard, "/api/ask", "POST", authorization="Bearer guess")[0] == 401
    assert time.monotonic() - begin >= 0.2
    assert request(guard, "/health")[0] == 200
    assert request(make(), "/api/ask", "POST")[0] == 200


def test_a_program_is_refused_with_a_problem(make: Callable[..., Guard]) -> None:
    status, headers, body = request(make(), "/api/ask", "POST", b"x" * 101)
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    assert json.loads(body)["title"] == "Request Entity Too Large"
    assert request(make(), "/api/ask", host="evil.example")[0] == 421


def test_below_another_app_the_same_holds(make: Callable[..., Guard]) -> None:
    async def below(scope: Any, receive: Any, send: Any) -> None:
        await inner({**scope, "path": scope["path"].removeprefix("/qa")}, receive, send)

    guard = Guard(below, head="<title>x</title>", host="0.0.0.0", max_body=100)  # noqa: S104
    assert b"<title>x</title></head>" in request(guard, "/qa/", root_path="/qa")[2]
    assert request(guard, "/qa/gradio_api/upload", "POST", root_path="/qa")[0] == 404


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("192.168.0.2", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_alone(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
