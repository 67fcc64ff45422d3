"""No text takes a regular expression more than its length: those of the packages are linear."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import index
import qa
from qa.engine import MAX_QUESTION_CHARS
from qa.suggestions import LONGEST

LENGTH = 8_000
BOUNDED = {
    "qa.conversation": MAX_QUESTION_CHARS,
    "qa.question": MAX_QUESTION_CHARS,
    "qa.ranking": MAX_QUESTION_CHARS,
    "qa.reading": MAX_QUESTION_CHARS,
    "qa.suggestions": LONGEST,
}
"""Where what patterns meet is shorter: a question, or a sentence that is worth turning around."""
SECONDS = 0.2
"""For a text so long: a linear pattern takes a hundredth of it, a quadratic one seconds."""
ALPHABET = 14
PAIRS = 12

# They import what is optional or slow, and have no patterns that meet a text.
HEAVY = "adapters torch_encoder cross_encoder prepare quantize shards milvus __main__".split()

SAMPLES = (" ", "A", "a", "1", "-", ".")
ESCAPED = re.compile(r"\\[AbBdDsSwWZ]|\(\?(?:P<\w+>|<?[=!:])")
"""Letters of a pattern that are none of a text's."""


def modules() -> Iterator[ModuleType]:
    for package in (index, qa):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not any(heavy in found.name for heavy in HEAVY):
                yield importlib.import_module(found.name)


def patterns() -> dict[str, re.Pattern[str]]:
    """Every compiled pattern that a module of ours holds, in a collection or by itself."""
    found: dict[str, re.Pattern[str]] = {}

    def collect(name: str, value: object) -> None:
        if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
            found.setdefault(name, value)
        elif isinstance(value, (tuple, list)):
            for number, part in enumerate(value):
                collect(f"{name}[{number}]", part)
        elif isinstance(value, dict):
            for key, part in value.items():
                collect(f"{name}[{key}]", part)

    for module in modules():
        for name, value in vars(module).items():
            collect(f"{module.__name__}.{name}", value)
    return found


def runs(pattern: re.Pattern[str], length: int) -> Iterator[str]:
    """Long runs of what a pattern looks for, alone and by twos, and of what it almost finds."""
    letters = [c for c in ESCAPED.sub("", pattern.pattern) if c not in "\\()[]{}|^$"]
    alphabet = list(dict.fromkeys([*SAMPLES, *letters]))[:ALPHABET]
    for one in alphabet:
        yield one * length
    for one, other in itertools.islice(itertools.permutations(alphabet, 2), PAIRS):
        yield (one + other) * (length // 2)
        yield one + other * length
    whole = "".join(letters)[:200]
    if whole:
        yield whole * (length // len(whole) + 1)


def uses() -> dict[str, set[str]]:
    """By name, the methods by which patterns are used anywhere."""
    found: dict[str, set[str]] = {}
    for package in (index, qa):
        for path in Path(package.__path__[0]).rglob("*.py"):
            for name, method in re.findall(r"\b(_?[A-Z][A-Z_]*)\.(\w+)", path.read_text("utf-8")):
                found.setdefault(name, set()).add(method)
    return found


PATTERNS = patterns()
USES = uses()


def apply(name: str, text: str) -> None:
    """Use a pattern on a text as it is used: at its beginning alone, or all through it."""
    pattern = PATTERNS[name]
    methods = USES.get(name.rpartition(".")[2].partition("[")[0], set()) & set(dir(pattern))
    if pattern.pattern.startswith(r"\W*"):  # what begins so is never looked for in the middle
        pattern.match(text)
    elif methods and methods <= {"match", "fullmatch", "pattern"}:
        for method in methods - {"pattern"}:
            getattr(pattern, method)(text)
    else:
        for _ in pattern.finditer(text):
            pass


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_every_pattern_takes_time_by_the_length_of_the_text(name: str) -> None:
    length = next((most for part, most in BOUNDED.items() if name.startswith(part)), LENGTH)
    for text in runs(PATTERNS[name], length):
        began = time.process_time()
        apply(name, text)
        took = time.process_time() - began
        assert took < SECONDS, f"{took:.1f} s for {text[:60]!r}…"
