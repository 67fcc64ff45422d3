"""Evaluate from end to end: read, ask, judge, compare, report."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from index.errors import DataError
from index.extras import extra
from index.models.encoder import Progress
from qa.engine import MAX_K
from qa.evaluation.datasets import (
    OFF_ARTICLE,
    Dataset,
    Problem,
    sampled,
    with_off_article,
)
from qa.evaluation.formats import read_dataset
from qa.evaluation.judge import Row, judge, read_rows, write_rows, write_trec
from qa.evaluation.report import Report
from qa.evaluation.run import Asked, ask_everything, system_folder
from qa.evaluation.statistics import by_article, compare, summarise
from qa.evaluation.systems import BotSystem, OpenBot, System
from qa.ranking.reranker import RerankerLike

__all__ = ["DEFAULT_K", "evaluate"]

DEFAULT_K = 30
"""Enough sentences to fill the longest stretch that answer@N reads."""


def evaluate(
    data: str | Path | Dataset,
    *,
    model: str | None = None,
    reranker: RerankerLike | None = None,
    reader: bool = True,
    pooled: bool = False,
    baseline: str | None = None,
    run: str | Path | None = None,
    resume: bool = False,
    compare_with: str | Path | None = None,
    k: int | None = None,
    limit: int | None = None,
    sample: int | None = None,
    off_article: int = 0,
    history: bool = True,
    open_bot: OpenBot | None = None,
    progress: Progress | None = None,
) -> Report:
    """Ask every question of a data set and measure the answers.

    Args:
        data: A file or folder in any form that ``read_dataset`` takes, or what it returned.
        model: The embedding model; None for the default.
        reranker: As for ``ArticleBot.open``; the plain recipe has none.
        reader: As for ``ArticleBot.open``.
        pooled: Ask all documents together; collections (BEIR, TREC) always are.
        baseline: ``"plain"`` to run the plain recipe beside ours.
        run: Folder to keep every answer and TREC files in.
        resume: Go on with an interrupted run in that folder.
        compare_with: Folder of another run on the same data.
        k: Citations asked for; by default 30, and 100 where documents are ranked.
        limit: Ask only about as many questions, spread evenly over the data.
        sample: Instead, as many drawn at random, always the same ones.
        off_article: Ask as many questions also of an article they were not written for.
        history: Ask a turn of a conversation with those before it.
        open_bot: Makes the bot from an article, to evaluate one with options of its own.
        progress: Called as it advances.

    Raises:
        DataError: The data, the folder or an option cannot be used.
        MissingExtra: The ``eval`` extra is not installed.
        ModelError: The model cannot be loaded.
    """
    extra("ir_measures", of="eval")  # before the work, not after it
    dataset = data if isinstance(data, Dataset) else read_dataset(data)
    _check(dataset, pooled=pooled, baseline=baseline, k=k, off_article=off_article)
    if limit is not None and sample is not None:
        raise DataError("give limit or sample, not both")
    for name, count in (("limit", limit), ("sample", sample)):
        if count is not None and count < 1:
            raise DataError(f"{name} must be at least 1, not {count}")
    if resume and run is None:
        raise DataError("there is nothing to go on with: name the run's folder")
    others = _other_run(compare_with, dataset)
    dataset = with_off_article(sampled(dataset, limit, sample=sample), off_article)
    by_document = dataset.evidence == "documents"
    pooled = pooled or by_document
    k = k or (MAX_K if by_document else DEFAULT_K)
    bot = BotSystem(model, open_bot, reranker=reranker, reader=reader)
    systems: list[System] = [bot]
    if baseline:
        from qa.evaluation.plain import PlainSystem  # torch

        systems.append(PlainSystem(model))
    out = Path(run) if run is not None else None
    answers = ask_everything(
        dataset,
        systems,
        k=k,
        pooled=pooled,
        history=history,
        out=out,
        resume=resume,
        options={
            "limit": limit,
            "sample": sample,
            "off_article": off_article,
            "reranker": bot.reranker_name,
            "reader": reader,
        },
        keep=lambda folder, system, asked: write_trec(dataset, asked, folder, system),
        progress=progress,
    )
    rows = [judge(dataset, asked) for asked in answers]
    if progress:
        progress("resampling", 0, 1)
    asked_with = {
        "k": k,
        "pooled": pooled,
        "limit": limit,
        "sample": sample,
        OFF_ARTICLE: off_article or None,
        "history": history if dataset.evidence == "turns" else None,
        "reranker": bot.reranker_name,
        "reader": None if reader else False,
    }
    article_of = {question.id: question.document for question in dataset.questions}
    report = Report(
        data=dataset.name,
        digest=dataset.digest,
        system=systems[0].name,
        model=systems[0].model,
        options={name: value for name, value in asked_with.items() if value is not None},
        n_questions=len(rows[0]),
        n_judged=sum(row.correct is not None for row in rows[0]),
        n_refused=sum(asked.error is not None for asked in answers[0]),
        measures=summarise(rows[0]),
        baseline=summarise(rows[1]) if baseline else None,
        by_article=by_article(rows[0], article_of),
        baseline_by_article=by_article(rows[1], article_of) if baseline else {},
        against_baseline=compare(rows[0], rows[1], "plain") if baseline else None,
        compared=compare(rows[0], others, str(compare_with)) if others else None,
        problems=(*dataset.problems, *_refusals(answers[0])),
        rows=rows[0],
        environment=_environment(),
    )
    if out:
        for system, scored in zip(systems, rows, strict=True):
            write_rows(scored, system_folder(out, system.name) / "scores.jsonl")
        text = json.dumps(report.to_dict(), indent=2) + "\n"
        (out / "report.json").write_text(text, encoding="utf-8")
    return report


def _check(
    dataset: Dataset,
    *,
    pooled: bool,
    baseline: str | None,
    k: int | None,
    off_article: int,
) -> None:
    if baseline not in (None, "plain"):
        raise DataError(f"the only baseline is 'plain', not {baseline!r}")
    if pooled and dataset.evidence == "turns":
        raise DataError("conversations are each about one text and cannot be pooled")
    if pooled and off_article:
        raise DataError("where all articles are asked together, no question is off the article")
    if k is not None and not 1 <= k <= MAX_K:
        raise DataError(f"k must be from 1 to {MAX_K}, not {k}")
    if off_article < 0:
        raise DataError(f"the number of off-article questions cannot be {off_article}")


def _environment() -> dict[str, str]:
    try:
        ours = version("article-qa")
    except PackageNotFoundError:  # run from a checkout
        ours = "not installed"
    return {
        "article-qa": ours,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": str(os.cpu_count()),
    }


def _other_run(folder: str | Path | None, dataset: Dataset) -> tuple[Row, ...]:
    if folder is None:
        return ()
    manifest = Path(folder) / "run.json"
    try:
        digest = json.loads(manifest.read_text(encoding="utf-8"))["digest"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{str(folder)!r} holds no run to compare with; --run FOLDER keeps one"
        ) from error
    if digest != dataset.digest:
        raise DataError(f"{folder} is a run on other data than {dataset.name}")
    return read_rows(Path(folder) / "scores.jsonl")


def _refusals(asked: Sequence[Asked]) -> list[Problem]:
    return [
        Problem("question refused", answer.id, answer.error) for answer in asked if answer.error
    ]
