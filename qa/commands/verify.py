"""``article-qa verify``: check an exported conversation against its articles."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from index.article import Article
from index.errors import DataError
from index.reading.reader import bundled_article, read_article
from index.single.storage import is_article_folder, is_index_folder, open_index
from qa.commands.options import Command, add_allow_private, add_library
from qa.commands.terminal import complain
from qa.sharing.conversation import conversation_in
from qa.sharing.verification import Check, Standing, among, verify
from qa.text import one_line

__all__ = ["COMMANDS"]


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "export", metavar="FILE", help="a conversation as it was saved: JSON, Markdown, HTML"
    )
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="the article, as for ask; or a folder of those that the conversation quotes"
        " (default: the bundled news article)",
    )
    add_library(parser, "the library that was asked")
    add_allow_private(parser)


def run(arguments: argparse.Namespace) -> int:
    """Tell which quotes of an export still stand in their articles; status 1 where one does not."""
    try:
        export = conversation_in(Path(arguments.export).read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(
            f"{arguments.export!r} is no saved conversation, nor an answer as JSON: {error}"
        ) from error
    checks = _checked(export, arguments)
    sys.stdout.writelines(_lines(checks))
    return 0 if all(check.standing is Standing.STANDS for check in checks) else 1


def _checked(export: Any, arguments: argparse.Namespace) -> tuple[Check, ...]:  # noqa: ANN401 - JSON
    source = arguments.source
    if arguments.library:
        return _in_library(export, arguments.library)
    if is_article_folder(source):
        from index.archive.folder.store import is_library_folder

        return (_in_library if is_library_folder(source) else _in_folder)(export, source)
    if source is None:
        return _in_bundled(export, arguments.export)
    if is_index_folder(source):
        return verify(export, open_index(source).article)
    given = sys.stdin.buffer if source == "-" else source
    return verify(export, read_article(given, allow_private=arguments.allow_private))


def _in_bundled(export: Any, name: str) -> tuple[Check, ...]:  # noqa: ANN401 - JSON
    """Against the bundled article, where it is that which was asked.

    Raises:
        DataError: It is another.
    """
    article = bundled_article()
    checks = verify(export, among([article], lambda _: article))
    if checks and all(check.standing is Standing.ABSENT for check in checks):
        raise DataError(
            f"{name!r} quotes {checks[0].article.name!r}, not the bundled article; give what"
            " was asked: article-qa verify FILE SOURCE, or --library DIR"
        )
    return checks


def _in_library(export: Any, where: str) -> tuple[Check, ...]:  # noqa: ANN401 - JSON
    from qa.commands.store import existing_store

    with closing(existing_store(where)) as store, store.read() as snapshot:
        return verify(export, among(snapshot.entries(), snapshot.article))


def _in_folder(export: Any, folder: str) -> tuple[Check, ...]:  # noqa: ANN401 - JSON
    from qa.sources import Refused, article_files, read_each

    refused: Refused = []
    articles: dict[str, Article] = {}
    for article, *_ in read_each(map(str, article_files(Path(folder))), refused):
        articles[article.id] = article
    for path, why in refused:
        complain(f"{path}: {why}")
    return verify(export, among(articles.values(), articles.__getitem__))


def _lines(checks: Sequence[Check]) -> list[str]:
    """A line a quote; with its article, where there are several."""
    several = len({check.article.id for check in checks}) > 1
    return [
        f"{check.standing.value:<7}{one_line(check.quote)}"
        f"{f' — {one_line(check.article.name)}' if several else ''}\n"
        for check in checks
    ]


COMMANDS = {"verify": Command(run, _options)}
