"""JSON that somebody else may have written becomes a dataclass, or is refused."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import pytest

from index.archive.typed_json import from_json


@dataclass(frozen=True)
class Inner:
    name: str
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Outer:
    inner: Inner
    share: float
    n: int = 0
    note: str | None = None
    more: dict[str, Any] | None = None


VALUE = Outer(Inner("a", ((1, 2), (3, 4))), 0.5, 7, None, {"x": [1]})


def test_what_was_written_is_read() -> None:
    assert from_json(Outer, json.loads(json.dumps(asdict(VALUE)))) == VALUE
    assert from_json(Outer, {"inner": {"name": "b"}, "share": 1}) == Outer(Inner("b"), 1)


@pytest.mark.parametrize(
    "forged",
    [
        {"n": True},
        {"n": -1},
        {"n": 1.0},
        {"n": None},
        {"share": "0.5"},
        {"share": float("nan")},
        {"note": 3},
        {"more": []},
        {"unknown": 1},
        {"inner": None},
        {"inner": {}},
        {"inner": ["a"]},
        {"inner": {"name": "a", "spans": [[1]]}},
        {"inner": {"name": "a", "spans": [[1, "2"]]}},
        {"inner": {"name": "a", "spans": "12"}},
    ],
)
def test_what_was_forged_is_refused(forged: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        from_json(Outer, json.loads(json.dumps(asdict(VALUE))) | forged)


@pytest.mark.parametrize("values", [None, [], "x", 3])
def test_what_is_no_object_is_refused(values: object) -> None:
    with pytest.raises(ValueError, match="is no Outer"):
        from_json(Outer, values)
