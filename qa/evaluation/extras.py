"""What only the evaluation needs is an extra: ``pip install 'article-qa[eval]'``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from index.errors import MissingExtra

__all__ = ["MissingExtra", "extra"]


def extra(module: str) -> Any:  # noqa: ANN401 - a module
    """Import a module of the ``eval`` extra.

    Raises:
        MissingExtra: It is not installed; the message says what to run.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingExtra(
            f"evaluation needs the package {package!r}: pip install 'article-qa[eval]'"
        ) from error
