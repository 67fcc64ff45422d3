"""Answer a question from a snapshot, whether it is of one article or of an archive.

question, history ─▶ a correction? then the question that it mends
                       ├▶ about an article itself? ─▶ its byline, its date, its title first
                       └▶ spelt as the articles do ─▶ follow-up? ─▶ ranked ─▶ cited
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

from index.archive.store import Snapshot, Where
from index.article import Article
from index.errors import QuestionError
from index.models.encoder import Encoder, Encoding
from qa.answer import Answer, Citation
from qa.citing.cite import Cited, cite, cited_first
from qa.citing.together import together
from qa.conversation.context import context_of, in_context, narrowed, still_there
from qa.conversation.context_dependence import is_short
from qa.conversation.corrections import Correction, correction
from qa.conversation.followup import check_history
from qa.question.abbreviations import as_written, initials_of_names, may_abbreviate
from qa.question.about_article import Aspect, described, metadata_evidence
from qa.question.answer_type import accented_words, correct_spelling, with_accents
from qa.question.deciding import deciding_question
from qa.question.languages import MULTILINGUAL, NAMES, question_language
from qa.question.lists import as_question, listing
from qa.question.overviews import asks_for_overview
from qa.question.parts import parts_of
from qa.question.periods import periods, written_out
from qa.question.sections import section_asked
from qa.question.small_talk import small_talk
from qa.ranking.candidates import (
    POOL,
    POOL_OF_ONE,
    ParsedQuestion,
    SnapshotVocabulary,
    only_entry,
    parse_question,
)
from qa.ranking.confidence import MIN_CONFIDENCE
from qa.ranking.overview import overview
from qa.ranking.plain_rules import by_plain_rules
from qa.ranking.ranking import RankedPool, rank, texts_of
from qa.ranking.reranker import Reranker, SecondLook
from qa.reading.reader import Reader

__all__ = ["DEFAULT_K", "MAX_K", "MAX_QUESTION_CHARS", "PER_ARTICLE", "Engine", "Inquiry"]

DEFAULT_K: Final = 5
MAX_K: Final = 100
MAX_QUESTION_CHARS: Final = 2000
PER_ARTICLE: Final = 2
KEPT_QUESTIONS: Final = 64
"""Encodings an engine keeps of the last questions; some 20 kB each."""
MOST_LISTED: Final = 20
"""Citations at most where all of something is asked for, if no more are wanted."""
_DESCRIBED: Final = 3
"""Articles that are looked at for what a question says of one: it may have no byline."""
_WALKED_THROUGH: Final = 128
"""Passages of one article that are all read for a follow-up: the next answer may stand just after
the last without a word in common."""
_RUSSIAN: Final = "кто написал эту книгу о нашем городе"
_OVERVIEW: Final = "What is this article about?"
_BEGINS: Final = 500
"""Code points of an article without a title that say what it is about."""
_IN_SHORT: Final = "the text in short: its lead, and what stands for each of its parts"
_NAMED_IN: Final = 10
"""Passages in whose articles an abbreviation is looked up."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question and how it is to be answered.

    Attributes:
        question: As it was asked, up to `MAX_QUESTION_CHARS`.
        k: Citations wanted at most, 1 to `MAX_K`.
        where: Which articles are asked; None for all.
        history: Answers to the questions before, the last one last.
        per_article: Citations from one article at most; None for `PER_ARTICLE`, or all where
            only one article is asked.
        min_confidence: Probability, 0 to 1, from which an answer counts as found.
    """

    question: str
    k: int = DEFAULT_K
    where: Where | None = None
    history: Sequence[Answer] = ()
    per_article: int | None = None
    min_confidence: float = MIN_CONFIDENCE

    def __post_init__(self) -> None:
        """Refuse what cannot be asked.

        Raises:
            QuestionError: The question or an option cannot be used.
        """
        _check(self.question, self.k, self.min_confidence)
        check_history(self.history)
        most = self.per_article
        if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
            raise QuestionError(f"per_article must be a whole number from 1, not {most!r}")
        if self.where is not None and not isinstance(self.where, Where):
            raise QuestionError(f"where must be a Where, not {type(self.where).__name__}")


class Engine:
    """Answers questions from any snapshot that a model has made the vectors of.

    Safe to share between threads.
    """

    def __init__(
        self, encoder: Encoder, reranker: Reranker | None = None, reader: Reader | None = None
    ) -> None:
        """Answer with a model.

        Args:
            encoder: The model.
            reranker: Has a second look at the best candidates.
            reader: Reads around the best of them.
        """
        self.encoder = encoder
        self.reranker = reranker
        self.reader = reader
        self.encode: Callable[[str], Encoding] = lru_cache(maxsize=KEPT_QUESTIONS)(
            encoder.encode_query
        )

    def answer(self, snapshot: Snapshot, inquiry: Inquiry) -> Answer:
        """The sentences of a snapshot that answer a question."""
        if reply := small_talk(inquiry.question):
            return Answer(
                inquiry.question, None, False, 0.0, (), (), reply=reply, kind="small talk"
            )
        history = tuple(answer for answer in inquiry.history if not answer.reply)
        answers: list[Answer] = []
        for part in parts_of(inquiry.question):
            asked = replace(inquiry, question=part, history=(*history, *answers))
            answers.append(_Asking(self, snapshot, asked).answer())
        return answers[0] if len(answers) == 1 else together(inquiry.question, answers, inquiry.k)

    def overview(self, snapshot: Snapshot, article_id: str, k: int = DEFAULT_K) -> Answer:
        """An article in so many of its own sentences."""
        inquiry = Inquiry(_OVERVIEW, k, Where(ids=(article_id,)))
        return _Asking(self, snapshot, inquiry).overview(snapshot.article(article_id))

    @cached_property
    def multilingual(self) -> bool:
        """Whether the model has words of other languages, and not only their letters."""
        return self.encoder.count_tokens([_RUSSIAN])[0] <= 2 * len(_RUSSIAN.split())

    def is_word(self, word: str) -> bool:
        """Whether the model has a word piece of its own for it, as it has for every usual word."""
        return self.encoder.count_tokens([word]) == [1]


class _Asking:
    def __init__(self, engine: Engine, snapshot: Snapshot, inquiry: Inquiry) -> None:
        self._engine = engine
        self._snapshot = snapshot
        self._inquiry = inquiry
        self._asked = correction(
            inquiry.question, inquiry.history, lambda answer: bool(still_there(snapshot, answer))
        ) or Correction(inquiry.question, tuple(inquiry.history))
        only = only_entry(snapshot, inquiry.where)
        self._only = snapshot.article(only.id) if only else None

    def answer(self) -> Answer:
        return self._about_article() or self._about_described() or self._searched()

    def _about_article(self) -> Answer | None:
        """An answer to "Who wrote this?", where it is clear what "this" is."""
        question, article = self._asked.question, self._only or self._last_cited()
        if article is None:
            return None
        about = metadata_evidence(question, article)
        if asks_for_overview(question) or (about and about.aspect is Aspect.TOPIC):
            return self.overview(article)
        if about is None:
            return None
        where = replace(self._inquiry.where or Where(), ids=(article.id,))
        cited = self._cited(self._ranked(self._parsed(question), [where]), question)
        return self._made(question, 1.0, cited_first(article, about, cited), (about.reason,))

    def overview(self, article: Article) -> Answer:
        """The title, the lead, and what stands for each section, in their order."""
        begins = self._engine.encode(article.title or article.text[:_BEGINS]).vector
        title = metadata_evidence(_OVERVIEW, article)
        k = max(1, self._inquiry.k - bool(title))
        cited = self._cited(overview(self._snapshot, article, begins, k), "", k, k)
        if title:
            cited = cited_first(article, title, cited)
        return replace(self._made(self._asked.question, 1.0, cited, (_IN_SHORT,)), kind="overview")

    def _about_described(self) -> Answer | None:
        """An answer to "Who wrote the article about the bridge?"."""
        question, asked = self._asked.question, described(self._asked.question)
        if asked is None:
            return None
        ranked = self._ranked(self._parsed(asked.subject), self._filters(asked.subject))
        cited = self._cited(ranked, asked.subject)
        found = dict.fromkeys(citation.article for citation in cited.citations)
        for ref in [*found][:_DESCRIBED]:
            article = self._snapshot.article(ref.id)
            about = metadata_evidence(asked.question, article)
            if ranked and about:
                return self._made(
                    f"{question} (the article \u201c{ref.name}\u201d)",
                    ranked.ranking.confidence,
                    cited_first(article, about, cited),
                    (about.reason,),
                )
        return None

    def _searched(self) -> Answer:
        asked, history = self._asked.question, self._asked.history
        question = read_as = self._as_written(asked)
        parsed, wheres = self._parsed(question), self._filters(question)
        section = section_asked(question, self._only) if self._only else None
        wanted, k = listing(asked), self._inquiry.k
        most = max(k, MOST_LISTED) if wanted and wanted.everything else k
        context = context_of(self._snapshot, parsed, history)
        if context is None:
            whole = bool(section or wanted)
            ranked = self._ranked(parsed, wheres, self._engine.reranker, whole=whole)
        else:
            read_as = context.follow.read_as
            forms = [parsed, self._parsed(context.follow.joined)]
            followed = self._followed(wheres, context.cited_last)
            found = self._rank(forms, followed, whole=self._only is not None)
            ranked = in_context(context, found) if found else None
            if ranked and context.follow.shown is None:
                ranked = self._looked_at_again(ranked, context.follow.joined)
        if ranked and not (context and context.follow.shown is not None):
            ranked = by_plain_rules(
                ranked,
                parsed,
                [*map(self._snapshot.article, ranked.pool.articles)],
                section=section,
                wanted=wanted,
                most=most,
                leaning=context is not None
                and (is_short(question) or len(parsed.known) + parsed.n_unknown == 1),
            )
        confidence = ranked.ranking.confidence if ranked else 0.0
        reasons = ranked.ranking.reasons if ranked else (self._nothing_asked(),)
        unsure = confidence < self._inquiry.min_confidence and not context
        if unsure and (foreign := self._in_another_language(question)):
            ranked, reasons = None, (foreign,)
        few = (1 if wanted.articles else most) if wanted else None
        cited = self._cited(ranked, question, most, few)
        return self._made(self._asked.read_as(read_as), confidence, cited, reasons, most)

    def _in_another_language(self, question: str) -> str | None:
        """That question and article are in two languages, where the model knows but one."""
        asked, written = question_language(question), self._only.language if self._only else None
        if asked not in NAMES or written not in NAMES:
            return None
        if asked == written or self._engine.multilingual:
            return None
        return (
            f"the question is in {NAMES[asked]} and the article in {NAMES[written]}, which the"
            f" model does not bring together: ask in {NAMES[written]}, or use a model that does,"
            f" as with --model {MULTILINGUAL}"
        )

    def _looked_at_again(self, ranked: RankedPool, question: str) -> RankedPool:
        if not self._engine.reranker:
            return ranked
        texts = texts_of(self._snapshot, ranked.pool)
        look = SecondLook(self._engine.reranker, question, ranked.pool, texts)
        passages, quoted = look(ranked.ranking.passages, ranked.ranking.quoted)
        return replace(ranked, ranking=replace(ranked.ranking, passages=passages, quoted=quoted))

    def _followed(
        self, wheres: Sequence[Where | None], cited_last: Sequence[Citation]
    ) -> list[Where | None]:
        """The filters, and narrowed to the articles that were cited last."""
        return [*wheres, *(() if self._only else narrowed(wheres, cited_last))]

    def _as_written(self, question: str) -> str:
        """The question in the articles' own spelling, its names as long or short as there."""
        question = deciding_question(as_question(written_out(question)))
        if self._only:
            question = with_accents(question, _accented(self._only.text))
        named = question
        if may_abbreviate(question):
            words = SnapshotVocabulary(self._snapshot, question.replace(".", ""))
            for article in self._likely_articles(question):
                named = as_written(question, article.text, words, _initials(article.text))
                if named != question:
                    break
        # The model knows which words are right in English alone.
        if self._only and (self._only.language or "en") != "en":
            return named
        vocabulary = SnapshotVocabulary(self._snapshot, named)
        return correct_spelling(named, vocabulary, self._engine.is_word)

    def _likely_articles(self, question: str) -> Iterator[Article]:
        """The articles in which a name of the question may stand, the likeliest first."""
        if self._only:
            yield self._only
            return
        vector = self._engine.encode(question).vector
        hits = self._snapshot.dense(vector, _NAMED_IN, self._inquiry.where)
        pool = self._snapshot.pool(hits.rows, ())
        for number in dict.fromkeys(pool.article_of.tolist()):
            yield self._snapshot.article(pool.articles[number])

    def _nothing_asked(self) -> str:
        """Why there is not even something that comes close."""
        n = self._snapshot.statistics.n_articles
        return "no article passes the filters" if n else "the library holds no articles"

    def _parsed(self, question: str) -> ParsedQuestion:
        return parse_question(self._snapshot, question, self._engine.encode(question))

    def _rank(
        self,
        questions: Sequence[ParsedQuestion],
        wheres: Sequence[Where | None],
        reranker: Reranker | None = None,
        *,
        whole: bool = False,
    ) -> tuple[RankedPool, ...]:
        """Rank for each question; `whole` reads all of an article, and more of an archive."""
        of_one = _WALKED_THROUGH if whole else POOL_OF_ONE
        of_many = 2 * MOST_LISTED if whole else POOL
        usual = of_one if self._only else of_many
        # Who wants many citations, two of an article, wants more passages read.
        wanted = max(usual, 2 * (self._inquiry.k + len(self._asked.passed_over)))
        return rank(
            self._snapshot,
            questions,
            wheres,
            n_passages=wanted,
            reranker=reranker,
            reader=self._engine.reader,
        )

    def _ranked(
        self,
        parsed: ParsedQuestion,
        wheres: Sequence[Where | None],
        reranker: Reranker | None = None,
        *,
        whole: bool = False,
    ) -> RankedPool | None:
        return next(iter(self._rank([parsed], wheres, reranker, whole=whole)), None)

    def _cited(
        self, ranked: RankedPool | None, question: str, k: int | None = None, few: int | None = None
    ) -> Cited:
        """What is shown of a pool; `few` of each article at most, if nobody says otherwise."""
        if ranked is None:
            return Cited()
        k = k or self._inquiry.k
        few = self._inquiry.per_article or few or (k if self._only else PER_ARTICLE)
        # Each article is wanted for several sentences.
        article = lru_cache(maxsize=None)(self._snapshot.article)
        return cite(ranked, article, question, k, few, self._asked.passed_over)

    def _made(
        self,
        read_as: str,
        confidence: float,
        cited: Cited,
        why: tuple[str, ...],
        most: int | None = None,
    ) -> Answer:
        k, question = most or self._inquiry.k, self._inquiry.question
        return Answer(
            question=question,
            interpreted_as=read_as if read_as != question else None,
            found=bool(cited.citations) and confidence >= self._inquiry.min_confidence,
            confidence=confidence,
            citations=cited.citations[:k],
            passages=cited.passages[:k],
            why=why,
        )

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


_accented = lru_cache(maxsize=64)(accented_words)


@lru_cache(maxsize=64)
def _initials(text: str) -> dict[str, str]:
    return initials_of_names(text)


def _check(question: object, k: object, min_confidence: object) -> None:
    if not isinstance(question, str):
        raise QuestionError(f"the question must be text, not {type(question).__name__}")
    if not any(map(str.isalnum, question)):
        raise QuestionError("the question is empty; type one in words")
    if len(question) > MAX_QUESTION_CHARS:
        raise QuestionError(
            f"the question has {len(question):,} characters, and at most {MAX_QUESTION_CHARS:,}"
            " are read; shorten it"
        )
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= MAX_K:
        raise QuestionError(f"k must be a whole number from 1 to {MAX_K}, not {k!r}")
    if (
        not isinstance(min_confidence, (int, float))
        or isinstance(min_confidence, bool)
        or not 0 <= min_confidence <= 1
    ):
        raise QuestionError(f"min_confidence must be a number from 0 to 1, not {min_confidence!r}")
