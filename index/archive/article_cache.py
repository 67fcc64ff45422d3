"""The articles of an archive that were cited lately, so that citing them again reads nothing."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from index.article import Article

__all__ = ["RecentArticles"]

MAX_CHARACTERS: Final = 8_000_000
"""Of all texts kept: over a thousand articles of a newspaper, in 8 to 32 MB."""


class RecentArticles:
    """Articles by number, those used last. Safe to share between threads."""

    def __init__(self, max_characters: int = MAX_CHARACTERS) -> None:
        """Keep articles of so many characters together; a longer one is not kept."""
        self._max = max_characters
        self._kept: OrderedDict[int, Article] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def get(self, number: int) -> Article | None:
        """An article, if it is kept."""
        with self._lock:
            article = self._kept.get(number)
            if article is not None:
                self._kept.move_to_end(number)
            return article

    def keep(self, number: int, article: Article) -> None:
        """Keep an article, and let go of those not used for longest."""
        with self._lock:
            if number not in self._kept and len(article.text) <= self._max:
                self._kept[number] = article
                self._characters += len(article.text)
            while self._characters > self._max:
                _, oldest = self._kept.popitem(last=False)
                self._characters -= len(oldest.text)
