"""Which articles a filter lets through, decided before anything is ranked."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from index.archive.entries import days_of
from index.archive.folder.database import check_row
from index.archive.store import Where

__all__ = ["Catalogue"]


@dataclass(slots=True)
class Catalogue:
    """The filterable metadata of an archive's articles, in the order of their numbers.

    Articles that were removed stay until the catalogue is made anew: their rows are masked.

    Attributes:
        next_article: One past the last number that was read.
        numbers: Of the articles.
        firsts: First row of each.
        lasts: One past the last row of each.
        from_days: First day of publication that the date allows, as a proleptic ordinal.
        until_days: Last such day; before the first where there is no date.
        names: For authors, sites and tags: positions of the articles by name.
    """

    next_article: int = 0
    numbers: array[int] = field(default_factory=lambda: array("q"))
    firsts: array[int] = field(default_factory=lambda: array("q"))
    lasts: array[int] = field(default_factory=lambda: array("q"))
    from_days: array[int] = field(default_factory=lambda: array("i"))
    until_days: array[int] = field(default_factory=lambda: array("i"))
    names: dict[str, dict[str, list[int]]] = field(
        default_factory=lambda: {"authors": {}, "sites": {}, "tags": {}}
    )

    def read(self, connection: sqlite3.Connection, next_article: int) -> None:
        """Read the articles that came since.

        Raises:
            ValueError, KeyError, TypeError: One is damaged.
        """
        found = connection.execute(
            "SELECT number, id, first, last, entry, crc FROM article"
            " WHERE number >= ? AND number < ? ORDER BY number",
            (self.next_article, next_article),
        )
        for number, key, first, last, entry, crc in found:
            check_row("an article", crc, number, key, first, last, entry)
            values = json.loads(entry)
            position = len(self.numbers)
            days = days_of(values["published"])
            for column, value in (
                (self.numbers, number),
                (self.firsts, first),
                (self.lasts, last),
                (self.from_days, days[0]),
                (self.until_days, days[1]),
            ):
                column.append(value)
            site = [values["site"]] if values["site"] else []
            for kind, names in (
                ("authors", values["authors"]),
                ("sites", site),
                ("tags", values["tags"]),
            ):
                for name in names:
                    self.names[kind].setdefault(name.casefold(), []).append(position)
        self.next_article = next_article

    def matching(self, where: Where) -> NDArray[np.int64]:
        """Positions of the articles that a filter lets through, its ``ids`` left aside."""
        n = len(self.numbers)
        fits = np.ones(n, dtype=np.bool_)
        until = np.asarray(self.until_days)
        if where.published_from or where.published_until:
            fits &= until >= np.asarray(self.from_days)
        if where.published_from:
            fits &= until >= where.published_from.toordinal()
        if where.published_until:
            fits &= np.asarray(self.from_days) <= where.published_until.toordinal()
        for kind, wanted in (
            ("authors", where.authors),
            ("sites", where.sites),
            ("tags", where.tags),
        ):
            if wanted:
                fits &= self._named(kind, wanted, n)
        return np.flatnonzero(fits)

    def _named(self, kind: str, wanted: Iterable[str], n: int) -> NDArray[np.bool_]:
        named = np.zeros(n, dtype=np.bool_)
        for name in wanted:
            named[self.names[kind].get(name.casefold(), [])] = True
        return named
