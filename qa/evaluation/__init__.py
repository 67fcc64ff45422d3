"""Evaluate answers on any questions with known answers, beside the plain recipe.

>>> from qa.evaluation import evaluate
>>> print(evaluate("dev-v1.1.json", baseline="plain"))

In reading order: ``datasets`` and its readers, ``formats`` and ``collections``; ``systems`` and
``plain``, which answer; ``run``, which asks and keeps; ``measures``, ``judge`` and ``statistics``,
from answers to numbers; ``report`` and ``plots``; ``evaluate``, all of it.

Needs the extra: ``pip install 'article-qa[eval]'``.
"""

from index.errors import MissingExtra
from qa.evaluation.datasets import Dataset, Document, Problem, Question
from qa.evaluation.evaluate import evaluate
from qa.evaluation.formats import read_dataset
from qa.evaluation.plots import plot
from qa.evaluation.report import Gate, Report, check_gate, read_gate
from qa.evaluation.statistics import Comparison, Difference, Measure

__all__ = [
    "Comparison",
    "Dataset",
    "Difference",
    "Document",
    "Gate",
    "Measure",
    "MissingExtra",
    "Problem",
    "Question",
    "Report",
    "check_gate",
    "evaluate",
    "plot",
    "read_dataset",
    "read_gate",
]
