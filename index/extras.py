"""Import packages that come only with an extra of article-qa."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from index.errors import MissingExtra

__all__ = ["extra", "require"]


def extra(module: str, *, of: str) -> Any:  # noqa: ANN401 - a module
    """Import a module that comes with the extra ``of``.

    Raises:
        MissingExtra: It is not installed; the message says what to run.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(_missing(module, of)) from error


def require(*packages: str, of: str) -> None:
    """Check, before any work, that packages are installed, without importing them.

    Raises:
        MissingExtra: One is not installed.
    """
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtra(_missing(package, of))


def _missing(module: str, of: str) -> str:
    return f"this needs the package {module.partition('.')[0]!r}: pip install 'article-qa[{of}]'"
