"""Reading in a child process: what it costs, what it bounds, and that it outlives a bad source."""

from __future__ import annotations

import time

import pytest

from index import SourceError
from index.reading.formats import Format
from index.reading.sandbox import read_bounded

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


def test_the_second_page_does_not_wait_for_a_new_process() -> None:
    read(PAGE)
    spent = []
    for _ in range(5):
        start = time.monotonic()
        read(PAGE)
        spent.append(time.monotonic() - start)
    assert min(spent) < 0.1
