"""Evaluation sets: questions with known answers, and the articles they are about.

    read_dataset(path) ─▶ Dataset ─┬─ documents   what is asked, each an Article
                                   ├─ questions   each with its gold evidence
                                   └─ problems    what was found wrong in the data

The form is told from the content:

| form           | told by                             | gold evidence                  |
| -------------- | ----------------------------------- | ------------------------------ |
| SQuAD 1.1, 2.0 | an object with ``data``             | answer spans                   |
| conversations  | a list of objects with ``turns``    | middle of the evidence         |
| ClapNQ         | lines with ``input`` and ``output`` | supporting sentences           |
| BEIR           | a folder with ``corpus.jsonl``      | graded documents               |
| TREC           | a folder with ``<docno>`` and qrels | graded documents (Cranfield)   |
| questions      | lines with ``question``             | quotes or ``[start, end]``     |

A file that does not have its form is refused. What has the form but is no good (a gold span
that is not in its text, a question without gold) becomes a ``Problem``: it is counted in every
report, and the question is still asked.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Literal, TypeAlias, TypeVar

from index.article import Article, Block, BlockKind
from index.errors import DataError, EmptyArticle
from index.reading.plaintext import article_from_text

__all__ = [
    "OFF_ARTICLE",
    "Builder",
    "Dataset",
    "Document",
    "Evidence",
    "Problem",
    "Question",
    "Span",
    "digest_of",
    "paragraphs_of",
    "sampled",
    "with_off_article",
]

T = TypeVar("T")
Span: TypeAlias = tuple[int, int]

Evidence: TypeAlias = Literal["spans", "turns", "sentences", "documents"]
"""What gold evidence is, and so what can be measured."""

OFF_ARTICLE = "off-article"
"""Kind of a question that was taken to an article it was not written for."""


SEED = 20211


@dataclass(frozen=True, slots=True)
class Document:
    """A text that is asked.

    Attributes:
        id: Its name in the data.
        article: What is asked; gold spans are offsets into its text.
        paragraphs: Spans of its paragraphs, as the data has them.
        sentences: Spans of its sentences where the data labels them, else empty.
    """

    id: str
    article: Article
    paragraphs: tuple[Span, ...]
    sentences: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what is known of its answer.

    Attributes:
        id: Unique within the data.
        text: As it is asked.
        document: Id of the document that is asked; None where all are.
        answerable: Whether there is an answer.
        gold: Spans of the document's text that answer, any of which will do; for evidence
            by sentence, all sentences that support the answer.
        relevant: Graded documents, for evidence by document.
        turn: Number within its conversation, from 0; None outside one.
        kind: A name for questions of its kind, or None.
    """

    id: str
    text: str
    document: str | None
    answerable: bool
    gold: tuple[Span, ...] = ()
    relevant: tuple[tuple[str, int], ...] = ()
    turn: int | None = None
    kind: str | None = None

    @property
    def judged(self) -> bool:
        """Whether answers to it can be told right from wrong."""
        return (
            not self.answerable or bool(self.gold) or any(grade > 0 for _, grade in self.relevant)
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in the data, or with asking it.

    ``what`` reads the same for all problems of a kind; ``where`` is a file and record, or a
    question.
    """

    what: str
    where: str
    detail: str = ""

    def __str__(self) -> str:
        """In one line."""
        return f"{self.what}: {self.where}" + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Dataset:
    """Questions, the documents they are about, and what is wrong with them.

    Attributes:
        name: Short name: the file's or the folder's.
        form: Which form it came in.
        evidence: What gold evidence is.
        documents: By id, in the data's order.
        questions: Grouped by document, in the data's order.
        problems: What was found wrong.
        digest: SHA-256 of the bytes read, in hex.
    """

    name: str
    form: str
    evidence: Evidence
    documents: Mapping[str, Document]
    questions: tuple[Question, ...]
    problems: tuple[Problem, ...]
    digest: str


class _Names:
    """Names that were given out; the second "a" becomes "a#2"."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._times: Counter[str] = Counter()

    def unused(self, name: str) -> str:
        """The name, or one like it that is still free."""
        free = name
        while free in self._given:
            self._times[name] += 1
            free = f"{name}#{self._times[name] + 1}"
        self._given.add(free)
        return free


@dataclass(slots=True)
class Builder:
    """Collects what a reader finds."""

    file: str
    documents: dict[str, Document] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _ids: _Names = field(default_factory=_Names)
    _names: _Names = field(default_factory=_Names)

    def problem(self, what: str, where: str, detail: str = "") -> None:
        """Note something wrong."""
        self.problems.append(Problem(what, f"{self.file}: {where}" if where else self.file, detail))

    def text_document(
        self, name: str, text: str, title: str | None, paragraphs: Sequence[Span]
    ) -> str:
        """Add a text, read as any plain text is; returns the id it got."""
        name = self._names.unused(name)
        self._add(name, lambda: article_from_text(text, title=title), paragraphs)
        return name

    def passage_document(
        self, name: str, text: str, title: str | None, sentences: Sequence[Span] = ()
    ) -> str:
        """Add a passage of a collection: one paragraph, whatever it looks like."""
        name = self._names.unused(name)
        stripped = text.strip()
        start = text.find(stripped)
        span = (start, start + len(stripped))

        def article() -> Article:
            blocks = (Block(BlockKind.PARAGRAPH, *span),) if stripped else ()
            return Article(text=text, blocks=blocks, title=title)

        self._add(name, article, [span], sentences)
        return name

    def question(self, question: Question, where: str) -> None:
        """Add a question; its gold spans must lie in its document."""
        name = self._ids.unused(question.id)
        if name != question.id:
            self.problem("duplicate question id", where, repr(question.id))
            question = replace(question, id=name)
        if not question.text.strip():
            self.problem("empty question", where)
        if not question.judged:
            self.problem("no usable gold", where, f"question {question.id!r} is asked, not judged")
        self.questions.append(question)

    def _add(
        self,
        name: str,
        article: Callable[[], Article],
        paragraphs: Sequence[Span],
        sentences: Sequence[Span] = (),
    ) -> None:
        try:
            self.documents[name] = Document(name, article(), tuple(paragraphs), tuple(sentences))
        except EmptyArticle:
            self.problem("empty document", repr(name))

    def dataset(self, name: str, form: str, evidence: Evidence, digest: str) -> Dataset:
        """All of it.

        Raises:
            DataError: There is no question.
        """
        if not self.questions:
            raise DataError(f"{self.file}: holds no question; there is nothing to evaluate")
        return Dataset(
            name=name,
            form=form,
            evidence=evidence,
            documents=self.documents,
            questions=tuple(self.questions),
            problems=tuple(self.problems),
            digest=digest,
        )


def paragraphs_of(text: str) -> Iterator[Span]:
    """Spans of a plain text's paragraphs: between blank lines, or its lines where none is blank."""
    separator = re.compile(r"\n\s*\n" if re.search(r"\n\s*\n", text.strip()) else r"\n")
    start = 0
    for end, following in [*(m.span() for m in separator.finditer(text)), (len(text), len(text))]:
        stripped = text[start:end].strip()
        if stripped:
            begin = text.index(stripped, start)
            yield begin, begin + len(stripped)
        start = following


def digest_of(*paths: Path) -> str:
    """SHA-256 of files, in hex."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def sampled(dataset: Dataset, limit: int | None, *, sample: int | None = None) -> Dataset:
    """The data set cut to about ``limit`` questions, spread evenly over it, or to a ``sample``.

    A sample is drawn at random, and always the same one. Conversations stay whole; of a limit the
    first of them are taken.
    """
    questions, count = dataset.questions, limit if sample is None else sample
    if count is None or count >= len(questions):
        return dataset
    if dataset.evidence == "turns":
        conversations = [list(g) for _, g in groupby(questions, key=lambda q: q.document)]
        kept = set[str]()
        for turns in _drawn(conversations, len(conversations)) if sample else conversations:
            if len(kept) < count:
                kept |= {question.id for question in turns}
        chosen = [question for question in questions if question.id in kept]
    elif sample:
        chosen = _drawn(questions, sample)
    else:
        chosen = [questions[number * len(questions) // count] for number in range(count)]
    order = {question.id: number for number, question in enumerate(questions)}
    return replace(dataset, questions=tuple(sorted(chosen, key=lambda q: order[q.id])))


def _drawn(population: Sequence[T], count: int) -> list[T]:
    return Random(SEED).sample(population, count)  # noqa: S311 - no secret


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
