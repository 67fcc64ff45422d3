"""How good the answers are, on any questions with known answers, beside the plain recipe.

>>> from qa.evaluation import evaluate
>>> print(evaluate("dev-v1.1.json", baseline="plain"))

In reading order: ``datasets``, its readers ``formats`` and ``collections``, and ``sampling``;
``systems`` and ``plain``, who is asked; ``run`` and ``kept``, which ask and remember;
``measures``, ``judge`` and ``statistics``, from answers to numbers; ``report``, ``plots`` and
``gate``, from numbers to a verdict; ``evaluate``, all of it; ``command``, the shell's side.

Needs the extra: ``pip install 'article-qa[eval]'``.
"""

from qa.evaluation.datasets import Dataset, Document, Problem, Question
from qa.evaluation.evaluate import evaluate
from qa.evaluation.extras import MissingExtra
from qa.evaluation.formats import read_dataset
from qa.evaluation.gate import Gate, check_gate, read_gate
from qa.evaluation.plots import plot
from qa.evaluation.report import Failure, Report
from qa.evaluation.statistics import Comparison, Difference, Measure

__all__ = [
    "Comparison",
    "Dataset",
    "Difference",
    "Document",
    "Failure",
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
