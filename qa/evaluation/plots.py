"""Plot calibration: a reliability diagram and a coverage-risk curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from index.errors import DataError
from index.extras import extra
from qa.evaluation.datasets import OFF_ARTICLE
from qa.evaluation.measures import BINS, reliability, risk_coverage
from qa.evaluation.report import Report

__all__ = ["check_plot", "plot"]


def check_plot(path: str | Path) -> None:
    """Refuse, before the work, a plot that could not be written after it.

    Raises:
        DataError: The path is no PNG file in a folder that exists.
        MissingExtra: matplotlib is not installed.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise DataError(f"{path}: plots are PNG; name a file that ends in .png")
    if not path.parent.is_dir():
        raise DataError(f"{path}: there is no folder {str(path.parent)!r}")
    extra("matplotlib.figure", of="eval")


def plot(report: Report, path: str | Path) -> None:
    """Write a reliability diagram and a coverage–risk curve, side by side, as one PNG.

    Raises:
        DataError: Nothing in the report has a confidence, or the file cannot be written.
    """
    check_plot(path)
    rows = [
        row
        for row in report.rows
        if row.correct is not None and row.confidence == row.confidence and row.kind != OFF_ARTICLE
    ]
    if not rows:
        raise DataError("no question of this data can be told right from wrong; nothing to plot")
    confidence = np.array([row.confidence for row in rows])
    correct = np.array([bool(row.correct) for row in rows])
    # A figure of its own: pyplot keeps global state and may open a window.
    figure = extra("matplotlib.figure", of="eval").Figure(
        figsize=(10, 4.5), dpi=120, layout="constrained"
    )
    left, right = figure.subplots(1, 2)
    _reliability(left, report, confidence, correct)
    _coverage_risk(right, report, confidence, correct)
    figure.suptitle(f"{report.data}: {len(rows):,} questions")
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error}") from error


def _reliability(axes: Any, report: Report, confidence: Any, correct: Any) -> None:  # noqa: ANN401
    mean, accuracy, counts = reliability(confidence, correct)
    edges = np.linspace(0, 1, BINS + 1)
    axes.bar(
        edges[:-1],
        counts / counts.sum(),
        width=1 / BINS,
        align="edge",
        color="#d7dde6",
        label="share of questions",
    )
    axes.plot([0, 1], [0, 1], color="#8a8a8a", linestyle="--", linewidth=1, label="calibrated")
    filled = counts > 0
    axes.plot(mean[filled], accuracy[filled], "o-", color="#1f5fa8", label=report.system)
    error = report.measures.get("ECE")
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel="confidence",
        ylabel="share with the answer in the first citation",
        title="Reliability" + (f", ECE {error.value:.3f}" if error else ""),
    )
    axes.legend(loc="upper left", frameon=False)


def _coverage_risk(axes: Any, report: Report, confidence: Any, correct: Any) -> None:  # noqa: ANN401
    coverage, risk = risk_coverage(confidence, correct)
    axes.plot(coverage, risk, color="#1f5fa8", label=report.system)
    axes.axhline(
        1 - correct.mean(), color="#8a8a8a", linestyle="--", linewidth=1, label="answering all"
    )
    area = report.measures.get("AURC")
    axes.set(
        xlim=(0, 1),
        ylim=(0, None),
        xlabel="coverage: share of questions answered",
        ylabel="risk: share of those answered wrong",
        title="Coverage–risk" + (f", AURC {area.value:.3f}" if area else ""),
    )
    axes.legend(loc="lower right", frameon=False)
