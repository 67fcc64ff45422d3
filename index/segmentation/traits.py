"""What a sentence offers an answer, read off its surface once, when it is indexed.

A question that asks "when" is answered by a sentence with a date, one that asks "how
many" by a sentence with a number. Regular expressions see enough of that to help a
ranking and cost nothing at question time. English cues; other languages simply show
fewer of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["TRAITS", "sentence_traits"]

TRAITS: Final = (
    "number",
    "date",
    "money",
    "percentage",
    "duration",
    "name",
    "cause",
    "pronoun_first",
)
"""The columns of `sentence_traits`: what each sentence contains, or begins with."""

MOST_CUES: Final = 3

_NUMBER_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|"
    "hundred|thousand|million|billion|half|third|quarter|dozen"
)
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_WORD: Final = re.compile(r"[^\W_]+")
_PATTERNS: Final = {
    "number": re.compile(rf"\d|\b(?:{_NUMBER_WORDS})s?\b", re.IGNORECASE),
    "date": re.compile(
        rf"\b1[0-9]{{3}}\b|\b20[0-9]{{2}}\b|\b(?:{_MONTHS}|century|centuries|BC|AD|decade)\b"
        r"|\b\d{1,3}0s\b"
    ),
    "money": re.compile(r"[$€£¥₹]|\b(?:dollars?|pounds?|euros?|cents?|francs?)\b", re.IGNORECASE),
    "percentage": re.compile(r"%|\bper ?cent\b|\bpercentage\b", re.IGNORECASE),
    "duration": re.compile(
        r"\b(?:years?|months?|weeks?|days?|hours?|minutes?|seconds?|decades?|centur(?:y|ies)"
        r"|generations?)\b",
        re.IGNORECASE,
    ),
    "cause": re.compile(
        r"\b(?:because|due to|owing to|thanks to|since|as a result|in order to|so that|caused?"
        r"|causes|leading to|led to|therefore|reasons?|sparked|prompted|triggered|driven by"
        r"|in response to|in the wake of|at the height of|amid(?:st)?|over (?:concerns|fears)"
        r"|fear(?:s|ed|ing)?|concern(?:s|ed)|hop(?:es?|ed|ing)|aim(?:s|ed|ing)|designed to"
        r"|in protest|to (?:avoid|prevent|reduce|increase|protect|allow|make|help|keep|ensure))\b",
        re.IGNORECASE,
    ),
    "pronoun_first": re.compile(
        r"\W*(?:he|she|it|they|his|her|its|their|this|these|that|those|such|the latter"
        r"|the former|here|there)\b",
        re.IGNORECASE,
    ),
}


def sentence_traits(sentences: Sequence[str]) -> NDArray[np.uint8]:
    """Mark what each sentence contains.

    Args:
        sentences: The sentences' texts.

    Returns:
        uint8 ``(n_sentences, len(TRAITS))``, columns named by `TRAITS`: zeros and ones, and
        for a cause the number of its cues, up to `MOST_CUES`.
        A name is a capital that opens a word past the sentence's first.
    """
    traits = np.zeros((len(sentences), len(TRAITS)), dtype=np.uint8)
    for row, sentence in enumerate(sentences):
        for trait, pattern in _PATTERNS.items():
            found = pattern.match if trait == "pronoun_first" else pattern.search
            traits[row, TRAITS.index(trait)] = found(sentence) is not None
        # "…at the height of protests, sparked by…": each cue of a cause adds to the others.
        cues = len(_PATTERNS["cause"].findall(sentence))
        traits[row, TRAITS.index("cause")] = min(cues, MOST_CUES)
        traits[row, TRAITS.index("name")] = any(
            word[0].isupper() for word in _WORD.findall(sentence)[1:]
        )
    # A length of time is a unit that is counted: "three years", not "the last years".
    traits[:, TRAITS.index("duration")] &= traits[:, TRAITS.index("number")]
    return traits
