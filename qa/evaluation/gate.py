"""Floors that a report must not fall under.

    {
      "data": "squad1.json",
      "floors": {"answer@300": 0.845, "R@1": 0.905},
      "ceilings": {"ECE": 0.05, "latency median / plain": 0.5}
    }

A floor is the least a measure may be, a ceiling the most. ``NAME / plain`` is the measure
as a share of the plain recipe's in the same run. A measure that was not taken has failed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qa.evaluation.records import Record, json_value, text_of
from qa.evaluation.report import Report

__all__ = ["Gate", "check_gate", "read_gate"]

OF_PLAIN = " / plain"
_FIELDS = {"data", "command", "floors", "ceilings"}


@dataclass(frozen=True, slots=True)
class Gate:
    """What a report must reach.

    Attributes:
        file: Where it was read from.
        data: The data set it is meant for, or None for any.
        floors: The least a measure may be.
        ceilings: The most.
    """

    file: str
    data: str | None
    floors: Mapping[str, float]
    ceilings: Mapping[str, float]


def read_gate(path: str | Path) -> Gate:
    """Read a gate.

    Raises:
        DataError: It is not of the form above.
    """
    path = Path(path)
    record = Record.of(str(path), "the whole file", json_value(path, text_of(path)))
    if unknown := record.values.keys() - _FIELDS:
        raise record.error(
            sorted(unknown)[0], f"is unknown; a gate has {', '.join(sorted(_FIELDS))}"
        )
    floors, ceilings = (_bounds(record, name) for name in ("floors", "ceilings"))
    if not floors and not ceilings:
        raise record.error("floors", "is empty: this gate lets everything through")
    return Gate(str(path), record.get("data", str, default=None), floors, ceilings)


def check_gate(gate: Gate, report: Report) -> list[str]:
    """What the report falls short of, a line each; empty when it passes."""
    failed: list[str] = []
    if gate.data is not None and gate.data != report.data:
        failed.append(f"the gate is for {gate.data}, and this is {report.data}")
    for name, floor in gate.floors.items():
        value = _value(report, name)
        if not value >= floor:  # so that NaN fails
            failed.append(f"{name} is {_shown(value)}, and must be at least {floor:g}")
    for name, ceiling in gate.ceilings.items():
        value = _value(report, name)
        if not value <= ceiling:
            failed.append(f"{name} is {_shown(value)}, and must be at most {ceiling:g}")
    return failed


def _bounds(record: Record, name: str) -> dict[str, float]:
    bounds = Record.of(record.file, name, record.get(name, dict, default={}))
    return {measure: float(bounds.get(measure, int, float)) for measure in bounds.values}


def _value(report: Report, name: str) -> float:
    of_plain = name.endswith(OF_PLAIN)
    name = name.removesuffix(OF_PLAIN)
    ours = report.measures.get(name)
    plain = (report.baseline or {}).get(name)
    if ours is None or (of_plain and (plain is None or not plain.value)):
        return math.nan
    return ours.value / plain.value if of_plain and plain else ours.value


def _shown(value: float) -> str:
    return "missing" if math.isnan(value) else f"{value:.4f}"
