"""Questions for the whole of a text in a few sentences: "Summarise it", "The main points?"."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["asks_for_overview"]

_TEXT: Final = (
    r"(?:it|this|that|(?:the |this |that )?(?:whole |entire |full )?"
    r"(?:article|text|story|piece|report|document|page|post|paper|news))"
)
_OF: Final = rf"(?:\s+(?:of|from|in|for)\s+{_TEXT})?"
_SHORT: Final = r"(?:(?:short|brief|quick|concise|rough|general)\s+)?"
_ASKED: Final = tuple(
    re.compile(rf"\W*(?:please\s+)?(?:{pattern})(?:\W+please)?\W*", re.IGNORECASE)
    for pattern in (
        r"(?:(?:(?:can|could|would|will) you\s+(?:please\s+)?)?"
        r"(?:give|write|show|make|tell|i need|i want|i would like)\s+(?:me\s+|us\s+)?)?"
        rf"(?:an?\s+|the\s+)?{_SHORT}(?:overview|summary|synopsis|outline|gist|abstract|recap){_OF}",
        rf"(?:(?:can|could|would|will) you\s+)?(?:summari[sz]e|sum up|recap|outline)(?:\s+{_TEXT})?"
        r"(?:\s+(?:for me|up|briefly|shortly|in brief|in short))?",
        r"(?:(?:what are|what were|list|name|give me|tell me)\s+)?(?:all\s+)?(?:the\s+)?"
        r"(?:key|main|most important|central|essential)\s+"
        rf"(?:points|facts|ideas|messages|findings|takeaways|topics|things|contents){_OF}",
        rf"what(?:'s|\u2019s| is| was)\s+(?:{_TEXT}\s+)?(?:all\s+)?about(?:\s+{_TEXT})?",
        rf"what\s+(?:does|do|did)\s+{_TEXT}\s+(?:say|tell|cover|contain|deal with|report)",
        rf"what\s+happens\s+in\s+{_TEXT}|tell me\s+(?:more\s+)?about\s+{_TEXT}",
        r"tl\W?\W?dr|in (?:short|brief|a nutshell|a few (?:words|sentences))",
        r"(?:eine?\s+)?(?:kurze\s+)?(?:zusammenfassung|\u00fcberblick)(?: bitte)?"
        r"|fasse? (?:es|das|den (?:text|artikel))(?: kurz)? zusammen",
        r"(?:un\s+)?r\u00e9sum\u00e9|r\u00e9sumez?(?:\s+(?:le|cet|ce)\s+\w+)?",
        r"(?:un\s+)?resumen|resum(?:e|a|en|ir)(?:\s+(?:el|este|esto|o)\b(?:\s+\w+)?)?",
        r"(?:un\s+)?riassunto|riassumi(?:\s+\w+)?|(?:um\s+)?resumo|(?:een\s+)?samenvatting",
        r"краткое содержание(?:\s+\w+)?|总结(?:一下)?|概括(?:一下)?|摘要|ملخص|لخص(?:\s+\w+)?",
    )
)


def asks_for_overview(line: str) -> bool:
    """Whether a line asks what a whole text says, in short.

    >>> asks_for_overview("Can you give me a short summary?"), asks_for_overview("Who wrote it?")
    (True, False)
    """
    return any(pattern.fullmatch(line) for pattern in _ASKED)
