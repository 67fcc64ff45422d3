"""Rows of a printed table: what stands side by side on one line, in line after line."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace

from index.reading.pdf.lines import Line

__all__ = ["with_rows"]

MIN_ROWS = 2
"""Fewer make no table."""
MAX_WORDS = 5
"""In most cells. A line of a column of running text has more, or"""
MAX_FILL = 0.8
"""more of the width is print."""
_SEAM = " | "


def with_rows(lines: Sequence[Line]) -> list[Line]:
    """Lines of a page with the cells of each row of its tables as one line.

    Args:
        lines: In the order in which they were drawn.
    """
    made: list[Line] = []
    run: list[list[Line]] = []
    for row in [*_side_by_side(lines), []]:
        if len(row) > 1:
            run.append(row)
            continue
        table = len(run) >= MIN_ROWS and _is_table(run)
        for cells in run:
            made += [_joined(cells)] if table else cells
        run = []
        made += row
    return made


def _side_by_side(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Runs of lines that go on to the right on the same height."""
    row: list[Line] = []
    for line in lines:
        if row and not (
            abs(line.top - row[-1].top) <= 0.5 * row[-1].size and line.left > row[-1].right
        ):
            yield row
            row = []
        row.append(line)
    if row:
        yield row


def _is_table(rows: Sequence[Sequence[Line]]) -> bool:
    words = statistics.median(len(cell.text.split()) for row in rows for cell in row)
    return words <= MAX_WORDS and statistics.median(map(_fill, rows)) <= MAX_FILL


def _fill(row: Sequence[Line]) -> float:
    width = max(row[-1].right - row[0].left, 1.0)
    return sum(cell.right - cell.left for cell in row) / width


def _joined(row: Sequence[Line]) -> Line:
    return replace(
        row[0],
        text=_SEAM.join(cell.text for cell in row),
        right=row[-1].right,
        top=min(cell.top for cell in row),
        bottom=max(cell.bottom for cell in row),
        cells=len(row),
    )
