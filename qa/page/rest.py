"""``POST /api/ask``: JSON in, JSON out; ``GET /api/openapi.json`` describes it."""

from __future__ import annotations

import json
from http import HTTPStatus
from importlib import resources
from importlib.metadata import version
from inspect import signature
from typing import Any

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from index.errors import ArticleQAError, LibraryError, QuestionError, UnknownArticle
from qa.page.api import Endpoints, TooBusy, Turns
from qa.page.guard import PROBLEM_TYPE, problem

__all__ = ["ANSWER_SCHEMA", "openapi", "routes"]

ANSWER_SCHEMA: dict[str, Any] = json.loads(
    resources.files("qa").joinpath("answer.schema.json").read_text(encoding="utf-8")
)


def routes(endpoints: Endpoints, turns: Turns) -> list[Route]:
    """What is served beside the page.

    Args:
        endpoints: What answers.
        turns: How many are answered at a time.
    """
    description = _json(openapi(endpoints))

    async def ask(request: Request) -> Response:
        try:
            values = _values(await request.body(), known=[*signature(endpoints.ask).parameters])
            return _json(await turns.take(endpoints.ask, **values))
        except ArticleQAError as error:
            kind = type(error)
            body = problem(_status(error), str(error), kind.__name__, kind.__doc__ or "")
            return Response(body, _status(error), media_type=PROBLEM_TYPE)

    async def describe(request: Request) -> Response:
        return description

    return [
        Route("/api/ask", ask, methods=["POST"]),
        Route("/api/openapi.json", describe, methods=["GET"]),
    ]


def openapi(endpoints: Endpoints) -> dict[str, Any]:
    """The description of the endpoint, as OpenAPI 3.1."""
    failed = {
        "description": "Why there is no answer, as RFC 9457 has it.",
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    answered = {"schema": {"$ref": "#/components/schemas/Answer"}}
    operation = {
        "operationId": "ask",
        "summary": "Find the sentences that answer a question",
        "security": [{}, {"account": []}, {"key": []}],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}},
        },
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": answered}},
            **{str(status): failed for status in (400, 401, 403, 404, 413, 421, 503)},
        },
    }
    texts = {name: {"type": "string"} for name in ("type", "title", "detail")}
    return {
        "openapi": "3.1.0",
        "info": {"title": "article-qa", "version": version("article-qa")},
        "paths": {"/api/ask": {"post": operation}},
        "components": {
            "schemas": {
                "Ask": TypeAdapter(endpoints.ask).json_schema(),
                "Answer": ANSWER_SCHEMA,
                "Problem": {
                    "type": "object",
                    "properties": {**texts, "status": {"type": "integer"}},
                },
            },
            "securitySchemes": {
                "account": {"type": "http", "scheme": "basic"},
                "key": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _values(body: bytes, *, known: list[str]) -> dict[str, Any]:
    """What a request asks with.

    Raises:
        QuestionError: It is no JSON object, or holds what is unknown.
    """
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise QuestionError(f"the body is not JSON: {error}") from error
    if not isinstance(values, dict) or "question" not in values:
        raise QuestionError('the body must be an object with a question: {"question": "Why?"}')
    if unknown := sorted(values.keys() - known):
        raise QuestionError(f"there is no {unknown[0]!r}; there are {', '.join(known)}")
    return values


def _status(error: ArticleQAError) -> HTTPStatus:
    if isinstance(error, UnknownArticle):
        return HTTPStatus.NOT_FOUND
    away = isinstance(error, (LibraryError, TooBusy))
    return HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.BAD_REQUEST


def _json(value: dict[str, Any]) -> Response:
    # ASCII: what was asked may hold characters that no encoding carries.
    return Response(json.dumps(value), media_type="application/json")
