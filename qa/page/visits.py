"""What happens on an open page: a visit goes in, a view and the next visit come out.

A visit is a value that the server keeps for one open page, so two readers never see each
other's article or questions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

from index.article import Article
from index.encoder import Progress
from index.errors import ArticleQAError, SourceError
from index.plaintext import article_from_text
from index.reader import is_address, read_article
from qa.bot import ArticleBot
from qa.feedback import FeedbackFile, Verdict, feedback_record
from qa.page.answer_view import Turn, render_conversation
from qa.page.article_view import render_article
from qa.page.markup import escape, transferable

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
        bot: The article it asks; None for the one that is served.
        turns: Its questions and answers, oldest first.
    """

    bot: ArticleBot | None = None
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True)
class View:
    """What changes on the page; None leaves a part as it is.

    Attributes:
        question: Text of the question box.
        conversation: HTML of the chat.
        article: HTML of the article.
        stamp: What the page sends back to prove that the server still knows it.
        visit: What the server keeps of it.
        status: HTML of the line under the form that opens articles.
    """

    question: str | None = None
    conversation: str | None = None
    article: str | None = None
    stamp: str | None = None
    visit: Visit | None = None
    status: str | None = None


class Reception:
    """Serves one article to every visit, and to each the articles it opens itself."""

    def __init__(
        self,
        bot: ArticleBot,
        *,
        examples: tuple[str, ...] = (),
        feedback: FeedbackFile,
        max_bytes: int,
        allow_private: bool = False,
    ) -> None:
        """Serve a bot.

        Args:
            bot: The article that a visit begins with.
            examples: Questions to offer about it.
            feedback: Where verdicts go.
            max_bytes: Size of the largest article that is taken, as UTF-8.
            allow_private: Also fetch addresses of this machine and the local network.
        """
        self.bot = bot
        self._allow_private = allow_private
        self._examples = examples
        self._feedback = feedback
        self._max_bytes = max_bytes

    def arrive(self, notice: str | None = None) -> View:
        """The page as a new visit finds it."""
        return self._enter(Visit(), notice=notice)

    def ask(self, question: str, stamp: str, visit: Visit) -> Iterator[View]:
        """Answer a question: first that it is being read, then what came of it."""
        if not _knows(self._bot(visit), visit, stamp):
            yield replace(self.arrive(RESTARTED), question=question)
            return
        # The page empties the question box, unless the next question is being typed there already.
        yield View(conversation=self._talk(visit, pending=question))
        begin = time.perf_counter()
        try:
            history = [turn.answer for turn in visit.turns]
            answer = self._bot(visit).ask(transferable(question), history=history)
        except ArticleQAError as error:
            yield View(question=question, conversation=self._talk(visit, notice=_line(error)))
            return
        turn = Turn(answer, time.perf_counter() - begin)
        visit = replace(visit, turns=(*visit.turns, turn))
        yield View(
            conversation=self._talk(visit), stamp=_stamp(self._bot(visit), visit), visit=visit
        )

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
            said: ``verdict`` on the answer of ``turn``, and ``start``, ``end`` of the sentence
                that answers, where the reader pointed at one. It comes from the page, so what
                names no verdict, turn or sentence is ignored.

        Raises:
            OSError: The feedback file cannot be written.
        """
        bot = self._bot(visit)
        try:
            answer = dict(enumerate(turn.answer for turn in visit.turns))[said["turn"]]
            verdict = Verdict(said["verdict"])
            right = _units(bot)[said["start"], said["end"]] if "start" in said else None
        except (KeyError, TypeError, ValueError):
            return
        self._feedback.append(
            feedback_record(answer, verdict, article_hash=bot.article.hash, right=right)
        )

    def clear(self, visit: Visit) -> View:
        """Forget the conversation and stay with the article."""
        return self._enter(Visit(visit.bot))

    def _bot(self, visit: Visit) -> ArticleBot:
        return visit.bot or self.bot

    def _enter(self, visit: Visit, notice: str | None = None) -> View:
        bot = self._bot(visit)
        sentences = [(sentence.start, sentence.end) for sentence in bot.index.sentences]
        return View(
            conversation=self._talk(visit, notice=notice),
            article=render_article(bot.article, sentences),
            stamp=_stamp(bot, visit),
            visit=visit,
            status="",
        )

    def _talk(self, visit: Visit, *, pending: str | None = None, notice: str | None = None) -> str:
        return render_conversation(
            visit.turns, self._suggestions(visit), pending=pending, notice=notice
        )

    def _suggestions(self, visit: Visit) -> list[str]:
        """Questions to offer next, never one already asked."""
        asked = [turn.answer.question for turn in visit.turns]
        if visit.bot is None and self._examples:
            known = {question.casefold() for question in asked}
            return [text for text in self._examples if text.casefold() not in known][:SUGGESTIONS]
        return list(self._bot(visit).suggest(SUGGESTIONS, asked=asked))

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
            return self._enter(Visit(self.bot.with_article(read(), progress=progress)))
        except ArticleQAError as error:
            return View(status=_alert(error))


def _units(bot: ArticleBot) -> dict[tuple[int, int], str]:
    """The text of everything on the page that a reader can point at."""
    text = bot.article.text
    spans = [(s.start, s.end) for s in bot.index.sentences]
    spans += [(b.start, b.end) for b in bot.article.blocks if not b.kind.citable]
    return {(start, end): text[start:end] for start, end in spans}


def _stamp(bot: ArticleBot, visit: Visit) -> str:
    return f"{bot.article.id} {len(visit.turns)}"


def _knows(bot: ArticleBot, visit: Visit, stamp: str) -> bool:
    """Whether the server still has what the page shows.

    It may have a turn more: a question may be sent before the page has drawn the last answer.
    """
    article, _, turns = stamp.rpartition(" ")
    return article == bot.article.id and turns.isdecimal() and int(turns) <= len(visit.turns)


def _alert(error: ArticleQAError) -> str:
    return f'<p class="notice" role="alert" dir="auto">{escape(_line(error))}</p>'


def _line(error: ArticleQAError) -> str:
    """A message of the engine as a sentence of the page."""
    text = str(error)
    # A file's name stays as it is.
    first = text.split(maxsplit=1)[0]
    text = text[:1].upper() + text[1:] if first.isalpha() else text
    return text if text.endswith((".", "?", "!")) else f"{text}."
