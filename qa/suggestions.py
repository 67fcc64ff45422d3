"""Questions to offer about an article, made from its own sentences by a few templates.

A sentence that begins with a name or "The …" and goes on with a verb that is known is turned
around: "The zoo opened in 1874." gives "When did the zoo open?". Rather few and good: whatever
holds a pronoun, or a clause that does not end plainly, is left alone. English only. What is
offered is only what, when it is asked, finds its sentence again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from index.article import Article, BlockKind
from index.segmentation.passages import Sentence
from qa.answer import Answer

__all__ = ["Suggestion", "answered", "fresh", "suggestions", "topics"]


LONGEST: Final = 600
"""Code points of a sentence from which it makes no plain question."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question and where its answer stands.

    Attributes:
        question: As a person would ask it.
        start: First code point of the sentence that answers.
        end: One past its last.
        rank: 0 for the kind of question that is best to offer.
    """

    question: str
    start: int
    end: int
    rank: int


MOST_TOPIC: Final = 60
"""Characters of a heading that is offered as it stands."""

# Past forms and their base; the participle is not needed.
_BASE: Final = dict(
    pair.split(":")
    for pair in """accepted:accept acquired:acquire adopted:adopt allowed:allow announced:announce
    asked:ask attacked:attack banned:ban became:become began:begin bought:buy broke:break
    brought:bring built:build called:call captured:capture caused:cause changed:change
    chose:choose closed:close composed:compose conquered:conquer created:create crossed:cross
    declared:declare defeated:defeat demanded:demand designed:design destroyed:destroy
    developed:develop died:die discovered:discover donated:donate ended:end entered:enter
    established:establish extended:extend expanded:expand failed:fail fell:fall formed:form
    fought:fight found:find founded:found gained:gain gave:give halted:halt held:hold
    hired:hire introduced:introduce invaded:invade invented:invent issued:issue joined:join
    killed:kill launched:launch left:leave lost:lose made:make married:marry moved:move
    named:name opened:open opposed:oppose ordered:order passed:pass performed:perform
    produced:produce promised:promise proposed:propose proved:prove published:publish
    purchased:purchase received:receive recorded:record refused:refuse rejected:reject
    released:release removed:remove replaced:replace reported:report resigned:resign
    returned:return revealed:reveal ruled:rule sent:send signed:sign sold:sell started:start
    stopped:stop suggested:suggest supported:support surrendered:surrender took:take
    urged:urge used:use vowed:vow warned:warn withdrew:withdraw won:win wrote:write""".split()
)
_CLAIMS: Final = dict(
    pair.split(":")
    for pair in """announced:announce argued:argue believed:believe claimed:claim
    concluded:conclude declared:declare denied:deny discovered:discover estimated:estimate
    found:find noted:note observed:observe proposed:propose proved:prove ruled:rule showed:show
    stated:state suggested:suggest thought:think warned:warn wrote:write""".split()
)
_KINDS: Final = (
    r"(?:agency|album|alliance|body|book|camp|castle|channel|city|company|corporation|disease|drug"
    r"|festival|film|group|initiative|institution|island|law|magazine|method|model|museum|network"
    r"|newspaper|novel|operation|organi[sz]ation|party|play|process|program|programme|project"
    r"|region|river|school|series|service|state|station|system|technique|theory|tool|town|treaty"
    r"|tribe|university|village|website)"
)
_PEOPLE: Final = (
    r"(?:\w+ ){0,4}?(?:actor|actress|artist|astronomer|attorney|author|chemist|composer|director"
    r"|economist|engineer|founder|historian|inventor|journalist|lawyer|leader|mathematician"
    r"|minister|musician|painter|philosopher|physicist|poet|politician|president|professor"
    r"|researcher|scientist|singer|theologian|writer)\b"
)
_MONTH: Final = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
)
_DATE: Final = rf"(?:{_MONTH} (?:\d{{1,2}},? )?|\d{{1,2}} {_MONTH} )?[12]\d{{3}}\b"
_CAPITAL: Final = r"[A-Z][\w'\u2019-]*"
_NAME: Final = rf"{_CAPITAL}(?: (?:(?:of|de|van|von) )?{_CAPITAL}){{0,4}}"
_WHOLE: Final = rf"(?P<subject>(?:the )?{_NAME})"
_THING: Final = rf"[Tt]he (?:[\w-]+ ){{0,2}}?(?:of (?:the )?{_NAME}|[\w-]+)"
_SUBJECT: Final = rf"(?P<subject>{_THING}|{_NAME})"
_REST: Final = r"(?P<rest>(?:[^,;:()\u2013\u2014\"\u201c\u201d\[\]]|,(?=\d))*?)"
_END: Final = r"(?:[.;,](?=\s|\[|$)| and | but |$)"
_PAST: Final = rf"(?P<verb>{'|'.join(_BASE)})\b"
_BE: Final = r"(?P<be>was|were)"
_PRONOUN: Final = re.compile(
    r"\b(?:he|him|his|she|her|they|them|their|it|its|this|that|these|those|which|who|whom|whose"
    r"|we|our|i|my|you|there|here|such|former|latter|also|then|not|never|other|another|same"
    r"|early|late|when|while|where|after|before)\b",
    re.IGNORECASE,
)
_NOT_A_SUBJECT: Final = frozenset(
    """a about after again all although an and another as at because before both but by despite
    during each early every few finally first for from he however i if in instead it its last later
    many most much no not of on once one only or other our she since so some still such that their
    then there these they this those though three through thus to today two under until we what
    we when where which while who with you""".split()
)

_INSIDE: Final = re.compile(rf"[a-z,] ((?:the )?{_CAPITAL}(?: (?:of )?{_CAPITAL}){{0,4}})")
_SMALL: Final = re.compile(r"\b[a-z][a-z-]+\b")
_CAPITALS: Final = re.compile(r"[A-Z]")
_FIRST: Final = re.compile(r"[A-Z][\w-]*")
_AUXILIARY: Final = frozenset(
    """am are be been being can could did do does had has have is may might must shall should was
    were will would""".split()
)

_OPENING: Final = rf"(?:(?:In|On) (?P<when>{_DATE}),? )?"
_WHEN_DID: Final = re.compile(
    rf"{_OPENING}{_SUBJECT} {_PAST}{_REST}(?P<at> (?:in|on) {_DATE})?{_END}"
)
_WHEN_WAS: Final = re.compile(
    rf"{_OPENING}{_SUBJECT} {_BE} {_REST}(?P<at> (?:in|on) {_DATE})?{_END}"
)
_WHY_DID: Final = re.compile(
    rf"{_SUBJECT} {_PAST}{_REST}(?:,? (?:because|due to|in response to|amid|in order to)\b)"
)
_WHERE_WAS: Final = re.compile(
    rf"{_SUBJECT} {_BE} (?P<rest>born|built|held|buried|founded|educated|raised)"
    rf" (?:in|at|near) (?:the )?{_CAPITAL}"
)
_WHAT_IS: Final = re.compile(
    rf"{_SUBJECT} (?P<be>is|are|was|were) (?P<what>(?:an?|one of the) .{{12,}})"
)
_WHO_IS: Final = re.compile(
    rf"(?P<subject>{_CAPITAL}(?: {_CAPITAL}){{1,3}}), (?:an?|the) {_PEOPLE}"
)
_SAID: Final = re.compile(
    rf"{_WHOLE}"
    r"(?:, (?:an?|the) [^,]{3,80},|, (?:which|who))?"
    rf" (?:(?P<said>said|told)\b|(?P<verb>{'|'.join(_CLAIMS)})"
    r"(?= that\b|(?<=showed|denied) [A-Z\w]))"
)
_HAVE_SAID: Final = re.compile(
    r"(?P<subject>[A-Z][a-z]+(?: [a-z]+){0,2}) have (?:long |often |also )?"
    r"(?P<verb>argued|claimed|noted|said|suggested|warned)\b"
)
_WHERE_IS: Final = re.compile(
    rf"{_SUBJECT} (?P<be>is|was|are) (?P<rest>located|situated|based|headquartered) (?:in|at|on)\b"
)
_OFFERS: Final = re.compile(rf"{_SUBJECT} (?P<verb>offer|sell|produce|make)s [a-z]")
_APPOSED: Final = re.compile(
    rf"{_WHOLE}, an? (?:[\w-]+ ){{0,2}}?{_KINDS}"
    r"(?=[,.;]| (?:of|in|from|that|which|created|for|based|at|by|with)\b)"
)
_CALLED: Final = re.compile(
    rf"\ban? (?:[\w-]+ ){{0,2}}?{_KINDS} (?:called|named) (?:the )?"
    rf"(?P<subject>{_CAPITAL}(?: {_CAPITAL}){{0,3}})"
)
_HOW_MANY: Final = re.compile(
    rf"{_SUBJECT} (?P<verb>has|had|contains|contained|includes|included|employs|employed)"
    r" (?:about |over |more than |nearly |some |approximately )?(?:\d[\d,]*|two|three|four|five|six"
    r"|seven|eight|nine|ten|twelve|twenty|hundreds|thousands)"
    r" (?P<things>(?!more |other )(?:[a-z-]+ ){0,2}?[a-z]{3,}s)\b(?! [a-z]+s\b)"
)
_HAVE: Final = {"ha": "have", "contain": "contain", "include": "include", "employ": "employ"}


def answered(
    made: Iterable[Suggestion],
    article_hash: str,
    ask: Callable[[str], Answer],
    *,
    tried: int,
    most: int,
) -> tuple[Suggestion, ...]:
    """Questions whose first citation is the sentence that they were made from.

    Args:
        made: Questions about one article, the best to offer first.
        article_hash: That article's.
        ask: Answers a question.
        tried: At most so many are asked.
        most: And so many wanted.
    """

    def found() -> Iterator[Suggestion]:
        for suggestion in islice(made, tried):
            answer = ask(suggestion.question)
            first = next(iter(answer.citations), None)
            if (
                answer.found
                and first
                and first.article.hash == article_hash
                and (first.start, first.end) == (suggestion.start, suggestion.end)
            ):
                yield suggestion

    return tuple(islice(found(), most))


def topics(article: Article) -> Iterator[str]:
    """What an article is about in its own words, whatever its language: headings, names of rows."""
    for kinds in ((BlockKind.HEADING,), (BlockKind.TABLE_ROW,)):
        for block in article.blocks:
            text = article.text[block.start : block.end]
            topic = " ".join(text.partition("|")[0].split())
            if block.kind in kinds and any(map(str.isalpha, topic)) and len(topic) <= MOST_TOPIC:
                yield topic


def fresh(offered: Iterable[Suggestion], asked: Iterable[str]) -> list[Suggestion]:
    """Those that were not asked yet, upper and lower case alike."""
    known = {question.casefold() for question in asked}
    return [s for s in offered if s.question.casefold() not in known]


def suggestions(article: Article, sentences: Sequence[Sentence]) -> list[Suggestion]:
    """Every question the templates make of an article, one a sentence, none twice.

    Those that are best to offer come first: the kinds take turns, each in reading order.

    Args:
        article: The article.
        sentences: What of it can be cited.
    """
    if (article.language or "en") != "en":
        return []
    made: list[Suggestion] = []
    # A word that the article also writes small is capital at a sentence's start for no reason.
    common = frozenset(_SMALL.findall(article.text))
    for block in article.blocks:
        if block.kind is BlockKind.BYLINE:
            made.append(Suggestion("Who wrote this article?", block.start, block.end, 5))
            break
    proper = " ".join(_INSIDE.findall(article.text))
    for sentence in sentences:
        if sentence.end - sentence.start > LONGEST:
            continue
        text = " ".join(article.text[sentence.start : sentence.end].split())
        first = next(_questions(text, common, proper), None)
        if first:
            made.append(Suggestion(first[1], sentence.start, sentence.end, first[0]))
    seen: dict[str, Suggestion] = {}
    turns: dict[int, int] = {}
    order: list[tuple[int, int, Suggestion]] = []
    for suggestion in made:
        if seen.setdefault(suggestion.question.casefold(), suggestion) is suggestion:
            turn = turns[suggestion.rank] = turns.get(suggestion.rank, -1) + 1
            order.append((turn, suggestion.rank, suggestion))
    return [suggestion for _, _, suggestion in sorted(order, key=lambda item: item[:2])]


def _questions(text: str, common: Collection[str], proper: str) -> Iterator[tuple[int, str]]:
    """Questions that a sentence answers, the most telling kind first, with the kind's rank."""
    if match := _HAVE_SAID.match(text):
        subject = match["subject"]
        if not _NOT_A_SUBJECT.intersection(subject.lower().split()):
            yield 3, f"What have {subject[0].lower() + subject[1:]} {match['verb']}?"
    opening = _FIRST.match(text)
    if opening and opening[0].lower() in common and opening[0] not in ("The", "In", "On"):
        text = " " + text  # its first word is no name
    yield from _of_deeds(text)
    yield from _of_names(text)
    yield from _of_things(text, proper)


def _of_deeds(text: str) -> Iterator[tuple[int, str]]:
    """Why, where and when something was done, and how many there are."""
    if match := _WHY_DID.match(text):
        yield from _asked(0, match, "Why did {subject} {base}{rest}?")
    if (match := _HOW_MANY.match(text)) and _named(match["subject"]):
        aux = "does" if match["verb"].endswith("s") else "did"
        base = next(base for start, base in _HAVE.items() if match["verb"].startswith(start))
        yield 1, f"How many {match['things']} {aux} {_inside(match['subject'])} {base}?"
    if match := _WHERE_WAS.match(text) or _WHERE_IS.match(text):
        yield from _asked(2, match, "Where {be} {subject} {rest}?")
    for pattern, template, rank in (
        (_WHEN_DID, "When did {subject} {base}{rest}?", 2),
        (_WHEN_WAS, "When {be} {subject} {rest}?", 3),
    ):
        if (match := pattern.match(text)) and (match["when"] or match["at"]):
            yield from _asked(rank, match, template)


def _of_names(text: str) -> Iterator[tuple[int, str]]:
    """Who somebody is, what a name stands for, and what somebody said."""
    if match := _WHO_IS.search(text):
        yield 1, f"Who is {match['subject']}?"
    for pattern in (_APPOSED, _CALLED):
        if match := _whole(pattern, text):
            yield 1, f"What is {match['subject']}?"
    if (match := _whole(_SAID, text)) and _names(match["subject"]):
        base = _CLAIMS.get(match["verb"] or "", "say")
        yield 3, f"What did {_inside(match['subject'])} {base}?"


def _of_things(text: str, proper: str) -> Iterator[tuple[int, str]]:
    """What something is or offers."""
    if (match := _OFFERS.match(text)) and _named(match["subject"]):
        yield 3, f"What does {_inside(match['subject'])} {match['verb']}?"
    match = _WHAT_IS.match(text)
    if match and _named(match["subject"]) and match["subject"].removeprefix("The ") in proper:
        person = re.match(rf"an? {_PEOPLE}", match["what"]) and " " in match["subject"]
        # "What was Robert Dinwiddie?" is no question: of things past, people are too many.
        if person or match["be"] in ("is", "are"):
            yield 4, f"{'Who' if person else 'What'} {match['be']} {_inside(match['subject'])}?"


def _asked(rank: int, match: re.Match[str], template: str) -> Iterator[tuple[int, str]]:
    """Fill a template, unless what goes in would make no plain question."""
    parts = match.groupdict()
    rest = parts["rest"].strip()
    if not _names(parts["subject"]) or _PRONOUN.search(rest) or not _plain(rest):
        return
    if not _CAPITALS.search(parts["subject"][1:] + rest) and parts["subject"][:4] == "The ":
        return  # which company, what situation?
    base = _BASE.get(parts.get("verb") or "", "")
    gap = " " if base and rest else ""
    question = template.format(
        subject=_inside(parts["subject"]), base=base, be=parts.get("be"), rest=gap + rest
    )
    if 4 <= len(question.split()) <= 16:
        yield rank, question


def _names(subject: str) -> bool:
    """Whether a subject can stand in a question: it names something, and is no "After"."""
    words = subject.split()
    lowered = [word.lower() for word in words]
    if _AUXILIARY.intersection(lowered):
        return False
    if lowered[0] == "the":
        return len(words) > 1 and not _PRONOUN.search(subject) and lowered[-1] not in _BASE
    return not _NOT_A_SUBJECT.intersection(lowered[:1]) and not lowered[0].endswith("ly")


def _whole(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """A match whose subject is a whole name, not the end of "Committee of Experts"."""
    for match in pattern.finditer(text):
        before = text[: match.start("subject")].split()[-1:]
        plain = before and before[0].islower() and len(before[0]) > 2
        ends = before and before[0][-1] in ',"\u201d'
        if not before or ends or (plain and before[0] not in ("the", "and")):
            return match
    return None


def _named(subject: str) -> bool:
    """Whether a subject is known by its name: "the Social Chapter", not "the show"."""
    return _names(subject) and bool(_CAPITALS.search(subject.removeprefix("The ")))


def _plain(rest: str) -> bool:
    """Whether a clause ends as a clause does: not in a preposition, and with no date left."""
    if re.search(r"\b[12]\d{3}\b", rest) or len(rest.split()) > 10 or rest.startswith("by "):
        return False
    return not re.search(
        r"(?:^|\s)(?:of|in|on|at|to|by|for|from|with|the|an?|and|or|as|into|about|than|until"
        r"|between|be|been|starting|beginning|ending|[A-Z])$",
        rest,
    )


def _inside(subject: str) -> str:
    """A subject as it stands inside a sentence."""
    return "the " + subject[4:] if subject.startswith("The ") else subject
