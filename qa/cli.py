"""The ``article-qa`` command.

Exit status: 0 the article answers, 1 it does not say, 2 bad usage or input, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from qa.commands.options import Command

__all__ = ["main", "parse"]

BAD_INPUT = 2

# Every command with its module under qa.commands, which is imported only to run it.
_COMMANDS = {
    "ask": ("ask", "ask an article, a folder of articles or a library"),
    "overview": ("ask", "tell an article in short, in its own sentences"),
    "suggest": ("ask", "list questions that an article answers"),
    "build": ("ask", "index an article"),
    "serve": ("", "open the chat in a browser"),
    "mcp": ("mcp", "offer an assistant the same as MCP tools"),
    "prepare": ("models", "prepare a model before its first use"),
    "doctor": ("models", "show what is used, and why; check a library"),
    "add": ("library", "add articles to a library"),
    "remove": ("library", "remove articles from a library"),
    "list": ("library", "list the articles of a library"),
    "sync": ("library", "make a library follow a folder"),
    "compact": ("library", "rebuild a library's indexes and shrink it"),
    "repair": ("library", "rebuild what is damaged in a library"),
    "verify": ("verify", "check an export against its article"),
    "evaluate": ("evaluate", "measure answers to questions with known answers"),
    "build-archive": ("build_archive", "build a large library on many processors"),
    "migrate": ("store", "copy a library to a folder, a server or shards"),
}

_EPILOG = """\
examples:
  article-qa ask "Why did Amazon halt police use?"         the bundled article
  article-qa ask "Who wrote this?" article.txt -k 1        a file
  curl -s … | article-qa ask "What is new?" -              standard input
  article-qa ask "When?" article.txt --json | jq .citations[0].quote
  article-qa ask "Who wrote it?" https://a.example/news    a page, fetched once
  article-qa ask "Who objected?" articles/                 all articles in a folder
  article-qa ask "Who?" --library archive --since 2021-05-18
  article-qa ask - article.txt                             one question after another
  article-qa overview article.txt                          what it says, in short
  article-qa build article.txt -o article.index            index once,
  article-qa ask "Who?" article.index                      ask often

exit status: 0 answered, 1 the article does not say, 2 bad usage or input
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        return _main(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            sys.stderr.write("\n")  # after the ^C that the terminal shows
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of the pipe has seen enough; Python must not complain when it exits.
        _write_no_more()
        return 128 + 13


def _main(argv: Sequence[str]) -> int:
    # Imported here, where an early Ctrl-C ends it without a traceback.
    from index.errors import ArticleQAError
    from qa.commands.terminal import complain, plain_warnings, takes_any_text

    takes_any_text(sys.stdout)
    arguments = parse(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        with plain_warnings():
            status = command(arguments)
        if not sys.stdout.closed:  # which the MCP server does when its client leaves
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except ArticleQAError as error:
        complain(error)
        return BAD_INPUT
    except OSError as error:  # a full disk, a folder that was taken away
        complain(error)
        _write_no_more()
        return BAD_INPUT
    return status


def _write_no_more() -> None:
    """Let what could not be written be, where Python would try again when it exits."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """What a command line asks for; ``command`` in it is the function to call.

    Raises:
        SystemExit: Help was asked for (0), or the line makes no sense (2).
    """
    chosen = next(iter(argv), "")
    if chosen == "serve":  # the page reads its own options
        return argparse.Namespace(command=_serve, rest=list(argv[1:]))
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
    if chosen and not chosen.startswith("-") and chosen not in _COMMANDS:
        _refuse_command(parser, argv)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module, summary) in _COMMANDS.items():
        subparser = subparsers.add_parser(name, help=summary)
        if name == chosen:
            command: Command = import_module(f"qa.commands.{module}").COMMANDS[name]
            subparser.description = command.run.__doc__
            subparser.set_defaults(command=command.run)
            command.add_options(subparser)
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        from qa.commands.options import refuse_words

        refuse_words(subparsers.choices[chosen], unknown)
    return arguments


def _refuse_command(parser: argparse.ArgumentParser, argv: Sequence[str]) -> NoReturn:
    word = argv[0]
    near = get_close_matches(word, _COMMANDS, 1)
    if near:
        parser.error(f"there is no command {word!r}; did you mean {near[0]!r}?")
    if " " in word or argv[-1].endswith("?"):
        parser.error(f'to ask a question: article-qa ask "{" ".join(argv)}"')
    parser.error(f"there is no command {word!r}; there are {', '.join(_COMMANDS)}")


def _serve(arguments: argparse.Namespace) -> int:
    # The page is a program of its own: nothing here depends on it, or on Gradio.
    status: int = import_module("app").main(arguments.rest, prog="article-qa serve")
    return status


if __name__ == "__main__":
    sys.exit(main())
