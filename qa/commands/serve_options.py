"""How the chat is served: the options of ``article-qa serve``, from a shell or its environment."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_data_path

from qa.commands.options import add_no_reader, refuse_words
from qa.page.guard import is_loopback
from qa.ranking.reranker import RERANKER_HELP

__all__ = ["PREFIX", "parse_serve_options", "read_accounts", "read_keys"]

PREFIX = "ARTICLE_QA_"

_DESCRIPTION = """\
Open a chat with an article in a browser. Without options it is for this machine alone:
it listens on the loopback, shares nothing and asks nothing of any network."""

_EPILOG = f"""\
Each option can be given in the environment: --root-path as {PREFIX}ROOT_PATH, and so on; the
command line goes before it.

examples:
  article-qa serve                                   the bundled article
  article-qa serve article.txt --port 8000           another one
  article-qa serve --library archive                 all articles of a library
  article-qa serve --host 0.0.0.0 --auth accounts    for a network; one name:password a line
"""


def parse_serve_options(
    argv: Sequence[str], environment: Mapping[str, str], *, prog: str = "article-qa serve"
) -> argparse.Namespace:
    """Options of the server.

    Args:
        argv: The words after the command.
        environment: Where an option that is not in ``argv`` is looked for.
        prog: Name of the command, for its help.

    Returns:
        ``source``, ``library``, ``host``, ``port``, ``auth``, ``api_key``, ``root_path``,
        ``allow_host``, ``concurrency``, ``max_upload`` (bytes), ``allow_private``,
        ``feedback``, ``model``, ``reranker``, ``no_reader``, ``mcp``.

    Raises:
        SystemExit: Help was asked for (0) or an option is wrong (2).
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="an article's file or a folder made by build (default: the bundled news article)",
    )
    add("--library", metavar="DIR", help="ask all articles of a library instead (see add)")
    add("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    add(
        "--port",
        type=_number(1, 65535),
        help="port to listen on (default 7860, or the next one that is free)",
    )
    add("--auth", metavar="FILE", type=Path, help="ask for an account: name:password lines")
    add(
        "--api-key",
        metavar="FILE",
        type=Path,
        help="let programs in with a key (Authorization: Bearer KEY), one a line; with --auth",
    )
    add("--root-path", default="", metavar="PATH", help="where a proxy serves this, as /qa")
    add(
        "--allow-host",
        type=_names,
        default=(),
        metavar="NAMES",
        help="names under which a proxy or a network reaches this, as qa.example.org,qa",
    )
    add(
        "--concurrency",
        type=_number(1, 256),
        default=min(4, os.cpu_count() or 1),
        metavar="N",
        help="questions answered at the same time (default %(default)s)",
    )
    add(
        "--max-upload",
        type=_size,
        default=_size("10mb"),
        metavar="SIZE",
        help="largest article that is taken, as 500kb or 10mb (default 10mb)",
    )
    add(
        "--feedback",
        type=Path,
        default=user_data_path("article-qa") / "feedback.jsonl",
        metavar="FILE",
        help="where readers' verdicts are kept, their articles beside it (default %(default)s)",
    )
    add("--model", metavar="NAME", help="a sentence-transformers model (default: bundled MiniLM)")
    add("--reranker", metavar="NAME", help=RERANKER_HELP)
    add_no_reader(parser)
    add(
        "--mcp",
        action="store_true",
        help="be an MCP server too, at /mcp; needs pip install 'article-qa[mcp]'",
    )
    add(
        "--allow-private",
        action="store_true",
        help="let readers open addresses of this machine and its network: loopback only",
    )
    options, unknown = parser.parse_known_args([*_from_environment(parser, environment), *argv])
    if unknown:
        refuse_words(parser, unknown)
    if options.source and options.library:
        parser.error("give an article or --library, not both")
    if options.reranker and options.library:
        parser.error("--reranker is for one article; leave it or --library out")
    if options.api_key and not options.auth:
        parser.error("--api-key alone would leave the page open to all; give --auth too")
    if options.allow_private and not is_loopback(options.host):
        parser.error(
            f"--allow-private would let whoever reaches {options.host} look into this machine's"
            " network; leave it or --host out"
        )
    if options.mcp and find_spec("mcp") is None:
        parser.error("--mcp needs a package more: pip install 'article-qa[mcp]'")
    return options


def read_accounts(path: Path) -> list[tuple[str, str]]:
    """Names and passwords from a file of ``name:password`` lines; ``#`` begins a comment.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not UTF-8, a line is not an account, or there is none.
    """
    accounts = []
    for number, line in _lines(path):
        name, colon, password = line.partition(":")
        if not (name.strip() and colon and password):
            # The line itself stays out of the message: it may hold a password.
            raise ValueError(f"line {number} of {path} is not name:password")
        accounts.append((name.strip(), password))
    if not accounts:
        raise ValueError(f"{path} holds no account; add a line name:password")
    return accounts


def read_keys(path: Path | None) -> list[str]:
    """Keys from a file, one a line; ``#`` begins a comment. No file has none.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not UTF-8, or there is none.
    """
    if path is None:
        return []
    keys = [line.strip() for _, line in _lines(path)]
    if not keys:
        raise ValueError(f"{path} holds no key; add a line of letters that nobody guesses")
    return keys


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that say something, with their numbers."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line


def _from_environment(parser: argparse.ArgumentParser, environment: Mapping[str, str]) -> list[str]:
    """The environment's options as words of a command line, so that both are checked alike."""
    words = []
    for action in parser._actions:
        name = PREFIX + action.dest.upper()
        value = environment.get(name, "")
        if not action.option_strings or action.dest == "help" or not value:
            continue
        if action.nargs != 0:
            words.append(f"{action.option_strings[-1]}={value}")
        elif value.lower() in ("1", "true", "yes", "on"):
            words.append(action.option_strings[-1])
        elif value.lower() not in ("0", "false", "no", "off"):
            parser.error(f"{name} is {value!r}; give 1 or 0")
    return words


class _number:  # noqa: N801 - argparse shows the name in its messages
    """A whole number within bounds."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def __call__(self, text: str) -> int:
        if not text.isdecimal() or not self.low <= int(text) <= self.high:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number from {self.low} to {self.high}"
            )
        return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip().lower() for name in text.split(","))))


def _size(text: str) -> int:
    """Bytes in ``10mb``.

    >>> _size("500kb")
    512000
    """
    match = re.fullmatch(r"(\d{1,6})\s*([kmg]?)b?", text.strip().lower())
    size = int(match[1]) * 1024 ** " kmg".index(match[2] or " ") if match else 0
    if not size:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write 500kb or 10mb")
    return size
