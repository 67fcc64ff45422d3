"""Articles that readers and programs bring along, each under a handle that nobody can guess."""

from __future__ import annotations

import threading
from collections import OrderedDict
from secrets import token_urlsafe

from qa.bot import ArticleBot
from qa.page.source import ArticleSource, Source

__all__ = ["OpenedArticles"]

MAX_CHARACTERS = 4_000_000
"""Text of all articles that are open at a time. Vectors and word pieces take about ten times as
many bytes, so this bounds what strangers can make a server hold."""
BYTES_A_CHARACTER = 10
MAX_ARTICLES = 64


class OpenedArticles:
    """A cache: the least recently used articles go first when the bound is reached.

    Whoever opened one keeps it and opens it again, so nothing is lost with a handle.
    """

    def __init__(self) -> None:
        """Hold none yet."""
        self._sources: OrderedDict[str, tuple[Source, int]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, bot: ArticleBot, pdf: bytes | None = None) -> str:
        """Keep an article, and the PDF that it was read from; gives its handle."""
        size = len(bot.article.text) + len(pdf or b"") // BYTES_A_CHARACTER
        return self.add_source(ArticleSource(bot, pdf), size)

    def add_source(self, source: Source, size: int) -> str:
        """Keep what is asked, with so many characters of text; gives its handle."""
        handle = token_urlsafe(16)
        with self._lock:
            self._sources[handle] = source, size
            while len(self._sources) > 1 and (
                len(self._sources) > MAX_ARTICLES
                or sum(size for _, size in self._sources.values()) > MAX_CHARACTERS
            ):
                self._sources.popitem(last=False)
        return handle

    def get(self, handle: str) -> Source | None:
        """What a handle stands for; None where it is unknown or was let go."""
        with self._lock:
            if handle not in self._sources:
                return None
            self._sources.move_to_end(handle)
            return self._sources[handle][0]
