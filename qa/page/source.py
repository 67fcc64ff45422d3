"""What a visit asks: one article, or a library of them, behind one protocol."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from index.archive.store import Entry, Where
from index.article import Article
from index.errors import UnknownArticle
from index.models.encoder import Progress
from index.segmentation.passages import Passage, Sentence
from qa.answer import Answer
from qa.bot import ArticleBot
from qa.engine import DEFAULT_K
from qa.library import Library

__all__ = ["ArticleSource", "LibrarySource", "Opened", "Source", "pdf_of"]

CITED = 2
"""Articles of an answer that questions are suggested about."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An article as it can be read and pointed at.

    Attributes:
        article: The article.
        passages: Its passages, in order.
        sentences: Its citable sentences, in order.
        pdf: The file, where it was read from a PDF that is still there.
    """

    article: Article
    passages: tuple[Passage, ...]
    sentences: tuple[Sentence, ...]
    pdf: bytes | None = None


def pdf_of(data: bytes) -> bytes | None:
    """The bytes of a source where they are a PDF's."""
    return data if b"%PDF-" in data[:1024] else None


class Source(Protocol):
    """What answers the questions of a page, and shows the articles that it quotes."""

    @property
    def key(self) -> str:
        """What tells it from every other source of a server."""
        ...

    @property
    def first(self) -> str | None:
        """Id of the article to begin with; None where the reader chooses one of several."""
        ...

    def another(self, article: Article, *, progress: Progress | None = None) -> ArticleBot:
        """A bot, with the same model, for an article that a reader brings along."""
        ...

    def ask(
        self,
        question: str,
        *,
        k: int = DEFAULT_K,
        history: Sequence[Answer] = (),
        where: Where | None = None,
    ) -> Answer:
        """Answer a question after those before; only of several articles does a filter choose."""
        ...

    def suggest(self, n: int, history: Sequence[Answer]) -> tuple[str, ...]:
        """Questions that it answers, none of them asked before."""
        ...

    def open(self, article_id: str) -> Opened:
        """One of its articles.

        Raises:
            UnknownArticle: It is not there.
        """
        ...

    def entries(self, where: Where | None = None, *, limit: int) -> tuple[Entry, ...]:
        """What there is to choose from, in the order in which it was added."""
        ...


class ArticleSource:
    """A source of one article."""

    def __init__(self, bot: ArticleBot, pdf: bytes | None = None) -> None:
        """Ask a bot; its article was read from a PDF where one is given."""
        self._bot = bot
        self._pdf = pdf

    @property
    def key(self) -> str:  # noqa: D102 - as the protocol
        return self._bot.article.id

    @property
    def first(self) -> str | None:  # noqa: D102
        return self._bot.article.id

    def another(  # noqa: D102
        self, article: Article, *, progress: Progress | None = None
    ) -> ArticleBot:
        return self._bot.with_article(article, progress=progress)

    def ask(  # noqa: D102
        self,
        question: str,
        *,
        k: int = DEFAULT_K,
        history: Sequence[Answer] = (),
        where: Where | None = None,
    ) -> Answer:
        return self._bot.ask(question, k=k, history=history)

    def suggest(self, n: int, history: Sequence[Answer]) -> tuple[str, ...]:  # noqa: D102
        return self._bot.suggest(n, asked=[answer.question for answer in history])

    def open(self, article_id: str) -> Opened:  # noqa: D102
        index = self._bot.index
        if article_id != index.article.id:
            raise UnknownArticle(f"no article {article_id!r} is open here")
        return Opened(index.article, tuple(index.passages), tuple(index.sentences), self._pdf)

    def entries(self, where: Where | None = None, *, limit: int) -> tuple[Entry, ...]:  # noqa: D102
        return ()


class LibrarySource:
    """A source of many articles."""

    first = None

    def __init__(self, library: Library) -> None:
        """Ask a library."""
        self._library = library

    @property
    def key(self) -> str:  # noqa: D102 - as the protocol
        return "library"

    def another(  # noqa: D102
        self, article: Article, *, progress: Progress | None = None
    ) -> ArticleBot:
        model = self._library.store.model.name
        return ArticleBot.from_article(article, model=model, progress=progress)

    def ask(  # noqa: D102
        self,
        question: str,
        *,
        k: int = DEFAULT_K,
        history: Sequence[Answer] = (),
        where: Where | None = None,
    ) -> Answer:
        return self._library.ask(question, k=k, history=history, where=where)

    def suggest(self, n: int, history: Sequence[Answer]) -> tuple[str, ...]:  # noqa: D102
        last = history[-1] if history and history[-1].found else None
        cited = [citation.article.id for citation in last.citations] if last else []
        asked = [answer.question for answer in history]
        with suppress(UnknownArticle):  # removed since
            return self._library.suggest(n, asked=asked, about=cited[:CITED])
        return ()

    def open(self, article_id: str) -> Opened:  # noqa: D102
        article = self._library.article(article_id)
        pdf = None
        for entry in self._library.articles(Where(ids=(article_id,))):
            if entry.source and entry.source.lower().endswith(".pdf"):
                with suppress(OSError):  # moved since, or an address
                    pdf = pdf_of(Path(entry.source).read_bytes())
        return Opened(article, *self._library.segments(article), pdf)

    def entries(self, where: Where | None = None, *, limit: int) -> tuple[Entry, ...]:  # noqa: D102
        return self._library.articles(where, limit=limit)
