"""Filter expressions for a Milvus server, made of integers and fixed words alone.

Neither Milvus 2.3 nor Milvus Lite takes the values of an expression apart from its text. So
no value of a user's ever enters one: names, article ids and terms are compared as 63-bit
digests, dates as days, and whatever is put into an expression goes through ``_ints``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from index.archive.store import Where

__all__ = [
    "all_of",
    "among",
    "at_least",
    "at_most",
    "between",
    "digest",
    "holds_any",
    "matching",
    "named",
    "not_among",
]


def digest(kind: str, name: str) -> int:
    """A number in ``[0, 2**63)`` for a name of some kind; the same on every machine.

    Two of a billion names have the same number with probability 0.05; what is looked up by
    number is compared with the name afterwards where that would matter.
    """
    data = f"{kind}\0{name}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big") >> 1


def named(kind: str, names: Iterable[str]) -> list[int]:
    """Digests of names that are compared whole, upper and lower case alike."""
    return sorted({digest(kind, name.casefold()) for name in names})


def all_of(*expressions: str) -> str:
    """The conjunction of expressions; empty ones are left out."""
    return " and ".join(f"({e})" for e in expressions if e)


def among(field: str, values: Iterable[int]) -> str:
    """A field is one of some values."""
    return f"{_field(field)} in [{_ints(values)}]"


def not_among(field: str, values: Sequence[int]) -> str:
    """A field is none of some values."""
    return f"{_field(field)} not in [{_ints(values)}]" if len(values) else ""


def at_least(field: str, value: int) -> str:
    """A field is no smaller."""
    return f"{_field(field)} >= {_ints([value])}"


def at_most(field: str, value: int) -> str:
    """A field is no larger."""
    return f"{_field(field)} <= {_ints([value])}"


def between(field: str, first: int, last: int) -> str:
    """A field is ``first``, ``last``, or between."""
    return all_of(at_least(field, first), at_most(field, last))


def holds_any(field: str, values: Iterable[int]) -> str:
    """A list field holds one of some values."""
    return f"array_contains_any({_field(field)}, [{_ints(values)}])"


def matching(where: Where | None) -> str:
    """The expression for a filter without its ``ids``."""
    if not where:
        return ""
    parts = []
    if where.published_from or where.published_until:
        parts.append(at_least("last_day", 1))  # an article without a date has 0
    if where.published_from:
        parts.append(at_least("last_day", where.published_from.toordinal()))
    if where.published_until:
        parts.append(at_most("first_day", where.published_until.toordinal()))
    for kind in ("authors", "sites", "tags"):
        if wanted := getattr(where, kind):
            parts.append(holds_any("names", named(kind, wanted)))
    return all_of(*parts)


def _field(name: str) -> str:
    if not name.isidentifier() or not name.isascii():
        raise ValueError(f"{name!r} is no field")
    return name


def _ints(values: Iterable[int]) -> str:
    # Accepts NumPy's integers, and no string that looks like one. No field holds -1.
    return ", ".join(str(value.__index__()) for value in values) or "-1"
