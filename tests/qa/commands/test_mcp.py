"""An assistant that starts the command and calls its tools, by the protocol's own client."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qa import Answer, ArticleBot
from qa.cli import main
from qa.page.rest import ANSWER_SCHEMA

pytest.importorskip("mcp", reason="no mcp: pip install 'article-qa[mcp]'")

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

WESSLER = "Who is Nathan Freed Wessler?"


def call(*calls: tuple[str, dict[str, Any]], source: str = "") -> tuple[list[Any], list[Any]]:
    """The tools that are offered, and what some calls give."""
    command = ["-W", "ignore", "-m", "qa", "mcp", *filter(None, [source])]

    async def session() -> tuple[list[Any], list[Any]]:
        server = StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ))
        async with stdio_client(server) as streams, ClientSession(*streams) as client:
            await client.initialize()
            tools = (await client.list_tools()).tools
            return tools, [await client.call_tool(name, values) for name, values in calls]

    return asyncio.run(session())


def test_the_answer_is_structured_under_its_schema(cache: Path, bot: ArticleBot) -> None:
    wrong = {"question": "Why?", "k": 0}
    tools, (answered, refused, unknown) = call(
        ("ask", {"question": WESSLER, "k": 2}), ("ask", wrong), ("dance", {})
    )
    assert [tool.name for tool in tools] == ["ask", "open", "evidence"]
    assert tools[0].outputSchema == ANSWER_SCHEMA
    jsonschema.validate(answered.structuredContent, ANSWER_SCHEMA)
    assert Answer.from_dict(answered.structuredContent) == bot.ask(WESSLER, k=2)
    assert refused.isError
    assert "from 1 to 100" in refused.content[0].text
    assert unknown.isError
    assert "there are ask, open, evidence" in unknown.content[0].text


def test_an_article_of_ones_own_is_asked_and_shown(cache: Path, tmp_path: Path) -> None:
    source = tmp_path / "pets.txt"
    source.write_text("Cats sleep all day. Dogs bark at night.")
    _, (answered, shown) = call(
        ("ask", {"question": "What do cats do?"}),
        ("evidence", {"start": 0, "end": 19}),
        source=str(source),
    )
    assert answered.structuredContent["citations"][0]["quote"] == "Cats sleep all day."
    assert shown.structuredContent["quote"] == "Cats sleep all day."


def test_standard_input_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mcp", "-"]) == 2
    assert "name a file" in capsys.readouterr().err
