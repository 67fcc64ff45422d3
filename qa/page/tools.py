"""The same calls as tools of the Model Context Protocol, answered with structured JSON.

Needs the extra: ``pip install 'article-qa[mcp]'``.
"""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from inspect import getdoc
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from starlette.types import Receive, Scope, Send

from index.errors import QuestionError
from index.extras import require
from qa.page.api import Endpoints, Turns
from qa.page.rest import ANSWER_SCHEMA

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

__all__ = ["HttpTools", "serve_stdio", "tool_server"]


def tool_server(endpoints: Endpoints, turns: Turns) -> Server[Any, Any]:
    """A server of the tools ``ask``, ``open`` and ``evidence``.

    Raises:
        MissingExtra: The package ``mcp`` is not installed.
    """
    require("mcp", of="mcp")
    from mcp.server.lowlevel import Server
    from mcp.types import Tool

    server: Server[Any, Any] = Server(
        "article-qa",
        version=version("article-qa"),
        instructions="Ask articles questions: sentences that answer come back, quoted exactly.",
    )
    calls = {name: getattr(endpoints, name) for name in ("ask", "open", "evidence")}

    @server.list_tools()  # type: ignore[no-untyped-call, untyped-decorator]
    async def tools() -> list[Tool]:
        return [
            Tool(
                name=name,
                description=getdoc(call),
                inputSchema=TypeAdapter(call).json_schema(),
                outputSchema=ANSWER_SCHEMA if name == "ask" else {"type": "object"},
            )
            for name, call in calls.items()
        ]

    @server.call_tool()  # type: ignore[untyped-decorator]
    async def call_tool(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if name not in calls:
            raise QuestionError(f"there is no tool {name!r}; there are {', '.join(calls)}")
        return await turns.take(calls[name], **arguments)

    return server


class HttpTools:
    """The tools over HTTP, as an ASGI app: each request stands alone."""

    def __init__(self, server: Server[Any, Any]) -> None:
        """Serve a server's tools."""
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        manager = StreamableHTTPSessionManager(self._server, json_response=True, stateless=True)
        async with manager.run():
            await manager.handle_request(scope, receive, send)


def serve_stdio(endpoints: Endpoints, *, concurrency: int) -> None:
    """Serve the tools over standard input and output until the input ends."""
    server = tool_server(endpoints, Turns(concurrency))
    from mcp.server.stdio import stdio_server

    async def serve() -> None:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    asyncio.run(serve())
