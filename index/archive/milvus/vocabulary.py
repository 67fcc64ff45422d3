"""Terms and word pieces of an archive on Milvus: their numbers and document frequencies.

A row holds the frequency as of the generation that wrote it, and the one before, so that a
reader of the generation before sees what was true then, and a commit that never came about
can be undone. A reader that is further behind sees the older of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from index.archive.milvus.client import MOST_ROWS, Milvus
from index.archive.milvus.filters import all_of, among, at_least, digest
from index.archive.milvus.schema import MAX_TEXT, Names
from index.errors import DamagedLibrary

__all__ = [
    "Word",
    "count",
    "is_piece",
    "piece_name",
    "read_words",
    "term_name",
    "terms_of",
    "undo",
]

_FIELDS: Final = ("digest", "name", "number", "born", "df", "before", "df_before")
_BATCH: Final = 2_000
_NEVER: Final = -1


@dataclass(frozen=True, slots=True)
class Word:
    """A term or a word piece.

    Attributes:
        name: With its kind, see ``term_name`` and ``piece_name``.
        number: In passage records and sparse vectors.
        born: Generation of ``df``.
        df: Passages that hold it.
        before: Generation of the frequency before, -1 for none.
        df_before: That frequency.
    """

    name: str
    number: int
    born: int
    df: int
    before: int = _NEVER
    df_before: int = 0

    def at(self, generation: int) -> int:
        """The frequency as a reader of a generation sees it."""
        return self.df if self.born <= generation else self.df_before

    def moved(self, change: int, generation: int) -> Word:
        """The word after a commit; one that counts it twice counts from the same before."""
        if self.born == generation:
            return replace(self, df=self.df + change)
        return Word(self.name, self.number, generation, self.df + change, self.born, self.df)


def term_name(term: str) -> str:
    """How a term is called here; one too long for a field by its digest."""
    name = f"t{term}".encode("ascii", "backslashreplace").decode("ascii")
    return name if len(name) < MAX_TEXT else f"T{digest('term', term)}"


def piece_name(token_id: int) -> str:
    """How a word piece is called here."""
    return f"p{token_id}"


def is_piece(name: str) -> bool:
    """Whether a name is a word piece's."""
    return name.startswith("p")


def read_words(
    milvus: Milvus, names: Names, wanted: Iterable[str], *, visible: int | None
) -> dict[str, Word]:
    """Words by name; those that the archive lacks are left out.

    Raises:
        DamagedLibrary: Two names share a digest.
    """
    keys = {digest("word", name): name for name in wanted}
    every = sorted(keys)
    found = {}
    for start in range(0, len(every), _BATCH):
        expression = among("digest", every[start : start + _BATCH])
        for row in milvus.query(names.words, expression, _FIELDS, visible=visible):
            word = _word(row)
            if word.name != keys[int(row["digest"])]:
                raise DamagedLibrary(
                    f"{word.name!r} stands where {keys[int(row['digest'])]!r} belongs in"
                    f" {milvus.address}; run: article-qa doctor --library {milvus.address}"
                )
            found[word.name] = word
    return found


def count(
    milvus: Milvus,
    names: Names,
    words: Mapping[str, Word],
    changes: Mapping[str, int],
    generation: int,
    held: Callable[[], None],
) -> None:
    """Write changed frequencies, for a commit that is yet to come."""
    rows = [_row(words[name].moved(n, generation)) for name, n in changes.items() if n]
    milvus.write(names.words, rows, held=held)


def undo(milvus: Milvus, names: Names, generation: int, held: Callable[[], None]) -> None:
    """Take back what commits after a generation wrote: none of them came about."""
    later = at_least("born", generation + 1)
    while rows := milvus.query(names.words, later, _FIELDS):
        kept = [_word(row) for row in rows if row["before"] != _NEVER]
        restored = [Word(w.name, w.number, w.before, w.df_before) for w in kept]
        milvus.write(names.words, [_row(word) for word in restored], held=held)
        held()
        new = [int(row["digest"]) for row in rows if row["before"] == _NEVER]
        if new:
            milvus.delete(names.words, among("digest", new))
        if len(rows) < MOST_ROWS:
            break


def terms_of(
    milvus: Milvus, names: Names, numbers: Sequence[int], *, visible: int | None
) -> dict[int, str]:
    """Terms by their numbers, for taking an archive elsewhere."""
    found = {}
    for start in range(0, len(numbers), _BATCH):
        expression = all_of(among("number", numbers[start : start + _BATCH]))
        for row in milvus.query(names.words, expression, ("name", "number"), visible=visible):
            name = str(row["name"])
            if name.startswith("t"):
                found[int(row["number"])] = name[1:].encode("ascii").decode("unicode_escape")
    return found


def _word(row: Mapping[str, Any]) -> Word:
    return Word(
        str(row["name"]),
        *(int(row[name]) for name in ("number", "born", "df", "before", "df_before")),
    )


def _row(word: Word) -> dict[str, Any]:
    return {
        "digest": digest("word", word.name),
        "name": word.name,
        "number": word.number,
        "born": word.born,
        "df": word.df,
        "before": word.before,
        "df_before": word.df_before,
        "unused": [0.0, 0.0],
    }
