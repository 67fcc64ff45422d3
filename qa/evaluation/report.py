"""What an evaluation found: as values, as JSON, as a table, and against a gate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from qa.evaluation.datasets import Problem
from qa.evaluation.judge import Row
from qa.evaluation.records import Record, json_value, text_of
from qa.evaluation.statistics import Comparison, Measure
from qa.text import one_line

__all__ = [
    "SCHEMA",
    "Gate",
    "Report",
    "check_gate",
    "failures_markdown",
    "read_gate",
]

SCHEMA = "article-qa/report/1"
SHOWN_PROBLEMS = 5
OF_PLAIN = " / plain"
EXPLAINED = {
    "answer@300": "share of questions whose answer is read in the first 300 characters of quotes",
    "AUROC": "chance that a question with an answer gets more confidence than one without",
    "AURC": "share of wrong answers, averaged over all degrees of keeping silent; lower is better",
    "ECE": "how far confidence is from the share that is right; lower is better",
}
_FIELDS = {"data", "command", "floors", "ceilings"}


@dataclass(frozen=True, slots=True)
class Report:
    """Measures of one system on one data set, with what to hold them against.

    Attributes:
        data: The data set's name.
        digest: SHA-256 of its bytes.
        system: Who was asked.
        model: The embedding model.
        options: How the questions were asked.
        n_questions: How many were asked.
        n_judged: How many of them can be told right from wrong.
        n_refused: How many were refused.
        measures: By name, with intervals.
        baseline: The plain recipe's, or None.
        by_article: Those that are means, with every article counting alike; empty where the
            questions are about one article only.
        baseline_by_article: The plain recipe's.
        against_baseline: The difference from it, or None.
        compared: The difference from another run, or None.
        problems: What is wrong in the data.
        rows: Measures question by question.
        environment: Versions and machine; latency means nothing without them.
    """

    data: str
    digest: str
    system: str
    model: str
    options: Mapping[str, Any]
    n_questions: int
    n_judged: int
    n_refused: int
    measures: dict[str, Measure]
    baseline: dict[str, Measure] | None = None
    by_article: Mapping[str, float] = field(default_factory=dict)
    baseline_by_article: Mapping[str, float] = field(default_factory=dict)
    against_baseline: Comparison | None = None
    compared: Comparison | None = None
    problems: tuple[Problem, ...] = ()
    rows: tuple[Row, ...] = field(default=(), repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def failures(self) -> tuple[Row, ...]:
        """Questions that were answered wrong, most confident first, those refused last."""
        wrong = [row for row in self.rows if row.wrong]
        wrong.sort(key=lambda r: -r.confidence if r.confidence == r.confidence else math.inf)
        return tuple(wrong)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-ready values; questions one by one are left out."""

        def measures(values: Mapping[str, Measure] | None) -> dict[str, Any] | None:
            return None if values is None else {name: asdict(m) for name, m in values.items()}

        return {
            "schema": SCHEMA,
            "data": self.data,
            "digest": self.digest,
            "system": self.system,
            "model": self.model,
            "options": dict(self.options),
            "environment": dict(self.environment),
            "questions": self.n_questions,
            "judged": self.n_judged,
            "refused": self.n_refused,
            "measures": measures(self.measures),
            "baseline": measures(self.baseline),
            "by_article": dict(self.by_article),
            "baseline_by_article": dict(self.baseline_by_article),
            "against_baseline": self.against_baseline and asdict(self.against_baseline),
            "compared": self.compared and asdict(self.compared),
            "problems": dict(Counter(problem.what for problem in self.problems)),
        }

    def __str__(self) -> str:
        """The report as Markdown, aligned to be read as plain text too."""
        lines = [self._headline(), "", *_aligned(self._table()), "", *self._by_article()]
        explained = [
            f"- {name}: {text}" for name, text in EXPLAINED.items() if name in self.measures
        ]
        lines += [*explained, ""] if explained else []
        lines += self._notes()
        return "\n".join(lines).rstrip()

    def _headline(self) -> str:
        counts = f"{self.n_questions:,} questions, {self.n_judged:,} judged"
        refused = f", {self.n_refused:,} refused" if self.n_refused else ""
        options = "".join(f", {name} {value}" for name, value in self.options.items() if value)
        return f"**{self.data}**: {counts}{refused}; {self.model}{options}"

    def _table(self) -> list[list[str]]:
        head = ["measure", self.system, "95 %"]
        if self.baseline is not None:
            head += ["plain", "difference", "p"]
        if self.compared is not None:
            head += [f"against {self.compared.other}", "p"]
        table = [[*head, "n"]]
        for name, measure in self.measures.items():
            show = _milliseconds if name.startswith("latency") else _share
            row = [name, show(measure.value), f"{show(measure.low)}–{show(measure.high)}"]
            if self.baseline is not None:
                plain = self.baseline.get(name)
                row += [show(plain.value) if plain else "", *_gap(self.against_baseline, name)]
            if self.compared is not None:
                row += _gap(self.compared, name)
            table.append([*row, f"{measure.n:,}"])
        return table

    def _by_article(self) -> list[str]:
        if not self.by_article:
            return []
        plain = self.baseline_by_article
        table = [["every article counting alike", self.system, *(["plain"] if plain else [])]]
        for name, value in self.by_article.items():
            beside = [_share(plain[name]) if name in plain else ""] if plain else []
            table.append([name, _share(value), *beside])
        return [*_aligned(table), ""]

    def _notes(self) -> list[str]:
        lines: list[str] = []
        for what, count in Counter(problem.what for problem in self.problems).items():
            lines.append(f"- {count:,} × {what}")
            of_kind = [problem for problem in self.problems if problem.what == what]
            lines += [f"  - {p.where}: {p.detail}".rstrip(": ") for p in of_kind[:SHOWN_PROBLEMS]]
            if len(of_kind) > SHOWN_PROBLEMS:
                lines.append(f"  - and {len(of_kind) - SHOWN_PROBLEMS:,} more")
        for comparison in (self.against_baseline, self.compared):
            if comparison and comparison.unpaired:
                lines.append(
                    f"- {comparison.unpaired:,} questions were asked in only one of this run and"
                    f" {comparison.other}; differences are over the others"
                )
        return ["Found wrong:" if self.problems else "Note:", "", *lines] if lines else []


def failures_markdown(report: Report, limit: int) -> str:
    """The questions that were answered wrong, for a person to look into."""
    limit = max(0, limit)
    lines = [f"{len(report.failures):,} questions answered wrong, most confident first"]
    for failure in report.failures[:limit]:
        lines += ["", f"**{_short(failure.question)}** ({failure.id})"]
        lines += [f"- refused: {failure.error}"] if failure.error else []
        lines += [f"- gold: {_short(gold)}" for gold in failure.gold[:3]]
        lines += ["- the article does not say"] if not failure.gold else []
        lines += [f"  {n}. {_short(quote)}" for n, quote in enumerate(failure.quotes, 1)]
        lines += [f"  confidence {failure.confidence:.2f}"] if not failure.error else []
    if len(report.failures) > limit:
        lines += ["", f"and {len(report.failures) - limit:,} more"]
    return "\n".join(lines)


def _share(value: float) -> str:
    return f"{value:.3f}"


def _milliseconds(value: float) -> str:
    return f"{value:.1f} ms"


def _gap(comparison: Comparison | None, name: str) -> list[str]:
    difference = comparison.differences.get(name) if comparison else None
    if difference is None:
        return ["", ""]
    p = "<0.001" if difference.p < 0.001 else f"{difference.p:.3f}"
    if name.startswith("latency"):
        return [f"{difference.value:+.1f} ms", p]
    return [f"{difference.value:+.3f} ({difference.low:+.3f} {difference.high:+.3f})", p]


def _aligned(table: list[list[str]]) -> list[str]:
    """A Markdown table whose columns line up; the first is text, the others numbers."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]

    def line(cells: list[str]) -> str:
        aligned = [cells[0].ljust(widths[0])]
        aligned += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return f"| {' | '.join(aligned)} |"

    rule = [f"{'-' * widths[0]}", *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    return [line(table[0]), f"| {' | '.join(rule)} |", *map(line, table[1:])]


def _short(text: str, limit: int = 300) -> str:
    line = one_line(text)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


@dataclass(frozen=True, slots=True)
class Gate:
    """What a report must reach: the least that measures may be, and the most."""

    file: str
    data: str | None
    floors: Mapping[str, float]
    ceilings: Mapping[str, float]


def read_gate(path: str | Path) -> Gate:
    """Read a gate: a JSON file with floors that a report must reach, and ceilings.

        {
          "data": "squad1.json",
          "floors": {"answer@300": 0.845, "R@1": 0.905},
          "ceilings": {"ECE": 0.05, "latency median / plain": 0.5}
        }

    ``NAME / plain`` is the measure as a share of the plain recipe's in the same run. A measure
    that was not taken has failed.

    Raises:
        DataError: It is not of this form.
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
        value = _measured(report, name)
        if not value >= floor:  # so that NaN fails
            failed.append(f"{name} is {_or_missing(value)}, and must be at least {floor:g}")
    for name, ceiling in gate.ceilings.items():
        value = _measured(report, name)
        if not value <= ceiling:
            failed.append(f"{name} is {_or_missing(value)}, and must be at most {ceiling:g}")
    return failed


def _bounds(record: Record, name: str) -> dict[str, float]:
    bounds = Record.of(record.file, name, record.get(name, dict, default={}))
    return {measure: float(bounds.get(measure, int, float)) for measure in bounds.values}


def _measured(report: Report, name: str) -> float:
    of_plain = name.endswith(OF_PLAIN)
    name = name.removesuffix(OF_PLAIN)
    ours = report.measures.get(name)
    plain = (report.baseline or {}).get(name)
    if ours is None or (of_plain and (plain is None or not plain.value)):
        return math.nan
    return ours.value / plain.value if of_plain and plain else ours.value


def _or_missing(value: float) -> str:
    return "missing" if math.isnan(value) else f"{value:.4f}"
