"""Print answers, warnings and progress to a terminal or a pipe.

On a terminal each passage is shown with the answering sentence emphasised; into a pipe goes
plain text. Control characters of an article never reach the terminal.
"""

from __future__ import annotations

import json
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING, TextIO

from index.models.encoder import Progress
from qa.answer import Answer, ArticleRef, Citation
from qa.text import one_line

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = [
    "complain",
    "plain_warnings",
    "print_answer",
    "render",
    "takes_any_text",
    "terminal_progress",
]


def print_answer(answer: Answer, *, as_json: bool, indent: int | None = 2) -> None:
    """Print an answer for a person, or as JSON for a program."""
    if as_json:
        # ASCII: a pipe's encoding may lack the article's characters.
        sys.stdout.write(f"{json.dumps(answer.to_dict(), indent=indent)}\n")
    else:
        render(answer, sys.stdout)


def render(answer: Answer, file: TextIO) -> None:
    """Write an answer for a person to read, as the file allows."""
    if file.isatty():
        _render_rich(answer, file)
    else:
        file.write(_plain(answer))


def complain(error: Exception | str) -> None:
    """Say in a line what went wrong; what the system says of a file, without its number."""
    plain = re.sub(r"\[(?:Errno|WinError) \d+\] ", "", str(error))
    sys.stderr.write(f"article-qa: {plain}\n")


def takes_any_text(file: TextIO) -> None:
    """Let a file take what its encoding lacks, as escapes; a pipe of Windows has but cp1252."""
    if isinstance(file, TextIOWrapper):
        file.reconfigure(errors="backslashreplace")


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Write our own warnings as one line each for as long as the block runs: no code, no place."""
    usual = warnings.formatwarning

    def plain(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        line: str | None = None,
    ) -> str:
        if category is UserWarning:
            return f"article-qa: {one_line(str(message))}\n"
        return usual(message, category, filename, lineno, line)

    warnings.formatwarning = plain
    try:
        yield
    finally:
        warnings.formatwarning = usual


@contextmanager
def terminal_progress() -> Iterator[Progress | None]:
    """A progress bar on standard error for as long as the block runs; None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm  # an eighth of a second that only long work needs

    # Work may be part of other work: adding articles indexes vectors now and then. What began
    # first keeps its bar, and with it its rate and the time that is left.
    bars: dict[str, tqdm[None]] = {}

    def progress(what: str, done: int, total: int) -> None:
        if what in bars:
            while next(reversed(bars)) != what:
                bars.popitem()[1].close()
        else:
            # What was done before, by a run that was interrupted, says nothing of the rate.
            bars[what] = tqdm(
                desc=what,
                total=total,
                initial=done,
                leave=False,
                file=sys.stderr,
                position=len(bars),
            )
        bars[what].total = total
        bars[what].update(done - bars[what].n)

    try:
        yield progress
    finally:
        for bar in reversed(bars.values()):
            bar.close()


def _plain(answer: Answer) -> str:
    lines = [answer.lead] if answer.lead else []
    lines += [] if answer.citations else [_sentence(why) for why in answer.why]
    lines += [answer.label, ""] if answer.label else []
    for citation in answer.citations:
        lines.append(f"[{citation.number}] {one_line(citation.quote)}")
        lines += [f"    {line}" for line in _about(citation, answer)]
    lines += ["", _source(answer.articles[0])] if len(answer.articles) == 1 else []
    return "\n".join(lines) + "\n"


def _render_rich(answer: Answer, file: TextIO) -> None:
    # Imported here: a piped answer, and the other commands, start without it.
    from rich.console import Console
    from rich.padding import Padding
    from rich.style import Style
    from rich.text import Text

    console = Console(file=file, highlight=False)
    if answer.lead:
        doubtful = "yellow" if answer.found else "bold yellow"
        console.print(Text(answer.lead, "bold" if answer.metadata else doubtful))
    for why in () if answer.citations else answer.why:
        console.print(Text(_sentence(why)))
    if answer.label:
        console.print(Text(answer.label, "dim"))
    for citation in answer.citations:
        passage = citation.passage
        before = passage.text[: citation.start - passage.start]
        after = passage.text[citation.end - passage.start :]
        text = Text()
        text.append(one_line(before, keep_ends=True), "dim")
        whole = not answer.label and not citation.exact
        for part, exact in citation.parts:
            text.append(part, "bold" if exact or whole else "")
        text.append(one_line(after, keep_ends=True), "dim")
        first, *others = [*_about(citation, answer), ""][:3]
        console.print()
        label = Text(f"[{citation.number}]", "bold cyan")
        label.append(f" {first}".rstrip(), "cyan")
        if citation.deep_link:
            label.stylize(Style(link=one_line(citation.deep_link)))
        console.print(label)
        console.print(Padding(text, (0, 0, 0, 4)))
        for line in filter(None, others):
            console.print(Padding(Text(line, "italic"), (0, 0, 0, 4)))
    if len(answer.articles) == 1:
        console.print()
        console.print(Text(_source(answer.articles[0]), "italic"))


def _about(citation: Citation, answer: Answer) -> Iterator[str]:
    """Where a quote stands; of several articles, in which; and where else."""
    passage = citation.passage
    page = f"page {passage.page}" if passage.page else None
    title = _named(citation.article) if len(answer.articles) > 1 else None
    # A title that is quoted, or whose passage stands under it, is named once.
    heading = passage.heading if passage.heading != citation.article.title or not title else None
    if place := one_line(" · ".join(part for part in (title, heading, page) if part)):
        yield place
    if citation.also_in:
        yield one_line(f"also in: {'; '.join(map(_named, citation.also_in))}")


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."


def _named(article: ArticleRef) -> str:
    """An article in few words: "Bridge shut, 2021-03-04"."""
    day = (article.published or "")[:10]
    return ", ".join(part for part in (article.name, day) if part)


def _source(article: ArticleRef) -> str:
    by = ", ".join(article.authors)
    parts = (article.name, by, article.published, article.url)
    return one_line(" — ".join(part for part in parts if part))
