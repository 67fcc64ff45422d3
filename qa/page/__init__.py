"""The chat page without its server: what it asks of it, escaped HTML, style and script."""

from __future__ import annotations

from importlib import import_module, resources
from typing import TYPE_CHECKING

from qa.page.controller import PageController
from qa.page.markup import escape

if TYPE_CHECKING:
    from fastapi import FastAPI

    from qa.bot import ArticleBot
    from qa.library import Library

__all__ = ["PageController", "head", "mount"]

_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='4' fill='%230b6b62'/%3E%3Cpath d='M4 5h8M4 8h5M4 11h6'"
    " stroke='white' stroke-width='1.6'/%3E%3C/svg%3E"
)


def head(title: str) -> str:
    """What the head of the page holds as it is served, so that no wrong colour is ever seen."""
    scripts = "\n".join(map(_asset, ("scheme.js", "early.js", "store.js", "server.js", "page.js")))
    grounds = "body{background:#fbfaf7!important}.dark body{background:#16181a!important}"
    return (
        f'<meta property="og:title" content="{escape(title)}">'
        '<meta name="description" content="Ask an article: sentences that answer, in their place">'
        f'<link rel="icon" href="{_ICON}"><style>{grounds}{_asset("page.css")}</style>'
        f"<script>{scripts}</script>"
    )


def mount(site: FastAPI, path: str, asked: ArticleBot | Library) -> None:
    """Serve the page, and its ``api/ask``, under a path of a FastAPI app.

    >>> mount(site, "/ask", ArticleBot.open("article.html"))
    """
    import_module("app").mount(site, path, asked)  # which alone imports Gradio


def _asset(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
