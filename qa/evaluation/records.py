"""Read JSON from elsewhere: every error names the file, the record and the field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import DataError

__all__ = ["REQUIRED", "Record", "json_lines", "json_value", "text_of"]

REQUIRED: Any = object()
"""Default of a field that may not be missing."""

_JSON_NAMES = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    type(None): "null",
    float: "a number",
}


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON object of a file.

    Attributes:
        file: The file's name.
        where: Which record of it, in words: ``"line 3"``, ``"data[0].paragraphs[2]"``.
        values: Its fields.
    """

    file: str
    where: str
    values: Mapping[str, Any]

    @classmethod
    def of(cls, file: str, where: str, value: object) -> Record:
        """A value that must be an object.

        Raises:
            DataError: It is not.
        """
        if not isinstance(value, dict):
            raise DataError(f"{file}: {where}: expected an object, found {_named(value)}")
        return cls(file, where, value)

    def get(self, name: str, *types: type, default: Any = REQUIRED) -> Any:  # noqa: ANN401 - JSON
        """A field's value.

        Args:
            name: The field.
            types: What it may be.
            default: Used where the field is missing; by default it must be there.

        Raises:
            DataError: It is missing, or something else.
        """
        if name not in self.values:
            if default is REQUIRED:
                raise self.error(name, "is missing")
            return default
        value = self.values[name]
        # To Python true is a number; to who wrote the data it is not.
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            wanted = " or ".join(_JSON_NAMES[kind] for kind in types)
            raise self.error(name, f"must be {wanted}, not {_named(value)}")
        return value

    def children(self, name: str, *, default: Any = REQUIRED) -> Iterator[Record]:  # noqa: ANN401
        """The objects in a field that holds a list of them."""
        for number, value in enumerate(self.get(name, list, default=default)):
            yield Record.of(self.file, f"{self.where}.{name}[{number}]".lstrip("."), value)

    def texts(self, name: str) -> list[str]:
        """A field that holds a list of texts."""
        values: list[str] = self.get(name, list)
        for value in values:
            if not isinstance(value, str):
                raise self.error(name, f"must hold texts only, not {_named(value)}")
        return values

    def error(self, name: str, what: str) -> DataError:
        """The complaint about one field."""
        where = f"{self.where}: " if self.where else ""
        return DataError(f"{self.file}: {where}field {name!r} {what}")


def text_of(path: Path) -> str:
    """A data file's text.

    Raises:
        DataError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def json_value(path: Path, text: str) -> Any:  # noqa: ANN401 - JSON
    """A file's text as one JSON value.

    Raises:
        DataError: It is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON: {error}") from error


def json_lines(path: Path, text: str) -> Iterator[Record]:
    """The objects of a JSON Lines file, blank lines passed over.

    Raises:
        DataError: A line is not JSON, or not an object.
    """
    # Not splitlines: a text may hold U+2028, which JSON leaves as it is.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            where = f"line {number}"
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(f"{path}: {where}: not JSON: {error}") from error
            yield Record.of(str(path), where, value)


def _named(value: object) -> str:
    """A value as a complaint shows it."""
    shown = repr(value)
    return f"{shown[:57]}…" if len(shown) > 60 else shown
