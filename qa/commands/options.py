"""Options that several commands share, worded once."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

from index.archive.store import Where
from index.reading.assembly import Metadata
from qa import filters

__all__ = [
    "MODEL_HELP",
    "NEW_LIBRARY",
    "Command",
    "add_allow_private",
    "add_filters",
    "add_given",
    "add_json",
    "add_library",
    "add_model",
    "add_no_reader",
    "add_source",
    "given_by",
    "refuse_words",
    "where_of",
]

MODEL_HELP = "a sentence-transformers model: a folder or a hub name (default: the bundled MiniLM)"
NEW_LIBRARY = "a sentence-transformers model for a new library (default: the bundled MiniLM)"


@dataclass(frozen=True, slots=True)
class Command:
    """A shell command: its options, and what runs it; the docstring of ``run`` is its help."""

    run: Callable[[argparse.Namespace], int]
    add_options: Callable[[argparse.ArgumentParser], None]


def add_source(parser: argparse.ArgumentParser, *, folders: bool = False) -> None:
    """Add SOURCE and ``--allow-private``."""
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="an article: a file (web page, PDF, Word, e-mail, Markdown, text), an http(s)"
        " address, a folder made by build, or - for standard input"
        + ("; or a folder of articles" if folders else "")
        + " (default: the bundled news article)",
    )
    add_allow_private(parser)


def add_allow_private(parser: argparse.ArgumentParser) -> None:
    """Add ``--allow-private``."""
    parser.add_argument(
        "--allow-private",
        action="store_true",
        help="also fetch addresses of this machine and the local network",
    )


def add_model(parser: argparse.ArgumentParser, text: str = MODEL_HELP) -> None:
    """Add ``--model``."""
    parser.add_argument("--model", metavar="NAME", help=text)


def add_no_reader(parser: argparse.ArgumentParser) -> None:
    """Add ``--no-reader``."""
    parser.add_argument(
        "--no-reader",
        action="store_true",
        help="do without the small model that names the exact words of an answer and tells"
        " whether there are any; faster",
    )


def add_json(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help=f"print {what} as JSON")


def add_library(
    parser: argparse.ArgumentParser,
    text: str = "its folder, or http://host:19530/name",
    *,
    required: bool = False,
) -> None:
    """Add ``--library``."""
    parser.add_argument("--library", required=required, metavar="DIR", help=text)


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Add the options that ``where_of`` reads."""
    group = parser.add_argument_group("which articles of a library")
    group.add_argument("--since", metavar="DATE", help="published on that day or later")
    group.add_argument("--until", metavar="DATE", help="published on that day or earlier")
    for name in ("author", "site", "tag"):
        group.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar=name.upper(),
            help=f"of that {name}; may be given several times, for any of them",
        )
    group.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ID",
        help="the article with that id, as article-qa list shows it; may be given several times",
    )


def add_given(parser: argparse.ArgumentParser) -> None:
    """Add the options that ``given_by`` reads, and ``--tag``."""
    group = parser.add_argument_group("what goes before what the sources say of themselves")
    group.add_argument("--date", metavar="DATE", help="published on that day: 2021-05-18")
    group.add_argument(
        "--author", action="append", default=[], metavar="AUTHOR", help="may be given several times"
    )
    group.add_argument("--site", metavar="SITE", help="name of the publication")
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        metavar="TAG",
        help="for filters; articles keep the tags that they have",
    )


def given_by(arguments: argparse.Namespace) -> Metadata | None:
    """The metadata that the options give; None for none.

    Raises:
        QuestionError: The date is none.
    """
    day = filters.day_of(arguments.date)
    given = {
        "published": (day and day.isoformat(), "option --date"),
        "authors": (tuple(arguments.author), "option --author"),
        "site": (arguments.site, "option --site"),
    }
    return Metadata.of(given) if any(value for value, _ in given.values()) else None


def where_of(arguments: argparse.Namespace) -> Where:
    """The filter that the options ask for.

    Raises:
        QuestionError: A date is not one.
    """
    names = ("since", "until", "author", "site", "tag", "only")
    return filters.where_of(**{name: getattr(arguments, name) for name in names})


def refuse_words(parser: argparse.ArgumentParser, unknown: Sequence[str]) -> NoReturn:
    """End with what was meant by words that no option takes.

    Raises:
        SystemExit: Always.
    """
    option = next((word for word in unknown if word.startswith("-")), None)
    if option is None:
        hint = "; put the question in quotes" if parser.prog.endswith(" ask") else ""
        parser.error(f"too many words: {' '.join(unknown)}{hint}")
    option = option.partition("=")[0]
    known = [name for action in parser._actions for name in action.option_strings]
    near = get_close_matches(option, known, 1)
    parser.error(
        f"there is no option {option}" + (f"; did you mean {near[0]}?" if near else "; see --help")
    )
