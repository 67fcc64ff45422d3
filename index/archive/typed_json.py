"""Dataclasses out of JSON that may have been forged: every field known, and of its type."""

from __future__ import annotations

from collections.abc import Callable
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
    any_kind: Any = kind
    made: _Value = _reader(any_kind)(values)
    return made


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - any type
    """How to read a value of a type, worked out once: a question reads twenty entries."""
    origin, parts = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        fields = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}

        def read(values: Any) -> Any:  # noqa: ANN401 - any value
            if not _given(values, dict, kind).keys() <= fields.keys():
                raise ValueError(f"{values!r:.80} has fields that {kind.__name__} lacks")
            return kind(**{name: fields[name](value) for name, value in values.items()})

        return read
    if origin in (Union, UnionType):  # something or None
        given = _reader(parts[0])
        return lambda value: None if value is None else given(value)
    if origin is tuple and parts[-1] is ...:
        item = _reader(parts[0])
        return lambda value: tuple(map(item, _given(value, list, kind)))
    if origin is tuple:
        items = [_reader(part) for part in parts]
        return lambda value: tuple(
            item(one) for item, one in zip(items, _given(value, list, kind), strict=True)
        )
    if kind in (int, float):
        return lambda value: _number(value, kind)
    return lambda value: _given(value, origin or kind, kind)


def _given(value: Any, wanted: type, kind: Any) -> Any:  # noqa: ANN401 - any value and type
    if type(value) is not wanted:
        raise ValueError(f"{value!r:.80} is no {getattr(kind, '__name__', kind)}")
    return value


def _number(value: Any, kind: type) -> Any:  # noqa: ANN401 - any value
    if type(value) is not int:
        _given(value, kind, kind)
    if not value >= 0:
        raise ValueError(f"there is a negative number, {value!r}")
    return value
