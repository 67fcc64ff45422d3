"""Terms and word pieces of an archive on Milvus: their numbers and document frequencies.

A row holds the frequency as of the generation that wrote it, and the one before, so that a
reader of the generation before still sees what was true then, and an unfinished commit can be
undone. A reader that is further behind sees the older of the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from index.archive.milvus.client import MOST_ROWS, Milvus
from index.archive.milvus.filters import among, at_least, digest
from index.archive.milvus.schema import MAX_TEXT
from index.errors import DamagedLibrary

__all__ = ["WordCount", "count", "piece_name", "read_words", "term_name", "terms_of", "undo"]

_FIELDS: Final = ("digest", "name", "number", "born", "df", "before", "df_before")
_BATCH: Final = 2_000
_NEVER: Final = -1


@dataclass(frozen=True, slots=True)
class WordCount:
    """A term or a word piece.

    Attributes:
        name: With its kind, see ``term_name`` and ``piece_name``.
        number: In passage records and sparse vectors; -1 for a word piece.
        born: Generation of ``df``.
        df: Passages that hold it.
        before: Generation of the frequency before, -1 for none.
        df_before: That frequency.
    """

    name: str
    number: int = -1
    born: int = _NEVER
    df: int = 0
    before: int = _NEVER
    df_before: int = 0

    def at(self, generation: int) -> int:
        """The frequency as a reader of a generation sees it."""
        return self.df if self.born <= generation else self.df_before

    def moved(self, change: int, generation: int) -> WordCount:
        """The word after a commit; one that counts it twice counts from the same before."""
        if self.born == generation:
            return replace(self, df=self.df + change)
        return WordCount(self.name, self.number, generation, self.df + change, self.born, self.df)


def term_name(term: str) -> str:
    """The name of a term's row; a digest for a term too long for a field."""
    name = f"t{term}".encode("ascii", "backslashreplace").decode("ascii")
    return name if len(name) < MAX_TEXT else f"T{digest('term', term)}"


def piece_name(token_id: int) -> str:
    """The name of a word piece's row."""
    return f"p{token_id}"


def read_words(milvus: Milvus, wanted: Iterable[str]) -> dict[str, WordCount]:
    """Words by name; those that the archive lacks are left out.

    Raises:
        DamagedLibrary: Two names share a digest.
    """
    keys = {digest("word", name): name for name in wanted}
    collection, found = milvus.names.words, {}
    for row in milvus.rows(collection, "digest", sorted(keys), _FIELDS, batch=_BATCH):
        word = _word(row)
        if word.name != keys[int(row["digest"])]:
            raise DamagedLibrary(
                f"{word.name!r} stands where {keys[int(row['digest'])]!r} belongs in"
                f" {milvus.address}; run: article-qa doctor --library {milvus.address}"
            )
        found[word.name] = word
    return found


def count(
    milvus: Milvus, words: Mapping[str, WordCount], changes: Mapping[str, int], generation: int
) -> None:
    """Write changed frequencies, before the state of their commit is published."""
    rows = [_row(words[name].moved(n, generation)) for name, n in changes.items() if n]
    milvus.write(milvus.names.words, rows)


def undo(milvus: Milvus, generation: int) -> None:
    """Restore the frequencies that unfinished commits after a generation changed."""
    later, collection = at_least("born", generation + 1), milvus.names.words
    while rows := milvus.query(collection, later, _FIELDS):
        kept = [_word(row) for row in rows if row["before"] != _NEVER]
        restored = [WordCount(w.name, w.number, w.before, w.df_before) for w in kept]
        milvus.write(collection, [_row(word) for word in restored])
        new = [int(row["digest"]) for row in rows if row["before"] == _NEVER]
        if new:
            milvus.delete(collection, among("digest", new))
        if len(rows) < MOST_ROWS:
            break


def terms_of(milvus: Milvus, numbers: Sequence[int]) -> dict[int, str]:
    """Terms by their numbers, for copying an archive to another store."""
    fields = ("name", "number")
    found = milvus.rows(milvus.names.words, "number", numbers, fields, batch=_BATCH)
    return {
        int(row["number"]): str(row["name"])[1:].encode("ascii").decode("unicode_escape")
        for row in found
        if str(row["name"]).startswith("t")
    }


def _word(row: Mapping[str, Any]) -> WordCount:
    numbers = (int(row[field.name]) for field in fields(WordCount)[1:])
    return WordCount(str(row["name"]), *numbers)


def _row(word: WordCount) -> dict[str, Any]:
    return asdict(word) | {"digest": digest("word", word.name), "unused": [0.0, 0.0]}
