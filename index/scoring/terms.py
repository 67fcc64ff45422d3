"""Words as a lexical index sees them, and where each occurs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import Stemmer
from numpy.typing import NDArray

from index.models.encoder import Float32, Int32
from index.scoring.bm25 import idf, saturated
from index.scoring.spellings import folded, one_spelling

__all__ = ["SPELLING", "STEMMED", "STOP_WORDS", "Postings", "TermTable", "terms"]

SPELLING = "2"
"""Changes with what `terms` makes of a text: an index holds the terms of its day."""
STOP_WORDS = frozenset(
    """a about above after again all also am an and any are aren't as at be because been before
    being below between both but by can can't cannot could couldn't did didn't do does
    doesn't doing don't down during each few for from further had hadn't has hasn't have
    haven't having he her here hers herself him himself his how i if in into is isn't it its
    itself just me more most my myself no nor not of off on once only or other our ours
    ourselves out over own same shan't she should shouldn't so some such than that the their
    theirs them themselves then there these they this those through to too under until up us
    very was wasn't we were weren't what when where which while who whom whose why will with
    won't would wouldn't you your yours yourself yourselves""".split()
)

_MARKS = "".join(chr(c) for c in range(0x300, 0x1B00) if unicodedata.category(chr(c))[0] == "M")
"""Vowel signs and the like, which are no letters and yet belong to the word they stand in."""
_UNSPACED = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46"  # Thai
    "\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6"  # Lao
    "\u1000-\u102a\u103f\u1050-\u1055"  # Burmese
    "\u1780-\u17b3"  # Khmer
    "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # kana, Han, Hangul
)
"""Letters of scripts that write no spaces, or, as Korean, not between what is searched for."""
# A run of such signs; or one of letters and digits, inner apostrophes included.
_WORD = re.compile(
    rf"\d+(?:[.:]\d+)+|(?:[{_UNSPACED}][{_MARKS}]*)+"
    rf"|(?:[^\W_{_UNSPACED}]+[{_MARKS}]*)+(?:['\u2019](?:[^\W_]+[{_MARKS}]*)+)*"
)
_PLAIN_WORD = re.compile(r"\d+(?:[.:]\d+)+|[a-z0-9]+(?:'[a-z0-9]+)*")
_SIGN = re.compile(rf"[{_UNSPACED}][{_MARKS}]*")
# Arabic and Hebrew are mostly written without their vowels.
_VOWEL = re.compile("[\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")
_STEMMERS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "ne": "nepali", "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
    "yi": "yiddish",
}  # fmt: skip
STEMMED = tuple(_STEMMERS)
"""ISO 639-1 codes of the languages that have a stemmer."""


@lru_cache(maxsize=32)
def _stemmer(language: str) -> Stemmer.Stemmer | None:
    algorithm = _STEMMERS.get(language)
    return Stemmer.Stemmer(algorithm) if algorithm else None


def terms(text: str, language: str | None = None) -> list[str]:
    """Stemmed content words, in order, repeats kept.

    Of a script without spaces each sign is a term, and each two signs side by side are (Luk and
    Kwok, A comparison of Chinese document indexing strategies and retrieval models, 2002,
    https://doi.org/10.1145/772755.772758).

    Args:
        text: Any text.
        language: ISO 639-1 code; None is read as English, a language without a
            stemmer keeps its words whole.

    >>> terms("Amazon's moratoriums were extended.")
    ['amazon', 'moratorium', 'extend']
    >>> terms("東京都", "ja")
    ['東', '京', '都', '東京', '京都']
    """
    text = one_spelling(text.lower())
    if text.isascii():  # much quicker, and most of the text there is
        found = _PLAIN_WORD.findall(text)
    else:
        found = _WORD.findall(_VOWEL.sub("", unicodedata.normalize("NFC", text)))
    words = []
    for word in found:
        if _SIGN.match(word):
            signs = _SIGN.findall(word)
            words += [*signs, *map("".join, pairwise(signs))]
            continue
        word = word.replace("\u2019", "'")
        if word not in STOP_WORDS:
            words.append(word.removesuffix("'s").replace("'", ""))
    stemmer = _stemmer(language or "en")
    # A stemmer knows the accents of its own language; English has none.
    if not text.isascii() and (language or "en") == "en":
        words = [*map(folded, words)]
    stems = stemmer.stemWords(words) if stemmer else words
    return stems if text.isascii() else [*map(folded, stems)]


@dataclass(frozen=True, slots=True)
class TermTable:
    """The terms of a sequence of documents, one id for each occurrence.

    Attributes:
        vocabulary: Terms, at the position of their id.
        ids: int32 ``(n_occurrences,)``, in the order of the text.
        starts: int32 ``(n_documents + 1,)``: document ``d`` holds ``ids[starts[d]:starts[d+1]]``.
    """

    vocabulary: tuple[str, ...]
    ids: Int32
    starts: Int32

    @classmethod
    def of(cls, texts: Iterable[str], language: str | None = None) -> TermTable:
        """The terms of some texts."""
        vocabulary: dict[str, int] = {}
        ids: list[int] = []
        starts = [0]
        for text in texts:
            ids.extend(vocabulary.setdefault(t, len(vocabulary)) for t in terms(text, language))
            starts.append(len(ids))
        return cls(
            tuple(vocabulary), np.asarray(ids, dtype=np.int32), np.asarray(starts, dtype=np.int32)
        )

    def merged(self, starts: Int32) -> TermTable:
        """The same occurrences as fewer documents: ``d`` joins ``starts[d]:starts[d + 1]``."""
        return TermTable(self.vocabulary, self.ids, self.starts[starts].astype(np.int32))


class Postings:
    """Where each term occurs, with what weight: BM25 with the idf kept apart.

    Attributes:
        n_documents: Documents indexed.
        idf: float32 ``(n_terms,)``: ``ln(1 + (N - df + 0.5) / (df + 0.5))``.
    """

    def __init__(self, table: TermTable) -> None:
        """Count a table's terms; O(n log n) in its occurrences."""
        n_terms = len(table.vocabulary)
        self.n_documents = len(table.starts) - 1
        lengths = np.diff(table.starts)
        document = np.repeat(np.arange(self.n_documents, dtype=np.int64), lengths)
        # One sort groups the occurrences by term, then by document.
        pairs, counts = np.unique(
            table.ids.astype(np.int64) * self.n_documents + document, return_counts=True
        )
        term, self._rows = np.divmod(pairs, max(1, self.n_documents))
        self._starts = np.searchsorted(term, np.arange(n_terms + 1))
        mean_length = float(lengths.mean()) if self.n_documents else 0.0
        worth = saturated(counts, lengths[self._rows], mean_length)
        self._saturated: Float32 = worth.astype(np.float32)
        df = np.diff(self._starts).tolist()
        self.idf: Float32 = np.asarray([idf(n, self.n_documents) for n in df], dtype=np.float32)

    def scores(self, ids: Sequence[int], weights: Float32 | None = None) -> Float32:
        """BM25 of every document for a query.

        Args:
            ids: Term ids of the query, repeats counted; ids unknown here left out by the caller.
            weights: float32 ``(n_terms,)`` in place of ``idf``.

        Returns:
            float32 ``(n_documents,)``, higher is better.
        """
        total = np.zeros(self.n_documents, dtype=np.float32)
        idf = self.idf if weights is None else weights
        for term in ids:
            span = slice(self._starts[term], self._starts[term + 1])
            total[self._rows[span]] += idf[term] * self._saturated[span]
        return total

    def rows(self, term: int) -> NDArray[np.int64]:
        """Documents that hold a term, ascending."""
        rows: NDArray[np.int64] = self._rows[self._starts[term] : self._starts[term + 1]]
        return rows
