"""The words that questions are asked with in other languages, and what they ask for."""

from __future__ import annotations

import re
from typing import Final

from index.reading.language import detect_language

__all__ = ["MULTILINGUAL", "NAMES", "asked_elsewhere", "question_language"]

MULTILINGUAL: Final = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
"""A model that reads fifty languages, and questions in one about texts in another."""
NAMES: Final = {
    "ar": "Arabic", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "fr": "French", "he": "Hebrew", "hi": "Hindi", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ru": "Russian",
    "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
"""Of languages, by their ISO 639-1 codes."""

_WORDS: Final = {
    "de": {
        "money": r"(?:was|wie ?viel)\s+koste\w+|wie teuer",
        "number": r"wie ?viele?|wie (?:hoch|gro\u00df|lang|alt|oft|tief|breit)",
        "person": r"wer|we[mn]|wessen",
        "date": r"wann|in welchem jahr",
        "place": r"wo(?:hin|her)?",
        "cause": r"warum|weshalb|wieso",
        "manner": r"wie",
        "other": r"was|welche[rsmn]?|worum|wovon|wof\u00fcr",
    },
    "fr": {
        "money": r"combien co\u00fbt\w+",
        "number": r"combien",
        "person": r"qui",
        "date": r"quand|en quelle ann\u00e9e",
        "place": r"o\u00f9",
        "cause": r"pourquoi",
        "manner": r"comment",
        "other": r"quel(?:le)?s?|qu['\u2019]est-ce",
    },
    "es": {
        "money": r"cu\u00e1nto (?:cuest|cost)\w+",
        "number": r"cu\u00e1nt[oa]s?",
        "person": r"qui\u00e9n(?:es)?",
        "date": r"cu\u00e1ndo|en qu\u00e9 a\u00f1o",
        "place": r"a?d\u00f3nde",
        "cause": r"por qu\u00e9",
        "manner": r"c\u00f3mo",
        "other": r"qu\u00e9|cu\u00e1l(?:es)?",
    },
    "it": {
        "money": r"quanto cost\w+",
        "number": r"quant[oiae]",
        "person": r"chi",
        "date": r"quando",
        "place": r"dove|dov['\u2019]\u00e8",
        "cause": r"perch\u00e9",
        "other": r"(?:che )?cosa|qual[ei]?",
    },
    "pt": {
        "money": r"quanto cust\w+",
        "number": r"quant[oa]s?",
        "person": r"quem",
        "place": r"onde",
        "cause": r"por ?qu[e\u00ea]",
        "other": r"o que|qua(?:l|is)",
    },
    "nl": {
        "number": r"hoeveel",
        "date": r"wanneer",
        "place": r"waar",
        "cause": r"waarom",
        "manner": r"hoe",
        "other": r"wat|welke?",
    },
    "ru": {
        "number": r"сколько",
        "person": r"кто|кого|кому|кем",
        "date": r"когда|в каком году",
        "place": r"где|куда|откуда",
        "cause": r"почему|зачем",
        "manner": r"как",
        "other": r"что|чего|чем|как(?:ой|ая|ое|ие|ую|ого|их)",
    },
}
_ASKED: Final = {
    language: [(kind, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for kind, words in of.items()]
    for language, of in _WORDS.items()
}
_ENGLISH: Final = re.compile(
    r"\b(?:what|when|who(?:m|se)?|how|why|which|where|did|does|are|were|has|have|had|the|of|and|to"
    r"|it|he|she|they|you|there|this|that|than|for|with|any)\b",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W\d_]+")
_TOO_FEW: Final = 3
"""Words of Latin letters up to which a line without a question word may be in any language."""
_AGAIN: Final = 20
"""Times that a question is read, for it is too short to tell a language by."""


def question_language(question: str) -> str | None:
    """The language of a question, ISO 639-1; None where it cannot be told.

    >>> question_language("Wer stimmte dagegen?"), question_language("Who was against it?")
    ('de', 'en')
    """
    if _ENGLISH.search(question):
        return "en"
    asked = [
        (match.start(), language)
        for language, kinds in _ASKED.items()
        for _, pattern in kinds
        if (match := pattern.search(question))
    ]
    if asked:
        return min(asked)[1]
    western = question.isascii() or len(question.encode("cp1252", "ignore")) == len(question)
    if western and len(_WORD.findall(question)) <= _TOO_FEW:
        return None
    return detect_language(f"{question} " * _AGAIN)


def asked_elsewhere(question: str) -> str | None:
    """The kind of answer that a question in another language than English wants.

    >>> asked_elsewhere("¿Cuántos barcos hay?")
    'number'
    """
    kinds = _ASKED.get(question_language(question) or "", ())
    return next((kind for kind, pattern in kinds if pattern.search(question)), None)
