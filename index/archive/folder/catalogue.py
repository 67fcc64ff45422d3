"""The filterable metadata of an archive's articles, in memory."""

from __future__ import annotations

import sqlite3
from array import array

import numpy as np
from numpy.typing import NDArray

from index.archive.entries import days_of, entry_of
from index.archive.folder.database import select
from index.archive.store import Int64, Where

__all__ = ["Catalogue"]

_COLUMNS = 5


class Catalogue:
    """Finds the articles that match a filter.

    It only grows: articles that were removed stay in it, and their rows are masked elsewhere.
    """

    def __init__(self) -> None:
        # Of each article: number, first row, one past the last, first day, last day.
        self._table = array("q")
        self._positions: dict[tuple[str, str], list[int]] = {}
        self._next_article = 0

    def read(self, connection: sqlite3.Connection, next_article: int) -> None:
        """Read the articles up to a number that are not in it yet.

        Raises:
            ValueError, KeyError, TypeError: One is damaged.
        """
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

    def matching(self, where: Where, next_article: int) -> tuple[Int64, Int64, Int64]:
        """Numbers, first rows and ends of what a filter lets through, its ``ids`` left aside.

        Args:
            where: The filter.
            next_article: Articles from this number on are too new to be seen.
        """
        # Copied: an array that NumPy looks into cannot grow.
        table = np.array(self._table, dtype=np.int64).reshape(-1, _COLUMNS)
        numbers, firsts, lasts, from_days, until_days = table.T
        fits = numbers < next_article
        if where.published_from or where.published_until:
            fits &= until_days >= from_days
        if where.published_from:
            fits &= until_days >= where.published_from.toordinal()
        if where.published_until:
            fits &= from_days <= where.published_until.toordinal()
        for kind in ("authors", "sites", "tags"):
            if wanted := getattr(where, kind):
                fits &= self._named(kind, wanted, len(table))
        return numbers[fits], firsts[fits], lasts[fits]

    def _named(self, kind: str, wanted: tuple[str, ...], n: int) -> NDArray[np.bool_]:
        named = np.zeros(n, dtype=np.bool_)
        for name in wanted:
            named[self._positions.get((kind, name.casefold()), [])] = True
        return named
