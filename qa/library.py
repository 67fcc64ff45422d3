"""Ask an archive: many articles in one folder, one question to all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, zip_longest
from typing import Final

from index.archive.entries import UNDATED, days_of
from index.archive.opening import create_store, open_store
from index.archive.preparation import BATCH_CHARS, batches, prepare_articles
from index.archive.store import Entry, ModelRef, PreparedArticle, Snapshot, Store, Where
from index.article import Article
from index.errors import EmptyArticle, LibraryError, NotALibrary, OtherModel
from index.models.encoder import Encoder, Progress
from index.models.loading import load_encoder
from index.reading.assembly import Metadata
from index.segmentation.passages import Passage, Sentence, segment
from qa.answer import Answer
from qa.engine import DEFAULT_K, Engine, Inquiry
from qa.ranking.confidence import MIN_CONFIDENCE
from qa.ranking.reranker import Reranker, RerankerLike, load_reranker
from qa.reading.reader import reader_if
from qa.sources import Item
from qa.suggestions import Suggestion, answered, fresh, suggestions

__all__ = ["Added", "Library", "set_by_hand", "undated"]

_NEWEST: Final = 3
"""Articles that questions are suggested about before one was cited."""
_COUNTED: Final = 20_000
"""Articles of a library of which those without a date are counted when a filter asks for one."""
_BY_HAND: Final = "set when it was added"
_SUGGESTED_ABOUT: Final = 256
"""Articles whose suggestions are kept: making them asks the library some questions."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of articles that were to be added.

    Attributes:
        added: Ids of the articles that are new, or whose metadata changed.
        unchanged: Ids of those that were there already.
        refused: What each of the others was, and why it cannot be kept.
    """

    added: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


def undated(snapshot: Snapshot, where: Where | None) -> str | None:
    """How many articles a filter by date leaves out for want of one, in words; None for none."""
    if not where or not (where.published_from or where.published_until):
        return None
    if snapshot.statistics.n_articles > _COUNTED:
        return None
    others = replace(where, published_from=None, published_until=None)
    n = sum(days_of(entry.published) == UNDATED for entry in snapshot.entries(others or None))
    return f"articles without a date, which a filter by date leaves out: {n:,}" if n else None


def set_by_hand(article: Article) -> Metadata:
    """What of an article's metadata was set when it was added, and not read from its source."""
    names = [name for name, where in article.declared if where == _BY_HAND]
    return Metadata.of({name: (getattr(article, name), _BY_HAND) for name in names})


class Library:
    """Answers questions with sentences of many articles.

    >>> library = Library.open("archive")
    >>> library.add([read_article("page.html")])
    >>> print(library.ask("Who objected?"))

    Safe to share between threads. Any number of processes may ask while one adds: each
    question is answered from the last commit before it.
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        *,
        reranker: Reranker | None = None,
        reader: bool = True,
    ) -> None:
        """Answer from a store; use ``open`` to get one.

        Args:
            store: Where the articles are kept.
            encoder: The model that made its vectors.
            reranker: Has a second look at the best candidates.
            reader: As for ``ArticleBot.open``.

        Raises:
            OtherModel: It did not.
        """
        if store.model.fingerprint != encoder.fingerprint:
            raise OtherModel(
                f"the library was made with model {store.model.name!r} (fingerprint"
                f" {store.model.fingerprint}), not with {encoder.name!r}"
                f" ({encoder.fingerprint}); name its model, or add its articles to a new library"
            )
        self.store = store
        self._engine = Engine(encoder, reranker, reader_if(reader))
        self._offered = lru_cache(maxsize=_SUGGESTED_ABOUT)(self._offered_about)

    def __repr__(self) -> str:
        try:
            size = f"{len(self):,} articles"
        except LibraryError as error:  # closed, or its server is away
            size = str(error)
        return f"<Library: {size}, {self.store.model.name}>"

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        model: str | None = None,
        reranker: RerankerLike | None = None,
        reader: bool = True,
        token: str | None = None,
        create: bool = True,
        progress: Progress | None = None,
    ) -> Library:
        """A library in a folder, or on a Milvus server or cluster.

        Args:
            path: The folder, or an address: ``http://host:19530/archive``.
            model: A sentence-transformers model; None for the one that made the library, and
                else the bundled MiniLM.
            reranker: As for ``ArticleBot.open``.
            reader: As for ``ArticleBot.open``.
            token: For a server; None for that in ``ARTICLE_QA_MILVUS_TOKEN``.
            create: Make an empty one where there is none.
            progress: Called as preparing the model advances.

        Raises:
            LibraryError: It cannot be opened.
            OtherModel: Another model made it.
            ModelError: The model cannot be loaded.
        """
        loaded = load_reranker(reranker)  # before the work, not after it
        store = open_store(path, token=token)
        if store is None and not create:
            raise NotALibrary(
                f"{str(path)!r} holds no library; make one with: article-qa add SOURCE --library"
                f" {path}"
            )
        encoder = load_encoder(
            model,
            recorded=store.model.name if store else None,
            fingerprint=store.model.fingerprint if store else None,
            progress=progress,
        )
        if store is None:
            ref = ModelRef(encoder.name, encoder.fingerprint, encoder.dimension)
            store = create_store(path, ref, token=token)
        return cls(store, encoder, reranker=loaded, reader=reader)

    def add(
        self,
        articles: Iterable[Article],
        *,
        tags: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> Added:
        """Add articles; what is there already costs nothing, so that adding can be resumed.

        Articles are acknowledged by ``progress`` and are safe from then on, whatever happens
        to this process.

        Args:
            articles: New ones; an article is the same if its text is.
            tags: For filters; an article that is there keeps those that it has.
            progress: Called after every commit.

        Raises:
            LibraryError: The library cannot be written; what was acknowledged is there.
        """
        if isinstance(articles, Article):
            raise TypeError("add takes several articles: add([article])")
        total = len(articles) if isinstance(articles, Sequence) else 0
        items = ((article, None) for article in articles)
        return self.add_from(items, tags=tags, total=total, progress=progress)

    def add_from(
        self,
        items: Iterable[tuple[Article, str | None] | Item],
        *,
        known: Metadata | None = None,
        tags: Sequence[str] = (),
        total: int = 0,
        replacing: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> Added:
        """Add articles with the places they were read from; otherwise as ``add``.

        Args:
            items: Articles, the place of each, and tags of its own.
            known: What goes before what the articles say of themselves.
            tags: For filters.
            total: How many there are, where that is known.
            replacing: Ids of articles that are removed with the first commit.
            progress: Called after every commit.
        """
        added: list[str] = []
        unchanged: list[str] = []
        refused: list[tuple[str, str]] = []
        gone = tuple(replacing)
        for batch in batches(items, lambda item: item[0], BATCH_CHARS):
            new: dict[str, Item] = {}
            for article, source, *own in batch:
                item = self._renewed(article, source, (*tags, *chain(*own)), known)
                if item:
                    new[article.id] = item
            unchanged += [item[0].id for item in batch if item[0].id not in new]
            prepared, failed = self._prepared(list(new.values()))
            if prepared or gone:
                self.store.add(prepared, replacing=gone)
                gone = ()
            added += [p.article.id for p in prepared]
            refused += failed
            if progress:
                done = len(added) + len(unchanged) + len(refused)
                progress("adding articles", done, max(total, done))
            self.store.flush(progress)
        return Added(tuple(added), tuple(unchanged), tuple(refused))

    def update(
        self,
        article: Article,
        *,
        replacing: str,
        tags: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> Added:
        """Put an article in the place of an earlier version, in one step.

        Args:
            article: The new version.
            replacing: Id of the old one.
            tags: For filters, beside those of the old version.
            progress: As for ``add``.

        Raises:
            UnknownArticle: The old one is not there; nothing changed.
            LibraryError: As for ``add``.
        """
        old = () if replacing == article.id else (replacing,)
        kept = [tag for e in self.articles(Where(ids=(replacing,))) for tag in e.tags]
        tags = (*kept, *tags)
        return self.add_from([(article, None)], tags=tags, replacing=old, progress=progress)

    def remove(self, *article_ids: str) -> None:
        """Remove articles, all or none.

        Raises:
            UnknownArticle: One is not there; nothing was removed.
            LibraryError: The library cannot be written.
        """
        self.store.remove(article_ids)

    def article(self, article_id: str) -> Article:
        """An article, exactly as it was added.

        Raises:
            UnknownArticle: It is not there.
        """
        with self.store.read() as snapshot:
            return snapshot.article(article_id)

    def segments(self, article: Article) -> tuple[tuple[Passage, ...], tuple[Sentence, ...]]:
        """An article's passages and citable sentences, as they are cut when it is added."""
        return segment(article, self._engine.encoder.count_tokens, self._engine.encoder.max_tokens)

    def articles(
        self, where: Where | None = None, *, limit: int | None = None, offset: int = 0
    ) -> tuple[Entry, ...]:
        """What is there, in the order in which it was added.

        Args:
            where: Which articles; None for all.
            limit: At most so many.
            offset: Leave out so many first.
        """
        with self.store.read() as snapshot:
            return snapshot.entries(where, limit=limit, offset=offset)

    def __len__(self) -> int:
        """How many articles there are."""
        with self.store.read() as snapshot:
            return snapshot.statistics.n_articles

    def compact(self, progress: Progress | None = None) -> None:
        """Rebuild the indexes and give back the space of what was removed."""
        self.store.compact(progress)

    def __enter__(self) -> Library:
        """The library itself, which is closed when the block ends."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        self.store.close()

    def ask(
        self,
        question: str,
        *,
        k: int = DEFAULT_K,
        where: Where | None = None,
        history: Sequence[Answer] = (),
        per_article: int | None = None,
        min_confidence: float = MIN_CONFIDENCE,
    ) -> Answer:
        """The sentences of all articles that answer a question.

        Args:
            question: Up to 2,000 characters.
            k: Citations wanted, 1 to 100.
            where: Which articles are asked; None for all.
            history: Answers to the questions before, as for ``ArticleBot.ask``.
            per_article: Citations from one article at most; None for 2, or as many as are
                wanted where only one article is asked.
            min_confidence: Probability, 0 to 1, from which an answer counts as found.

        Raises:
            QuestionError: The question or an option cannot be used.
            LibraryError: The library cannot be read.
        """
        inquiry = Inquiry(question, k, where, history, per_article, min_confidence)
        with self.store.read() as snapshot:
            answer = self._engine.answer(snapshot, inquiry)
            note = undated(snapshot, where)
        return replace(answer, why=(*answer.why, note)) if note else answer

    def overview(self, article_id: str, *, k: int = DEFAULT_K) -> Answer:
        """One article in short, as ``ArticleBot.overview``.

        Raises:
            UnknownArticle: It is not there.
            QuestionError: ``k`` cannot be used.
            LibraryError: The library cannot be read.
        """
        with self.store.read() as snapshot:
            return self._engine.overview(snapshot, article_id, k)

    async def aask(
        self,
        question: str,
        *,
        k: int = DEFAULT_K,
        where: Where | None = None,
        history: Sequence[Answer] = (),
        per_article: int | None = None,
        min_confidence: float = MIN_CONFIDENCE,
    ) -> Answer:
        """``ask`` in a thread, which leaves an event loop free; arguments and errors as there."""
        import asyncio  # which a shell has no need to load

        return await asyncio.to_thread(
            self.ask,
            question,
            k=k,
            where=where,
            history=history,
            per_article=per_article,
            min_confidence=min_confidence,
        )

    def suggest(
        self, n: int = 3, *, asked: Sequence[str] = (), about: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Questions that the library answers by the sentence that they were made from.

        Args:
            n: How many are wanted; fewer come where fewer are good.
            asked: Questions that are not to be offered.
            about: Ids of the articles to ask about, as those cited last; none for the newest.

        Raises:
            UnknownArticle: One of those is not there.
            LibraryError: The library cannot be read.
        """
        if not about:
            newest = max(0, len(self) - _NEWEST)
            about = [entry.id for entry in self.articles(limit=_NEWEST, offset=newest)][::-1]
        found = [fresh(self._offered(key), asked) for key in dict.fromkeys(about)]
        # The articles take turns.
        turns = [s.question for turn in zip_longest(*found) for s in turn if s]
        return tuple(dict.fromkeys(turns))[: max(0, n)]

    def _offered_about(self, article_id: str) -> tuple[Suggestion, ...]:
        article = self.article(article_id)
        made = suggestions(article, self.segments(article)[1])
        return answered(
            made, article.hash, lambda question: self.ask(question, k=1), tried=6, most=3
        )

    def _renewed(
        self,
        article: Article,
        source: str | None,
        tags: Sequence[str],
        known: Metadata | None,
    ) -> Item | None:
        """What is to be stored of an article: None where it is there with just this metadata.

        Tags and metadata that were given to it before are kept.
        """
        with self.store.read() as snapshot:
            entry = next(iter(snapshot.entries(Where(ids=(article.id,)))), None)
            stored = snapshot.article(article.id) if entry else None
        article = set_by_hand(stored).over(article) if stored else article
        if known:
            known = replace(known, declared=tuple((name, _BY_HAND) for name, _ in known.declared))
            article = known.over(article)
        tags = tuple(dict.fromkeys((*(entry.tags if entry else ()), *tags)))
        there = entry and (stored, entry.tags, entry.source) == (article, tags, source)
        return None if there else (article, source, tags)

    def _prepared(
        self, items: Sequence[Item]
    ) -> tuple[list[PreparedArticle], list[tuple[str, str]]]:
        prepared, refused = [], []
        articles, sources = [item[0] for item in items], [item[1] for item in items]
        results = prepare_articles(articles, self._engine.encoder, sources=sources)
        for (article, source, tags), result in zip(items, results, strict=True):
            if isinstance(result, EmptyArticle):
                refused.append((source or article.title or article.id, str(result)))
            else:
                prepared.append(replace(result, tags=tags))
        return prepared, refused
