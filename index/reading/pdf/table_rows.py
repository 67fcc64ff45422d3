"""Rows of a printed table: what stands side by side on one line, in line after line."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace

from index.reading.assembly import heads_columns, joined_cells
from index.reading.pdf.lines import Line

__all__ = ["with_rows"]

MIN_ROWS = 2
"""Fewer make no table."""
MAX_WORDS = 5
"""In most cells. A line of a column of running text has more, or"""
MAX_FILL = 0.8
"""more of the width is print."""


def with_rows(lines: Sequence[Line]) -> list[Line]:
    """Lines of a page with the cells of each row of its tables as one line."""
    made: list[Line] = []
    run: list[list[Line]] = []
    for row in [*_side_by_side(lines), []]:
        if len(row) > 1:
            run.append(row)
            continue
        table = len(run) >= MIN_ROWS and _is_table(run)
        if table:
            made += _rows(run)
        else:
            made += [cell for cells in run for cell in cells]
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


def _rows(run: Sequence[Sequence[Line]]) -> Iterator[Line]:
    """Each row as one line, its cells in their columns: those of the row that has most."""
    columns = max(run, key=len)
    rows = [_in_columns(row, columns) for row in run]
    header = heads_columns(rows)
    for number, (cells, row) in enumerate(zip(rows, run, strict=True)):
        yield replace(
            row[0],
            text=joined_cells(cells),
            right=row[-1].right,
            top=min(cell.top for cell in row),
            bottom=max(cell.bottom for cell in row),
            cells=len(row),
            header=header and number == 0,
        )


def _in_columns(row: Sequence[Line], columns: Sequence[Line]) -> list[str]:
    """The cells of a row under those of a full one; "" where one is empty."""
    cells: list[str] = []
    for cell in row:
        left = len(columns) - (len(row) - row.index(cell))  # the others need a column, too
        offs = [_off(cell, columns[number]) for number in range(len(cells), left + 1)]
        cells += [""] * offs.index(min(offs)) + [cell.text]
    return cells + [""] * (len(columns) - len(cells))


def _off(cell: Line, column: Line) -> float:
    """How far a cell stands from a column, whichever side its text is flush with."""
    return min(abs(cell.left - column.left), abs(cell.right - column.right))
