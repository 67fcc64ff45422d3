"""Timing that a busy machine cannot turn: alternate what is compared, and keep the spread.

Two things measured one after the other meet two different machines: another program
starts, the processor changes its clock. Taken in turns, both meet the same one, and their
ratio stands. Processor seconds stand beside the clock's, for they do not count the waiting.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeVar

import numpy as np

from index.errors import ArticleQAError
from index.models.onnx_encoder import available_cores

__all__ = [
    "Cost",
    "Series",
    "alternate",
    "load_average",
    "machine",
    "own_environment",
    "run_process",
    "timed",
]

_Input = TypeVar("_Input")

_PACKAGES = ("article-qa", "onnxruntime", "numpy", "faiss-cpu", "sentence-transformers", "torch")

# On Linux a process inherits the peak of the one that started it: only a small one may measure.
_LAUNCHER = """
import json, os, sys, time
began = time.perf_counter()
status, used = os.wait4(os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:]), 0)[1:]
wall = time.perf_counter() - began
unit = 1 if sys.platform == "darwin" else 1024
cost = [wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit]
print("\\n" + json.dumps([os.waitstatus_to_exitcode(status), *cost]))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost.

    Attributes:
        wall: Seconds by the clock.
        processor: Seconds of all cores together; NaN where the system does not tell.
        memory: Peak of resident bytes, for a process of its own; else NaN.
    """

    wall: float
    processor: float = float("nan")
    memory: float = float("nan")


@dataclass(frozen=True, slots=True)
class Series:
    """The same thing measured several times.

    Attributes:
        values: One of each run, in their order.
    """

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Half of the runs are below."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> float:
        """What this share of the runs is below."""
        return float(np.quantile(self.values, share))

    def over(self, other: Series) -> Series:
        """Run by run, this one divided by the other."""
        return Series(tuple(a / b for a, b in zip(self.values, other.values, strict=True)))

    def __len__(self) -> int:
        return len(self.values)


def timed(work: Callable[[], object]) -> Cost:
    """What some work in this process costs."""
    wall, processor = perf_counter(), process_time()
    work()
    return Cost(perf_counter() - wall, process_time() - processor)


def alternate(
    ours: Callable[[_Input], Cost],
    other: Callable[[_Input], Cost],
    inputs: Sequence[_Input],
    report: Callable[[int], None],
) -> tuple[tuple[Cost, ...], tuple[Cost, ...]]:
    """Measure two things in turns; the second goes first in every other round.

    Args:
        ours: One run of the one.
        other: One run of the other.
        inputs: What each is given, round by round.
        report: Called with the number of rounds done.

    Returns:
        The costs of each, by round.
    """
    costs: list[tuple[Cost, Cost]] = []
    for given in inputs:
        if len(costs) % 2:
            later = other(given)
            costs.append((ours(given), later))
        else:
            costs.append((ours(given), other(given)))
        report(len(costs))
    return tuple(a for a, _ in costs), tuple(b for _, b in costs)


def run_process(command: Sequence[str], accepted: Sequence[int] = (0,)) -> Cost:
    """What a process costs from its start to its end.

    Args:
        command: The program, by its path, and its arguments.
        accepted: The exit statuses of a run that went well.

    Raises:
        ArticleQAError: It ended otherwise.
    """
    tells = hasattr(os, "wait4")  # not on Windows
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER] if tells else []
    began = perf_counter()
    done = subprocess.run(
        [*launcher, *command], capture_output=True, check=False, env=own_environment()
    )
    wall = perf_counter() - began
    status, printed, cost = done.returncode, done.stdout, Cost(wall)
    if tells and done.returncode == 0:
        printed, _, last = done.stdout.rstrip().rpartition(b"\n")
        status, *measured = json.loads(last)
        cost = Cost(*measured)
    # Python ends a crash with status 1, which may also be accepted; a crash prints nothing.
    if status not in accepted or (status and not printed.strip()):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ArticleQAError(
            f"the benchmark could not run {' '.join(command)!r}:"
            f" {said[-1] if said else f'exit status {status}'}"
        )
    return cost


def own_environment() -> dict[str, str]:
    """An environment in which another interpreter finds this very package."""
    here = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def load_average() -> str:
    """How many processes want a core, over 1, 5 and 15 minutes."""
    with contextlib.suppress(AttributeError, OSError):  # not on every system
        return " ".join(f"{load:.2f}" for load in os.getloadavg())
    return "not known"


def machine() -> dict[str, str]:
    """What the figures depend on besides the program."""
    return {
        "processor": _processor(),
        "cores": f"{available_cores()} used of {os.cpu_count()}",
        "platform": platform.platform(),
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a checkout
        return "not installed"
