"""What a visit asks: one article, or a library of them, behind one protocol."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
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
from qa.suggestions import topics

__all__ = ["ArticleSource", "LibrarySource", "Opened", "Source", "gather", "pdf_of", "source_of"]

MOST_TOPICS = 8
"""Topics of an article that are asked, to see whether it answers."""
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

    @property
    def model(self) -> str:
        """Name of the model that it searches with."""
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

    @property
    def model(self) -> str:  # noqa: D102
        return self._bot.index.model

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
        asked = [answer.question for answer in history]
        found = self._bot.suggest(n, asked=asked)
        # Where no sentence makes a question, what the article is about is offered in its words.
        known = {question.casefold() for question in (*asked, *found)}
        topics = (topic for topic in self._topics if topic.casefold() not in known)
        return (*found, *islice(topics, max(0, n - len(found))))

    @cached_property
    def _topics(self) -> tuple[str, ...]:
        """Headings and names of rows that, asked as they stand, are answered."""
        made = islice(topics(self._bot.article), MOST_TOPICS)
        return tuple(topic for topic in made if self._bot.ask(topic, k=1).found)

    def open(self, article_id: str) -> Opened:  # noqa: D102
        index = self._bot.index
        if article_id != index.article.id:
            raise UnknownArticle(f"no article {article_id!r} is open here")
        return Opened(index.article, tuple(index.passages), tuple(index.sentences), self._pdf)

    def entries(self, where: Where | None = None, *, limit: int) -> tuple[Entry, ...]:  # noqa: D102
        return ()


def gather(
    articles: Sequence[Article], *, model: str, reader: bool, progress: Progress | None = None
) -> LibrarySource:
    """Several articles that a reader brings, to be asked together.

    They are a library in a temporary folder, which goes with the source.

    Args:
        articles: What was brought.
        model: What makes their vectors.
        reader: As for ``Library.open``.
        progress: Called as they are added.
    """
    folder = tempfile.mkdtemp(prefix="article-qa-")
    library = Library.open(folder, model=model, reader=reader)
    source = LibrarySource(library)
    weakref.finalize(source, _discard, library, folder)
    library.add(articles, progress=progress)
    return source


def _discard(library: Library, folder: str) -> None:
    library.close()
    shutil.rmtree(folder, ignore_errors=True)


class LibrarySource:
    """A source of many articles."""

    first = None

    def __init__(self, library: Library) -> None:
        """Ask a library."""
        self._library = library

    @property
    def key(self) -> str:  # noqa: D102 - as the protocol
        return "library"

    @property
    def model(self) -> str:  # noqa: D102
        return self._library.store.model.name

    def another(  # noqa: D102
        self, article: Article, *, progress: Progress | None = None
    ) -> ArticleBot:
        return ArticleBot.from_article(article, model=self.model, progress=progress)

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


def source_of(asked: ArticleBot | Library, pdf: bytes | None = None) -> Source:
    """A source of what answers; of one article, maybe with the PDF that it was read from."""
    return LibrarySource(asked) if isinstance(asked, Library) else ArticleSource(asked, pdf)
