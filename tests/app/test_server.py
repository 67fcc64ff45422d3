"""What the page's server offers programs and operators, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

import app
from index.reading.reader import bundled_article
from qa import Answer
from tests.support.served import REKOGNITION, ROOT, Server, serving

TIDES = "Tides\n\nThe Moon pulls the water. Fishermen in Brittany print almanacs every winter."


@pytest.fixture(scope="module")
def server(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return Client(server.url, verbose=False)


def get(url: str) -> tuple[int, str]:
    """Status and body of a page, redirects not followed into a login."""
    return _reply(urllib.request.Request(url))  # noqa: S310


def post(url: str, body: dict[str, Any], **headers: str) -> tuple[int, str]:
    """Status and body of what a JSON body gets."""
    kind = {"Content-Type": "application/json"} | headers
    return _reply(urllib.request.Request(url, json.dumps(body).encode(), kind))  # noqa: S310


def _reply(request: urllib.request.Request) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
            return reply.status, reply.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8", "replace")


# ---- programs ----


def test_ask_gives_the_answer_as_python_has_it(client: Client) -> None:
    answer = Answer.from_dict(client.predict(question=REKOGNITION, k=2, api_name="/ask"))
    assert len(answer.citations) == 2
    for citation in answer.citations:
        assert bundled_article().text[citation.start : citation.end] == citation.quote


def test_an_opened_article_is_asked_by_its_handle(client: Client) -> None:
    opened = client.predict(text=TIDES, title="", url="https://e.org/t", api_name="/open")
    assert opened["title"] == "Tides"
    answer = client.predict("Who prints almanacs?", 1, opened["article"], api_name="/ask")
    (citation,) = answer["citations"]
    assert citation["quote"] == "Fishermen in Brittany print almanacs every winter."
    assert citation["deep_link"].startswith("https://e.org/t#:~:text=")
    shown = client.predict(
        citation["start"], citation["end"], opened["article"], api_name="/evidence"
    )
    assert shown["quote"] == citation["quote"]
    assert shown["before"].startswith("The Moon pulls the water.")


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("/ask", {"question": " "}, "question is empty"),
        ("/ask", {"question": "Why?", "k": 0}, "k must be a whole number"),
        ("/ask", {"question": "Why?", "article": "guess"}, "call open again"),
        ("/open", {"text": " "}, "could be cited"),
        ("/evidence", {"start": 5, "end": 10**9}, "not in the article"),
    ],
)
def test_a_call_that_cannot_be_answered_says_why(
    client: Client, name: str, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(AppError, match=words):
        client.predict(**values, api_name=name)


def test_the_page_takes_no_uploads_and_reads_no_file_of_the_servers_own(server: Server) -> None:
    for name in ("upload", "reset", "cancel"):
        assert post(f"{server.url}gradio_api/{name}", {})[0] == 404
    secret = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    address = f"{server.url}gradio_api/call/page_open"
    _, reply = post(address, {"data": [secret]})
    _, said = get(f"{address}/{json.loads(reply)['event_id']}")
    assert "event: " in said
    assert "root:" not in said


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Content-Length": "60000000"}, 413),
    ],
)
def test_a_page_of_a_stranger_is_refused(
    server: Server, headers: dict[str, str], status: int
) -> None:
    assert post(f"{server.url}gradio_api/call/ask", {"data": ["Why?"]}, **headers)[0] == status


def test_plain_json_is_answered_in_plain_json(server: Server) -> None:
    status, body = post(f"{server.url}api/ask", {"question": REKOGNITION, "k": 2})
    assert status == 200
    assert len(Answer.from_dict(json.loads(body))) == 2
    status, body = post(f"{server.url}api/ask", {"question": ""})
    assert status == 400
    assert json.loads(body)["detail"].startswith("the question is empty")
    assert "/api/ask" in json.loads(get(f"{server.url}api/openapi.json")[1])["paths"]
    foreign = {"Origin": "https://evil.example"}
    assert post(f"{server.url}api/ask", {"question": REKOGNITION}, **foreign)[0] == 403


def test_history_reaches_the_endpoint_of_the_page_too(client: Client) -> None:
    first = client.predict(question="Who is Nathan Freed Wessler?", k=1, api_name="/ask")
    then = client.predict(question="What did he support?", history=[first], api_name="/ask")
    assert "Wessler" in then["interpreted_as"]


def test_the_endpoints_are_documented_and_the_pages_own_are_not(server: Server) -> None:
    _, body = get(f"{server.url}gradio_api/info")
    assert sorted(json.loads(body)["named_endpoints"]) == ["/ask", "/evidence", "/open"]


def test_many_at_once_each_get_their_own_answer(server: Server) -> None:
    def visit(number: int) -> bool:
        client = Client(server.url, verbose=False)
        text = f"Harbour {number}\n\nThe harbour master of pier {number} is called Name{number}."
        handle = client.predict(text=text, api_name="/open")["article"]
        answer = client.predict("Who is the harbour master?", 1, handle, api_name="/ask")
        return f"Name{number}." in answer["citations"][0]["quote"]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(visit, range(16)))


# ---- operators ----


def test_health_is_a_page_of_its_own(server: Server) -> None:
    status, body = get(f"{server.url}health")
    assert status == 200
    assert json.loads(body)["status"] == "ok"


def test_only_this_machine_is_served_and_the_address_is_printed(server: Server) -> None:
    assert server.process.stdout is not None
    assert server.process.stdout.readline().strip() == bundled_article().title
    assert server.process.stdout.readline().strip() == server.url
    assert server.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_soon(
    cache: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with serving(tmp_path) as server:
        begin = time.monotonic()
        server.process.send_signal(number)
        _, errors = server.process.communicate(timeout=20)
        assert server.process.returncode == 0
        assert time.monotonic() - begin < 10
        assert "Traceback" not in errors


def test_another_article_is_served_when_one_is_named(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "tides.txt").write_text(TIDES)
    with serving(tmp_path, str(tmp_path / "tides.txt")) as server:
        client = Client(server.url, verbose=False)
        answer = client.predict("Who prints almanacs?", api_name="/ask")
        assert "Fishermen" in answer["citations"][0]["quote"]
        # The file itself is not for the asking.
        status, body = get(f"{server.url}gradio_api/file={tmp_path / 'tides.txt'}")
        assert status == 403
        assert "Fishermen" not in body


def test_an_account_is_asked_for_before_anything_is_told(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "accounts").write_text("# readers\nann:secret:word\n")
    with serving(tmp_path, "--auth", str(tmp_path / "accounts")) as server:
        status, body = get(f"{server.url}config")
        assert status == 401
        assert "Rekognition" not in body
        assert "moratorium" not in get(server.url)[1]
        assert get(f"{server.url}health")[0] == 200
        with pytest.raises(Exception, match=r"(?i)auth|login|401"):
            Client(server.url, verbose=False)
        client = Client(server.url, auth=("ann", "secret:word"), verbose=False)
        assert client.predict("Who wrote this article?", api_name="/ask")["found"]


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such modes")
@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o600, False)])
def test_accounts_that_others_can_read_are_warned_of(
    cache: Path, tmp_path: Path, mode: int, warned: bool
) -> None:
    (tmp_path / "accounts").write_text("ann:secret\n")
    (tmp_path / "accounts").chmod(mode)
    with serving(tmp_path, "--auth", str(tmp_path / "accounts")) as server:
        server.process.terminate()
        _, errors = server.process.communicate(timeout=20)
        assert ("chmod 600" in errors) is warned


def run(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The server with options that end it at once."""
    return subprocess.run(
        [sys.executable, "app.py", *options],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["no/such/article.txt"], "no/such/article.txt"),
        (["--auth", "no/such/accounts"], "no/such/accounts"),
        (["--api-key", "README.md"], "give --auth too"),
        (["--port", "70000"], "from 1 to 65535"),
    ],
)
def test_what_cannot_be_served_is_refused_in_a_line(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = app.main(options)
    except SystemExit as exit:  # argparse's own
        status = exit.code
    assert status == 2
    assert words in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_to_be(server: Server) -> None:
    port = server.url.rsplit(":", 1)[1].strip("/")
    done = run("--port", port)
    assert done.returncode == 2
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_beyond_this_machine_without_accounts_is_warned_of(cache: Path, tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "0.0.0.0") as server:  # noqa: S104 - what is warned of
        server.process.terminate()
        _, errors = server.process.communicate(timeout=20)
        assert "anyone who can reach 0.0.0.0" in errors


def test_a_file_that_is_too_large_is_not_taken(cache: Path, tmp_path: Path) -> None:
    with serving(tmp_path, "--max-upload", "2kb") as server:
        client = Client(server.url, verbose=False)
        with pytest.raises(AppError, match="larger than the 2,048 bytes"):
            client.predict(text="The sea rises. " * 200, api_name="/open")


# ---- MCP ----


def mcp_tools(address: str, **headers: str) -> tuple[list[str], Any]:
    """Names of the tools that are offered, and the answer to a question."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client

    async def call() -> tuple[list[str], Any]:
        async with (
            create_mcp_http_client(headers=headers) as http,
            streamable_http_client(address, http_client=http) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            result = await session.call_tool("ask", {"question": "Who wrote this article?"})
            return sorted(tool.name for tool in tools), result.structuredContent

    return asyncio.run(call())


def test_an_mcp_client_finds_and_calls_the_tools(cache: Path, tmp_path: Path) -> None:
    pytest.importorskip("mcp", reason="no mcp: pip install 'article-qa[mcp]'")
    (tmp_path / "accounts").write_text("ann:secret\n")
    (tmp_path / "keys").write_text("letmein\n")
    auth = ("--auth", str(tmp_path / "accounts"), "--api-key", str(tmp_path / "keys"))
    with serving(tmp_path, "--mcp", *auth) as server:
        names, answer = mcp_tools(f"{server.url}mcp", Authorization="Bearer letmein")
        assert names == ["ask", "evidence", "open"]
        assert "Sayujya S" in Answer.from_dict(answer).citations[0].quote
        assert post(f"{server.url}mcp", {})[0] == 401
        known = {"Authorization": "Bearer letmein"}
        listening = urllib.request.Request(f"{server.url}mcp", headers=known)  # noqa: S310
        assert _reply(listening)[0] == 405  # nothing is ever said but in answer
        question = {"question": "Who wrote this article?", "k": 1}
        basic = f"Basic {b64encode(b'ann:secret').decode()}"
        for known in (basic, "Bearer letmein"):
            status, body = post(f"{server.url}api/ask", question, Authorization=known)
            assert status == 200
            assert Answer.from_dict(json.loads(body)).found
        assert post(f"{server.url}api/ask", question)[0] == 401
        assert get(f"{server.url}api/openapi.json")[0] == 401
