from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.arrays import normalised, ranges


def test_rows_keep_their_direction_and_zeros_stay_zeros() -> None:
    rows = normalised(np.asarray([[3, 4], [0, 0], [0, -2]], dtype=np.float32))
    assert rows.dtype == np.float32
    assert rows == pytest.approx(np.asarray([[0.6, 0.8], [0, 0], [0, -1]]))


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 9))))
def test_ranges_are_laid_end_to_end(runs: list[tuple[int, int]]) -> None:
    starts, counts = np.asarray(runs, dtype=np.int32).reshape(-1, 2).T
    expected = [number for start, count in runs for number in range(start, start + count)]
    found = ranges(starts, counts)
    assert found.dtype == np.int64
    assert found.tolist() == expected
