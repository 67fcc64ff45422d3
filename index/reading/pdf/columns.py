"""The reading order of a page's lines: one column after the other, not straight across."""

from __future__ import annotations

from collections.abc import Sequence

from index.reading.pdf.lines import Line

__all__ = ["in_reading_order"]

MIN_LINES = 6
"""Fewer lines on a side make no column."""


def in_reading_order(lines: Sequence[Line]) -> list[Line]:
    """Lines of a page by column where they were drawn straight across two columns.

    What the page's own order does well already is left alone: it is right far more often
    than geometry is.
    """
    gutter = _gutter(lines)
    if gutter is None or not _drawn_across(lines, gutter):
        return list(lines)
    ordered: list[Line] = []
    left: list[Line] = []
    right: list[Line] = []
    for line in sorted(lines, key=lambda line: line.top):
        if line.left < gutter < line.right:  # a heading over both columns ends them
            ordered += left + right + [line]
            left, right = [], []
        else:
            (left if line.right <= gutter else right).append(line)
    return ordered + left + right


def _gutter(lines: Sequence[Line]) -> float | None:
    """Where the gap between two columns lies, or None where there are not two."""
    if len(lines) < 2 * MIN_LINES:
        return None
    first = min(line.left for line in lines)
    last = max(line.right for line in lines)
    best: tuple[int, float] | None = None
    for share in range(35, 66):
        place = first + (last - first) * share / 100
        crossing = sum(line.left < place < line.right for line in lines)
        sides = [
            sum(line.right <= place for line in lines),
            sum(line.left >= place for line in lines),
        ]
        if min(sides) >= MIN_LINES and crossing <= 0.2 * len(lines):
            best = min(best or (crossing, place), (crossing, place))
    return best[1] if best else None


def _drawn_across(lines: Sequence[Line], gutter: float) -> bool:
    """Whether the order of drawing goes from one column to the other again and again."""
    sides = [line.left >= gutter for line in lines if not line.left < gutter < line.right]
    changes = sum(here != there for here, there in zip(sides, sides[1:], strict=False))
    return changes > len(sides) / 3
