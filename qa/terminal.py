"""An answer on a terminal, and progress beside it.

On a terminal each passage is shown with the answering sentence emphasised; into a pipe goes
plain text. Control characters of an article never reach the terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from index.encoder import Progress
from qa.answer import NOT_FOUND, Answer, Citation
from qa.one_line import one_line

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["render", "terminal_progress"]


def render(answer: Answer, file: TextIO) -> None:
    """Write an answer for a person to read, as the file allows."""
    if file.isatty():
        _render_rich(answer, file)
    else:
        file.write(_plain(answer))


@contextmanager
def terminal_progress() -> Iterator[Progress | None]:
    """A progress bar on standard error for as long as the block runs; None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm  # an eighth of a second that only long work needs

    bar: tqdm[None] | None = None

    def progress(what: str, done: int, total: int) -> None:
        nonlocal bar
        if bar is None or bar.desc.removesuffix(": ") != what:
            if bar is not None:
                bar.close()
            bar = tqdm(desc=what, total=total, leave=False, file=sys.stderr)
        bar.update(done - bar.n)

    try:
        yield progress
    finally:
        if bar is not None:
            bar.close()


def _plain(answer: Answer) -> str:
    lines = [] if answer.found else [NOT_FOUND, "Closest, not an answer:"]
    lines += [""] if lines else []
    for citation in answer.citations:
        lines.append(f"[{citation.number}] {one_line(citation.quote)}")
        lines += [f"    {place}"] if (place := _place(citation)) else []
    lines += ["", _source(answer)]
    return "\n".join(lines) + "\n"


def _render_rich(answer: Answer, file: TextIO) -> None:
    # Imported here: a piped answer, and the other commands, start without it.
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(file=file, highlight=False)
    if not answer.found:
        console.print(Text(NOT_FOUND, "bold yellow"))
        console.print(Text("Closest, not an answer:", "dim"))
    for citation in answer.citations:
        passage = citation.passage
        before = passage.text[: citation.start - passage.start]
        after = passage.text[citation.end - passage.start :]
        text = Text()
        text.append(one_line(before, keep_ends=True), "dim")
        text.append(one_line(citation.quote), "bold" if answer.found else "")
        text.append(one_line(after, keep_ends=True), "dim")
        console.print()
        label = Text(f"[{citation.number}]", "bold cyan")
        label.append(f" {_place(citation)}".rstrip(), "cyan")
        console.print(label)
        console.print(Padding(text, (0, 0, 0, 4)))
    console.print()
    console.print(Text(_source(answer), "italic"))


def _place(citation: Citation) -> str:
    passage = citation.passage
    page = f"page {passage.page}" if passage.page else None
    return one_line(" · ".join(part for part in (passage.heading, page) if part))


def _source(answer: Answer) -> str:
    if not answer.citations:
        return ""
    article = answer.citations[0].article
    by = ", ".join(article.authors)
    parts = (article.title or f"article {article.id}", by, article.published, article.url)
    return one_line(" — ".join(part for part in parts if part))
