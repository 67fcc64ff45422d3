"""Ask an article: the one engine behind Python, the shell, the page and the evaluation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property, lru_cache

from index.article import Article
from index.errors import SourceError
from index.models.encoder import Encoder, Progress
from index.models.loading import load_encoder
from index.reading.plaintext import article_from_text
from index.reading.reader import Source, bundled_article, read_article
from index.single.article_index import ArticleIndex
from index.single.cache import cached_index
from index.single.snapshot import ArticleSnapshot
from index.single.storage import is_index_folder, open_index, save_index
from qa.answer import Answer
from qa.engine import DEFAULT_K, Engine, Inquiry
from qa.ranking.confidence import MIN_CONFIDENCE
from qa.ranking.reranker import Reranker, RerankerLike, load_reranker
from qa.reading.reader import reader_if
from qa.suggestions import Suggestion, answered, fresh, suggestions

__all__ = ["ArticleBot", "ask"]

MOST_OFFERED = 8
MOST_TRIED = 16
"""Suggested questions that are asked, to see whether their sentence is found."""


class ArticleBot:
    """Answers questions about one article with sentences of that article.

    >>> bot = ArticleBot.open("article.txt")
    >>> print(bot.ask("Why did Amazon halt police use?"))

    Safe to share between threads: asking changes nothing.
    """

    def __init__(
        self,
        index: ArticleIndex,
        encoder: Encoder,
        *,
        reranker: Reranker | None = None,
        reader: bool = True,
    ) -> None:
        """Answer from an index; use ``open``, ``from_text`` or ``from_article`` to get one.

        Args:
            index: The article's index.
            encoder: The model that made it.
            reranker: Has a second look at the best candidates.
            reader: As for ``open``.
        """
        self.index = index
        self._engine = Engine(encoder, reranker, reader_if(reader))
        self._snapshot = ArticleSnapshot(index)

    def __repr__(self) -> str:
        name, size = self.article.title or self.article.id, len(self.index.sentences)
        return f"<ArticleBot {name!r}: {size:,} sentences, {self.index.model}>"

    @classmethod
    def open(
        cls,
        source: Source | None = None,
        *,
        model: str | None = None,
        reranker: RerankerLike | None = None,
        reader: bool = True,
        allow_private: bool = False,
        progress: Progress | None = None,
    ) -> ArticleBot:
        """A bot for an article or for a saved index.

        Args:
            source: A path, bytes or a stream; a folder written by ``save``; None for the
                bundled article.
            model: A sentence-transformers model: a bundled name, a folder or a hub name. None
                for the one that made the index, and else the bundled MiniLM.
            reranker: A sentence-transformers cross-encoder (a folder or a hub name) that
                reorders the best candidates, for some tenths of a second a question; or what
                another bot has as its ``reranker``. None for none.
            reader: Have the small model that comes with the package read the best sentences:
                it names the exact words, and tells better whether there are any.
            allow_private: Also fetch addresses of this machine and the local network.
            progress: Called as reading, preparing and indexing advance.

        Raises:
            SourceError: The article cannot be read.
            IndexFolderError: The saved index cannot be opened.
            ModelError: A model cannot be loaded, or the reranker is no cross-encoder.
        """
        if isinstance(source, (str, os.PathLike)) and is_index_folder(source):
            index = open_index(source)
            encoder = load_encoder(
                model, recorded=index.model, fingerprint=index.fingerprint, progress=progress
            )
            if encoder.fingerprint != index.fingerprint:  # which is an error to be told
                index = open_index(source, fingerprint=encoder.fingerprint)
            return cls(index, encoder, reranker=load_reranker(reranker), reader=reader)
        if not (
            isinstance(source, (str, os.PathLike, bytes, type(None))) or hasattr(source, "read")
        ):
            raise SourceError(
                f"an article is a path, an address, bytes or a stream, not {type(source).__name__}"
            )
        if source is None:
            article = bundled_article()
        else:
            article = read_article(source, allow_private=allow_private)
        return cls.from_article(
            article, model=model, reranker=reranker, reader=reader, progress=progress
        )

    @classmethod
    def from_text(
        cls,
        text: str,
        *,
        title: str | None = None,
        url: str | None = None,
        model: str | None = None,
        reranker: RerankerLike | None = None,
        reader: bool = True,
        progress: Progress | None = None,
    ) -> ArticleBot:
        """A bot for an article given as plain text; arguments and errors as for ``open``."""
        if not isinstance(text, str):
            raise TypeError(f"text must be a str, not {type(text).__name__}")
        article = article_from_text(text, title=title, url=url)
        return cls.from_article(
            article, model=model, reranker=reranker, reader=reader, progress=progress
        )

    @classmethod
    def from_article(
        cls,
        article: Article,
        *,
        model: str | None = None,
        reranker: RerankerLike | None = None,
        reader: bool = True,
        progress: Progress | None = None,
    ) -> ArticleBot:
        """A bot for an article that was read already; arguments and errors as for ``open``."""
        loaded = load_reranker(reranker)  # before the work, not after it
        encoder = load_encoder(model, progress=progress)
        index = cached_index(article, encoder, progress=progress)
        return cls(index, encoder, reranker=loaded, reader=reader)

    def with_article(self, article: Article, *, progress: Progress | None = None) -> ArticleBot:
        """A bot for another article that has this one's models.

        Raises:
            EmptyArticle: The article holds no sentence.
        """
        encoder = self._engine.encoder
        index = cached_index(article, encoder, progress=progress)
        return ArticleBot(
            index, encoder, reranker=self.reranker, reader=self._engine.reader is not None
        )

    @property
    def reranker(self) -> Reranker | None:
        """What has a second look at the best candidates."""
        return self._engine.reranker

    @property
    def article(self) -> Article:
        """The article that is asked."""
        return self.index.article

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Save the index into a folder that ``open`` takes.

        Raises:
            IndexFolderError: The folder cannot be written, or holds something else.
        """
        save_index(self.index, folder)

    def ask(
        self,
        question: str,
        *,
        k: int = DEFAULT_K,
        history: Sequence[Answer] = (),
        min_confidence: float = MIN_CONFIDENCE,
    ) -> Answer:
        """The sentences of the article that answer a question.

        Args:
            question: Up to 2,000 characters.
            k: Citations wanted, 1 to 100; fewer come back from a shorter article.
            history: Answers to the questions before, the last one last: a question that leans
                on them ("Why?") is read after them. Those of other articles are passed over.
            min_confidence: Probability, 0 to 1, from which an answer counts as found.

        Raises:
            QuestionError: The question or one of its options cannot be used.
        """
        inquiry = Inquiry(question, k, history=history, min_confidence=min_confidence)
        return self._engine.answer(self._snapshot, inquiry)

    def overview(self, *, k: int = DEFAULT_K) -> Answer:
        """The article in short: its title, its lead and what stands for each of its sections.

        Args:
            k: Citations wanted, 1 to 100, in the article's order.

        Raises:
            QuestionError: ``k`` cannot be used.
        """
        return self._engine.overview(self._snapshot, self.article.id, k)

    async def aask(
        self,
        question: str,
        *,
        k: int = DEFAULT_K,
        history: Sequence[Answer] = (),
        min_confidence: float = MIN_CONFIDENCE,
    ) -> Answer:
        """``ask`` in a thread, which leaves an event loop free; arguments and errors as there."""
        import asyncio  # which a shell has no need to load

        return await asyncio.to_thread(
            self.ask, question, k=k, history=history, min_confidence=min_confidence
        )

    def suggest(self, n: int = 3, *, asked: Sequence[str] = ()) -> tuple[str, ...]:
        """Questions that the article answers, in the order in which it does.

        Args:
            n: How many are wanted; fewer come where fewer are good, and 8 at most.
            asked: Questions that are not to be offered.
        """
        best = fresh(self._offered, asked)[: max(0, n)]
        return tuple(s.question for s in sorted(best, key=lambda s: s.start))

    @cached_property
    def _offered(self) -> tuple[Suggestion, ...]:
        """Questions whose first citation is the sentence they were made from, best first."""
        return answered(
            suggestions(self.article, self.index.sentences),
            self.article.hash,
            lambda question: self.ask(question, k=1),
            tried=MOST_TRIED,
            most=MOST_OFFERED,
        )


@lru_cache(maxsize=1)
def _bundled_bot() -> ArticleBot:
    return ArticleBot.open()


def ask(
    question: str,
    *,
    k: int = DEFAULT_K,
    history: Sequence[Answer] = (),
    min_confidence: float = MIN_CONFIDENCE,
) -> Answer:
    """Ask the bundled article; arguments and errors as for ``ArticleBot.ask``.

    >>> ask("Who is Nathan Freed Wessler?").citations[0].quote[:20]
    'Nathan Freed Wessler'
    """
    return _bundled_bot().ask(question, k=k, history=history, min_confidence=min_confidence)
