"""Plain rules that go before every fitted weight, where a reader would have no doubt.

- A question that stands in the article ("Why did you stop? My hand began to shake.") is no
  answer: what follows it is.
- A section that is asked for by its heading is quoted in its order; so is all of something.
- What a question turns on, an identifier, a year, a month or a weekday, decides: the sentence
  that names it comes first, and where none does, the article does not say.
- "Who is Novak?" is answered where Novak is named; a row of a table, by the name it begins with.
- Who asks for what is not, or who was against, is answered by a sentence that denies; and who
  asks why, by the reason that the next sentence gives for what this one tells.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from index.article import Article, BlockKind
from index.models.encoder import Float32
from index.scoring.spellings import folded
from index.scoring.terms import terms
from qa.question.lists import Listing
from qa.question.specifics import GENERIC, Specific, specifics
from qa.ranking.candidates import ParsedQuestion
from qa.ranking.ranking import RankedPool

__all__ = ["by_plain_rules"]

_LIFT: Final = 6.0
"""Log-odds that a sentence gains by naming what the question turns on; more than any feature
gives."""
_PLAIN: Final = 0.6
"""Confidence of an answer that a rule is sure of, at least."""
_ABSENT: Final = 0.02
"""Confidence where what the question turns on is nowhere, at most."""
_QUESTION: Final = re.compile(r"[?\uff1f][\"'\u201d\u2019)\]]*\s*$")
_WHO: Final = re.compile(
    r"\W*(?:(?:and|but|so)\s+)?(?:who\s+(?:is|was|are|were)|who's|what about|how about)?\s*"
    r"(?P<name>(?:[^\W\d_]\.?\s+)*[A-Z\u00c0-\u024f][\w'\u2019.-]*"
    r"(?:\s+[A-Z\u00c0-\u024f][\w'\u2019.-]*){0,3})\W*"
)
_OPENED: Final = re.compile(r"\W*(?:(?:and|but|so)\s|who\b|what about|how about)", re.IGNORECASE)
_DENIED: Final = re.compile(
    r"\b(?:against|not|never|no|nobody|none|neither|refus\w+|reject\w+|oppos\w+)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_DENIED_VERB: Final = re.compile(r"(?:\b(?:not|never)|n['\u2019]t)\s+(?:\w+ly\s+)?([^\W\d_]+)")
_AGAINST: Final = re.compile(
    r"\b(?:against|refus\w+|reject\w+|oppos\w+|object\w+|disagree\w+|abstain\w+|protest\w+)\b",
    re.IGNORECASE,
)
_SUPPORT: Final = re.compile(
    r"(?:\bnot|n['\u2019]t)\s+(?:back|support|vote for|agree|favou?r|approve|endorse|welcome|accept"
    r"|want|like)\b",
    re.IGNORECASE,
)
_ROLE: Final = re.compile(r"\W*who (?:is|was|are|were) (?:the|its|their|an?) ", re.IGNORECASE)
_INSIDE: Final = re.compile(r"(?<=[\w,;:] )[A-Z\u00c0-\u00de]\w+")
_ENTITY: Final = re.compile(r"\W*(?:who|which|what\s+(?!do|did|does|is|are|was|were)\w)", re.I)
_BESIDE: Final = 3
"""Sentences between two that tell of one matter, at most."""
_OPPOSED: Final = re.compile(
    r"\bagainst\b|\boppos(?:e|es|ed|ing)\b"
    r"|\bwho (?:did|do|does|was|were|has|have|is|are)(?: not|n['\u2019]t)\b",
    re.IGNORECASE,
)
_WHY: Final = re.compile(r"\W*(?:(?:and|but|so)\s+)?(?:why|how come|what for)\b", re.IGNORECASE)
_CAUSE: Final = re.compile(
    r"\b(?:because|since|due to|owing to|so that|in order to|therefore|as a result|thanks to)\b",
    re.IGNORECASE,
)
_SAID: Final = re.compile(
    r"\W*(?:He|She|They|It|This|The \w+)\s+"
    r"(?:said|says|argued|explained|added|warned|feared|claimed|complained|thought|believed)\b"
)
_CHANGE: Final = re.compile(r"\W*how\b.+\bchanged?\b", re.IGNORECASE)
_CHANGED: Final = re.compile(
    r"\binstead of\b|\bfrom [^.]*\d[^.]* to\b|\b(?:up|down|higher|lower|more|less) (?:from|than)\b"
    r"|\b(?:r[io]se[sn]?|rising|f[ae]ll(?:s|en|ing)?|gr[eo]w[ns]?|growing|shr[aiu]nk|dropp?(?:ed|s)"
    r"|increas(?:ed|es|ing)|decreas(?:ed|es|ing)|declin(?:ed|es|ing)|doubled|halved|cut)\b",
    re.IGNORECASE,
)
_NUDGE: Final = 2.0
"""Log-odds that a sentence gains by telling of a change where one is asked for."""
_FEW: Final = 2
_REASON: Final = 0.3
"""Confidence of a reason that follows what it is given for, at least."""
_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")


class _Sentences:
    """The sentences of a pool, the terms of the question in each, and where they stand."""

    def __init__(
        self, ranked: RankedPool, parsed: ParsedQuestion, articles: Sequence[Article]
    ) -> None:
        pool = ranked.pool
        owners = [articles[number] for number in pool.article_of[pool.passage_of].tolist()]
        self._placed = list(zip(owners, pool.sentence_spans.tolist(), strict=True))
        self._column = {term: number for number, term in enumerate(parsed.known)}
        # A pool counts the terms of the question itself before those of what it follows.
        self._has = pool.term_counts > 0
        self.quotes = tuple(owner.text[a:b] for owner, (a, b) in self._placed)

    def holding(self, wanted: Iterable[str]) -> list[int]:
        """Those that have all of some terms of the question."""
        wanted = {*wanted}
        return [row for row, n in enumerate(self.shared(wanted)) if n == len(wanted)]

    def shared(self, wanted: Iterable[str]) -> list[int]:
        """How many of some terms of the question each has."""
        columns = [self._column[term] for term in wanted if term in self._column]
        counts: list[int] = self._has[:, columns].sum(axis=1).tolist()
        return counts

    def table_rows(self, *, heads: bool = False) -> Iterator[int]:
        """Those that are rows of a table, or the heads of its columns."""
        tables = {
            article.id: [
                (block.start, block.end)
                for block in article.blocks
                if block.kind is BlockKind.TABLE_ROW and bool(block.level) is heads
            ]
            for article in {owner.id: owner for owner, _ in self._placed}.values()
        }
        for row, (owner, (a, _)) in enumerate(self._placed):
            if any(start <= a < end for start, end in tables[owner.id]):
                yield row


def by_plain_rules(
    ranked: RankedPool,
    parsed: ParsedQuestion,
    articles: Sequence[Article],
    *,
    section: tuple[int, int] | None = None,
    wanted: Listing | None = None,
    most: int = 1,
    leaning: bool = False,
) -> RankedPool:
    """Reorder the sentences of a pool, and correct the confidence in them.

    Args:
        ranked: The pool as it was ranked, for this question first.
        parsed: The question as it is read.
        articles: Those of the pool, in its order.
        section: Where the section that is asked for stands, where the pool is of one article.
        wanted: What the question wants all of, if it does.
        most: So much of it at most.
        leaning: Whether the question is an ellipsis that follows another ("and scooters?").
    """
    question, ranking = parsed.question, ranked.ranking
    sentences = _Sentences(ranked, parsed, articles)
    quoted = _past_questions(ranking.quoted, sentences)
    confidence, reasons = ranking.confidence, ranking.reasons
    if section:
        spans = ranked.pool.sentence_spans.tolist()
        decided = [r for r, (a, b) in enumerate(spans) if section[0] <= a and b <= section[1]]
        reasons = ("the question names the section that this stands in",) if decided else reasons
        order = np.arange(len(decided), dtype=np.float32)
        quoted[decided] = quoted.max() + _LIFT - order / 100
        confidence = max(confidence, _PLAIN) if decided else confidence
    elif wanted and (listed := _listed(wanted, quoted, sentences)):
        best = sorted(sorted(listed, key=listed.__getitem__, reverse=True)[:most])
        quoted[:] = -np.inf
        quoted[best] = np.linspace(1.0, 0.0, len(best), endpoint=False)
        confidence, reasons = max(confidence, _PLAIN), ("all that is asked for, in its order",)
    else:
        turning = specifics(question, parsed.language)
        gone = [
            each
            for each in turning
            if each.term not in parsed.known and not _is_date_of(each, articles)
        ]
        if gone:
            confidence = min(confidence, _ABSENT)
            reasons = tuple(f"\u2018{each.text}\u2019 is not mentioned" for each in gone)
        elif named := _named(parsed, turning, sentences, int(quoted.argmax()), leaning=leaning):
            decided, sure = named
            quoted[decided] += _LIFT
            confidence = max(confidence, _PLAIN) if sure else confidence
        if _denied_first(parsed, quoted, sentences):
            confidence = min(confidence, _ABSENT)
            reasons = ("the sentence that comes closest denies it",)
        nearest = sentences.quotes[int(quoted.argmax())]
        if _ROLE.match(question) and parsed.n_unknown and not _names_anybody(nearest):
            confidence = min(confidence, _ABSENT)
        if _CHANGE.match(question):
            tells = [bool(_CHANGED.search(quote)) for quote in sentences.quotes]
            quoted[tells] += _NUDGE
        if _reason_first(question, quoted, sentences.quotes):
            confidence = max(confidence, _REASON)
    changed = replace(ranking, quoted=quoted, confidence=confidence, reasons=reasons)
    return replace(ranked, ranking=changed)


def _past_questions(quoted: Float32, sentences: _Sentences) -> Float32:
    """Scores in which a question of the article hands its place on to what follows it.

    The heads of a table's columns answer nothing either.
    """
    asked = np.asarray([bool(_QUESTION.search(quote)) for quote in sentences.quotes])
    scores: Float32 = quoted.copy()
    for row in np.flatnonzero(asked[:-1] & ~asked[1:]).tolist():
        scores[row + 1] = max(scores[row + 1], scores[row] + 0.01)
    scores[asked] -= 2 * _LIFT
    scores[[*sentences.table_rows(heads=True)]] -= 2 * _LIFT
    return scores


def _listed(wanted: Listing, quoted: Float32, sentences: _Sentences) -> dict[int, float]:
    """The sentences that have what all is wanted of, and what each is worth."""
    rows = sentences.holding(wanted.content)
    if wanted.count is None:
        return {row: float(quoted[row]) for row in rows}
    counts = {row: wanted.count(sentences.quotes[row]) for row in rows}
    return {row: float(n) for row, n in counts.items() if n}


def _named(
    parsed: ParsedQuestion,
    turning: Sequence[Specific],
    sentences: _Sentences,
    best: int,
    *,
    leaning: bool,
) -> tuple[list[int], bool] | None:
    """The sentences that name what a question is about, and whether that is all it asks."""
    question = parsed.question
    content = {*terms(question, parsed.language)} - GENERIC
    if turning:
        rows = sentences.holding(each.term for each in turning)
        return (rows, bool(sentences.holding(content))) if rows else None
    name = _WHO.fullmatch(question)
    if name and _OPENED.match(question) and content:
        rows = sentences.holding(content)
        described = [row for row in rows if _describes(name["name"], sentences.quotes[row])]
        return (described or rows, True) if rows else None
    if leaning and content and (rows := sentences.holding(content)):
        return rows, True
    if (
        content
        and _OPPOSED.search(question)
        and (rows := _denying(question, sentences, content, best))
    ):
        return rows, len(content) < _FEW or bool(_SUPPORT.search(question))
    words = {folded(word.lower()) for word in _WORD.findall(question)}
    numbers = {term for term in content if term[:1].isdigit()}
    with_numbers = sentences.holding(numbers) if numbers else ()
    rows = [
        row
        for row in sentences.table_rows()
        if row in with_numbers or _first_word(sentences.quotes[row]) in words
    ]
    return (rows, True) if rows else None


def _denying(
    question: str, sentences: _Sentences, content: Collection[str], best: int
) -> list[int]:
    """The sentences that deny, and share most with the question.

    "Councillor Bures opposed it" shares nothing with "Who did not back the plan?", and stands
    beside the sentence that tells who did.
    """
    shared = sentences.shared(content)
    denying = [row for row, quote in enumerate(sentences.quotes) if _DENIED.search(quote)]
    most = max((shared[row] for row in denying), default=0)
    beside = [
        row
        for row in denying
        if abs(row - best) <= _BESIDE and _AGAINST.search(sentences.quotes[row])
    ]
    if most < len(content) and beside and _SUPPORT.search(question):
        return beside
    return [row for row in denying if shared[row] == most] if most else []


def _denied_first(parsed: ParsedQuestion, quoted: Float32, sentences: _Sentences) -> bool:
    """Put what denies that which is asked for behind; says whether nothing else tells of it.

    "The old machines did not accept phones" does not say which machines do.
    """
    if not _ENTITY.match(parsed.question) or _DENIED.search(parsed.question):
        return False
    content = {*terms(parsed.question, parsed.language)} - GENERIC
    best = int(quoted.argmax())
    denies = [
        any(content.intersection(terms(verb)) for verb in _DENIED_VERB.findall(quote))
        for quote in sentences.quotes
    ]
    if not denies[best]:
        return False
    quoted[denies] -= _LIFT
    return all(denies[row] for row in sentences.holding(content))


def _reason_first(question: str, quoted: Float32, quotes: Sequence[str]) -> bool:
    """Put the reason before what it is given for; says whether there was one."""
    best = int(quoted.argmax())
    if not _WHY.match(question) or best + 1 >= len(quotes) or _CAUSE.search(quotes[best]):
        return False
    if not _SAID.match(quotes[best + 1]):
        return False
    quoted[best + 1] = quoted[best] + 0.01
    return True


def _first_word(quote: str) -> str | None:
    word = _WORD.search(quote)
    return folded(word[0].lower()) if word else None


def _describes(name: str, quote: str) -> bool:
    """Whether a sentence says what somebody is: "Novak, who …", "chairman Novak"."""
    last = re.escape(name.split()[-1].rstrip("."))
    return bool(
        re.search(rf"\b{last}(?:,| \(| (?:is|was|of|from|who|has been)\b)", quote)
        or re.search(rf"\b[a-z]+ (?:[A-Z][\w.]* )*{last}\b", quote)
    )


def _names_anybody(quote: str) -> bool:
    """Whether a sentence has a capital inside that is not of a day or a month."""
    return any(not specifics(word) for word in _INSIDE.findall(" ".join(quote.split())))


def _is_date_of(each: Specific, articles: Sequence[Article]) -> bool:
    """Whether a year is that in which an article appeared: it need not name it."""
    return each.kind == "year" and any((a.published or "")[:4] == each.text for a in articles)
