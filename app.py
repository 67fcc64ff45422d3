"""The chat page: ask an article in a browser and read each answer in its place.

Gradio's wiring and nothing else: ``qa.page`` renders, ``qa.bot`` answers, and this module
alone imports Gradio. ``python app.py`` serves it; ``python app.py --help`` lists the options.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import Any

import index.offline  # noqa: F401 - before Gradio, which would call home
from index.cache_dir import cache_root

# Read while Gradio is imported: where uploads lie, and where the matplotlib it brings may write.
if "GRADIO_TEMP_DIR" not in os.environ:
    os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp(prefix="article-qa-")
    atexit.register(shutil.rmtree, os.environ["GRADIO_TEMP_DIR"], ignore_errors=True)

os.environ.setdefault("MPLCONFIGDIR", str(cache_root() / "matplotlib"))

import gradio as gr
from gradio.events import api as publish
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.archive.folder.store import is_library_folder
from index.errors import ArticleQAError
from index.models.encoder import Progress
from index.single.storage import is_article_folder
from qa.bot import ArticleBot
from qa.commands.serve_options import is_loopback, parse_serve_options, read_accounts
from qa.commands.terminal import takes_any_text, terminal_progress
from qa.folder_sync import open_folder
from qa.library import Library
from qa.page import Reception, View, Visit, early, script, style
from qa.page.api import Endpoints
from qa.page.frame import CONNECTION, EVIDENCE_BAR, ON_EVENTS, SHEET_HANDLE, header
from qa.page.source import ArticleSource, LibrarySource, Source
from qa.sharing.export import conversation_as_dict, conversation_as_html, conversation_as_markdown
from qa.sharing.feedback import FeedbackFile

__all__ = ["build_page", "html_pane", "main"]

FIRST_PORT = 7860
# One reader's conversation at most this long after the last question, and so many at a time.
VISIT_SECONDS = 12 * 3600
MAX_VISITS = 500

EXAMPLES = (
    "What have civil liberties advocates warned?",
    "What did Nathan Freed Wessler say?",
    "What did Gender Shades find?",
    "Why did Amazon halt police use of Rekognition?",
    "Who wrote this article?",
)

# Gradio hands each event a tracker of its own where the default is one of these.
_PROGRESS = gr.Progress()


def build_page(reception: Reception, endpoints: Endpoints) -> gr.Blocks:
    """The page, its events and its endpoints; nothing is served yet."""
    first = reception.arrive()
    several = reception.source.first is None
    what = "articles" if several else "article"
    page = gr.Blocks(title=f"Ask the {what}", fill_width=True, delete_cache=(3600, 3600))
    with page:
        visit = gr.State(Visit(), time_to_live=VISIT_SECONDS)
        stamp = gr.Textbox(first.stamp, visible=False)
        how = gr.JSON({}, visible=False)
        download = gr.JSON(visible=False)
        # First, so that no event of the page takes their names.
        for name in ("ask", "open", "evidence"):
            publish(_friendly(getattr(endpoints, name)), api_name=name)
        html_pane(header(several), elem_id="header")
        with gr.Row(elem_id="panes"):
            with gr.Column(elem_id="chat"):
                talk = html_pane(first.conversation, elem_id="conversation", js_on_load=ON_EVENTS)
                filters = html_pane(first.filters, elem_id="filter-pane")
                html_pane(CONNECTION, elem_id="connection-pane")
                with gr.Row(elem_id="composer"):
                    question = gr.Textbox(
                        label="Your question",
                        placeholder=f"Ask about the {what}",
                        show_label=False,
                        lines=1,
                        max_lines=6,
                        autofocus=True,
                        elem_id="question",
                        container=False,
                    )
                    send = gr.Button("Ask", variant="primary", elem_id="ask", min_width=72)
                with gr.Row(elem_id="take-away"):
                    savers = [
                        (gr.Button(name, size="sm", elem_classes="quiet"), make)
                        for name, make in _EXPORTS.items()
                    ]
                    clear = gr.Button("New conversation", size="sm", elem_classes="quiet")
            with gr.Column(elem_id="reader"):
                html_pane(SHEET_HANDLE, elem_id="sheet-top")
                with gr.Accordion("Open another article", open=False, elem_id="open") as panel:
                    with gr.Row():
                        address = gr.Textbox(label="Address of a page", max_lines=1, scale=4)
                        fetch = gr.Button("Open this page", scale=1)
                    text = gr.Textbox(label="Text of an article", lines=3, max_lines=8)
                    title = gr.Textbox(label="Its title (optional)", max_lines=1)
                    with gr.Row():
                        read = gr.Button("Open this text")
                        upload = gr.UploadButton("Upload a file", type="filepath")
                    status = html_pane(elem_id="status")
                home = gr.Button(
                    "Back to the library" if several else "Back to the first article",
                    visible=False,
                    elem_id="home",
                )
                article = html_pane(first.article, elem_id="article-pane")
                html_pane(EVIDENCE_BAR, elem_id="evidence-pane")

        parts = [question, talk, article, filters, stamp, visit, status, panel, home]

        def ask(
            question: str, stamp: str, visit: Visit, how: dict[str, Any]
        ) -> Iterator[tuple[Any, ...]]:
            for view in reception.ask(question, stamp, visit, how):
                yield _parts(view)

        def show(visit: Visit, wanted: dict[str, Any]) -> str:
            return reception.show(visit, wanted).article or ""

        def open_text(text: str, title: str, progress: gr.Progress = _PROGRESS) -> tuple[Any, ...]:
            return _parts(reception.open_text(text, title, _rendered(progress)))

        def open_address(address: str, progress: gr.Progress = _PROGRESS) -> tuple[Any, ...]:
            return _parts(reception.open_address(address, _rendered(progress)))

        def open_file(path: str, progress: gr.Progress = _PROGRESS) -> tuple[Any, ...]:
            file = Path(path)
            return _parts(reception.open_file(file.name, file.read_bytes(), _rendered(progress)))

        def judge(visit: Visit, event: gr.EventData) -> None:
            reception.judge(visit, event._data)

        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        # By default Gradio drops what is asked before it has wound up the answer before, which it
        # does some time after that answer is on the page.
        asking = private | {"trigger_mode": "always_last"}
        told = """(typed, stamp) => {
            const [question, how] = articlePage.next(typed);
            return [question, stamp, null, how];
        }"""
        asked = [question, stamp, visit, how]
        gr.on([question.submit, send.click], ask, asked, parts, js=told, **asking)
        # What is deferred forgets the data of its event: the page is asked for it when it is sent.
        told = "() => [null, articlePage.wanted()]"
        talk.show(show, [visit, how], article, js=told, **asking)
        opening = private | {"show_progress": "full", "show_progress_on": status}
        read.click(open_text, [text, title], parts, **opening)
        gr.on([fetch.click, address.submit], open_address, address, parts, **opening)
        upload.upload(open_file, upload, parts, **opening)
        _keep_current(page, reception, first, [article, filters], **private)
        home.click(lambda: _parts(reception.arrive()), None, parts, **private)
        clear.click(lambda visit: _parts(reception.clear(visit)), visit, parts, **private)
        talk.verdict(judge, visit, None, **private | {"trigger_mode": "multiple"})
        for button, make in savers:
            button.click(make, visit, download, **private).then(
                None, download, None, js="(file) => articlePage.save(file)"
            )
    return page


def _keep_current(
    page: gr.Blocks,
    reception: Reception,
    made: View,
    panes: list[gr.HTML],
    **options: Any,  # noqa: ANN401 - Gradio's own
) -> None:
    """Let a visit to a library find what is in it now, not what was when the page was made."""

    def changed() -> tuple[Any, ...]:
        now = reception.arrive()
        # What is the same is not sent: the reader may have gone on by then.
        same = (now.article, now.filters) == (made.article, made.filters)
        return (gr.skip(), gr.skip()) if same else (now.article, now.filters)

    if reception.source.first is None:
        page.load(changed, None, panes, **options)


def html_pane(value: str | None = None, **options: Any) -> gr.HTML:  # noqa: ANN401 - Gradio's own
    """A pane of escaped HTML in our own style.

    Its template stays the default ``${value}``: any other is run as a JavaScript template
    literal together with the text in it.
    """
    return gr.HTML(value, apply_default_css=False, **{"js_on_load": None} | options)


def _parts(view: View) -> tuple[Any, ...]:
    """A view as outputs of an event; what it leaves as it is is skipped."""
    values: list[Any] = [
        view.question,
        view.conversation,
        view.article,
        view.filters,
        view.stamp,
        view.visit,
        view.status,
    ]
    if view.visit is not None and view.article is not None:  # another article is open now
        values += [gr.Accordion(open=False), gr.Button(visible=view.visit.source is not None)]
    else:
        values += [None, None]
    return tuple(gr.skip() if value is None else value for value in values)


def _rendered(progress: gr.Progress) -> Callable[[str, int, int], None]:
    """The engine's progress on Gradio's bar."""
    return lambda what, done, total: progress((done, total), desc=what)


def _friendly(endpoint: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """An endpoint whose errors reach the caller in words, as the page hides all others."""

    @wraps(endpoint)
    def call(*args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - as the endpoint's
        try:
            return endpoint(*args, **kwargs)
        except ArticleQAError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return call


def _export(form: str, kind: str, write: Callable[..., str]) -> Callable[[Visit], dict[str, str]]:
    def make(visit: Visit) -> dict[str, str]:
        text = write([turn.answer for turn in visit.turns])
        return {"name": f"conversation.{form}", "type": kind, "text": text}

    return make


_EXPORTS = {
    "Save as Markdown": _export("md", "text/markdown", conversation_as_markdown),
    "HTML": _export("html", "text/html", conversation_as_html),
    "JSON": _export(
        "json",
        "application/json",
        lambda answers: json.dumps(conversation_as_dict(answers), indent=2),
    ),
}


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


class _Early:
    """Puts HTML into the head of the page as it is served.

    What Gradio takes as ``head`` it adds in the browser, after the page was first drawn.
    """

    def __init__(self, app: ASGIApp, html: bytes) -> None:
        self._app = app
        self._html = html

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def kept(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            headers = MutableHeaders(raw=start["headers"])
            if headers.get("content-type", "").startswith("text/html") and body:
                body = body.replace(b"</head>", self._html + b"</head>", 1)
                headers["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, kept)


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
        sys.stderr.write(f"article-qa: {error}\n")
        return 2
    reception = Reception(
        source,
        examples=() if options.source or options.library else EXAMPLES,
        feedback=FeedbackFile(options.feedback),
        max_bytes=options.max_upload,
        allow_private=options.allow_private,
    )
    page = build_page(reception, Endpoints(source, max_bytes=options.max_upload))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        address = _launch(page, options, accounts)
    except OSError as error:
        sys.stderr.write(f"article-qa: {error}\n")
        return 2
    if not accounts and not is_loopback(options.host):
        sys.stderr.write(
            f"article-qa: anyone who can reach {options.host} can read the article and ask;"
            " give --auth FILE to ask for an account\n"
        )
    title = (
        source.open(source.first).article.title or "The article" if source.first else "A library"
    )
    sys.stdout.write(f"{title or 'The article'}\n{address}\n")
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
    return ArticleSource(
        ArticleBot.open(
            options.source,
            allow_private=options.allow_private,
            model=options.model,
            reranker=options.reranker,
            reader=reader,
            progress=progress,
        )
    )


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
        state_session_capacity=MAX_VISITS,
        app_kwargs={
            "routes": [Route("/health", _health)],
            "middleware": [Middleware(_Early, html=early().encode())],
        },
        theme=_theme(),
        head=f"<style>{style()}</style><script>{script()}</script>",
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        strict_cors=True,
        show_error=False,
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        footer_links=[],
    )
    return address


if __name__ == "__main__":
    sys.exit(main())
