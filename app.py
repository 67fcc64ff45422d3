"""The chat page: ask an article in a browser and read each answer in its place.

Gradio's wiring and nothing else: ``qa.page`` renders, ``qa.bot`` answers, and this module
alone imports Gradio. ``python app.py`` serves it; ``python app.py --help`` lists the options.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sys
import tempfile
import threading
from argparse import Namespace
from base64 import b64encode
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # until the page is served, Ctrl-C just ends it
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import index.offline  # noqa: F401 - before Gradio, which would call home
from index.cache_dir import cache_root

# Read while Gradio is imported: where uploads lie, and where the matplotlib it brings may write.
if "GRADIO_TEMP_DIR" not in os.environ:
    os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp(prefix="article-qa-")
    atexit.register(shutil.rmtree, os.environ["GRADIO_TEMP_DIR"], ignore_errors=True)

os.environ.setdefault("MPLCONFIGDIR", str(cache_root() / "matplotlib"))

import gradio as gr
from fastapi import FastAPI
from gradio.events import api as publish
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from index.errors import ArticleQAError
from qa.bot import ArticleBot
from qa.commands.opening import open_named
from qa.commands.serve_options import (
    parse_serve_options,
    read_accounts,
    read_keys,
)
from qa.commands.terminal import complain, takes_any_text
from qa.library import Library
from qa.page import PageController, head
from qa.page.api import Endpoints, Turns
from qa.page.frame import ACTIONS, DIALOGS, EVIDENCE_BAR, NEWS, SHEET_HANDLE, header
from qa.page.guard import Guard, is_loopback
from qa.page.opened import OpenedArticles
from qa.page.rest import routes
from qa.page.source import Source, pdf_of, source_of
from qa.page.tools import HttpTools, tool_server
from qa.sharing.feedback import FeedbackFile

__all__ = ["build_page", "html_pane", "main", "mount"]

TITLE = " · Article QA"
"""How the page's title ends."""

EXAMPLES = (
    "What have civil liberties advocates warned?",
    "What did Nathan Freed Wessler say?",
    "What did Gender Shades find?",
    "Why did Amazon halt police use?",
    "Who wrote this article?",
)


def build_page(controller: PageController, endpoints: Endpoints) -> gr.Blocks:
    """The page and its endpoints; nothing is served yet.

    What moves on it is the page's own script, which calls the endpoints by Gradio's HTTP API:
    Gradio's events live as long as a connection, and a reader's work has to outlive it.
    """
    start = controller.start()
    several = controller.source.first is None
    page = gr.Blocks(title=f"{start['title']}{TITLE}", fill_width=True)
    with page:
        for name in ("ask", "open", "evidence"):
            publish(_friendly(getattr(endpoints, name)), api_name=name)
        for name in ("ask", "open", "show", "judge", "start", "picture"):
            publish(
                getattr(controller, name), api_name=f"page_{name}", api_visibility="undocumented"
            )
        html_pane(
            header(start["title"], start["key"], controller.max_bytes) + DIALOGS, elem_id="header"
        )
        with gr.Row(elem_id="panes"):
            with gr.Column(elem_id="chat"):
                html_pane(
                    f'<section class="conversation" aria-label="Conversation">{start["welcome"]}'
                    "</section>",
                    elem_id="conversation",
                )
                html_pane(f'<div class="slot">{start["filters"]}</div>', elem_id="filter-pane")
                html_pane(NEWS, elem_id="news-pane")
                with gr.Row(elem_id="composer"):
                    gr.Textbox(
                        label="Your question",
                        placeholder=f"Ask {'these articles' if several else 'this article'}",
                        show_label=False,
                        lines=1,
                        max_lines=6,
                        elem_id="question",
                        container=False,
                    )
                    gr.Button("Ask", variant="primary", elem_id="ask", min_width=72)
                html_pane(ACTIONS, elem_id="action-pane")
            with gr.Column(elem_id="reader"):
                html_pane(SHEET_HANDLE, elem_id="sheet-top")
                html_pane(
                    '<section class="slot" aria-label="Article" tabindex="0">'
                    f"{start['article']}</section>",
                    elem_id="article-pane",
                )
                html_pane(EVIDENCE_BAR, elem_id="evidence-pane")
    return page


def html_pane(value: str | None = None, **options: Any) -> gr.HTML:  # noqa: ANN401 - Gradio's own
    """A pane of escaped HTML in our own style.

    Its template stays the default ``${value}``: any other is run as a JavaScript template
    literal together with the text in it.
    """
    return gr.HTML(value, apply_default_css=False, **{"js_on_load": None} | options)


def _friendly(endpoint: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """An endpoint whose errors reach the caller in words, as the page hides all others."""

    @wraps(endpoint)
    def call(*args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - as the endpoint's
        try:
            return endpoint(*args, **kwargs)
        except ArticleQAError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return call


def _theme() -> gr.themes.Base:
    """Colours and fonts of Gradio's own controls; system fonts, so that none is fetched."""
    return gr.themes.Base(
        primary_hue="teal",
        neutral_hue="stone",
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "monospace"],
    ).set(
        body_background_fill="#fbfaf7",
        body_background_fill_dark="#16181a",
        body_text_color="#22262a",
        body_text_color_dark="#e6e3dc",
    )


def _health(request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok", "version": version("article-qa")})


def mount(site: FastAPI, path: str, asked: ArticleBot | Library) -> None:
    """Serve the page, and its ``api/ask``, under a path of another app.

    Who may reach it is the other app's business: its names, its login.

    Args:
        site: The other app.
        path: As ``/ask``.
        asked: What answers.
    """
    options = parse_serve_options(["--host=0.0.0.0"], {})  # any name that the other app has
    page, settings = _page(source_of(asked), options, [], examples=())
    gr.mount_gradio_app(site, page, path, **settings)


def main(argv: list[str] | None = None, *, prog: str = "app.py") -> int:
    """Serve the page until the process is asked to stop; gives the exit status.

    Args:
        argv: The options; those of the process if None.
        prog: What the command is called in its help.
    """
    takes_any_text(sys.stdout)
    options = parse_serve_options(sys.argv[1:] if argv is None else argv, os.environ, prog=prog)
    try:
        accounts = read_accounts(options.auth) if options.auth else []
        credentials = [f"Bearer {key}" for key in read_keys(options.api_key)]
        credentials += [
            f"Basic {b64encode(f'{name}:{word}'.encode()).decode()}" for name, word in accounts
        ]
        asked = open_named(options, reader=not options.no_reader)
        named = Path(options.source or "")  # a PDF on this machine is shown as its pages
        source = source_of(asked, pdf_of(named.read_bytes()) if named.is_file() else None)
        examples = () if options.source or options.library else EXAMPLES
        page, settings = _page(source, options, credentials, examples=examples)
    except (ArticleQAError, OSError, ValueError) as error:
        complain(error)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        address = _launch(page, options, auth=accounts or None, **settings)
    except OSError as error:
        complain(error)
        return 2
    if options.auth and os.name == "posix" and options.auth.stat().st_mode & 0o077:
        complain(f"others on this machine can read {options.auth}; run: chmod 600 {options.auth}")
    if not accounts and not is_loopback(options.host):
        complain(
            f"anyone who can reach {options.host} can read the article and ask;"
            " give --auth FILE to ask for an account"
        )
    sys.stdout.write(f"{str(page.title).removesuffix(TITLE)}\n{address}\n")
    sys.stdout.flush()
    # Windows delivers Ctrl-C to a thread only when it wakes.
    while not stop.wait(0.5):
        pass
    page.close(verbose=False)
    return 0


def _page(
    source: Source, options: Namespace, credentials: list[str], *, examples: tuple[str, ...]
) -> tuple[gr.Blocks, dict[str, Any]]:
    """The page, and how it is served, be it on its own or within another app."""
    opened = OpenedArticles()
    controller = PageController(
        source,
        opened=opened,
        examples=examples,
        feedback=FeedbackFile(options.feedback),
        max_bytes=options.max_upload,
        allow_private=options.allow_private,
        reader=not options.no_reader,
    )
    endpoints = Endpoints(source, opened=opened, max_bytes=options.max_upload)
    page = build_page(controller, endpoints)
    page.queue(default_concurrency_limit=options.concurrency, max_size=256)
    turns = Turns(options.concurrency)
    beside = [Route("/health", _health), *routes(endpoints, turns)]
    if options.mcp:
        beside.append(Route("/mcp", HttpTools(tool_server(endpoints, turns)), methods=["POST"]))
    guard = Middleware(
        Guard,
        head=head(str(page.title)),
        host=options.host,
        # A file travels in base64, a third longer.
        max_body=options.max_upload * 4 // 3 + 2**20,
        allowed=options.allow_host,
        proxied=bool(options.root_path),
        credentials=credentials,
    )
    return page, {
        "app_kwargs": {"routes": beside, "middleware": [guard]},
        "max_file_size": options.max_upload,
        "blocked_paths": [os.path.abspath(p) for p in (options.source, options.library) if p],
        "allowed_paths": [],
        "theme": _theme(),
        "show_error": False,
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "footer_links": [],
        "mcp_server": False,
    }


def _launch(page: gr.Blocks, options: Namespace, **settings: Any) -> str:  # noqa: ANN401 - Gradio's
    """Serve, for this machine alone unless told otherwise; gives the address."""
    _, address, _ = page.launch(
        server_name=options.host,
        server_port=options.port,
        root_path=options.root_path,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        strict_cors=True,
        # Else Gradio asks itself for the page, and gives up when a busy machine takes 3 s.
        _frontend=False,
        **settings,
    )
    return address


if __name__ == "__main__":
    sys.exit(main())
