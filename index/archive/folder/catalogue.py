"""The filterable metadata of an archive's articles, in memory."""

from __future__ import annotations

import sqlite3
import threading
from array import array

import numpy as np

from index.archive.entries import days_of, entry_of
from index.archive.folder.database import select
from index.archive.store import Int64, Where

__all__ = ["Catalogue"]

_COLUMNS = 5


class Catalogue:
    """Finds the articles that match a filter; safe to share between threads.

    It only grows: articles that were removed stay in it, and their rows are masked elsewhere.
    """

    def __init__(self) -> None:
        # Of each article: number, first row, one past the last, first day, last day.
        self._table = array("q")
        self._positions: dict[tuple[str, str], list[int]] = {}
        self._next_article = 0
        self._lock = threading.Lock()

    def matching(self, connection: sqlite3.Connection, next_article: int, where: Where) -> Int64:
        """What a filter lets through, its ``ids`` left aside, of the articles below a number.

        Returns:
            int64 ``(n, 3)``: number, first row and end of each.

        Raises:
            ValueError, TypeError: An article is damaged.
        """
        with self._lock:
            self._read(connection, next_article)
            # Copied: an array that NumPy looks into cannot grow.
            table = np.array(self._table, dtype=np.int64).reshape(-1, _COLUMNS)
            from_days, until_days = table[:, 3], table[:, 4]
            fits = table[:, 0] < next_article
            if where.published_from or where.published_until:
                fits &= until_days >= from_days
            if where.published_from:
                fits &= until_days >= where.published_from.toordinal()
            if where.published_until:
                fits &= from_days <= where.published_until.toordinal()
            for kind in ("authors", "sites", "tags"):
                if wanted := getattr(where, kind):
                    named = np.zeros(len(table), dtype=np.bool_)
                    for name in wanted:
                        named[self._positions.get((kind, name.casefold()), [])] = True
                    fits &= named
        return table[fits, :3]

    def _read(self, connection: sqlite3.Connection, next_article: int) -> None:
        """Read the articles up to a number that are not in it yet."""
        rest = "WHERE number >= ? AND number < ? ORDER BY number"
        found = select(connection, "article", rest, (self._next_article, next_article))
        for number, _, first, last, text in found:
            entry = entry_of(text)
            position = len(self._table) // _COLUMNS
            self._table.extend((number, first, last, *days_of(entry.published)))
            names = [("authors", name) for name in entry.authors]
            names += [("sites", entry.site or "")] + [("tags", name) for name in entry.tags]
            for kind, name in names:
                self._positions.setdefault((kind, name.casefold()), []).append(position)
        self._next_article = max(self._next_article, next_article)
