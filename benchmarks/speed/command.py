"""``python -m benchmarks.speed``: what starting, asking and indexing cost against the plain recipe.

The plain recipe is the same model through sentence-transformers, FAISS over paragraphs.
It runs in the same minutes as ours, taken in turns, so that a slow or a busy machine meets
both; what counts are the ratios.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Literal

from benchmarks.speed.material import material
from benchmarks.speed.page import start_page
from benchmarks.speed.plain import PlainProcess
from benchmarks.speed.profile import FlopRates, Share, flop_rates, import_shares, stage_shares
from benchmarks.speed.timing import (
    Cost,
    Series,
    alternate,
    load_average,
    machine,
    run_process,
    timed,
)
from index.article import Article
from index.errors import ArticleQAError
from index.models.encoder import Encoder, Progress
from index.models.loading import load_encoder, resolve
from index.single.article_index import build_index
from qa.bot import ArticleBot

__all__ = ["add_arguments", "run"]

Kind = Literal["wall", "processor", "memory"]

QUESTION = "Why did Amazon halt police use of Rekognition?"
PLAIN_START = "import sentence_transformers, faiss"
PAGE_START = "import gradio"
ANSWERED = (0, 1)
"""Exit statuses of a question that was answered, or found to have no answer."""
WARM_UP = 3
BUSY_QUESTIONS = 50
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    Attributes:
        name: What is measured.
        ours: As a reader reads it, with its unit.
        plain: The plain recipe's, or "".
        ratio: Ours to the plain recipe's, run by run; or a number of its own.
        floor: What may not be exceeded.
        aim: What is wanted.
        runs: How often each side ran.
    """

    name: str
    ours: str
    plain: str
    ratio: Series
    floor: str = ""
    aim: str = ""
    runs: int = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of ``benchmark``."""
    parser.add_argument(
        "--data",
        metavar="FILE",
        help="take article and questions from SQuAD JSON or any form that evaluate reads"
        " (default: made of the bundled article's sentences)",
    )
    parser.add_argument(
        "--passages", type=_positive, default=40, metavar="N", help="paragraphs of the article (40)"
    )
    parser.add_argument(
        "--starts", type=_positive, default=7, metavar="N", help="cold starts of each (7)"
    )
    parser.add_argument(
        "--questions", type=_positive, default=200, metavar="N", help="questions asked (200)"
    )
    parser.add_argument(
        "--builds", type=_positive, default=9, metavar="N", help="times the index is built (9)"
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="a sentence-transformers model: a folder or a hub name (default: the bundled MiniLM)",
    )
    parser.add_argument("-o", "--output", metavar="FILE.md", help="write the result there too")


def run(arguments: argparse.Namespace) -> int:
    """Measure starting, asking and indexing beside the plain recipe, and where time goes."""
    # Imported here: a benchmark may be described without a terminal's progress.
    from qa.commands.terminal import terminal_progress

    with terminal_progress() as progress:
        report = _measure(arguments, progress)
    sys.stdout.write(report)
    if arguments.output:
        try:
            Path(arguments.output).write_text(report, encoding="utf-8")
        except OSError as error:
            raise ArticleQAError(f"{arguments.output}: cannot be written: {error}") from error
    return 0


def _measure(arguments: argparse.Namespace, progress: Progress | None) -> str:
    load_before = load_average()
    # Processes first: what this one imports later would take memory from them.
    figures = [*_cold(arguments, progress), _page(arguments, progress)]
    imports = import_shares(_ask_command(arguments))
    given = material(arguments.data, arguments.passages, arguments.questions)
    encoder = load_encoder(arguments.model, progress=progress)
    bot = ArticleBot(build_index(given.article, encoder, progress=progress), encoder)
    reference = resolve(arguments.model).reference
    with PlainProcess(reference, given.paragraphs) as plain:
        figures += _questions(bot, given.questions, plain, progress)
        figures += _builds(arguments.builds, given.article, encoder, plain, progress)
    figures.append(_asking_while_indexing(bot, given.article, given.questions, encoder))
    stages = stage_shares(bot.index, encoder, given.questions)
    rates = flop_rates(bot.index, encoder, resolve(arguments.model).folder)
    about = {
        **machine(),
        "load average before": load_before,
        "load average after": load_average(),
        "model": bot.index.model,
        "article": f"{given.name}: {len(bot.index.passages)} passages,"
        f" {len(bot.index.sentences)} sentences, {len(bot.index.token_ids)} word pieces",
    }
    return "".join(f"{line}\n" for line in _markdown(figures, stages, imports, rates, about))


def _ask_command(arguments: argparse.Namespace) -> list[str]:
    return ["-m", "qa.cli", "ask", QUESTION, *_model(arguments)]


def _model(arguments: argparse.Namespace) -> list[str]:
    return ["--model", arguments.model] if arguments.model else []


def _cold(arguments: argparse.Namespace, progress: Progress | None) -> Iterator[Figure]:
    """A question asked of the bundled article, from the start of the process to its end."""
    asking = [sys.executable, *_ask_command(arguments)]
    ask = partial(run_process, asking, ANSWERED)
    start = partial(run_process, [sys.executable, "-c", PLAIN_START])
    # Once before: the model gets prepared, the files come into the system's memory.
    ask()
    start()
    ours, plain = alternate(
        lambda _: ask(),
        lambda _: start(),
        range(arguments.starts),
        _told(progress, "starting", arguments.starts),
    )
    yield _pair("cold `ask`, whole process, s", ours, plain, "wall", 1, "0.15", "0.08")
    yield _pair("the same, processor s", ours, plain, "processor", 1)
    yield _pair("its peak memory, MB", ours, plain, "memory", MEGABYTE, "0.45", "0.30")


def _page(arguments: argparse.Namespace, progress: Progress | None) -> Figure:
    """The page, from the start of its process to its first healthy word, beside its toolkit."""
    start = partial(start_page, _model(arguments))
    toolkit = partial(run_process, [sys.executable, "-c", PAGE_START])
    start()
    toolkit()
    ours, theirs = alternate(
        lambda _: start(),
        lambda _: toolkit(),
        range(arguments.starts),
        _told(progress, "starting the page", arguments.starts),
    )
    return _pair(f"page ready to answer, s (beside `{PAGE_START}`)", ours, theirs, "wall", 1, "1.3")


def _questions(
    bot: ArticleBot, questions: Sequence[str], plain: PlainProcess, progress: Progress | None
) -> Iterator[Figure]:
    """A question, everything included, beside encoding it and searching the paragraphs."""
    # Other questions than those measured: a question that was asked before costs less.
    for question in (f"{QUESTION} {number}" for number in range(WARM_UP)):
        bot.ask(question)
        plain.search(question)
    ours, theirs = alternate(
        lambda question: timed(lambda: bot.ask(question)),
        plain.search,
        questions,
        _told(progress, "asking", len(questions)),
    )
    yield _pair("question, everything included, ms", ours, theirs, "wall", 1e-3, "0.40", "0.20")
    yield _pair("the same, processor ms", ours, theirs, "processor", 1e-3)
    wall = _series(ours, "wall", 1e-3)
    tail = Series((wall.quantile(0.95) / wall.median,))
    plain_wall = _series(theirs, "wall", 1e-3)
    yield Figure(
        "p95 / median of a question",
        f"{wall.quantile(0.95):.2f} / {wall.median:.2f} ms",
        f"{plain_wall.quantile(0.95):.2f} / {plain_wall.median:.2f} ms",
        tail,
        "2.5",
        "1.5",
        len(ours),
    )
    last = questions[-1]
    again = tuple(timed(lambda: bot.ask(last)) for _ in questions)
    yield _pair("the same question again, ms", again, theirs, "wall", 1e-3)


def _builds(
    runs: int,
    article: Article,
    encoder: Encoder,
    plain: PlainProcess,
    progress: Progress | None,
) -> Iterator[Figure]:
    """An article's whole index beside the vectors of its paragraphs alone."""
    ours, theirs = alternate(
        lambda _: timed(lambda: build_index(article, encoder)),
        lambda _: plain.encode(),
        range(runs),
        _told(progress, "indexing", runs),
    )
    yield _pair("building the index, s", ours, theirs, "wall", 1, "1.0", "0.50")
    yield _pair("the same, processor s", ours, theirs, "processor", 1)


def _asking_while_indexing(
    bot: ArticleBot, article: Article, questions: Sequence[str], encoder: Encoder
) -> Figure:
    """What a reader waits while somebody else's article is being indexed on the same cores."""
    asked = questions[:BUSY_QUESTIONS]
    idle = tuple(timed(lambda q=q: bot.ask(f"{q} Now?")) for q in asked)  # type: ignore[misc]
    stop = Event()

    def index() -> None:
        while not stop.is_set():
            build_index(article, encoder)

    indexing = Thread(target=index, daemon=True)
    indexing.start()
    try:
        busy = tuple(timed(lambda q=q: bot.ask(f"{q} Then?")) for q in asked)  # type: ignore[misc]
    finally:
        stop.set()
        indexing.join()
    mine, waiting = _series(idle, "wall", 1e-3), _series(busy, "wall", 1e-3)
    return Figure(
        "question while an article is indexed, ms (ratio: to one alone)",
        _shown(waiting),
        "",
        waiting.over(mine),
        runs=len(busy),
    )


def _told(progress: Progress | None, what: str, total: int) -> Callable[[int], None]:
    return (lambda done: progress(what, done, total)) if progress else (lambda done: None)


def _series(costs: Sequence[Cost], kind: Kind, unit: float) -> Series:
    return Series(tuple(getattr(cost, kind) / unit for cost in costs))


def _pair(
    name: str,
    ours: Sequence[Cost],
    plain: Sequence[Cost],
    kind: Kind,
    unit: float,
    floor: str = "",
    aim: str = "",
) -> Figure:
    """A row on one kind of cost, the ratio taken round by round."""
    mine, theirs = _series(ours, kind, unit), _series(plain, kind, unit)
    return Figure(name, _shown(mine), _shown(theirs), mine.over(theirs), floor, aim, len(ours))


def _shown(series: Series) -> str:
    """The median, and between which two values half of the runs lie."""
    median, low, high = (f"{series.quantile(share):.3g}" for share in (0.5, 0.25, 0.75))
    return f"{median} ({low}–{high})"


def _markdown(
    figures: Sequence[Figure],
    stages: Sequence[Share],
    imports: Sequence[Share],
    rates: FlopRates | None,
    about: dict[str, str],
) -> Iterator[str]:
    yield "# Benchmark"
    yield ""
    yield "Made by `python -m benchmarks.speed`. Each figure is a median and, in brackets, what"
    yield "half of the runs lie between; ratios are taken round by round, both sides in turns."
    yield ""
    yield "| | article-qa | plain recipe | ratio | floor | aim | runs |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for row in figures:
        limits = tuple(f"≤ {limit}" if limit else "" for limit in (row.floor, row.aim))
        cells = (row.name, row.ours, row.plain, _shown(row.ratio), *limits, str(row.runs))
        yield f"| {' | '.join(cells)} |"
    if rates:
        yield ""
        yield (
            f"While indexing the encoder computes {rates.encoder / 1e9:.0f} GFLOP/s;"
            f" a float32 matrix product on this machine {rates.product / 1e9:.0f}"
            f" (ratio {rates.encoder / rates.product:.2f}), the int8 product the model is made of"
            f" {rates.quantized / 1e9:.0f} (ratio {rates.encoder / rates.quantized:.2f})."
        )
    yield from _shares("Where the time of one question goes", stages)
    yield from _shares(
        "Where a cold start spends its imports (times under `-X importtime`)", imports
    )
    yield ""
    yield "## Machine"
    yield ""
    yield from (f"- {name}: {value}" for name, value in about.items())


def _shares(title: str, shares: Sequence[Share]) -> Iterator[str]:
    total = sum(share.milliseconds for share in shares) or 1.0
    yield from ("", f"## {title}", "", "| | ms | share | |", "| --- | --- | --- | --- |")
    for share in shares:
        part = f"{share.milliseconds / total:.0%}"
        yield f"| {share.name} | {share.milliseconds:.2f} | {part} | {share.detail} |"


def _positive(text: str) -> int:
    """A whole number from 1 on, as an option's value."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not {text!r}")
    return int(text)
