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
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
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
from gradio.events import api as publish
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from index.archive.folder.store import is_library_folder
from index.errors import ArticleQAError
from index.models.encoder import Progress
from index.reading.reader import read_source
from index.single.storage import is_article_folder, is_index_folder
from qa.bot import ArticleBot
from qa.commands.serve_options import is_loopback, parse_serve_options, read_accounts
from qa.commands.terminal import complain, takes_any_text, terminal_progress
from qa.folder_sync import open_folder
from qa.library import Library
from qa.page import PageController, head
from qa.page.api import Endpoints
from qa.page.frame import ACTIONS, DIALOGS, EVIDENCE_BAR, NEWS, SHEET_HANDLE, header
from qa.page.guard import Guard
from qa.page.opened import OpenedArticles
from qa.page.source import ArticleSource, LibrarySource, Source, pdf_of
from qa.sharing.feedback import FeedbackFile

__all__ = ["build_page", "html_pane", "main"]

FIRST_PORT = 7860

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
    page = gr.Blocks(title=f"{start['title']} · Article QA", fill_width=True)
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
                        autofocus=True,
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


def main(argv: list[str] | None = None, *, prog: str = "app.py") -> int:
    """Serve the page until the process is asked to stop; gives the exit status.

    Args:
        argv: The options; those of the process if None.
        prog: What the command is called in its help.
    """
    takes_any_text(sys.stdout)
    options = parse_serve_options(sys.argv[1:] if argv is None else argv, os.environ, prog=prog)
    try:
        accounts = read_accounts(options.auth) if options.auth else None
        with terminal_progress() as progress:
            source = _source(options, progress)
    except (ArticleQAError, OSError, ValueError) as error:
        complain(error)
        return 2
    opened = OpenedArticles()
    controller = PageController(
        source,
        opened=opened,
        examples=() if options.source or options.library else EXAMPLES,
        feedback=FeedbackFile(options.feedback),
        max_bytes=options.max_upload,
        allow_private=options.allow_private,
        reader=not options.no_reader,
    )
    page = build_page(controller, Endpoints(source, opened=opened, max_bytes=options.max_upload))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        address = _launch(page, options, accounts)
        if options.mcp and not page.mcp_server_obj:
            raise OSError("the mcp package does not fit; run: pip install -U 'article-qa[mcp]'")
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
    sys.stdout.write(f"{controller.start()['title']}\n{address}\n")
    sys.stdout.flush()
    # Windows delivers Ctrl-C to a thread only when it wakes.
    while not stop.wait(0.5):
        pass
    page.close(verbose=False)
    return 0


def _source(options: Namespace, progress: Progress | None) -> Source:
    """What the options say is to be asked."""
    path, model, reader = options.library or options.source, options.model, not options.no_reader
    if options.library or is_library_folder(path or ""):
        library = Library.open(path, model=model, create=False, reader=reader, progress=progress)
        return LibrarySource(library)
    if is_article_folder(path):
        return LibrarySource(open_folder(path, model=model, reader=reader, progress=progress))
    settings: dict[str, Any] = {
        "model": model, "reranker": options.reranker, "reader": reader, "progress": progress
    }  # fmt: skip
    if path is None or is_index_folder(path):
        return ArticleSource(ArticleBot.open(path, **settings))
    article, data = read_source(path, allow_private=options.allow_private)
    return ArticleSource(ArticleBot.from_article(article, **settings), pdf_of(data))


def _launch(page: gr.Blocks, options: Namespace, accounts: list[tuple[str, str]] | None) -> str:
    """Serve, for this machine alone unless told otherwise; gives the address."""
    page.queue(default_concurrency_limit=options.concurrency, max_size=256)
    _, address, _ = page.launch(
        server_name=options.host,
        server_port=options.port,
        auth=accounts,
        root_path=options.root_path,
        max_file_size=options.max_upload,
        mcp_server=options.mcp,
        blocked_paths=[os.path.abspath(p) for p in (options.source, options.library) if p],
        allowed_paths=[],
        app_kwargs={
            "routes": [Route("/health", _health)],
            "middleware": [
                Middleware(
                    Guard,
                    head=head(str(page.title or "")),
                    host=options.host,
                    # A file travels in base64, a third longer.
                    max_body=options.max_upload * 4 // 3 + 2**20,
                    allowed=options.allow_host,
                    proxied=bool(options.root_path),
                )
            ],
        },
        theme=_theme(),
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        strict_cors=True,
        show_error=False,
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        footer_links=[],
        # Else Gradio asks itself for the page, and gives up when a busy machine takes 3 s.
        _frontend=False,
    )
    return address


if __name__ == "__main__":
    sys.exit(main())
