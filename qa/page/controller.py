"""What the page asks of its server: JSON goes in, JSON with escaped HTML comes out.

The server keeps nothing of a reader. The browser holds the conversation and the articles that
the reader brought, and sends with each request what it is about; what is cached here, under a
handle, it can send again. So a reload, a lost connection or a restart loses nothing.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from io import BytesIO
from queue import SimpleQueue
from typing import Any

from index.archive.store import Where
from index.article import Article
from index.errors import ArticleQAError, PrivateAddress, QuestionError, SourceError
from index.models.encoder import Progress
from index.reading.plaintext import article_from_text
from index.reading.reader import bundled_article, is_address, read_source
from index.reading.sandbox import draw_page
from qa.answer import Answer
from qa.page.answer_view import render_suggestions, render_turn, render_welcome
from qa.page.api import answers_before
from qa.page.article_view import render_article
from qa.page.catalogue_view import LISTED, NAMES, render_catalogue, render_filters, where_of
from qa.page.markup import transferable
from qa.page.opened import OpenedArticles
from qa.page.source import ArticleSource, Opened, Source, gather, pdf_of
from qa.sharing.conversation import conversation_as_dict
from qa.sharing.export import html_parts, markdown_parts
from qa.sharing.feedback import FeedbackFile, Verdict, feedback_record

__all__ = ["PageController"]

SUGGESTIONS = 3
FIRST_SUGGESTIONS = 5
MAX_TOGETHER = 50
"""Articles of a reader's own that can be asked together."""
OTHER_ARTICLE = (
    "this server has another article now than the one this conversation is about; the conversation"
    " is kept and can be read and saved, and a new one asks the new article"
)

PRIVATE = (
    "This address is on the server’s own machine or network, where nothing is opened from here."
    " Open it in your browser, save the page, and drop the file here."
)

Json = dict[str, Any]


class PageController:
    """Serves one source to every page, and to each the articles that its reader opens."""

    def __init__(
        self,
        source: Source,
        *,
        opened: OpenedArticles,
        examples: tuple[str, ...] = (),
        feedback: FeedbackFile,
        max_bytes: int,
        allow_private: bool = False,
        reader: bool = True,
    ) -> None:
        """Serve a source.

        Args:
            source: The article, or the library, that a page begins with.
            opened: Where the articles that readers bring along are cached.
            examples: Questions to offer about the source.
            feedback: Where verdicts go.
            max_bytes: Size of the largest article that is taken, as UTF-8.
            allow_private: Also fetch addresses of this machine and the local network.
            reader: As for ``Library.open``, where articles are asked together.
        """
        self._reader = reader
        self.source = source
        self.max_bytes = max_bytes
        self._opened = opened
        self._examples = examples
        self._feedback = feedback
        self._allow_private = allow_private

    def start(self) -> Json:
        """What a page begins with, or goes back to."""
        return {"key": self.source.key, **self._shown(self.source)}

    def ask(self, request: Json) -> Json:
        """Answer a question.

        Args:
            request: ``question``; ``article``, a handle, or "" for what is served under ``key``;
                ``history``, the answers before as ``Answer.to_dict``; ``filters`` as ``where_of``
                takes them.

        Returns:
            The turn as HTML and for saving, and what to ask next; or ``error``; or ``gone`` where
            the handle is no longer known.
        """
        return self._answered(request, lambda source: self._ask(source, request))

    def show(self, request: Json) -> Json:
        """One article of several (``id``), or the list of those that fit ``filters``."""

        def show(source: Source) -> Json:
            if request.get("id"):
                return {"article": _article(source, str(request["id"]))}
            return {"article": _catalogue(source, _where(request))}

        return self._answered(request, show)

    def picture(self, request: Json) -> Json:
        """A ``page`` of the PDF that an article, of several that with an ``id``, was read from."""

        def picture(source: Source) -> Json:
            opened = source.open(str(request.get("id") or source.first))
            number = request.get("page")
            if opened.pdf is None or not isinstance(number, int) or number < 1:
                return {}
            drawn = base64.b64encode(draw_page(opened.pdf, number)).decode("ascii")
            return {"picture": f"data:image/webp;base64,{drawn}"}

        return self._answered(request, picture)

    def open(self, request: Json) -> Iterator[Json]:
        """Open an article that a reader brings; gives its progress and at last the article.

        Args:
            request: ``text`` and ``title``; or a file's ``name`` and its ``data`` in base64; or
                an ``address``; or the ``record`` that came back when it was opened first, with
                the ``data`` of its PDF; or several ``records``, to be asked together.
        """
        told: SimpleQueue[Json] = SimpleQueue()

        def progress(what: str, done: int, total: int) -> None:
            told.put({"progress": what, "done": done, "total": total})

        def work() -> None:
            try:
                open_ = self._gather if "records" in request else self._open
                told.put(open_(request, progress))
            except PrivateAddress:
                told.put({"error": PRIVATE})
            except ArticleQAError as error:
                told.put({"error": _line(error)})
            except Exception:
                told.put({"error": "This article could not be read."})
                raise

        threading.Thread(target=work, daemon=True).start()
        while True:
            news = told.get()
            yield news
            if "progress" not in news:
                return

    def judge(self, request: Json) -> Json:
        """Keep what a reader said of an answer.

        Args:
            request: ``verdict`` on an ``answer``, and ``id``, ``start`` and ``end`` of the
                sentence that answers, where the reader pointed at one. What does not fit the
                articles that are open here is ignored: it comes from the page.

        Raises:
            OSError: The feedback file cannot be written.
        """

        def judge(source: Source) -> Json:
            try:
                answer = Answer.from_dict(request["answer"])
                verdict = Verdict(request["verdict"])
                cited = [citation.article.id for citation in answer.citations]
                corrected = "start" in request
                judged = str(request["id"]) if corrected else next(iter(cited), source.first)
                opened = source.open(judged) if judged is not None else None
                right = None
                if opened and corrected:
                    right = _units(opened)[request["start"], request["end"]]
                for citation in answer.citations:
                    text = source.open(citation.article.id).article.text
                    if text[citation.start : citation.end] != citation.quote:
                        return {}
            except (KeyError, TypeError, ValueError, ArticleQAError):
                return {}
            article = opened.article if opened else None
            record = feedback_record(
                answer, verdict, article_hash=article.hash if article else "", right=right
            )
            own = article if article and article.hash != bundled_article().hash else None
            self._feedback.append(record, own)
            return {"kept": True}

        return self._answered(request, judge)

    def _answered(self, request: Json, answer: Callable[[Source], Json]) -> Json:
        """What an answer gives for the source that a request names, or in words why it can't."""
        handle = request.get("article") or ""
        try:
            source = self._opened.get(str(handle)) if handle else self.source
            if source is None:
                return {"gone": True}
            if not handle and request.get("key") != source.key:
                raise QuestionError(OTHER_ARTICLE)
            return answer(source)
        except ArticleQAError as error:
            return {"error": _line(error)}

    def _ask(self, source: Source, request: Json) -> Json:
        history = answers_before(request.get("history"))
        question = transferable(str(request.get("question") or ""))
        answer = source.ask(question, history=history, where=_where(request))
        several = source.first is None
        title = None if several else source.open(source.first or "").article.title
        asked = datetime.now(timezone.utc).isoformat(timespec="seconds")
        # In a library the best sentence's article opens with the answer.
        opens = several and answer.found
        return {
            "turn": render_turn(answer, several=several),
            "answer": answer.to_dict(),
            "saved": {
                "json": conversation_as_dict([answer], asked=asked),
                "md": asdict(markdown_parts([answer], title=title, asked=asked)),
                "html": asdict(html_parts([answer], title=title, asked=asked)),
            },
            "next": render_suggestions(
                self._suggestions(source, [*history, answer], SUGGESTIONS), asked=True
            ),
            "article": _article(source, answer.citations[0].article.id) if opens else None,
        }

    def _read(self, request: Json) -> tuple[Article, bytes]:
        """The article that a request brings, and the bytes that it was read from.

        Raises:
            SourceError: It brings none, or one that is too large.
        """
        given = {name: value for name, value in request.items() if isinstance(value, str)}
        if "record" in request:
            return self._kept(request["record"]), self._decoded(given.get("data", ""))
        if "address" in given:
            address = transferable(given["address"]).strip()
            if not is_address(address):
                raise SourceError("that is no address; give one that begins with https://")
            return read_source(address, allow_private=self._allow_private)
        if "data" in given:
            stream = BytesIO(self._decoded(given["data"]))
            stream.name = given.get("name") or "The file"  # what the engine's messages call it
            return read_source(stream)
        text = transferable(given.get("text", ""))
        title = transferable(given.get("title", "")).strip()
        self._check_size(len(text.encode()))
        return article_from_text(text, title=title or None), b""

    def _decoded(self, data: str) -> bytes:
        try:
            decoded = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise SourceError("the file did not arrive whole; open it again") from error
        self._check_size(len(decoded))
        return decoded

    def _kept(self, record: Any) -> Article:  # noqa: ANN401 - whatever a page sends
        """An article as this page's server gave it away."""
        try:
            article = Article.from_dict(record)
            self._check_size(len(article.text.encode("utf-8", "replace")))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SourceError("the article that this browser kept is damaged") from error
        return article

    def _check_size(self, size: int) -> None:
        if size > self.max_bytes:
            raise SourceError(
                f"the article has {size / 2**20:.1f} MB, and at most"
                f" {self.max_bytes / 2**20:.1f} MB are taken here; give a part of it"
            )

    def _open(self, request: Json, progress: Progress) -> Json:
        read, data = self._read(request)
        bot, pdf = self.source.another(read, progress=progress), pdf_of(data)
        article = bot.article
        # The browser keeps the file that it did not have.
        fetched = {"data": base64.b64encode(pdf).decode("ascii")} if pdf else {}
        return {
            **(fetched if "address" in request else {}),
            "handle": self._opened.add(bot, pdf),
            "pages": pdf is not None,
            "id": article.id,
            "record": article.to_dict(),
            **self._shown(ArticleSource(bot, pdf)),
        }

    def _gather(self, request: Json, progress: Progress) -> Json:
        records = request["records"]
        if not isinstance(records, list) or not 0 < len(records) <= MAX_TOGETHER:
            raise SourceError(f"at most {MAX_TOGETHER} articles can be asked together")
        articles = [self._kept(record) for record in records]
        size = sum(len(article.text) for article in articles)
        self._check_size(size)
        source = gather(articles, model=self.source.model, reader=self._reader, progress=progress)
        handle = self._opened.add_source(source, size)
        return {"handle": handle, **self._shown(source), "title": f"{len(articles)} articles"}

    def _shown(self, source: Source) -> Json:
        """What a page begins with that asks a source."""
        several = source.first is None
        if source.first is None:
            article = _catalogue(source, None)
            filters, title = render_filters(source.entries(limit=NAMES)), "All articles"
        else:
            article, filters = _article(source, source.first), ""
            title = source.open(source.first).article.title or "Untitled"
        offered = self._suggestions(source, [], FIRST_SUGGESTIONS)
        welcome = render_welcome(offered, several=several)
        return {"article": article, "filters": filters, "title": title, "welcome": welcome}

    def _suggestions(self, source: Source, history: Sequence[Answer], n: int) -> Sequence[str]:
        """Questions to offer next, never one already asked."""
        if source is self.source and self._examples:
            known = {answer.question.casefold() for answer in history}
            return [text for text in self._examples if text.casefold() not in known][:n]
        return source.suggest(n, history)


def _where(request: Mapping[str, Any]) -> Where | None:
    filters = request.get("filters")
    return where_of(filters) if isinstance(filters, Mapping) else None


def _units(opened: Opened) -> dict[tuple[int, int], str]:
    """The text of everything on the page that a reader can point at."""
    text = opened.article.text
    spans = [(s.start, s.end) for s in opened.sentences]
    spans += [(b.start, b.end) for b in opened.article.blocks if not b.kind.citable]
    return {(start, end): text[start:end] for start, end in spans}


def _article(source: Source, article_id: str) -> str:
    opened = source.open(article_id)
    spans = [(sentence.start, sentence.end) for sentence in opened.sentences]
    return render_article(opened.article, spans, several=source.first is None, pdf=opened.pdf)


def _catalogue(source: Source, where: Where | None) -> str:
    return render_catalogue(source.entries(where, limit=LISTED + 1), filtered=where is not None)


def _line(error: ArticleQAError) -> str:
    """A message of the engine as a sentence of the page."""
    text = transferable(str(error))
    # A file's name stays as it is.
    first = text.split(maxsplit=1)[0]
    text = text[:1].upper() + text[1:] if first.isalpha() else text
    return text if text.endswith((".", "?", "!")) else f"{text}."
