"""Several questions in one: "Who voted against, and why?" is two."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["parts_of"]

MOST: Final = 4
"""Questions that a line is taken apart into; one of more is asked as a whole."""
_TO: Final = r"(?:(?:in|at|on|to|for|from|by|with|about|of)\s+)"
_ASKS: Final = rf"{_TO}?(?:who(?:m|se)?|what|when|where|why|how|which)(?:['\u2019]s)?\b"
_VERB: Final = (
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|must)\b"
)
_OPENS: Final = re.compile(
    rf"\W*(?:(?:and|but|or|so|also|please|then)\s+)*(?:{_ASKS}|{_VERB}|(?:tell|show) (?:me|us)\b)",
    re.IGNORECASE,
)
_SUBJECT: Final = r"(?:he|she|it|they|we|you|i|the|an?|his|her|its|their|this|that|there|any)\b"
# Where the next question begins: after the mark of one, at "and why" or at "and did they". In
# "what he did" and "how to" a question word asks nothing, nor does "and was damaged".
_SEAM: Final = re.compile(
    r"(?<=[?\uff1f])\s+(?=\S)"
    rf"|[,;]?\s+(?=(?:and|but(?!\s+wh[oi]))\s+(?:also\s+)?{_ASKS}(?!\s+(?:{_SUBJECT}|to\b)))"
    rf"|[,;]?\s+(?=(?:and|but)\s+{_VERB}\s+(?:{_SUBJECT}|(?-i:[A-Z])|\w+s\s+\w))",
    re.IGNORECASE,
)
# "When and where was it found?" asks the same twice; so does "How long and how wide is it?".
_BARE: Final = re.compile(rf"\W*(?:{_ASKS}|(?:how|which|{_TO}what)\s+\w+)\W*", re.IGNORECASE)
_WHOLE: Final = re.compile(
    rf"and\s+(?P<asks>{_ASKS}(?:\s+(?!{_VERB})\w+)?)(?P<rest>\s+{_VERB}.*)",
    re.IGNORECASE | re.DOTALL,
)


def parts_of(question: str) -> tuple[str, ...]:
    """The questions that a line holds, in order; the line itself where it is but one.

    >>> parts_of("Who voted against, and why?")
    ('Who voted against?', 'and why?')
    >>> parts_of("When and where was it found?")
    ('When was it found?', 'where was it found?')

    Args:
        question: As asked.
    """
    parts = [part.strip() for part in _SEAM.split(" ".join(question.split())) if part.strip()]
    if not 1 < len(parts) <= MOST or not all(map(_OPENS.match, parts)):
        return (question,)
    whole = _WHOLE.fullmatch(parts[-1])
    if whole and all(map(_BARE.fullmatch, parts[:-1])):
        parts = [*(part + whole["rest"] for part in parts[:-1]), whole["asks"] + whole["rest"]]
    return tuple(part if part[-1] in "?\uff1f.!" else f"{part.rstrip(',; ')}?" for part in parts)
