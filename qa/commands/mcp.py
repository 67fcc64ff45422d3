"""``article-qa mcp``: tools over standard input and output, for an assistant that starts them."""

from __future__ import annotations

import argparse

from index.errors import QuestionError
from index.extras import require
from qa.commands.opening import open_named
from qa.commands.options import Command, add_library, add_model, add_no_reader, add_source

__all__ = ["COMMANDS"]

CONCURRENCY = 4
MAX_BYTES = 10 * 2**20
"""Of the largest article that is taken."""


def _options(parser: argparse.ArgumentParser) -> None:
    add_source(parser, folders=True)
    add_library(parser, "ask all articles of a library: a folder, or http://host:19530/name")
    add_model(parser)
    add_no_reader(parser)


def run(arguments: argparse.Namespace) -> int:
    """Be an MCP server with the tools ask, open and evidence, on standard input and output."""
    require("mcp", of="mcp")
    if arguments.source == "-":
        raise QuestionError("standard input is where the assistant speaks; name a file")
    from qa.page.api import Endpoints
    from qa.page.opened import OpenedArticles
    from qa.page.source import source_of
    from qa.page.tools import serve_stdio

    source = source_of(open_named(arguments, reader=not arguments.no_reader))
    endpoints = Endpoints(source, opened=OpenedArticles(), max_bytes=MAX_BYTES)
    serve_stdio(endpoints, concurrency=CONCURRENCY)
    return 0


COMMANDS = {"mcp": Command(run, _options)}
