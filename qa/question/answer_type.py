"""What a question asks for: its kind of answer, read off its first words.

A handful of patterns, first match wins, in the order of how specific they are. The kind
is a hint to the ranking, never a filter: a wrong guess costs a place or two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Final, Protocol

from index.scoring.spellings import folded
from qa.question.languages import asked_elsewhere

__all__ = [
    "ANSWER_TYPES",
    "Vocabulary",
    "accented_words",
    "answer_type",
    "correct_spelling",
    "repair_typos",
    "with_accents",
]

ANSWER_TYPES: Final = (
    "percentage",
    "money",
    "number",
    "duration",
    "date",
    "person",
    "place",
    "cause",
    "manner",
    "name",
    "other",
)
"""The kinds of answer that `answer_type` tells apart."""

_TIMES = r"year|date|day|month|century|decade|time|season|era|period"
_PLACES = (
    r"city|country|state|place|county|region|town|location|continent|area|river|nation|province"
    r"|district|street"
)
_PEOPLE = r"person|man|woman|king|queen|president|scientist|author|player"
_PATTERNS: Final = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("percentage", r"percent|\bper cent\b|%|\b(?:what|which) (?:proportion|fraction)\b"),
        ("money", r"\bhow much (?:money|did .* (?:cost|pay|spend|earn))|\bhow much .* cost\b"),
        (
            "number",
            r"\bhow (?:many|much|few|large|big|tall|high|far|fast|deep|wide|old|heavy|often)\b"
            r"|\bwhat (?:is |was )?(?:the )?(?:number|amount|population|quantity)\b",
        ),
        ("duration", r"\bhow long\b|\bwhat length of time\b"),
        ("date", rf"\bwhen\b|\b(?:what|which) (?:{_TIMES})\b|\bwhat.{{0,20}}\byear\b"),
        (
            "person",
            rf"\bwho(?:m|se)?\b|\bwhat (?:was|is) the name\b|\bwhich (?:{_PEOPLE})\b",
        ),
        ("place", rf"\bwhere\b|\b(?:what|which) (?:{_PLACES})\b"),
        ("cause", r"\bwhy\b|\bwhat (?:was |is )?(?:the )?(?:reason|cause)"),
        ("manner", r"\bhow\b"),
        ("name", r"\b(?:name|called|title|named|known as|term|nickname)\b"),
    )
)


def answer_type(question: str) -> str:
    """Say which kind of answer a question expects.

    >>> answer_type("When did the ban begin?")
    'date'
    >>> answer_type("How many officers were there?")
    'number'

    Args:
        question: The question as asked.

    Returns:
        One of `ANSWER_TYPES`; ``"other"`` where nothing gives it away.
    """
    lowered = question.lower()
    for kind, pattern in _PATTERNS:
        if pattern.search(lowered):
            return kind
    return asked_elsewhere(question) or "other"


class Vocabulary(Protocol):
    """Words that are used: a set, or an archive that looks them up."""

    def __contains__(self, word: object, /) -> bool:
        """Whether a lower-cased word is used."""
        ...

    def intersection(self, words: Iterable[str], /) -> Collection[str]:
        """Those of some words that are used."""
        ...


_SHORTEST_REPAIRED: Final = 4
_LONGEST_REPAIRED: Final = 40
"""Letters up to which a word is repaired: there are sixty times as many words one edit away."""
_SIMILAR_ENOUGH: Final = 0.8


def repair_typos(
    words: Iterable[str], vocabulary: Vocabulary, known: Collection[str] = ()
) -> dict[str, str]:
    """Find, for each word that the article does not use, the article's word it may misspell.

    A word is repaired when it is one edit away (an insertion, deletion, substitution or the
    swap of two neighbours), and to the most similar of the article's words; digits are left
    alone, since another number is another number.

    >>> repair_typos(["recogniton", "police"], {"recognition", "police"})
    {'recogniton': 'recognition'}

    Args:
        words: Lower-cased words of the question.
        vocabulary: Lower-cased words of the article.
        known: Lower-cased words that are right although the article does not use them.

    Returns:
        Repairs by word; words that need none, or have none, are absent.
    """
    repairs: dict[str, str] = {}
    for word in words:
        if not _SHORTEST_REPAIRED <= len(word) <= _LONGEST_REPAIRED:
            continue
        if word in vocabulary or word in known:
            continue
        if any(character.isdigit() for character in word):
            continue
        # Few people mistype the first letter, and many words differ in nothing else.
        edits = [edit for edit in _edits(word) if edit[:1] == word[:1]]
        near = sorted(vocabulary.intersection(edits))
        if near:
            repairs[word] = max(near, key=lambda other: SequenceMatcher(None, word, other).ratio())
    return repairs


def _edits(word: str) -> set[str]:
    """Every string one edit from `word`, in its own letters and those of English."""
    letters = set("abcdefghijklmnopqrstuvwxyz") | set(word)
    splits = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    deleted = {left + right[1:] for left, right in splits if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1}
    replaced = {left + c + right[1:] for left, right in splits if right for c in letters}
    inserted = {left + c + right for left, right in splits for c in letters}
    return deleted | swapped | replaced | inserted


_WORD: Final = re.compile(r"[^\W\d_]+")


def accented_words(text: str) -> dict[str, str]:
    """The words of a text that have accents, by what they are without; lower-cased.

    >>> accented_words("Zoë met Renée, and Renee left.")
    {'zoe': 'zoë'}
    """
    words = {*_WORD.findall(text.lower())}
    plain = {folded(word): word for word in words if not word.isascii()}
    return {bare: word for bare, word in plain.items() if bare not in words}


def with_accents(question: str, accented: Mapping[str, str]) -> str:
    """A question with the accents that the article has, which a model reads as other letters.

    >>> with_accents("Who is Zoe?", {"zoe": "zoë"})
    'Who is Zoë?'
    """

    def replaced(match: re.Match[str]) -> str:
        word = accented.get(match[0].lower())
        return match[0] if word is None else word.title() if match[0][0].isupper() else word

    return _WORD.sub(replaced, question)


def correct_spelling(question: str, vocabulary: Vocabulary, is_word: Callable[[str], bool]) -> str:
    """Spell a question as the article does, where a word of it is close to one of the article's.

    >>> correct_spelling("humen rights", {"human"}, {"rights"}.__contains__)
    'human rights'

    Args:
        question: The question as asked.
        vocabulary: Lower-cased words of the article.
        is_word: Whether a lower-cased word is right although the article does not use it.

    Returns:
        The question with its misspelt words replaced, everything else untouched.
    """

    def replaced(match: re.Match[str]) -> str:
        word = match.group().lower()
        if word in vocabulary or any(map(is_word, _stems(word))):
            return match.group()
        return repair_typos([word], vocabulary).get(word, match.group())

    return _WORD.sub(replaced, question)


def _stems(word: str) -> Iterator[str]:
    """The word, and what it may be an inflection of: "vowing" is a word since "vow" is."""
    yield word
    for suffix in ("s", "es", "ed", "ing", "er", "ly"):
        if word.endswith(suffix) and not word.endswith("ss") and len(word) - len(suffix) >= 3:
            yield word.removesuffix(suffix)
            if suffix in ("ed", "ing", "er"):
                yield word.removesuffix(suffix) + "e"
