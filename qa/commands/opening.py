"""Open what a command line names: one article, a library, or a folder of articles."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from index.errors import QuestionError
from index.single.storage import is_article_folder
from qa.bot import ArticleBot
from qa.commands.terminal import complain, terminal_progress

if TYPE_CHECKING:
    from qa.library import Library

__all__ = ["open_article", "open_named"]


def open_named(arguments: argparse.Namespace, *, reader: bool = True) -> ArticleBot | Library:
    """What ``source`` or ``library`` names; ``model``, ``reranker`` and the like as for ``ask``.

    Raises:
        QuestionError: Both are given, or an option is not for what is named.
        ArticleQAError: It cannot be opened.
    """
    place, reranker = arguments.library or arguments.source, getattr(arguments, "reranker", None)
    if arguments.library and arguments.source:
        raise QuestionError("give an article or --library, not both")
    if not arguments.library and not is_article_folder(place):
        return open_article(arguments, reranker=reranker, reader=reader)
    if reranker:
        raise QuestionError("--reranker is for one article; leave it out, or ask one article")
    from index.archive.folder.store import is_library_folder  # one article is asked without
    from qa.folder_sync import open_folder
    from qa.library import Library

    with terminal_progress() as progress:
        if arguments.library or is_library_folder(place):
            return Library.open(
                place, model=arguments.model, create=False, reader=reader, progress=progress
            )
        return open_folder(
            place,
            model=arguments.model,
            reader=reader,
            refused=lambda path, why: complain(f"{path}: {why}"),
            progress=progress,
        )


def open_article(
    arguments: argparse.Namespace, *, reranker: str | None = None, reader: bool = True
) -> ArticleBot:
    """The article that ``source`` names; ``-`` is standard input."""
    with terminal_progress() as progress:
        return ArticleBot.open(
            sys.stdin.buffer if arguments.source == "-" else arguments.source,
            model=arguments.model,
            reranker=reranker,
            reader=reader,
            allow_private=arguments.allow_private,
            progress=progress,
        )
