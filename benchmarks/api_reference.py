"""Write docs/api.md from the docstrings of what ``qa`` exports.

python -m benchmarks.api_reference
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import qa
from index import errors

__all__ = ["PAGE", "reference"]

PAGE = Path(__file__).parent.parent / "docs" / "api.md"
HEAD = """\
# Reference

What `from qa import …` gives, in the words of its docstrings; written by
`python -m benchmarks.api_reference`.
"""


def reference() -> str:
    """The page."""
    names = [name for name in qa.__all__ if name not in errors.__all__]
    parts = [part for name in names for part in _parts(name, getattr(qa, name))]
    parts += ["## Errors", f"```text\n{inspect.getdoc(errors)}\n```"]
    return "\n\n".join([HEAD.rstrip(), *parts]) + "\n"


def _parts(name: str, value: object, level: str = "##") -> Iterator[str]:
    yield f"{level} `{name}`"
    called = inspect.isroutine(value) and f"{name}{_signature(value)}\n\n"
    yield f"```text\n{called or ''}{inspect.getdoc(value)}\n```"
    if inspect.isclass(value):
        for member, method in vars(value).items():
            known = inspect.isroutine(method) or isinstance(method, (property, classmethod))
            if known and not member.startswith("_"):
                bound = getattr(value, member)
                yield from _parts(f"{name}.{member}", bound, "###")


def _signature(value: Callable[..., object]) -> str:
    shown = str(inspect.signature(value))
    shown = re.sub(r"(: |-> )'([^']*)'", r"\1\2", shown)
    return re.sub(r"\((self|cls)(, )?", "(", shown)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
