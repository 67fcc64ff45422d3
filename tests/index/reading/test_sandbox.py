"""Reading in a child process: what it costs, what it bounds, and that it outlives a bad source."""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable

import pytest

from index import SourceError
from index.reading.formats import Format
from index.reading.sandbox import read_bounded, read_here

PAGE = b"<html><body><p>The ferry to the islands runs twice a day in winter.</p></body></html>"


def read(data: bytes, seconds: float = 10.0) -> str:
    return read_bounded(Format.HTML, data, name="it", seconds=seconds).text


@pytest.mark.parametrize(
    "data",
    [
        b"<html><body><p " + b" ".join(b"a%d=1" % n for n in range(60_000)) + b">It rained.</p>",
        b"<html><body>" + b"<table><tr><td>" * 9_000 + b"It rained.",
        b"<html><body>" + b"<b>" * 300_000 + b"It rained.",
    ],
    ids=["attributes", "tables", "depth"],
)
def test_a_page_made_to_cost_is_given_up_in_time_and_the_next_is_read(data: bytes) -> None:
    start = time.monotonic()
    try:
        read(data, seconds=1.0)
    except SourceError as error:
        assert "it" in str(error)
    assert time.monotonic() - start < 20  # most of it is a new child's start
    assert "ferry" in read(PAGE)


def test_a_page_costs_little_more_than_read_in_this_process() -> None:
    def shortest(work: Callable[[], object]) -> float:
        work()
        return min(timeit.repeat(work, number=1, repeat=7))

    here = shortest(lambda: read_here(Format.HTML, PAGE, name="it"))
    assert shortest(lambda: read(PAGE)) - here < 0.1  # 2 ms where nothing else runs
