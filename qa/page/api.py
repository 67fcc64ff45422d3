"""The engine for programs: ``ask``, ``open`` and ``evidence`` with JSON in and out.

An article that a program opens is reached by the handle it got and by nothing else; the
oldest are forgotten when there are too many.
"""

# Annotations are values here: Gradio, OpenAPI and MCP describe the calls by them.

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from index.archive.store import Where
from index.errors import ArticleQAError, DataError, QuestionError, SourceError
from index.reading.plaintext import article_from_text
from qa.answer import Answer
from qa.engine import DEFAULT_K
from qa.filters import where_of
from qa.page.markup import transferable
from qa.page.opened import OpenedArticles
from qa.page.source import Opened, Source

__all__ = ["Endpoints", "TooBusy", "Turns", "answers_before"]

Json = dict[str, Any]

MAX_WAITING = 256
MAX_HISTORY = 32


class TooBusy(ArticleQAError):
    """Too many questions wait to be answered."""


class Turns:
    """Lets a few calls at a time be answered, each in a thread, while others wait."""

    def __init__(self, concurrency: int) -> None:
        """Answer so many at a time."""
        self._free = asyncio.Semaphore(concurrency)
        self._waiting = 0

    async def take(self, call: Callable[..., Json], **values: Any) -> Json:  # noqa: ANN401 - JSON
        """What a call gives, when its turn has come.

        Raises:
            TooBusy: Too many wait already.
        """
        if self._waiting >= MAX_WAITING:
            raise TooBusy("too many questions wait to be answered; ask again in a moment")
        self._waiting += 1
        try:
            async with self._free:
                return await asyncio.to_thread(call, **values)
        finally:
            self._waiting -= 1


class Endpoints:
    """Typed functions to be published over HTTP and MCP."""

    def __init__(self, source: Source, *, opened: OpenedArticles, max_bytes: int) -> None:
        """Answer from a source, and from the articles that are opened.

        Args:
            source: The article or the library that is asked where no handle is given.
            opened: Where the articles that are opened are cached.
            max_bytes: Size of the largest article that is taken, as UTF-8.
        """
        self._source = source
        self._max_bytes = max_bytes
        self._opened = opened

    def ask(
        self,
        question: str,
        k: int = DEFAULT_K,
        article: str = "",
        history: Sequence[Json] = (),
        since: str = "",
        until: str = "",
        author: Sequence[str] = (),
        site: Sequence[str] = (),
        tag: Sequence[str] = (),
        only: Sequence[str] = (),
    ) -> Json:
        """Find the sentences of an article that answer a question, each with its place.

        Args:
            question: The question, up to 2,000 characters.
            k: Citations wanted, 1 to 100.
            article: A handle given by open; empty for the article or library that is served.
            history: The answers to the questions before, the last one last, as they came back.
            since: Of a library, ask articles published on that day (2021-05-18) or later.
            until: Those published on that day or earlier.
            author: Those by any of these.
            site: Those of any of these sites.
            tag: Those with any of these tags.
            only: Those with these ids.

        Returns:
            The answer: found, confidence, citations (quote, start, end, passage) best first.

        Raises:
            QuestionError: The question, one of its options or the handle cannot be used.
        """
        question, article = _texts(QuestionError, question=question, article=article)
        if not isinstance(k, int):
            raise QuestionError(f"k must be a whole number, not {k!r}")
        lists = {"author": author, "site": site, "tag": tag, "only": only}
        where = _where(since, until, {name: _list(name, value) for name, value in lists.items()})
        source = self._find(article)
        if where and source.first is not None:
            raise QuestionError("filters are for several articles, and this asks one")
        before = answers_before(_list("history", history))
        return source.ask(question, k=k, history=before, where=where or None).to_dict()

    def open(self, text: str, title: str = "", url: str = "") -> Json:
        """Open an article given as plain text, so that it can be asked.

        Args:
            text: The whole article.
            title: Its title, where the text does not begin with it.
            url: Where it can be read, for links to its sentences.

        Returns:
            article (the handle for ask and evidence), id, title, authors, characters, sentences.

        Raises:
            SourceError: The text is too large, or holds nothing that could be cited.
        """
        text, title, url = _texts(SourceError, text=text, title=title, url=url)
        if len(text.encode()) > self._max_bytes:
            raise SourceError(
                f"the article is larger than the {self._max_bytes:,} bytes taken; give a part of it"
            )
        article = article_from_text(text, title=title or None, url=url or None)
        bot = self._source.another(article)
        return {
            "article": self._opened.add(bot),
            "id": bot.article.id,
            "title": bot.article.title,
            "authors": list(bot.article.authors),
            "characters": len(bot.article.text),
            "sentences": len(bot.index.sentences),
        }

    def evidence(self, start: int, end: int, article: str = "") -> Json:
        """Show a stretch of an article in its surroundings.

        Args:
            start: First character, as a citation gives it.
            end: One past the last character.
            article: A handle given by open; the id of an article of the library that is served;
                empty for the article that is served.

        Returns:
            quote, heading, and before and after: the rest of the passages it touches.

        Raises:
            QuestionError: The stretch is no pair of whole numbers or lies outside the article, or
                the handle is unknown.
        """
        (article,) = _texts(QuestionError, article=article)
        if not (isinstance(start, int) and isinstance(end, int)):
            raise QuestionError(f"start and end must be whole numbers, not {start!r} and {end!r}")
        opened = self._open(article)
        text = opened.article.text
        if not 0 <= start < end <= len(text):
            raise QuestionError(
                f"characters {start} to {end} are not in the article, which has {len(text):,}"
            )
        around = [p for p in opened.passages if p.start < end and p.end > start]
        first = min([p.start for p in around], default=start)
        last = max([p.end for p in around], default=end)
        return {
            "quote": text[start:end],
            "start": start,
            "end": end,
            "before": text[min(first, start) : start],
            "after": text[end : max(last, end)],
            "heading": around[0].heading if around else None,
        }

    def _find(self, handle: str) -> Source:
        if not handle:
            return self._source
        source = self._opened.get(handle)
        if source is None:
            raise QuestionError("no article is open under that handle; call open again")
        return source

    def _open(self, article: str) -> Opened:
        source: Source | None = self._opened.get(article)
        if source is None and self._source.first is not None:
            source = self._find(article)
        if source is not None:
            return source.open(source.first or article)
        if not article:
            raise QuestionError("say which article of the library: a citation's article has an id")
        return self._source.open(article)


def answers_before(given: Any) -> list[Answer]:  # noqa: ANN401 - JSON
    """The last answers of a conversation, as whoever asks has kept them.

    Raises:
        QuestionError: They are none.
    """
    try:
        return [Answer.from_dict(answer) for answer in (given or ())[-MAX_HISTORY:]]
    except (DataError, TypeError, KeyError) as error:
        raise QuestionError("the conversation before cannot be read; begin a new one") from error


def _where(since: str, until: str, lists: dict[str, list[str]]) -> Where:
    since, until = _texts(QuestionError, since=since, until=until)
    for name, values in lists.items():
        lists[name] = [*_texts(QuestionError, **{f"{name} {n}": v for n, v in enumerate(values)})]
    return where_of(since=since, until=until, **lists)


def _list(name: str, value: object) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise QuestionError(f"{name} must be a list, not {value!r}")
    return [*value]


def _texts(error: type[ArticleQAError], **given: object) -> tuple[str, ...]:
    """What a program sent as texts; JSON may hold anything in their place."""
    for name, value in given.items():
        if not isinstance(value, str):
            raise error(f"{name} must be a text, not {value!r}")
    return tuple(map(transferable, map(str, given.values())))
