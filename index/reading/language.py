"""A text's language, offline: by script, and by its commonest words where several share one.

Counting function words tells languages apart as well as character n-grams do once there is
a paragraph of text (Grefenstette, Comparing Two Language Identification Schemes, 1995).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["detect_language"]

SAMPLE = 20_000
"""Characters that are looked at."""
MIN_WORDS = 20
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


@cache
def _known() -> dict[str, dict[str, Any]]:
    """The scripts of nearly one language each, languages that share one, and common words."""
    text = resources.files(__package__).joinpath("languages.json").read_text("utf-8")
    data: dict[str, dict[str, Any]] = json.loads(text)
    return data | {"words": {name: frozenset(w.split()) for name, w in data["words"].items()}}


def detect_language(text: str) -> str | None:
    """The ISO 639-1 code of a text's language, or None where it cannot be told.

    >>> detect_language("Der Hund ist im Haus und die Katze liegt auf dem Dach. " * 3)
    'de'
    """
    text = text[:SAMPLE]
    letters = sum(map(str.isalpha, text))
    if letters < MIN_WORDS:
        return None
    script = _script(text, letters)
    words = [word.lower() for word in _WORD.findall(text)]
    rivals, common = _known()["rivals"], _known()["words"]
    if len(words) < MIN_WORDS or (script is not None and script not in rivals):
        return script
    others = {language for group in rivals.values() for language in group}
    languages = rivals[script] if script else [name for name in common if name not in others]
    counts = Counter(words)
    shares = {
        language: sum(counts[word] for word in common[language]) / len(words)
        for language in languages
    }
    best = max(shares, key=lambda language: shares[language])
    return best if shares[best] >= 0.08 else script


def _script(text: str, letters: int) -> str | None:
    """The language that a text's script stands for; None for Latin and for what is not known."""
    counts = Counter(text)
    for language, (first, last) in _known()["scripts"].items():
        count = sum(number for character, number in counts.items() if first <= character <= last)
        # Kana decides for Japanese even where most letters are Chinese characters.
        if count > letters * (0.05 if language == "ja" else 0.4):
            return language
    return None
