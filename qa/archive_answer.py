"""Answer a question from an archive, step by step as `qa.bot.ArticleBot` does from an article.

question, history ─▶ a correction? then the question that it mends
                       ├▶ about an article itself? ─▶ its byline, its date, its title first
                       └▶ typing errors mended ─▶ follow-up? ─▶ ranked ─▶ evidence
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from index.archive.store import Snapshot, Where
from index.article import Article
from index.models.encoder import Encoding
from qa.answer import Answer
from qa.citing.archive import gather
from qa.citing.article import Cited, cited_first
from qa.conversation.archive import context_of, in_context, narrowed, still_there
from qa.conversation.corrections import Correction, correction
from qa.question.about_article import described, metadata_evidence
from qa.question.answer_type import mend
from qa.question.periods import periods
from qa.ranking.archive import (
    POOL,
    ArchiveVocabulary,
    Ranked,
    Reading,
    rank_archive,
    read_question,
)

__all__ = ["Inquiry", "answer_from_archive"]

PER_ARTICLE: Final = 2
_DESCRIBED: Final = 3
"""Articles that are looked at for what a question says of one: it may have no byline."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question and how it is to be answered.

    Attributes:
        question: As it was asked.
        k: Citations wanted at most.
        where: Which articles are asked; None for all.
        history: Answers to the questions before, the last one last.
        per_article: Citations from one article at most; None for 2, or all where only one
            article is asked.
        min_confidence: Probability from which an answer counts as found.
    """

    question: str
    k: int
    where: Where | None
    history: Sequence[Answer]
    per_article: int | None
    min_confidence: float


def answer_from_archive(
    snapshot: Snapshot,
    inquiry: Inquiry,
    encode: Callable[[str], Encoding],
    is_word: Callable[[str], bool],
) -> Answer:
    """The sentences of an archive that answer a question.

    Args:
        snapshot: The archive, as of one moment.
        inquiry: The question.
        encode: The model that made the archive.
        is_word: Whether a lower-cased word is right although the archive does not use it.
    """
    return _Asking(snapshot, inquiry, encode, is_word).answer()


class _Asking:
    def __init__(
        self,
        snapshot: Snapshot,
        inquiry: Inquiry,
        encode: Callable[[str], Encoding],
        is_word: Callable[[str], bool],
    ) -> None:
        self._snapshot = snapshot
        self._inquiry = inquiry
        self._asked = correction(
            inquiry.question, inquiry.history, lambda answer: bool(still_there(snapshot, answer))
        ) or Correction(inquiry.question, tuple(inquiry.history))
        self._encode = encode
        self._is_word = is_word
        self._only = self._only_article()

    def answer(self) -> Answer:
        return self._about_article() or self._about_described() or self._searched()

    def _about_article(self) -> Answer | None:
        """An answer to "Who wrote this?", where it is clear what "this" is."""
        question, article = self._asked.question, self._only or self._last_cited()
        about = metadata_evidence(question, article) if article else None
        if article is None or about is None:
            return None
        where = replace(self._inquiry.where or Where(), ids=(article.id,))
        cited = self._cited(self._ranked(question, [where]), question)
        return self._made(question, 1.0, cited_first(article, about, cited), (about.reason,))

    def _about_described(self) -> Answer | None:
        """An answer to "Who wrote the article about the bridge?"."""
        question, asked = self._asked.question, described(self._asked.question)
        ranked = self._ranked(asked.subject, self._filters(asked.subject)) if asked else None
        if asked is None or ranked is None:
            return None
        cited = self._cited(ranked, asked.subject)
        ids = dict.fromkeys(citation.article.id for citation in cited.citations)
        for article in map(self._snapshot.article, [*ids][:_DESCRIBED]):
            about = metadata_evidence(asked.question, article)
            if about:
                name = article.title or f"article {article.id}"
                return self._made(
                    f"{question} (the article \u201c{name}\u201d)",
                    ranked.ranking.confidence,
                    cited_first(article, about, cited),
                    (about.reason,),
                )
        return None

    def _searched(self) -> Answer:
        asked, history = self._asked.question, self._asked.history
        question = mend(asked, ArchiveVocabulary(self._snapshot, asked), self._is_word)
        reading, wheres, read_as = self._read(question), self._filters(question), question
        context = context_of(self._snapshot, question, len(reading.known), history)
        if context is None:
            found = self._rank([reading], wheres)
            ranked = found[0] if found else None
        else:
            read_as = context.follow.read_as
            readings = [reading, self._read(context.follow.joined)]
            found = self._rank(readings, [*wheres, *narrowed(wheres, context.cited_last)])
            ranked = in_context(context, found) if found else None
        return self._made(
            self._asked.read_as(read_as),
            ranked.ranking.confidence if ranked else 0.0,
            self._cited(ranked, question),
            ranked.ranking.reasons if ranked else (self._nothing_asked(),),
        )

    def _nothing_asked(self) -> str:
        """Why there is not even something that comes close."""
        n = self._snapshot.statistics.n_articles
        return "no article passes the filters" if n else "the library holds no articles"

    def _read(self, question: str) -> Reading:
        return read_question(self._snapshot, question, self._encode(question))

    def _rank(
        self, readings: Sequence[Reading], wheres: Sequence[Where | None]
    ) -> tuple[Ranked, ...]:
        # Who wants many citations, two of an article, wants more passages read.
        return rank_archive(self._snapshot, readings, wheres, max(POOL, 2 * self._inquiry.k))

    def _ranked(self, question: str, wheres: Sequence[Where | None]) -> Ranked | None:
        found = self._rank([self._read(question)], wheres)
        return found[0] if found else None

    def _cited(self, ranked: Ranked | None, question: str) -> Cited:
        if ranked is None:
            return Cited()
        k = self._inquiry.k
        most = self._inquiry.per_article or (k if self._only else PER_ARTICLE)
        # Each article is wanted for several sentences.
        article = lru_cache(maxsize=None)(self._snapshot.article)
        return gather(ranked, article, question, k, most, self._asked.passed_over)

    def _made(self, read_as: str, confidence: float, cited: Cited, why: tuple[str, ...]) -> Answer:
        k, question = self._inquiry.k, self._inquiry.question
        return Answer(
            question=question,
            interpreted_as=read_as if read_as != question else None,
            found=bool(cited.citations) and confidence >= self._inquiry.min_confidence,
            confidence=confidence,
            citations=cited.citations[:k],
            passages=cited.passages[:k],
            why=why,
        )

    def _only_article(self) -> Article | None:
        """The article that is asked, where it can be but one."""
        where = self._inquiry.where
        if self._snapshot.statistics.n_articles != 1 and (not where or len({*where.ids}) != 1):
            return None
        entries = self._snapshot.entries(where, limit=1)
        return self._snapshot.article(entries[0].id) if entries else None

    def _last_cited(self) -> Article | None:
        """What "this article" is in a conversation: the one that was quoted first, last time."""
        for answer in reversed(self._asked.history):
            there = still_there(self._snapshot, answer)
            asked = {
                entry.id
                for where in narrowed([self._inquiry.where], there)
                for entry in self._snapshot.entries(where)
            }
            # Of another filter's articles nothing is told, not even who wrote them.
            ids = [c.article.id for c in there if c.article.id in asked]
            if ids:
                return self._snapshot.article(ids[0])
        return None

    def _filters(self, question: str) -> list[Where | None]:
        """The filter itself, and narrowed to each period that the question names.

        An article of another month may still tell of May: the period brings candidates in, and
        keeps none out.
        """
        where = self._inquiry.where
        wheres: list[Where | None] = [where]
        for period in periods(question)[:2]:
            base = where or Where()
            first = max(filter(None, (base.published_from, period.first)))
            last = min(filter(None, (base.published_until, period.last)))
            if first <= last:
                wheres.append(replace(base, published_from=first, published_until=last))
        return wheres
