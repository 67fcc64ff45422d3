"""Score each answer against its gold evidence.

| measure                    | of one question                                              |
| -------------------------- | ------------------------------------------------------------ |
| answer@N, evidence@N       | 1 if gold is read within the first N characters of quotes    |
| citation@k                 | 1 if one of the first k citations holds gold evidence        |
| exact words shown          | 1 if the first citation has its exact words marked           |
| exact words right          | of those, 1 if they share half their words with gold or more |
| R@k                        | 1 if one of the first k passages is relevant                 |
| MRR, nDCG@10               | as in TREC, over passages or over documents                  |
| recall@10                  | share of the relevant documents among the first 10           |
| sentence P@3, R@3, F1@3    | of the first three citations against the supporting sentences |
| sentence R-precision       | precision of as many citations as there are such sentences   |
| citation exactness         | share of citations that are what stands at their offsets     |
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from index.errors import DataError
from index.extras import extra
from qa.evaluation.datasets import Dataset, Document, Question
from qa.evaluation.measures import (
    Place,
    contains,
    covered_units,
    precision_recall,
    reading_depth,
    word_f1,
)
from qa.evaluation.records import Record, json_lines, text_of
from qa.evaluation.run import Asked, passage_name

__all__ = ["LENGTHS", "Row", "judge", "read_rows", "write_rows", "write_trec"]

LENGTHS = (300, 600, 1200, 2400)
CITATIONS = (1, 3)
PASSAGES = (1, 3, 5)
FIRST = 3
"""Citations that are judged by the sentences that support an answer."""
RIGHT = 0.5
"""F1 with gold from which exact words are right."""


@dataclass(frozen=True, slots=True)
class Row:
    """All that is measured of one question, and what it was.

    Attributes:
        confidence: NaN where the question was refused; so is ``milliseconds``.
        correct: Whether the first citation holds the answer; None where that is unknown.
        scores: By name; measures that do not apply are missing.
        gold: What answers it: texts, or names of documents; empty where nothing does.
        quotes: The first citations.
        error: Why it was refused, if it was.
    """

    id: str
    kind: str | None
    answerable: bool
    found: bool
    confidence: float
    correct: bool | None
    milliseconds: float
    scores: Mapping[str, float]
    question: str = ""
    gold: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()
    error: str | None = None

    @property
    def wrong(self) -> bool:
        """Whether it was answered wrong, or answered where there is no answer."""
        return self.correct is False if self.answerable else self.found


def judge(dataset: Dataset, asked: Iterable[Asked]) -> tuple[Row, ...]:
    """Measure every question that was asked.

    A question that was refused is answered by nothing, and scores 0.

    Raises:
        MissingExtra: ir_measures is not installed.
    """
    came_back = {answer.id: answer for answer in asked}
    questions = [question for question in dataset.questions if question.id in came_back]
    ranking = _ranking_measures(dataset, questions, came_back)
    return tuple(
        _row(dataset, question, came_back[question.id], ranking.get(question.id, {}))
        for question in questions
    )


def _row(dataset: Dataset, question: Question, asked: Asked, ranking: Mapping[str, float]) -> Row:
    scores: dict[str, float] = {}
    correct: bool | None = None
    if not question.answerable:
        correct = False
    elif question.judged:
        hits = _hits(dataset, question, asked.quotes)
        correct = any(hits[:1])
        # The first turn of a conversation follows on nothing.
        if question.turn != 0:
            scores |= _evidence(dataset, question, asked.quotes)
            scores |= {f"citation@{k}": float(any(hits[:k])) for k in CITATIONS}
            scores |= _exact_words(dataset, question, asked)
            scores |= ranking
    if asked.quotes:
        scores["citation exactness"] = asked.exact / len(asked.quotes)
    return Row(
        id=question.id,
        kind=question.kind,
        answerable=question.answerable,
        found=asked.found,
        confidence=asked.confidence,
        correct=correct,
        milliseconds=asked.milliseconds,
        scores=scores,
        question=question.text,
        gold=_gold_texts(dataset, question),
        quotes=asked.shown,
        error=asked.error,
    )


def _gold_texts(dataset: Dataset, question: Question) -> tuple[str, ...]:
    document = dataset.documents.get(question.document or "")
    text = document.article.text if document else ""
    gold = [text[start:end] for start, end in question.gold]
    gold += [name for name, grade in question.relevant if grade > 0]
    return tuple(dict.fromkeys(gold))


def _gold(question: Question) -> list[Place]:
    return [(question.document or "", start, end) for start, end in question.gold]


def _units(document: Document | None) -> list[Place]:
    return [(document.id, *span) for span in document.sentences] if document else []


def _hits(dataset: Dataset, question: Question, quotes: Sequence[Place]) -> list[bool]:
    """Whether each citation holds gold evidence."""
    if dataset.evidence == "documents":
        relevant = {document for document, grade in question.relevant if grade > 0}
        return [quote[0] in relevant for quote in quotes]
    gold = _gold(question)
    if dataset.evidence == "sentences":
        return [bool(covered_units(quote, gold)) for quote in quotes]
    return [any(contains(quote, span) for span in gold) for quote in quotes]


def _exact_words(dataset: Dataset, question: Question, asked: Asked) -> dict[str, float]:
    document = dataset.documents.get(question.document or "")
    if not document or dataset.evidence in ("documents", "sentences"):
        return {}
    if asked.words is None:
        return {"exact words shown": 0.0}
    golds = (document.article.text[start:end] for start, end in question.gold)
    best = max(word_f1(asked.words, gold) for gold in golds)
    return {"exact words shown": 1.0, "exact words right": float(best >= RIGHT)}


def _evidence(dataset: Dataset, question: Question, quotes: Sequence[Place]) -> dict[str, float]:
    """The measures of quotes."""
    if dataset.evidence == "documents":
        return {}
    gold = _gold(question)
    if dataset.evidence == "sentences":
        units = _units(dataset.documents.get(question.document or ""))

        def scored(k: int) -> tuple[float, float, float]:
            found = {unit for quote in quotes[:k] for unit in covered_units(quote, units)}
            return precision_recall(found, set(gold))

        precision, recall, f1 = scored(FIRST)
        return {
            f"sentence P@{FIRST}": precision,
            f"sentence R@{FIRST}": recall,
            f"sentence F1@{FIRST}": f1,
            "sentence R-precision": scored(len(gold))[0],
        }
    name = "evidence" if dataset.evidence == "turns" else "answer"
    depth = reading_depth(quotes, gold)
    return {f"{name}@{length}": float(depth <= length) for length in LENGTHS}


def _ranking_measures(
    dataset: Dataset, questions: Sequence[Question], asked: Mapping[str, Asked]
) -> dict[str, dict[str, float]]:
    """MRR, nDCG and the like by question, from ir_measures; 0 for what is missing in a run."""
    if dataset.evidence in ("sentences", "turns"):
        return {}  # each text is one passage or a few: there is nothing to rank
    ir = extra("ir_measures", of="eval")
    by_document = dataset.evidence == "documents"
    named = {} if by_document else {f"R@{k}": ir.Success @ k for k in PASSAGES}
    named |= {"MRR": ir.RR, "nDCG@10": ir.nDCG @ 10}
    named |= {"recall@10": ir.R @ 10} if by_document else {}
    names = {str(measure): name for name, measure in named.items()}
    answers = [(question, asked[question.id]) for question in questions if question.judged]
    values = {
        question.id: dict.fromkeys(named, 0.0) for question, _ in answers if question.answerable
    }
    qrels = [ir.Qrel(*line) for line in _qrels(dataset, answers)]
    ranked = [ir.ScoredDoc(*line) for line in _run(dataset, answers)]
    if qrels and ranked:
        for metric in ir.iter_calc(list(named.values()), qrels, ranked):
            values[metric.query_id][names[str(metric.measure)]] = metric.value
    return values


def _qrels(
    dataset: Dataset, answers: Iterable[tuple[Question, Asked]]
) -> Iterator[tuple[str, str, int]]:
    for question, asked in answers:
        if dataset.evidence == "documents":
            for document, grade in question.relevant:
                yield question.id, document, grade
        else:
            for place in asked.relevant:
                yield question.id, passage_name(place), 1


def _run(
    dataset: Dataset, answers: Iterable[tuple[Question, Asked]]
) -> Iterator[tuple[str, str, float]]:
    """Query, document and score; the score counts down, for trec_eval resolves ties by name."""
    for question, asked in answers:
        documents = dataset.evidence == "documents"
        names = [place[0] if documents else passage_name(place) for place in asked.ranked]
        distinct = list(dict.fromkeys(names))
        for rank, name in enumerate(distinct):
            yield question.id, name, float(len(distinct) - rank)


def write_trec(dataset: Dataset, asked: Iterable[Asked], folder: Path, tag: str) -> None:
    """Write ``run.trec`` and ``qrels.trec``, for trec_eval and its kin."""
    came_back = {answer.id: answer for answer in asked}
    answers = [(q, came_back[q.id]) for q in dataset.questions if q.id in came_back]

    def name(value: str) -> str:
        return "_".join(value.split())

    with _lenient(folder / "qrels.trec") as file:
        for question, document, grade in _qrels(dataset, answers):
            file.write(f"{name(question)} 0 {name(document)} {grade}\n")
    with _lenient(folder / "run.trec") as file:
        rank, last = 0, ""
        for question, document, score in _run(dataset, answers):
            rank, last = (rank + 1 if question == last else 1), question
            file.write(f"{name(question)} Q0 {name(document)} {rank} {score:g} {tag}\n")


def _lenient(path: Path) -> TextIO:
    """A file to write names to that may hold anything, lone surrogates included."""
    return path.open("w", encoding="utf-8", errors="backslashreplace")


def write_rows(rows: Iterable[Row], path: Path) -> None:
    """Write questions, answers, gold and measures, one question a line of JSON."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            # NaN is not JSON.
            values = {
                name: None if value != value else value for name, value in asdict(row).items()
            }
            file.write(json.dumps(values) + "\n")


def read_rows(path: Path) -> tuple[Row, ...]:
    """Read the measures that ``write_rows`` wrote.

    Raises:
        DataError: The file is missing, or not of that form.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; a finished run (--run) has one")
    rows = []
    for record in json_lines(path, text_of(path)):
        scores: dict[str, Any] = record.get("scores", dict)
        for name, value in scores.items():
            if not isinstance(value, (int, float)):
                raise record.error(f"scores.{name}", f"must be a number, not {value!r}")
        rows.append(
            Row(
                id=record.get("id", str),
                kind=record.get("kind", str, type(None)),
                answerable=record.get("answerable", bool),
                found=record.get("found", bool),
                confidence=_number(record, "confidence"),
                correct=record.get("correct", bool, type(None)),
                milliseconds=_number(record, "milliseconds"),
                scores={name: float(value) for name, value in scores.items()},
            )
        )
    return tuple(rows)


def _number(record: Record, name: str) -> float:
    value = record.get(name, int, float, type(None))
    return math.nan if value is None else float(value)
