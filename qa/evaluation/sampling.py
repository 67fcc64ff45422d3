"""Fewer questions than a data set has, or more: a sample, and questions taken elsewhere."""

from __future__ import annotations

from dataclasses import replace

from index.errors import DataError
from qa.evaluation.datasets import OFF_ARTICLE, Dataset, Question

__all__ = ["sampled", "with_off_article"]


def sampled(dataset: Dataset, limit: int | None) -> Dataset:
    """The data set cut to about ``limit`` questions, spread evenly over it.

    Conversations stay whole, so the first of them are taken.
    """
    questions = dataset.questions
    if limit is None or limit >= len(questions):
        return dataset
    if dataset.evidence == "turns":
        kept = list(questions[:limit])
        for question in questions[limit:]:
            if question.document != kept[-1].document:
                break
            kept.append(question)
        return replace(dataset, questions=tuple(kept))
    return replace(
        dataset,
        questions=tuple(questions[number * len(questions) // limit] for number in range(limit)),
    )


def with_off_article(dataset: Dataset, count: int) -> Dataset:
    """The data set and ``count`` of its answerable questions, each asked of the next document.

    What it asks is not there, so they show whether the bot knows when to keep silent.

    Raises:
        DataError: There are not two documents that are asked apart.
    """
    if not count:
        return dataset
    asked = [name for name in dict.fromkeys(q.document for q in dataset.questions) if name]
    if len(asked) < 2 or dataset.evidence == "turns":
        raise DataError(
            f"{dataset.name}: questions of other articles need two articles or more, and no"
            " conversation"
        )
    following = dict(zip(asked, [*asked[1:], asked[0]], strict=True))
    pool = [question for question in dataset.questions if question.answerable and question.document]
    count = min(count, len(pool))
    picked = [pool[number * len(pool) // count] for number in range(count)]
    strangers = [
        Question(
            id=f"{question.id}@{following[question.document or '']}",
            text=question.text,
            document=following[question.document or ""],
            answerable=False,
            kind=OFF_ARTICLE,
        )
        for question in picked
    ]
    order = {name: number for number, name in enumerate(asked)}
    questions = sorted(
        (*dataset.questions, *strangers), key=lambda q: order.get(q.document or "", 0)
    )
    return replace(dataset, questions=tuple(questions))
