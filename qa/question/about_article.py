"""Questions about the article itself: who wrote it, what it is called, when it appeared.

A byline shares no words with "who wrote this?", so neither vectors nor terms find it. Such
questions are recognised by a closed vocabulary instead: a question is about the article only
if *every* word of it belongs to the small language in which people talk about articles.
"Who wrote the report on Gender Shades?" does not, and is searched for like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from functools import lru_cache
from typing import Any

from index.article import Article, Block, BlockKind
from index.reading.dates import day_comes_first
from index.reading.header import said_in
from index.segmentation.sentences import split_sentences
from qa.answer import Declared

__all__ = ["Aspect", "Described", "MetadataEvidence", "described", "metadata_evidence"]


class Aspect(Enum):
    """What about the article is asked."""

    AUTHOR = "author"
    TITLE = "title"
    PUBLISHED = "published"
    MODIFIED = "modified"
    PUBLISHER = "publisher"
    CAPTION = "caption"
    TOPIC = "topic"


@dataclass(frozen=True, slots=True)
class MetadataEvidence:
    """Where the article says something about itself.

    Attributes:
        aspect: What is asked.
        spans: Stretches of ``article.text``, best first; at least one. They answer, unless
            something is declared: then they only show which article is meant.
        declared: What its source declares outside the text, in answer to the question.
        reason: Why they do, in plain words.
    """

    aspect: Aspect
    spans: tuple[tuple[int, int], ...]
    declared: tuple[Declared, ...] = ()
    reason: str = "the question is about the article itself, and it says so in its own lines"


@dataclass(frozen=True, slots=True)
class Described:
    """A question about an article that is named by what it tells of.

    Attributes:
        question: The question about the article, its subject left out.
        subject: What the article tells of, as it is put.
    """

    question: str
    subject: str


_ARTICLE = frozenset(
    "article document story piece report text post column page news item write-up newspaper".split()
)
_SMALL = frozenset(
    """a an and are as at be by can could did do does for from give has have he her his i
    in is it it's its me my of on or please show she so tell that the their them there
    they this to us was were what what's when where which who who's whom whose with you
    your""".split()
)
# Triggers name the aspect; company may stand beside them without changing the question.
_TRIGGERS = {
    Aspect.AUTHOR: frozenset(
        """author authors authored byline columnist journalist penned reporter writer writers
    wrote written""".split()
    ),
    Aspect.TITLE: frozenset("called entitled headline headlines name title titled".split()),
    Aspect.PUBLISHED: frozenset(
        "appear appeared date dated posted publication publish published".split()
    ),
    Aspect.MODIFIED: frozenset("changed edited modified revised update updated".split()),
    Aspect.PUBLISHER: frozenset(
        """magazine newspaper outlet posted publication published publisher publishes site
    website""".split()
    ),
    Aspect.CAPTION: frozenset(
        "caption illustration image images photo photograph picture pictures".split()
    ),
    Aspect.TOPIC: frozenset(
        "about gist main point subject summarise summarize summary topic".split()
    ),
}
_COMPANY = {
    Aspect.AUTHOR: frozenset(
        """behind date day full job month name names occupation position profession role
    responsible time title year""".split()
    ),
    Aspect.TITLE: frozenset("exact full read say says".split()),
    Aspect.PUBLISHED: frozenset("day first last month originally out time year".split()),
    Aspect.MODIFIED: frozenset(
        "date day last latest month most published recently time year".split()
    ),
    Aspect.PUBLISHER: frozenset("appear appeared name original".split()),
    Aspect.CAPTION: frozenset(
        """accompanying attached depict depicts depicted describe main say says see""".split()
    ),
    Aspect.TOPIC: frozenset("brief briefly cover deal discuss idea mainly say says short".split()),
}
# These words ask about the article only where it is named: "what is it called?" may be any "it".
_NEED_ARTICLE = frozenset(
    "called changed name about main point revised subject wrote written".split()
)
_POINTERS = _ARTICLE | {"this", "it"}
_WHEN = frozenset("when date day time year month".split())
_LANGUAGE = _SMALL | _ARTICLE.union(*_TRIGGERS.values(), *_COMPANY.values())
_KNOWN = sorted(word for word in _LANGUAGE - _SMALL if len(word) >= 5)
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
# The same questions in other languages, whole.
_THIS = (
    r"(?:das|dies(?:es|er|en|em)?|diesen?|der|den|cet|cette|ce|le|la|este|esta|esto|el|questo|questa"
    r"|quest|il|dit|deze|het|o|a|isso|isto|это|эту|этот)?\W*"
    r"(?:hier|artikels?|text|beitrag|bericht|article|texte|art\u00edculo|texto|articolo|testo|artigo"
    r"|tekst|stuk|статью|текст)?"
)
_ELSEWHERE = tuple(
    (aspect, re.compile(rf"\W*(?:{pattern})\W*", re.IGNORECASE))
    for aspect, pattern in (
        (
            Aspect.AUTHOR,
            rf"wer (?:hat|schrieb|ist der autor)\s*{_THIS}\s*(?:geschrieben|verfasst)?"
            rf"|von wem (?:ist|stammt|wurde)\s*{_THIS}\s*(?:geschrieben)?"
            rf"|qui (?:a \u00e9crit|est l['\u2019]auteur)\s*(?:de)?\s*{_THIS}"
            rf"|qui\u00e9n (?:escribi\u00f3|es el autor)\s*(?:de)?\s*{_THIS}"
            rf"|chi ha scritto\s*{_THIS}|quem escreveu\s*{_THIS}|wie heeft\s*{_THIS}\s*geschreven"
            rf"|wie schreef\s*{_THIS}|кто (?:написал|автор)\s*{_THIS}",
        ),
        (
            Aspect.PUBLISHED,
            rf"wann (?:wurde|ist|erschien)\s*{_THIS}\s*(?:veröffentlicht|erschienen|geschrieben)?"
            rf"|quand\s*{_THIS}\s*a-t-(?:il|elle) été publiée?|quand a été publiée?\s*{_THIS}"
            rf"|cuándo se publicó\s*{_THIS}|quando è stat[oa] pubblicat[oa]\s*{_THIS}"
            rf"|quando foi publicad[oa]\s*{_THIS}|wanneer is\s*{_THIS}\s*gepubliceerd"
            rf"|когда (?:была? )?опубликован[аоы]?\s*{_THIS}",
        ),
        (
            Aspect.TOPIC,
            rf"worum geht (?:es|'s)\s*(?:hier|in)?\s*{_THIS}|wovon handelt\s*{_THIS}"
            rf"|de quoi (?:parle|traite|s['\u2019]agit-il)\s*(?:dans)?\s*{_THIS}"
            rf"|de qu\u00e9 (?:trata|habla)\s*{_THIS}|di (?:che )?cosa parla\s*{_THIS}"
            rf"|(?:de|do) que (?:trata|fala)\s*{_THIS}|waar gaat\s*{_THIS}\s*over"
            rf"|о ч[её]м\s*{_THIS}|tl;?\W?dr"
            r"|(?:please )?(?:sum(?:marise|marize)?|sum up)"
            r"(?: (?:it|this|that|up|the article|this article|the text|the story))*(?: please)?"
            r"|in (?:short|a nutshell|one sentence|brief)|(?:the )?(?:key|main) points",
        ),
    )
)
_ATTRIBUTES = {
    Aspect.AUTHOR: "authors",
    Aspect.TITLE: "title",
    Aspect.PUBLISHED: "published",
    Aspect.MODIFIED: "modified",
    Aspect.PUBLISHER: "site",
}
_SAYS = {
    "authors": "its author",
    "title": "its title",
    "published": "when it was published",
    "modified": "when it was updated",
    "site": "who published it",
}
_DESCRIBED = re.compile(
    r"(?P<head>.*?\b(?P<noun>article|story|piece|column|post|news item|write-up))"
    r"\s+(?:about|on|regarding|concerning|covering|titled|entitled|called|headed|headlined)"
    r"\s+(?P<subject>.+?)"
    r"(?P<tail>(?:\s+(?:was|is|first|last|published|written|posted|updated|appeared?))*)\W*$",
    re.IGNORECASE | re.DOTALL,
)
_WROTE_ABOUT = re.compile(
    r"(?P<head>who\s+wrote)\s+(?:about|on)\s+(?P<subject>.+?)\W*$", re.IGNORECASE | re.DOTALL
)


def metadata_evidence(question: str, article: Article) -> MetadataEvidence | None:
    """What the article says of itself in answer to a question.

    None for any other question, and where the article does not say: "who wrote it?" may then
    be about a book in the article, and is for the ordinary search.
    """
    words = [word.replace("\u2019", "'") for word in _WORD.findall(question.lower())]
    if not words or len(words) > 24:
        return None
    elsewhere = (aspect for aspect, whole in _ELSEWHERE if whole.fullmatch(question))
    named = _names_author(words, article)
    aspect = next(elsewhere, None) or named or _aspect(words)
    if aspect is None:
        return None
    spans = _spans(aspect, article)
    if spans:
        return MetadataEvidence(aspect, spans)
    if named and any(name in article.text for name in article.authors):
        return None  # the text may say who that is
    if aspect is Aspect.TOPIC and article.title:
        over = f"its title, \u201c{article.title}\u201d, stands apart from the text and over this"
        return MetadataEvidence(aspect, _lead(article), reason=over)
    declared = _declared(aspect, article)
    if declared is None:
        return None
    said = f"{_SAYS[declared.name]}: {declared.value}"
    reason = f"the article's metadata, not its text, say {said}"
    return MetadataEvidence(aspect, _lead(article), (declared,), reason)


def described(question: str) -> Described | None:
    """Take apart "Who wrote the article about the bridge?"; None for any other question.

    >>> described("When was the story on the flood published?")
    Described(question='When was the story published', subject='the flood')
    """
    match = _DESCRIBED.match(question) or _WROTE_ABOUT.match(question)
    if match is None:
        return None
    parts = match.groupdict("")
    noun = "" if parts.get("noun") else " the article"
    asked = f"{parts['head']}{noun}{parts.get('tail', '')}".strip()
    words = [word.replace("\u2019", "'") for word in _WORD.findall(asked.lower())]
    # What an article is about is for the search.
    if _aspect(words) in (None, Aspect.TOPIC):
        return None
    return Described(asked, parts["subject"])


def _declared(aspect: Aspect, article: Article) -> Declared | None:
    """What the source of an article declares in answer, and where."""
    name = _ATTRIBUTES.get(aspect, "")
    value = getattr(article, name, None)
    if not value:
        return None
    where = dict(article.declared).get(name, "the article's metadata")
    return Declared(name, value if isinstance(value, str) else ", ".join(value), where)


def _lead(article: Article) -> tuple[tuple[int, int], ...]:
    """The title, or the sentence that an article without one in its text begins with."""
    for block in article.blocks:
        if block.kind is BlockKind.TITLE:
            return ((block.start, block.end),)
    first = next(block for block in article.blocks if block.kind.citable)
    return (split_sentences(article.text, first.start, first.end, article.language)[0],)


def _names_author(words: list[str], article: Article) -> Aspect | None:
    """Find the author's name in "who is Sayujya S?"."""
    names = {word for author in article.authors for word in _WORD.findall(author.lower())}
    rest = [word for word in words if word not in _SMALL]
    named = names.issuperset(rest) and any(len(word) >= 3 for word in rest)
    return Aspect.AUTHOR if named else None


def _aspect(words: list[str]) -> Aspect | None:
    words = [word.removesuffix("'s") for word in words]
    # One word of another kind is enough, and most questions have a short one.
    if not all(_repaired(word) in _LANGUAGE for word in sorted(words, key=len)):
        return None
    words = [_repaired(word) for word in words]
    for aspect, triggers in _TRIGGERS.items():
        company = _SMALL | _ARTICLE | _COMPANY[aspect] | triggers
        found = triggers.intersection(words)
        if not found or not company.issuperset(words):
            continue
        if found <= _NEED_ARTICLE and not _points_at_article(aspect, words):
            continue
        asks_when = bool(_WHEN.intersection(words)) or (
            aspect is Aspect.MODIFIED and "last" in words
        )
        if aspect is Aspect.AUTHOR and asks_when:
            return Aspect.PUBLISHED  # "when was this written?"
        if asks_when == (aspect in (Aspect.PUBLISHED, Aspect.MODIFIED)):
            return aspect
    return None


def _points_at_article(aspect: Aspect, words: list[str]) -> bool:
    if aspect is Aspect.TITLE:
        return bool(_ARTICLE.intersection(words))
    return bool(_POINTERS.intersection(words))


@lru_cache(maxsize=4096)
def _repaired(word: str) -> str:
    """A misspelt word of this small language put right: "auther" is author."""
    if len(word) < 5 or word in _SMALL:
        return word
    return next(iter(get_close_matches(word, _KNOWN, n=1, cutoff=0.8)), word)


def _spans(aspect: Aspect, article: Article) -> tuple[tuple[int, int], ...]:
    """Where the article's own lines answer."""
    said: list[tuple[Block, dict[str, Any]]] = []
    day_first = day_comes_first(article.language or "")
    for block in article.blocks:
        if block.kind in (BlockKind.BYLINE, BlockKind.DATELINE):
            line = article.text[block.start : block.end]
            said.append((block, said_in(line, day_first=day_first)))

    def of(kind: BlockKind) -> list[Block]:
        return [block for block in article.blocks if block.kind is kind]

    match aspect:
        case Aspect.TITLE | Aspect.TOPIC:
            found = of(BlockKind.TITLE)[:1]
        case Aspect.CAPTION:
            found = of(BlockKind.CAPTION)
        case _:
            name = _ATTRIBUTES[aspect]
            found = [block for block, values in said if name in values]
            # A page's own lines may be worded as no other's.
            usual = {Aspect.AUTHOR: BlockKind.BYLINE, Aspect.PUBLISHED: BlockKind.DATELINE}
            found = found or [b for b, values in said if not values and b.kind is usual.get(aspect)]
    return tuple((block.start, block.end) for block in found)
