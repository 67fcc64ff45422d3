"""Reading the best candidates of a question: which windows, and what came of each sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from index.article import Article
from index.models.encoder import Float32, Int32
from qa.reading.reader import Reader, Span, Window, reads
from qa.reading.windows import around

__all__ = ["WINDOWS", "Places", "Readings", "read_best"]

WINDOWS: Final = 2
"""Windows that are read, one on each core of a small machine. More cost as much again and find
little: see the ablation."""
_BESIDE: Final = 8
"""Sentences on either side that a window may reach to."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where candidates stand.

    Attributes:
        spans: int32 ``(n_sentences, 2)``: half-open code points in the article.
        owners: int32 ``(n_sentences,)``: which article each is from.
        articles: Those articles.
    """

    spans: Int32
    owners: Int32
    articles: Sequence[Article]


@dataclass(frozen=True, slots=True)
class Readings:
    """What the reader made of candidates.

    Attributes:
        margins: float32 ``(n_sentences,)``: of the best span of each; NaN where none was read.
        spans: The best span of each that was read, by its row.
    """

    margins: Float32
    spans: Mapping[int, Span]


def read_best(
    reader: Reader, question: str, scores: Float32, places: Places, n_windows: int = WINDOWS
) -> Readings | None:
    """Read around the candidates that score best.

    Args:
        reader: The model.
        question: As it is read.
        scores: float32 ``(n_sentences,)``, higher is better.
        places: Where they stand.
        n_windows: Windows to read at most.

    Returns:
        None where they are in languages that it does not read.
    """
    windows: list[range] = []
    for row in np.argsort(-scores, kind="stable").tolist():
        if len(windows) == n_windows:
            break
        if not any(row in window for window in windows) and _is_read(places, row):
            run = _run(places, row)
            spans = places.spans[run.start : run.stop].tolist()
            inside = around(spans, row - run.start)
            windows.append(range(run.start + inside.start, run.start + inside.stop))
    if not windows:
        return None
    found: dict[int, Span] = {}
    read = reader.read(question, [_window(places, rows) for rows in windows])
    for rows, spans_of in zip(windows, read, strict=True):
        for row, span in zip(rows, spans_of, strict=True):
            if span and (row not in found or span.margin > found[row].margin):
                found[row] = span
    margins = np.full(len(scores), np.nan, dtype=np.float32)
    margins[list(found)] = [span.margin for span in found.values()]
    return Readings(margins, found)


def _is_read(places: Places, row: int) -> bool:
    return reads(places.articles[places.owners[row]].language)


def _run(places: Places, row: int) -> range:
    """The candidates around one that follow on each other in its article."""
    text = places.articles[places.owners[row]].text

    def follows(before: int, after: int) -> bool:
        gap = text[places.spans[before, 1] : places.spans[after, 0]]
        return bool(places.owners[before] == places.owners[after]) and not gap.strip()

    first = last = row
    while first > max(0, row - _BESIDE) and follows(first - 1, first):
        first -= 1
    while last < min(len(places.spans) - 1, row + _BESIDE) and follows(last, last + 1):
        last += 1
    return range(first, last + 1)


def _window(places: Places, rows: range) -> Window:
    spans = tuple((int(start), int(end)) for start, end in places.spans[rows.start : rows.stop])
    start, end = spans[0][0], spans[-1][1]
    return Window(places.articles[places.owners[rows[0]]].text[start:end], start, spans)
