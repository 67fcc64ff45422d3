"""One endpoint in plain JSON: what programs send, what comes back, and why nothing does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from qa import Answer, ArticleBot, Library
from qa.page.api import Endpoints, Turns
from qa.page.opened import OpenedArticles
from qa.page.rest import ANSWER_SCHEMA, openapi, routes
from qa.page.source import source_of
from tests.support.archive import make_article

WESSLER = "Who is Nathan Freed Wessler?"


def client_of(asked: ArticleBot | Library) -> TestClient:
    endpoints = Endpoints(source_of(asked), opened=OpenedArticles(), max_bytes=1000)
    return TestClient(Starlette(routes=routes(endpoints, Turns(2))))


@pytest.fixture
def client(bot: ArticleBot) -> TestClient:
    return client_of(bot)


def test_the_answer_is_that_of_python_under_its_schema(client: TestClient, bot: ArticleBot) -> None:
    reply = client.post("/api/ask", json={"question": WESSLER, "k": 2})
    assert reply.status_code == 200
    jsonschema.validate(reply.json(), ANSWER_SCHEMA)
    assert Answer.from_dict(reply.json()) == bot.ask(WESSLER, k=2)


def test_a_question_is_read_after_the_answers_before(client: TestClient, bot: ArticleBot) -> None:
    first = client.post("/api/ask", json={"question": WESSLER}).json()
    then = {"question": "What did he support?", "history": [first]}
    answer = Answer.from_dict(client.post("/api/ask", json=then).json())
    assert answer == bot.ask(then["question"], history=[Answer.from_dict(first)])
    assert "Wessler" in (answer.interpreted_as or "")


def test_filters_choose_among_the_articles_of_a_library(tmp_path: Path, cache: Path) -> None:
    with Library.open(tmp_path / "news") as library:
        library.add([make_article("The old bridge is shut.", published="2020-01-01", title="Old")])
        library.add([make_article("The new bridge is shut.", published="2021-06-01", title="New")])
        client = client_of(library)
        for filters, quote in (
            ({"since": "2021-01-01"}, "The new bridge is shut."),
            ({"until": "2021-01-01"}, "The old bridge is shut."),
            ({"only": [library.articles()[0].id]}, "The old bridge is shut."),
        ):
            answer = client.post("/api/ask", json={"question": "What is shut?", **filters}).json()
            assert [citation["quote"] for citation in answer["citations"]] == [quote]


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"{", "QuestionError", "not JSON"),
        (b"[]", "QuestionError", "an object with a question"),
        (b'{"question": 5}', "QuestionError", "question must be a text"),
        (b'{"question": " "}', "QuestionError", "question is empty"),
        (b'{"question": "Why?", "K": 5}', "QuestionError", "there is no 'K'"),
        (b'{"question": "Why?", "k": 0}', "QuestionError", "from 1 to 100"),
        (b'{"question": "Why?", "history": "he"}', "QuestionError", "history must be a list"),
        (b'{"question": "Why?", "history": [{}]}', "QuestionError", "cannot be read"),
        (b'{"question": "Why?", "tag": [5]}', "QuestionError", "must be a text"),
        (b'{"question": "Why?", "since": "May"}', "QuestionError", "not a date"),
        (b'{"question": "Why?", "since": "2021-05-18"}', "QuestionError", "several articles"),
    ],
)
def test_what_cannot_be_asked_is_a_problem_of_a_type(
    client: TestClient, body: bytes, kind: str, words: str
) -> None:
    reply = client.post("/api/ask", content=body)
    assert reply.status_code == 400
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert problem["type"] == f"urn:article-qa:{kind}"
    assert problem["status"] == 400
    assert problem["title"]
    assert words in problem["detail"]


def test_the_description_describes_what_is_sent_and_what_comes(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    schemas = described["components"]["schemas"]
    jsonschema.validate({"question": WESSLER, "k": 2, "tag": ["news"]}, schemas["Ask"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"k": 2}, schemas["Ask"])
    answer = client.post("/api/ask", json={"question": WESSLER}).json()
    jsonschema.validate(answer, schemas["Answer"])


def test_beyond_those_that_may_wait_a_question_is_turned_away(
    bot: ArticleBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qa.page.api.MAX_WAITING", 1)
    held, asked = threading.Event(), threading.Event()

    class Slow(Endpoints):
        def ask(self, question: str, **options: Any) -> dict[str, Any]:  # type: ignore[override]
            asked.set()
            held.wait(30)
            return {}

    slow = Slow(source_of(bot), opened=OpenedArticles(), max_bytes=1000)
    with (
        TestClient(Starlette(routes=routes(slow, Turns(1)))) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        first = pool.submit(client.post, "/api/ask", json={"question": "Why?"})
        assert asked.wait(30)
        second = client.post("/api/ask", json={"question": "Why?"})
        held.set()
        assert first.result().status_code == 200
    assert second.status_code == 503
    assert "ask again" in second.json()["detail"]


def test_the_description_names_every_option_of_the_shell_for_a_library(bot: ArticleBot) -> None:
    endpoints = Endpoints(source_of(bot), opened=OpenedArticles(), max_bytes=1000)
    asked = openapi(endpoints)["components"]["schemas"]["Ask"]["properties"]
    assert {"since", "until", "author", "site", "tag", "only", "history"} <= asked.keys()
