"""The ``article-qa`` command.

Exit status: 0 the article answers, 1 it does not say, 2 bad usage or input, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from index.errors import ArticleQAError, QuestionError
from index.single.storage import is_article_folder
from qa.bot import ArticleBot
from qa.commands.models import run_doctor, run_prepare
from qa.commands.terminal import plain_warnings, render, takes_any_text, terminal_progress
from qa.engine import DEFAULT_K, MAX_K, MAX_QUESTION_CHARS
from qa.ranking.confidence import MIN_CONFIDENCE
from qa.ranking.reranker import RERANKER_HELP

__all__ = ["main"]

FOUND, NOT_FOUND, BAD_INPUT = 0, 1, 2

_MODEL_HELP = "a sentence-transformers model: a folder or a hub name (default: the bundled MiniLM)"

# Commands of their own modules, which are imported only for them: asking starts without.
_ELSEWHERE = {
    "verify": ("qa.commands.verify", "check an export against its article"),
    "evaluate": ("qa.commands.evaluate", "measure answers to questions with known answers"),
    "build-archive": ("qa.commands.build_archive", "build a large library on many processors"),
    "migrate": ("qa.commands.store", "copy a library to a folder, a server or shards"),
}

_LIBRARY = {
    "add": "add articles to a library",
    "remove": "remove articles from a library",
    "list": "list the articles of a library",
    "sync": "make a library follow a folder",
    "compact": "shrink a library's folder",
    "repair": "rebuild what is damaged in a library",
}

_EPILOG = """\
examples:
  article-qa ask "Why did Amazon halt police use?"         the bundled article
  article-qa ask "Who wrote this?" article.txt -k 1        a file
  curl -s … | article-qa ask "What is new?" -              standard input
  article-qa ask "When?" article.txt --json | jq .citations[0].quote
  article-qa ask "Who wrote it?" https://a.example/news    a page, fetched once
  article-qa ask "Who objected?" articles/                 all articles in a folder
  article-qa build article.txt -o article.index            index once,
  article-qa ask "Who?" article.index                      ask often

exit status: 0 answered, 1 the article does not say, 2 bad usage or input
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    takes_any_text(sys.stdout)
    argv = sys.argv[1:] if argv is None else list(argv)
    # What follows serve is the page's own to read, options before all.
    argv, rest = (argv[:1], argv[1:]) if argv[:1] == ["serve"] else (argv, [])
    arguments = _parser(argv).parse_args(argv, argparse.Namespace(rest=rest))
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        with plain_warnings():
            return command(arguments)
    except ArticleQAError as error:
        sys.stderr.write(f"article-qa: {error}\n")
        return BAD_INPUT
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of the pipe has seen enough; Python must not complain when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    chosen = next(iter(argv), None)
    parser = argparse.ArgumentParser(
        prog="article-qa",
        description="Ask an article a question and read the sentences that answer it, each cited"
        " in its place. Works offline; generates nothing, and so invents nothing.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"article-qa {version('article-qa')}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ask = commands.add_parser(
        "ask",
        help="ask one question",
        description=_ask.__doc__,
        allow_abbrev=False,  # which options there are hangs on which are given, in full
    )
    ask.add_argument("question", help=f"up to {MAX_QUESTION_CHARS:,} characters")
    _add_source(ask)
    ask.add_argument(
        "-k",
        type=int,
        default=DEFAULT_K,
        metavar="N",
        help=f"citations wanted, 1 to {MAX_K} (default {DEFAULT_K})",
    )
    ask.add_argument(
        "--min-confidence",
        type=float,
        default=MIN_CONFIDENCE,
        metavar="P",
        help=f"probability from which an answer counts as found (default {MIN_CONFIDENCE})",
    )
    ask.add_argument("--json", action="store_true", help="print the answer as JSON")
    _add_model(ask)
    ask.add_argument("--reranker", metavar="NAME", help=RERANKER_HELP)
    ask.set_defaults(command=_ask)

    build = commands.add_parser("build", help="index an article", description=_build.__doc__)
    _add_source(build)
    build.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="folder for the index; made if missing"
    )
    _add_model(build)
    build.set_defaults(command=_build)

    serve = commands.add_parser(
        "serve", help="open the chat in a browser", description=_serve.__doc__, add_help=False
    )
    serve.set_defaults(command=_serve)

    prepare = commands.add_parser(
        "prepare", help="prepare a model ahead of its first use", description=run_prepare.__doc__
    )
    prepare.add_argument("model", nargs="?", metavar="MODEL", help=_MODEL_HELP)
    prepare.add_argument("--force", action="store_true", help="do it again")
    prepare.set_defaults(command=run_prepare)

    doctor = commands.add_parser(
        "doctor", help="show what is used, and why", description=_doctor.__doc__
    )
    doctor.add_argument("model", nargs="?", metavar="MODEL", help=_MODEL_HELP)
    doctor.add_argument("--library", metavar="DIR", help="check a library: a folder or an address")
    doctor.set_defaults(command=_doctor)

    if chosen in _LIBRARY:
        from qa.commands.library import add_library_commands

        add_library_commands(commands)
    else:
        for name, summary in _LIBRARY.items():
            commands.add_parser(name, help=summary)
    if chosen == "ask" and any(a.startswith("--library") or is_article_folder(a) for a in argv):
        from qa.commands.library import add_library_options

        add_library_options(ask)
    else:
        ask.add_argument("--library", metavar="DIR", help="ask all articles of a library instead")

    for name, (module, summary) in _ELSEWHERE.items():
        command = commands.add_parser(name, help=summary)
        if chosen == name:
            defined = import_module(module)
            command.description = defined.run.__doc__
            defined.add_arguments(command)
            command.set_defaults(command=defined.run)
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="an article: a file (web page, PDF, Word, e-mail, Markdown, text), an http(s)"
        " address, a folder made by build, or - for standard input (default: the bundled"
        " news article); to ask, also a folder of articles",
    )
    parser.add_argument(
        "--allow-private",
        action="store_true",
        help="also fetch addresses of this machine and the local network",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        metavar="NAME",
        help=_MODEL_HELP,
    )


def _open(arguments: argparse.Namespace, *, reranker: str | None = None) -> ArticleBot:
    source = sys.stdin.buffer if arguments.source == "-" else arguments.source
    with terminal_progress() as progress:
        return ArticleBot.open(
            source,
            model=arguments.model,
            reranker=reranker,
            allow_private=arguments.allow_private,
            progress=progress,
        )


def _ask(arguments: argparse.Namespace) -> int:
    """Print the sentences of the article that answer the question, best first."""
    if arguments.library or is_article_folder(arguments.source):
        if arguments.library and arguments.source:
            raise QuestionError("give an article or --library, not both")
        if arguments.reranker:
            raise QuestionError("--reranker is for one article; leave it out, or ask one article")
        from qa.commands.library import ask_library

        return FOUND if ask_library(arguments).found else NOT_FOUND
    answer = _open(arguments, reranker=arguments.reranker).ask(
        arguments.question, k=arguments.k, min_confidence=arguments.min_confidence
    )
    if arguments.json:
        # ASCII: a pipe's encoding may lack the article's characters.
        json.dump(answer.to_dict(), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        render(answer, sys.stdout)
    return FOUND if answer.found else NOT_FOUND


def _build(arguments: argparse.Namespace) -> int:
    """Index an article into a folder that ask and serve open without embedding it again."""
    bot = _open(arguments)
    bot.save(arguments.output)
    sys.stdout.write(
        f"{Path(arguments.output)}: {len(bot.index.passages)} passages,"
        f" {len(bot.index.sentences)} sentences\n"
    )
    return FOUND


def _doctor(arguments: argparse.Namespace) -> int:
    """Show which model, which runtime and which folders are used, and why; or check a library."""
    if arguments.library:
        from qa.commands.store import doctor_library

        return doctor_library(arguments.library)
    return run_doctor(arguments)


def _serve(arguments: argparse.Namespace) -> int:
    """Open the chat in a browser; see article-qa serve --help for its options."""
    # The page is a program of its own: nothing here depends on it, or on Gradio.
    status: int = import_module("app").main(arguments.rest, prog="article-qa serve")
    return status


if __name__ == "__main__":
    sys.exit(main())
