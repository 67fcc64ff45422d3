"""What happens on an open page: a visit goes in, a view and the next visit come out.

A visit is a value that the server keeps for one open page, so two readers never see each
other's article or questions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

from index.archive.store import Where
from index.article import Article
from index.errors import ArticleQAError, SourceError
from index.models.encoder import Progress
from index.reading.plaintext import article_from_text
from index.reading.reader import bundled_article, is_address, read_article
from qa.page.answer_view import Turn, render_conversation
from qa.page.article_view import render_article
from qa.page.catalogue_view import LISTED, NAMES, render_catalogue, render_filters, where_of
from qa.page.markup import escape, transferable
from qa.page.source import ArticleSource, Opened, Source
from qa.sharing.feedback import FeedbackFile, Verdict, feedback_record

__all__ = ["Reception", "View", "Visit"]

SUGGESTIONS = 3
RESTARTED = (
    "The server no longer has this conversation: it was restarted, or the page was left for long."
    " The article on the page is the one it serves; open yours again if you had another."
)


@dataclass(frozen=True)
class Visit:
    """What one open page has seen so far.

    Attributes:
        source: What it asks; None for what is served to all.
        turns: Its questions and answers, oldest first.
    """

    source: Source | None = None
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True)
class View:
    """What changes on the page; None leaves a part as it is.

    Attributes:
        question: Text of the question box.
        conversation: HTML of the chat.
        article: HTML of the article, or of the articles to choose from.
        filters: HTML of the form that says which articles are asked.
        stamp: What the page sends back to prove that the server still knows it.
        visit: What the server keeps of it.
        status: HTML of the line under the form that opens articles.
    """

    question: str | None = None
    conversation: str | None = None
    article: str | None = None
    filters: str | None = None
    stamp: str | None = None
    visit: Visit | None = None
    status: str | None = None


class Reception:
    """Serves one source to every visit, and to each the articles it opens itself."""

    def __init__(
        self,
        source: Source,
        *,
        examples: tuple[str, ...] = (),
        feedback: FeedbackFile,
        max_bytes: int,
        allow_private: bool = False,
    ) -> None:
        """Serve a source.

        Args:
            source: The article, or the library, that a visit begins with.
            examples: Questions to offer about it.
            feedback: Where verdicts go.
            max_bytes: Size of the largest article that is taken, as UTF-8.
            allow_private: Also fetch addresses of this machine and the local network.
        """
        self.source = source
        self._allow_private = allow_private
        self._examples = examples
        self._feedback = feedback
        self._max_bytes = max_bytes

    def arrive(self, notice: str | None = None) -> View:
        """The page as a new visit finds it."""
        return self._enter(Visit(), notice=notice)

    def ask(
        self, question: str, stamp: str, visit: Visit, how: Mapping[str, Any] | None = None
    ) -> Iterator[View]:
        """Answer a question: first that it is being read, then what came of it.

        Args:
            question: As the reader wrote it.
            stamp: What the page says it shows.
            visit: What the server knows of the page.
            how: ``alone`` to read it without those before it, and ``filters`` as ``where_of``
                takes them. It comes from the page.
        """
        source = self._source(visit)
        if not _knows(source, visit, stamp):
            yield replace(self.arrive(RESTARTED), question=question)
            return
        # The page empties the question box, unless the next question is being typed there already.
        yield View(conversation=self._talk(visit, pending=question))
        begin = time.perf_counter()
        how = how or {}
        try:
            history = [] if how.get("alone") else [turn.answer for turn in visit.turns]
            answer = source.ask(
                transferable(question), history=history, where=where_of(how.get("filters") or {})
            )
            # In a library the best sentence's article opens with the answer.
            opens = source.first is None and answer.found
            article = self._article(source, answer.citations[0].article.id) if opens else None
        except ArticleQAError as error:
            yield View(question=question, conversation=self._talk(visit, notice=_line(error)))
            return
        turn = Turn(answer, time.perf_counter() - begin)
        visit = replace(visit, turns=(*visit.turns, turn))
        yield View(
            conversation=self._talk(visit),
            article=article,
            stamp=_stamp(source, visit),
            visit=visit,
        )

    def show(self, visit: Visit, said: Mapping[str, Any]) -> View:
        """Show one of several articles, or which there are.

        Args:
            visit: Whose page it is.
            said: ``article``, an id, or none for the list of those that fit ``filters``. It
                comes from the page.
        """
        source = self._source(visit)
        try:
            if said.get("article"):
                return View(article=self._article(source, str(said["article"])))
            return View(article=_catalogue(source, where_of(said.get("filters") or {})))
        except ArticleQAError as error:
            return View(article=f'<div class="article" id="article">{_alert(error)}</div>')

    def open_text(self, text: str, title: str, progress: Progress | None = None) -> View:
        """Switch a visit to an article that was pasted."""
        text, title = transferable(text), transferable(title).strip()
        return self._open(
            lambda: article_from_text(text, title=title or None),
            size=len(text.encode()),
            progress=progress,
        )

    def open_file(self, name: str, data: bytes, progress: Progress | None = None) -> View:
        """Switch a visit to an article that was uploaded."""
        stream = BytesIO(data)
        stream.name = name  # what the engine's messages call it
        return self._open(lambda: read_article(stream), size=len(data), progress=progress)

    def open_address(self, address: str, progress: Progress | None = None) -> View:
        """Switch a visit to an article on the web; never to a path of the server's own."""
        address = transferable(address).strip()

        def read() -> Article:
            if not is_address(address):
                raise SourceError("that is no address; give one that begins with https://")
            return read_article(address, allow_private=self._allow_private)

        return self._open(read, progress=progress)

    def judge(self, visit: Visit, said: Mapping[str, Any]) -> None:
        """Keep what a reader said of an answer.

        Args:
            visit: Whose answer it was.
            said: ``verdict`` on the answer of ``turn``, and ``article``, ``start``, ``end`` of
                the sentence that answers, where the reader pointed at one. It comes from the
                page, so what names no verdict, turn or sentence is ignored.

        Raises:
            OSError: The feedback file cannot be written.
        """
        source = self._source(visit)
        right = None
        try:
            answer = dict(enumerate(turn.answer for turn in visit.turns))[said["turn"]]
            verdict = Verdict(said["verdict"])
            cited = next((citation.article.id for citation in answer.citations), source.first)
            judged = said["article"] if "start" in said else cited
            opened = source.open(judged) if judged else None
            if opened and "start" in said:
                right = _units(opened)[said["start"], said["end"]]
        except (KeyError, TypeError, ValueError, ArticleQAError):
            return
        article = opened.article if opened else None
        record = feedback_record(
            answer, verdict, article_hash=article.hash if article else "", right=right
        )
        own = article if article and article.hash != bundled_article().hash else None
        self._feedback.append(record, own)

    def clear(self, visit: Visit) -> View:
        """Forget the conversation and stay with the article."""
        return self._enter(Visit(visit.source))

    def _source(self, visit: Visit) -> Source:
        return visit.source or self.source

    def _enter(self, visit: Visit, notice: str | None = None) -> View:
        source = self._source(visit)
        if source.first is None:
            article = _catalogue(source, None)
            filters = render_filters(source.entries(limit=NAMES))
        else:
            article, filters = self._article(source, source.first), ""
        return View(
            conversation=self._talk(visit, notice=notice),
            article=article,
            filters=filters,
            stamp=_stamp(source, visit),
            visit=visit,
            status="",
        )

    def _article(self, source: Source, article_id: str) -> str:
        opened = source.open(article_id)
        spans = [(sentence.start, sentence.end) for sentence in opened.sentences]
        return render_article(opened.article, spans, several=source.first is None)

    def _talk(self, visit: Visit, *, pending: str | None = None, notice: str | None = None) -> str:
        return render_conversation(
            visit.turns,
            self._suggestions(visit) if pending is None else (),
            pending=pending,
            notice=notice,
            several=self._source(visit).first is None,
        )

    def _suggestions(self, visit: Visit) -> Sequence[str]:
        """Questions to offer next, never one already asked."""
        history = [turn.answer for turn in visit.turns]
        if visit.source is None and self._examples:
            known = {answer.question.casefold() for answer in history}
            return [text for text in self._examples if text.casefold() not in known][:SUGGESTIONS]
        return self._source(visit).suggest(SUGGESTIONS, history)

    def _open(
        self, read: Callable[[], Article], *, size: int = 0, progress: Progress | None
    ) -> View:
        """A visit to the article that is read, or in words why there is none."""
        try:
            if size > self._max_bytes:
                raise SourceError(
                    f"the article has {size / 2**20:.1f} MB, and at most"
                    f" {self._max_bytes / 2**20:.1f} MB are taken here; give a part of it"
                )
            return self._enter(Visit(ArticleSource(self.source.another(read(), progress=progress))))
        except ArticleQAError as error:
            return View(status=_alert(error))


def _units(opened: Opened) -> dict[tuple[int, int], str]:
    """The text of everything on the page that a reader can point at."""
    text = opened.article.text
    spans = [(s.start, s.end) for s in opened.sentences]
    spans += [(b.start, b.end) for b in opened.article.blocks if not b.kind.citable]
    return {(start, end): text[start:end] for start, end in spans}


def _catalogue(source: Source, where: Where | None) -> str:
    return render_catalogue(source.entries(where, limit=LISTED + 1), filtered=where is not None)


def _stamp(source: Source, visit: Visit) -> str:
    return f"{source.key} {len(visit.turns)}"


def _knows(source: Source, visit: Visit, stamp: str) -> bool:
    """Whether the server still has what the page shows.

    It may have a turn more: a question may be sent before the page has drawn the last answer.
    """
    key, _, turns = stamp.rpartition(" ")
    return key == source.key and turns.isdecimal() and int(turns) <= len(visit.turns)


def _alert(error: ArticleQAError) -> str:
    return f'<p class="notice" role="alert" dir="auto">{escape(_line(error))}</p>'


def _line(error: ArticleQAError) -> str:
    """A message of the engine as a sentence of the page."""
    text = str(error)
    # A file's name stays as it is.
    first = text.split(maxsplit=1)[0]
    text = text[:1].upper() + text[1:] if first.isalpha() else text
    return text if text.endswith((".", "?", "!")) else f"{text}."
