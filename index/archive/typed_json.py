"""Dataclasses out of JSON that may have been forged: every field known, and of its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

__all__ = ["from_json"]

_Value = TypeVar("_Value")


def from_json(kind: type[_Value], values: object) -> _Value:
    """Read what ``json`` made of ``dataclasses.asdict``; no number of ours is negative.

    Raises:
        ValueError, TypeError: It is malformed.
    """
    hints = _hints(kind)
    if not isinstance(values, Mapping) or not values.keys() <= hints.keys():
        raise ValueError(f"{values!r:.80} is no {kind.__name__}")
    made = {name: _checked(name, hints[name], value) for name, value in values.items()}
    return kind(**made)


_hints: Callable[[Any], dict[str, Any]] = cache(get_type_hints)


def _checked(name: str, kind: Any, value: Any) -> Any:  # noqa: ANN401 - any type and value
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):  # something or None
        return None if value is None else _checked(name, parts[0], value)
    if is_dataclass(kind):
        return from_json(kind, value)  # type: ignore[arg-type]
    if origin is tuple and isinstance(value, list):
        kinds = [parts[0]] * len(value) if parts[-1] is ... else parts
        return tuple(_checked(name, k, v) for k, v in zip(kinds, value, strict=True))
    right = isinstance(value, float | int) if kind is float else type(value) is (origin or kind)
    if not right or (isinstance(value, int | float) and not value >= 0):
        raise ValueError(f"{name} is {value!r:.80}")
    return value
