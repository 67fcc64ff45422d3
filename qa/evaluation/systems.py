"""The systems under evaluation: they open documents and answer questions about them.

Many documents asked together are laid end to end in one article, each under a heading of its
own name, and what comes back is traced to the document it came from.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Protocol

from index.article import Article, Block, BlockKind
from index.errors import DataError
from index.models.encoder import Progress
from index.models.loading import load_encoder
from index.single.article_index import build_index
from qa.answer import Answer, Citation, PassageRef
from qa.bot import ArticleBot
from qa.citing.cite import article_ref
from qa.evaluation.datasets import Document
from qa.evaluation.measures import Place
from qa.ranking.reranker import RerankerLike, load_reranker

__all__ = ["BotSystem", "Located", "OpenBot", "Reader", "System"]

OpenBot = Callable[[Article], ArticleBot]
"""Makes the bot that is evaluated."""


@dataclass(frozen=True, slots=True)
class Located:
    """An answer whose offsets are those of the documents.

    Attributes:
        answer: The answer.
        quotes: Where each citation stands.
        ranked: Where each passage stands, best first.
        milliseconds: What asking took.
    """

    answer: Answer
    quotes: tuple[Place, ...]
    ranked: tuple[Place, ...]
    milliseconds: float


class Reader(Protocol):
    """Documents that are open to questions."""

    @property
    def passages(self) -> Sequence[Place]:
        """Every passage that could be found."""
        ...

    def ask(self, question: str, *, k: int, history: Sequence[Answer] = ()) -> Located:
        """Answer one question.

        Raises:
            QuestionError: It cannot be asked.
        """
        ...


class System(Protocol):
    """A way of answering."""

    @property
    def name(self) -> str:
        """As tables call it."""
        ...

    @property
    def model(self) -> str:
        """The embedding model it uses."""
        ...

    def open(self, documents: Sequence[Document], progress: Progress | None = None) -> Reader:
        """Make documents ready to be asked together; at least one."""
        ...


class BotSystem:
    """``ArticleBot``, as everybody uses it."""

    name = "article-qa"

    def __init__(
        self,
        model: str | None = None,
        open_bot: OpenBot | None = None,
        *,
        reranker: RerankerLike | None = None,
        reader: bool = True,
    ) -> None:
        """Evaluate the bot.

        Args:
            model: Its embedding model; None for the default.
            open_bot: Makes the bot, for options of its own; ``model`` is then only a name, and
                there is no ``reranker``.
            reranker: As for ``ArticleBot.open``.
            reader: The same.
        """
        self.reranker_name: str | None = None
        self._make: Callable[[Article, Progress | None], ArticleBot]
        if open_bot:
            if reranker:
                raise DataError("open_bot makes the bot: give it the reranker there")
            self.model = model or "custom"
            self._make = lambda article, _: open_bot(article)
        else:
            loaded = load_reranker(reranker)
            self.reranker_name = loaded.name if loaded else None
            encoder = load_encoder(model)
            self.model = encoder.name
            # Not from_article: the user's cache would keep an index of every evaluated text.
            self._make = lambda article, progress: ArticleBot(
                build_index(article, encoder, progress=progress),
                encoder,
                reranker=loaded,
                reader=reader,
            )

    def open(self, documents: Sequence[Document], progress: Progress | None = None) -> Reader:
        """See ``System``."""
        pool = _Pool(documents)
        bot = self._make(pool.article, progress)
        return _BotReader(bot, pool)


class _Pool:
    """Documents as one article, and the way back."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        self.starts = [0]
        if len(documents) == 1:
            self.article = documents[0].article
            return
        texts: list[str] = []
        blocks: list[Block] = []
        self.starts, at = [], 0
        for document in documents:
            article = document.article
            heading = " ".join((article.title or document.id).split()) or "-"
            blocks.append(Block(BlockKind.HEADING, at, at + len(heading), level=1))
            at += len(heading) + 2
            self.starts.append(at)
            blocks += [replace(b, start=b.start + at, end=b.end + at) for b in article.blocks]
            texts += [heading, article.text]
            at += len(article.text) + 2
        self.article = Article(text="\n\n".join(texts), blocks=tuple(blocks))

    def _locate(self, start: int) -> tuple[Document, int]:
        """The document a position is in, and where that begins."""
        row = max(0, bisect_right(self.starts, start) - 1)
        return self.documents[row], self.starts[row]

    def place(self, start: int, end: int) -> Place:
        """A stretch of the pool as one of its document."""
        document, offset = self._locate(start)
        return document.id, start - offset, end - offset

    def answer(self, answer: Answer) -> Answer:
        """An answer with the offsets and the articles of the documents."""
        if len(self.documents) == 1:
            return answer
        return replace(
            answer,
            citations=tuple(map(self._citation, answer.citations)),
            passages=tuple(map(self._passage, answer.passages)),
        )

    def _citation(self, citation: Citation) -> Citation:
        document, offset = self._locate(citation.start)
        return replace(
            citation,
            start=citation.start - offset,
            end=citation.end - offset,
            passage=self._passage(citation.passage),
            article=article_ref(document.article),
        )

    def _passage(self, passage: PassageRef) -> PassageRef:
        document, offset = self._locate(passage.start)
        return replace(
            passage,
            start=passage.start - offset,
            end=passage.end - offset,
            article=article_ref(document.article),
        )


class _BotReader:
    """A bot over a pool."""

    def __init__(self, bot: ArticleBot, pool: _Pool) -> None:
        self._bot = bot
        self._pool = pool
        self.passages = [pool.place(p.start, p.end) for p in bot.index.passages]

    def ask(self, question: str, *, k: int, history: Sequence[Answer] = ()) -> Located:
        """See ``Reader``."""
        began = perf_counter()
        answer = self._bot.ask(question, k=k, history=history)
        milliseconds = 1000 * (perf_counter() - began)
        place = self._pool.place
        return Located(
            answer=self._pool.answer(answer),
            quotes=tuple(place(citation.start, citation.end) for citation in answer.citations),
            ranked=tuple(place(passage.start, passage.end) for passage in answer.passages),
            milliseconds=milliseconds,
        )
