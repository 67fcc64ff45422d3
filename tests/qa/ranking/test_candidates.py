"""Of what several searches find, an archive reads the passages that stand high in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.archive.store import Hits
from qa.ranking.candidates import DEEPER, fused


def hits(*found: tuple[int, float]) -> Hits:
    """Rows with their scores, best first as a search gives them."""
    ordered = sorted(found, key=lambda pair: -pair[1])
    return Hits(
        np.asarray([row for row, _ in ordered], dtype=np.int64),
        np.asarray([score for _, score in ordered], dtype=np.float32),
    )


def test_what_both_searches_find_comes_before_the_best_of_one() -> None:
    dense = hits((1, 0.9), (2, 0.8), (3, 0.7))
    lexical = hits((4, 7.0), (5, 6.0), (3, 5.0))
    assert fused([dense, lexical], 1).tolist() == [3]


def test_equals_are_taken_together() -> None:
    assert sorted(fused([hits((1, 0.9), (2, 0.5), (3, 0.5), (4, 0.1))], 2)) == [1, 2, 3]


def test_what_is_found_too_deep_does_not_count() -> None:
    rising = hits(*((row, float(row)) for row in range(100)))
    falling = hits(*((row, -float(row)) for row in range(100)))
    deep = 10 + DEEPER
    assert set(fused([rising, falling], 10).tolist()) <= {*range(deep), *range(100 - deep, 100)}


def test_where_nothing_is_found_nothing_is_read() -> None:
    assert len(fused([Hits(), Hits()], 20)) == 0


@given(
    st.lists(st.sampled_from([0.1, 0.2, 0.2 + 1e-8, 0.3]), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
    st.integers(1, 6),
)
def test_the_order_of_equals_decides_nothing(
    scores: Sequence[float], random: Random, limit: int
) -> None:
    found = list(enumerate(scores))
    mixed = random.sample(found, len(found))
    rows = set(fused([hits(*found)], limit).tolist())
    assert rows == set(fused([hits(*mixed)], limit).tolist())
    assert len(rows) >= min(limit, len(found))
