"""What is kept of a question that was asked: a line of JSON, and what measures need of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qa.evaluation.datasets import Question
from qa.evaluation.measures import Place, relevant_passages
from qa.evaluation.systems import Located, Reader

__all__ = ["Asked", "asked_of", "line_of", "passage_name", "trimmed"]

READ_AT_MOST = 2400
"""Characters of quotes that any measure looks at; citations past them are not kept."""
KEPT_CITATIONS = 5
KEPT_PASSAGES = 5
"""Passages kept with their text; of the others the place is kept."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came back from one question, as far as measures need it.

    Attributes:
        id: The question's.
        error: Why it was refused; everything below is then empty.
        found: What the answer says.
        confidence: What the answer says, NaN where refused.
        quotes: Where its citations stand, best first.
        exact: How many of them are what stands there.
        ranked: Where its passages stand, best first.
        relevant: Passages that hold the gold evidence, among all there are.
        milliseconds: What asking took, NaN where refused.
        shown: The first three quotes.
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


def trimmed(located: Located) -> Located:
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


def line_of(
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


def asked_of(line: Mapping[str, Any]) -> Asked:
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
    )


def _places(values: Sequence[Sequence[Any]]) -> tuple[Place, ...]:
    return tuple((str(name), int(start), int(end)) for name, start, end in values)


def passage_name(place: Place) -> str:
    """A passage's id in TREC files, which white space would break."""
    return f"{'_'.join(place[0].split())}:{place[1]}-{place[2]}"
