"""Ask every question of a data set, and keep the answers.

    OUT/
    ├── run.json        what was run: data, model, options
    ├── answers.jsonl   one line a question, in full, written as it is answered
    ├── run.trec        ranked passages or documents, TREC format
    ├── qrels.trec      what is relevant among them
    ├── scores.jsonl    one line a question: gold, first quotes, measures, milliseconds
    ├── report.json     measures of the whole, with their intervals
    └── plain/          the same for the baseline

An interrupted run keeps every question that was answered, and can be taken up again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from index.errors import DataError, QuestionError, SourceError
from index.models.encoder import Progress
from qa.answer import Answer
from qa.evaluation.datasets import Dataset, Document, Question
from qa.evaluation.measures import Place, relevant_passages
from qa.evaluation.systems import Located, Reader, System

__all__ = ["Asked", "ask_everything", "passage_name", "system_folder"]

Keep: TypeAlias = Callable[[Path, str, list["Asked"]], None]
"""``keep(folder, system, asked)``."""

FORMAT = 1
READ_AT_MOST = 2400
"""Characters of quotes that any measure looks at; citations past them are not kept."""
KEPT_CITATIONS = 5
KEPT_PASSAGES = 5
"""Passages kept with their text; of the others the place is kept."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came back from one question, as far as measures need it.

    Attributes:
        error: Why the question was refused; everything below is then empty or NaN.
        quotes: Where its citations stand, best first.
        exact: How many of them are what stands there.
        ranked: Where its passages stand, best first.
        relevant: Passages that hold the gold evidence, among all there are.
        shown: The first three quotes.
        words: The exact words of the first, None where there are none.
    """

    id: str
    error: str | None
    found: bool
    confidence: float
    quotes: tuple[Place, ...]
    exact: int
    ranked: tuple[Place, ...]
    relevant: tuple[Place, ...]
    milliseconds: float
    shown: tuple[str, ...]
    words: str | None = None


@dataclass(slots=True)
class _Track:
    """One system on its way through the questions."""

    system: System
    done: dict[str, Asked]
    file: TextIO | None

    def keep(self, line: dict[str, Any]) -> None:
        """Take in what came back from a question."""
        self.done[line["id"]] = _asked_of(line)
        if self.file:
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()


@dataclass(frozen=True, slots=True)
class _Options:
    """How questions are asked, and who is told."""

    k: int
    history: bool
    total: int
    progress: Progress | None


def ask_everything(
    dataset: Dataset,
    systems: Sequence[System],
    *,
    k: int,
    pooled: bool,
    history: bool = True,
    out: Path | None = None,
    resume: bool = False,
    options: Mapping[str, Any] | None = None,
    keep: Keep | None = None,
    progress: Progress | None = None,
) -> list[list[Asked]]:
    """Ask all questions of all systems, article by article, one system after the other.

    Args:
        dataset: The questions.
        systems: Who is asked; they take turns at every article, so that whatever else the
            machine does meets them all alike.
        k: Citations asked for.
        pooled: Whether all documents are asked together.
        history: Whether a turn of a conversation is asked with those before it.
        out: Folder to keep everything in.
        resume: Go on with what is in it.
        options: What else must be the same for a run to be taken up again.
        keep: Called with each system's folder and what came back, however the asking ends.
        progress: Called as it advances.

    Returns:
        For each system what came back, in the data set's order.

    Raises:
        DataError: The folder holds another run, or one that was not to be resumed.
    """
    with ExitStack() as stack:
        tracks = []
        for system in systems:
            settings = {
                "format": FORMAT,
                "data": dataset.name,
                "digest": dataset.digest,
                "system": system.name,
                "model": system.model,
                "k": k,
                "pooled": pooled,
                "history": history,
                **(options or {}),
            }
            track = _track(system, settings, out, resume, stack)
            if out and keep:
                stack.callback(_keep, keep, track, system_folder(out, system.name))
            tracks.append(track)
        asking = _Options(k, history, len(dataset.questions), progress)
        for documents, questions in _groups(dataset, pooled):
            for track in tracks:
                _ask_group(track, documents, questions, asking)
    return [
        [track.done[question.id] for question in dataset.questions if question.id in track.done]
        for track in tracks
    ]


def _keep(keep: Keep, track: _Track, folder: Path) -> None:
    keep(folder, track.system.name, list(track.done.values()))


def system_folder(out: Path, system: str) -> Path:
    """Where a system's files go."""
    return out if system == "article-qa" else out / system


def _groups(dataset: Dataset, pooled: bool) -> Iterator[tuple[list[Document], list[Question]]]:
    """Documents that are open together, and the questions asked of them."""
    if pooled:
        yield list(dataset.documents.values()), list(dataset.questions)
        return
    for name, group in groupby(dataset.questions, key=lambda question: question.document):
        document = dataset.documents.get(name or "")
        yield [document] if document else [], list(group)


def _ask_group(
    track: _Track,
    documents: list[Document],
    questions: list[Question],
    options: _Options,
) -> None:
    """Ask what has not been asked yet, and keep each answer at once."""
    if all(question.id in track.done for question in questions):
        return
    texts = {document.id: document.article.text for document in documents}
    reader = _opened(track.system, documents, options.progress)
    earlier: list[Answer] = []
    for question in questions:
        # A conversation is asked from its beginning again: its turns stand on each other.
        if question.id in track.done and question.turn is None:
            continue
        line: dict[str, Any]
        try:
            if isinstance(reader, str):
                raise QuestionError(reader)
            history = earlier if options.history else ()
            located = _trimmed(reader.ask(question.text, k=options.k, history=history))
            line = _line_of(question, located, reader, texts)
            earlier += [located.answer] if question.turn is not None else []
        except QuestionError as error:
            line = {"id": question.id, "error": str(error)}
        if question.id not in track.done:
            track.keep(line)
            if options.progress:
                options.progress(f"asking {track.system.name}", len(track.done), options.total)


def _opened(system: System, documents: list[Document], progress: Progress | None) -> Reader | str:
    """The documents, ready to be asked; or why they cannot be."""
    if not documents:
        return "its document is empty"
    try:
        return system.open(documents, progress)
    except SourceError as error:
        return str(error)


def _track(
    system: System, settings: dict[str, Any], out: Path | None, resume: bool, stack: ExitStack
) -> _Track:
    """Where a system's answers go, and those that are there already."""
    if out is None:
        return _Track(system, {}, None)
    folder = system_folder(out, system.name)
    manifest, answers = folder / "run.json", folder / "answers.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        done = _resumed(manifest, answers, settings, resume)
        if not done:
            manifest.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        file = answers.open("a" if done else "w", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{folder}: cannot keep the run there: {error}") from error
    return _Track(system, done, stack.enter_context(file))


def _resumed(
    manifest: Path, answers: Path, settings: dict[str, Any], resume: bool
) -> dict[str, Asked]:
    """What an earlier run left, cut to its last whole line."""
    if not answers.exists() or not answers.stat().st_size:
        return {}
    if not resume:
        raise DataError(
            f"{answers} holds a run already; go on with it (--resume) or name another folder"
        )
    try:
        before = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{manifest}: cannot be read, so the run cannot go on: {error}") from error
    for name, value in settings.items():
        if before.get(name) != value:
            raise DataError(
                f"{manifest}: field {name!r} is {before.get(name)!r}, and now {value!r};"
                " a run goes on only with the options it began with"
            )
    done: dict[str, Asked] = {}
    with answers.open("r+b") as file:
        whole = 0
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                break  # the interruption came in the middle of it
            try:
                asked = _asked_of(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f"{answers}: line {number}: not a kept answer: {error!r}"
                ) from error
            done[asked.id] = asked
            whole += len(line)
        file.truncate(whole)
        os.fsync(file.fileno())
    return done


def _trimmed(located: Located) -> Located:
    """The answer without what no measure looks at: a tenth of the bytes."""
    kept, read = 0, 0
    for _, start, end in located.quotes:
        if read >= READ_AT_MOST and kept >= KEPT_CITATIONS:
            break
        kept, read = kept + 1, read + end - start
    answer = replace(
        located.answer,
        citations=located.answer.citations[:kept],
        passages=located.answer.passages[:KEPT_PASSAGES],
    )
    return replace(located, answer=answer, quotes=located.quotes[:kept])


def _line_of(
    question: Question, located: Located, reader: Reader, texts: Mapping[str, str]
) -> dict[str, Any]:
    """What is kept of a question, as JSON."""
    answer = located.answer
    exact = sum(
        texts[name][start:end] == citation.quote
        and citation.passage.start <= start
        and end <= citation.passage.end
        for (name, start, end), citation in zip(located.quotes, answer.citations, strict=True)
    )
    relevant: set[Place] = set()
    if question.gold:
        gold = [(question.document or "", start, end) for start, end in question.gold]
        own = {p for p in (*reader.passages, *located.ranked) if p[0] == question.document}
        relevant = relevant_passages(own, gold)
    return {
        "id": question.id,
        "question": question.text,
        "milliseconds": round(located.milliseconds, 3),
        "quotes": located.quotes,
        "exact": exact,
        "ranked": located.ranked,
        "relevant": sorted(relevant),
        "answer": answer.to_dict(),
    }


def _asked_of(line: Mapping[str, Any]) -> Asked:
    """What measures need of a kept question."""
    if "error" in line:
        nan = float("nan")
        return Asked(str(line["id"]), str(line["error"]), False, nan, (), 0, (), (), nan, ())
    answer = line["answer"]
    return Asked(
        id=str(line["id"]),
        error=None,
        found=bool(answer["found"]),
        confidence=float(answer["confidence"]),
        quotes=_places(line["quotes"]),
        exact=int(line["exact"]),
        ranked=_places(line["ranked"]),
        relevant=_places(line["relevant"]),
        milliseconds=float(line["milliseconds"]),
        shown=tuple(citation["quote"] for citation in answer["citations"][:3]),
        words=next((c["exact"]["text"] for c in answer["citations"][:1] if c.get("exact")), None),
    )


def _places(values: Sequence[Sequence[Any]]) -> tuple[Place, ...]:
    return tuple((str(name), int(start), int(end)) for name, start, end in values)


def passage_name(place: Place) -> str:
    """A passage's id in TREC files, which white space would break."""
    return f"{'_'.join(place[0].split())}:{place[1]}-{place[2]}"
