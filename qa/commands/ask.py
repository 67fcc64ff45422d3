"""``article-qa ask``, ``overview``, ``suggest``, ``build``: what asks an article or a library."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any, TypeAlias

from index.errors import QuestionError
from index.reading.reader import SUFFIXES, is_address
from qa.answer import Answer
from qa.bot import ArticleBot
from qa.commands.opening import open_article, open_named
from qa.commands.options import (
    Command,
    add_filters,
    add_json,
    add_library,
    add_model,
    add_no_reader,
    add_source,
    where_of,
)
from qa.commands.terminal import complain, print_answer
from qa.engine import DEFAULT_K, MAX_K, MAX_QUESTION_CHARS, PER_ARTICLE
from qa.ranking.confidence import MIN_CONFIDENCE
from qa.ranking.reranker import RERANKER_HELP

__all__ = ["COMMANDS"]

FOUND, NOT_FOUND, BAD_INPUT = 0, 1, 2

Ask: TypeAlias = Callable[[str, "list[Answer]"], Answer]


def _ask_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "question",
        nargs="?",
        metavar="QUESTION",
        help=f"up to {MAX_QUESTION_CHARS:,} characters; without one, or as -, questions are read"
        " from standard input, one a line, each understood after those before it",
    )
    add_source(parser, folders=True)
    _add_k(parser, "citations")
    parser.add_argument(
        "--min-confidence",
        type=float,
        default=MIN_CONFIDENCE,
        metavar="P",
        help=f"probability from which an answer counts as found (default {MIN_CONFIDENCE})",
    )
    add_json(parser, "each answer")
    add_model(parser)
    parser.add_argument("--reranker", metavar="NAME", help=RERANKER_HELP)
    add_no_reader(parser)
    add_library(parser, "ask all articles of a library: a folder, or http://host:19530/name")
    parser.add_argument(
        "--per-article",
        type=int,
        metavar="N",
        help=f"citations from one article of a library at most (default {PER_ARTICLE})",
    )
    add_filters(parser)


def ask(arguments: argparse.Namespace) -> int:
    """Print the sentences that answer a question, best first."""
    question, source = arguments.question, arguments.source
    if source is None and question and _names_an_article(question):
        raise QuestionError(
            f"{question!r} is an article, not a question; ask it one:"
            f' article-qa ask "What is it about?" {question}'
        )
    if source and source.endswith("?") and not os.path.exists(source):
        raise QuestionError(f'put the question in quotes: article-qa ask "{question} {source}"')
    several = question in (None, "-")
    if several and source == "-":
        raise QuestionError("standard input holds the article or the questions, not both")
    answer_to, suggest = _asker(arguments)
    if several:
        return _ask_each(_questions(suggest), answer_to, as_json=arguments.json)
    answer = answer_to(question, [])
    print_answer(answer, as_json=arguments.json)
    return FOUND if answer.found else NOT_FOUND


def _names_an_article(text: str) -> bool:
    """Whether what stands where a question should is the path or the address of an article."""
    if "\n" in text:
        return False
    file = " " not in text and PurePath(text).suffix.lower() in SUFFIXES
    return file or is_address(text) or os.path.exists(text)


def _asker(arguments: argparse.Namespace) -> tuple[Ask, Callable[[], tuple[str, ...]]]:
    """What answers, and what suggests questions: one article, or a library."""
    options: dict[str, Any] = {"k": arguments.k, "min_confidence": arguments.min_confidence}
    where = where_of(arguments)
    opened = open_named(arguments, reader=not arguments.no_reader)
    if not isinstance(opened, ArticleBot):
        options |= {"where": where or None, "per_article": arguments.per_article}
        from qa.library import undated

        with opened.store.read() as snapshot:
            if note := undated(snapshot, where):
                complain(note)
    elif where or arguments.per_article is not None:
        raise QuestionError(
            "filters and --per-article are for several articles; name a folder or a --library"
        )
    return lambda question, history: opened.ask(
        question, history=history, **options
    ), opened.suggest


def _questions(suggest: Callable[[], Iterable[str]]) -> Iterator[str]:
    """Questions from standard input; at a terminal with a prompt, where ? lists some."""
    if not sys.stdin.isatty():
        yield from filter(None, map(str.strip, sys.stdin))
        return
    with suppress(ImportError):  # Windows has its own
        import readline  # noqa: F401 - arrow keys, and the questions before
    sys.stderr.write("Type a question, ? for suggestions, or Ctrl-D to leave.\n")
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            sys.stderr.write("\n")
            return
        if line == "?":
            sys.stdout.writelines(f"  {question}\n" for question in suggest())
        elif line:
            yield line


def _ask_each(questions: Iterable[str], answer_to: Ask, *, as_json: bool) -> int:
    """Ask one question after another; the status is the worst of them."""
    status, history = FOUND, list[Answer]()
    for question in questions:
        try:
            answer = answer_to(question, history)
        except QuestionError as error:
            complain(error)
            status = BAD_INPUT
            continue
        history.append(answer)
        print_answer(answer, as_json=as_json, indent=None)
        sys.stdout.flush()
        status = max(status, FOUND if answer.found else NOT_FOUND)
    return status


def _suggest_options(parser: argparse.ArgumentParser) -> None:
    add_source(parser, folders=True)
    parser.add_argument("-n", type=int, default=3, metavar="N", help="how many (default 3)")
    add_model(parser)
    add_library(parser, "of a library: a folder, or http://host:19530/name")


def suggest(arguments: argparse.Namespace) -> int:
    """Print questions that the article answers; status 1 where none is good."""
    questions = open_named(arguments).suggest(arguments.n)
    sys.stdout.writelines(f"{question}\n" for question in questions)
    return FOUND if questions else NOT_FOUND


def _add_k(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "-k",
        type=int,
        default=DEFAULT_K,
        metavar="N",
        help=f"{what} wanted, 1 to {MAX_K} (default {DEFAULT_K})",
    )


def _overview_options(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    _add_k(parser, "sentences")
    add_json(parser, "the overview")
    add_model(parser)


def overview(arguments: argparse.Namespace) -> int:
    """Print an article in short: its title, its lead and what stands for each section."""
    bot = open_article(arguments, reader=False)
    print_answer(bot.overview(k=arguments.k), as_json=arguments.json)
    return FOUND


def _build_options(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    parser.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="folder for the index; made if missing"
    )
    add_model(parser)


def build(arguments: argparse.Namespace) -> int:
    """Index an article into a folder that ask and serve open without embedding it again."""
    bot = open_article(arguments)
    bot.save(arguments.output)
    sys.stdout.write(
        f"{Path(arguments.output)}: {len(bot.index.passages)} passages,"
        f" {len(bot.index.sentences)} sentences\n"
    )
    return FOUND


COMMANDS = {
    "ask": Command(ask, _ask_options),
    "overview": Command(overview, _overview_options),
    "suggest": Command(suggest, _suggest_options),
    "build": Command(build, _build_options),
}
