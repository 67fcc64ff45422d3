"""What the reader reads of an article: a few sentences around one that may answer.

A window costs a fraction of the whole passage and holds nearly all of what decides: the
sentence, and those beside it that say who "he" is. The trainer cuts its examples with the
same function, so the reader meets nothing of a kind that it was not trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["WINDOW", "around"]

WINDOW: Final = 420
"""Code points of a window, about 95 word pieces of English."""


def around(sentences: Sequence[Sequence[int]], centre: int, size: int = WINDOW) -> range:
    """The sentences that are read around one of them.

    Those before and after join in turn, the one before first; the one in the centre is always
    there, however long.

    >>> around([(0, 100), (101, 200), (201, 300), (301, 400)], 1, size=250)
    range(0, 2)

    Args:
        sentences: Half-open spans of one article, in order.
        centre: Which of them it is about.
        size: Code points that a window may have.
    """
    first = last = centre
    before = after = True
    while before or after:
        if before:
            before = first > 0 and sentences[last][1] - sentences[first - 1][0] <= size
            first -= before
        if after:
            after = (
                last + 1 < len(sentences) and sentences[last + 1][1] - sentences[first][0] <= size
            )
            last += after
    return range(first, last + 1)
