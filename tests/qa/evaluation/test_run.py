"""Every question is asked once and kept, whatever happens in between."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from index import Article, DataError, QuestionError
from index.article import Block, BlockKind
from index.models.encoder import Progress
from qa import Answer, Citation, PassageRef
from qa.citing.cite import article_ref
from qa.evaluation import Dataset, Document, Question
from qa.evaluation.measures import Place
from qa.evaluation.run import ask_everything, passage_name
from qa.evaluation.systems import Located

TEXTS = {"one": "Ann sang. Bob slept.", "two": "Rain fell. Snow lay."}
SPANS = ((0, 9), (10, 20))


def document(name: str) -> Document:
    text = TEXTS[name]
    article = Article(text=text, blocks=(Block(BlockKind.PARAGRAPH, 0, len(text)),))
    return Document(name, article, ((0, len(text)),))


def dataset(*questions: Question, evidence: str = "spans") -> Dataset:
    return Dataset(
        name="tiny",
        form="squad",
        evidence=evidence,  # type: ignore[arg-type]
        documents={name: document(name) for name in TEXTS},
        questions=questions,
        problems=(),
        digest="d1",
    )


QUESTIONS = (
    Question("q1", "Who sang?", "one", True, ((0, 3),)),
    Question("q2", "Who slept?", "one", True, ((10, 13),)),
    Question("q3", "What fell?", "two", True, ((0, 4),)),
)


@dataclass
class Parrot:
    """Quotes each text's sentences in order; stops where it is told to."""

    name: str = "article-qa"
    model: str = "parrot"
    stop_at: str | None = None
    asked: list[tuple[str, int]] = field(default_factory=list)
    opened: list[list[str]] = field(default_factory=list)

    def open(self, documents: Sequence[Document], progress: Progress | None = None) -> Cage:
        self.opened.append([document.id for document in documents])
        return Cage(self, documents)


@dataclass
class Cage:
    parrot: Parrot
    documents: Sequence[Document]

    @property
    def passages(self) -> list[Place]:
        return [(document.id, *span) for document in self.documents for span in SPANS]

    def ask(self, question: str, *, k: int, history: Sequence[Answer] = ()) -> Located:
        if question == self.parrot.stop_at:
            raise KeyboardInterrupt
        if not question.strip():
            raise QuestionError("the question is empty")
        self.parrot.asked.append((question, len(history)))
        places = self.passages[:k]
        by_id = {document.id: document.article for document in self.documents}
        citations = tuple(
            Citation(
                number,
                by_id[name].text[start:end],
                start,
                end,
                1.0,
                PassageRef(by_id[name].text[start:end], start, end, None, 0, None, 1.0),
                article_ref(by_id[name]),
            )
            for number, (name, start, end) in enumerate(places, 1)
        )
        answer = Answer(question, None, True, 0.75, citations, tuple(c.passage for c in citations))
        return Located(answer, tuple(places), tuple(places), 2.5)


def test_each_article_is_opened_once_and_asked_its_questions() -> None:
    parrot = Parrot()
    (asked,) = ask_everything(dataset(*QUESTIONS), [parrot], k=5, pooled=False)
    assert parrot.opened == [["one"], ["two"]]
    assert [answer.id for answer in asked] == ["q1", "q2", "q3"]
    assert asked[1].quotes == (("one", 0, 9), ("one", 10, 20))
    assert asked[1].relevant == (("one", 10, 20),)
    assert asked[1].exact == 2
    assert asked[1].milliseconds == 2.5


def test_pooled_opens_all_articles_together() -> None:
    parrot = Parrot()
    (asked,) = ask_everything(dataset(*QUESTIONS), [parrot], k=5, pooled=True)
    assert parrot.opened == [["one", "two"]]
    assert asked[2].relevant == (("two", 0, 9),)


def test_systems_take_turns_at_every_article() -> None:
    ours, plain = Parrot(), Parrot(name="plain")
    both = ask_everything(dataset(*QUESTIONS), [ours, plain], k=5, pooled=False)
    assert [len(asked) for asked in both] == [3, 3]
    assert ours.opened == plain.opened


def test_a_refused_question_is_kept_with_its_reason() -> None:
    blank = replace(QUESTIONS[1], text=" ")
    lost = replace(QUESTIONS[2], document="nowhere")
    (asked,) = ask_everything(dataset(QUESTIONS[0], blank, lost), [Parrot()], k=5, pooled=False)
    assert [answer.error for answer in asked] == [
        None,
        "the question is empty",
        "its document is empty",
    ]


def test_a_question_is_asked_after_the_turns_before_it() -> None:
    turns = [Question(f"t{n}", f"Turn {n}?", "one", True, ((0, 1),), turn=n) for n in range(3)]
    other = Question("u0", "Other?", "two", True, ((0, 1),), turn=0)
    data = dataset(*turns, other, evidence="turns")
    parrot, deaf = Parrot(), Parrot()
    ask_everything(data, [parrot], k=5, pooled=False)
    assert [length for _, length in parrot.asked] == [0, 1, 2, 0]
    ask_everything(data, [deaf], k=5, pooled=False, history=False)
    assert [length for _, length in deaf.asked] == [0, 0, 0, 0]


def interrupted(out: Path, data: Dataset, at: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        ask_everything(data, [Parrot(stop_at=at)], k=5, pooled=False, out=out)


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    data = dataset(*QUESTIONS)
    interrupted(tmp_path, data, "What fell?")
    parrot = Parrot()
    (asked,) = ask_everything(data, [parrot], k=5, pooled=False, out=tmp_path, resume=True)
    assert parrot.asked == [("What fell?", 0)]
    assert parrot.opened == [["two"]]
    assert asked == ask_everything(data, [Parrot()], k=5, pooled=False)[0]
    lines = (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["q1", "q2", "q3"]


def test_a_conversation_goes_on_with_its_own_turns(tmp_path: Path) -> None:
    turns = [Question(f"t{n}", f"Turn {n}?", "one", True, ((0, 1),), turn=n) for n in range(3)]
    data = dataset(*turns, evidence="turns")
    interrupted(tmp_path, data, "Turn 2?")
    parrot = Parrot()
    ask_everything(data, [parrot], k=5, pooled=False, out=tmp_path, resume=True)
    assert parrot.asked[-1] == ("Turn 2?", 2)
    assert len((tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()) == 3


def test_half_a_line_is_asked_again(tmp_path: Path) -> None:
    data = dataset(*QUESTIONS)
    ask_everything(data, [Parrot()], k=5, pooled=False, out=tmp_path)
    answers = tmp_path / "answers.jsonl"
    answers.write_bytes(answers.read_bytes()[:-30])
    parrot = Parrot()
    ask_everything(data, [parrot], k=5, pooled=False, out=tmp_path, resume=True)
    assert parrot.asked == [("What fell?", 0)]
    assert all(json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines())


def test_a_run_is_not_written_over(tmp_path: Path) -> None:
    data = dataset(*QUESTIONS)
    ask_everything(data, [Parrot()], k=5, pooled=False, out=tmp_path)
    before = (tmp_path / "answers.jsonl").read_bytes()
    with pytest.raises(DataError, match="--resume"):
        ask_everything(data, [Parrot()], k=5, pooled=False, out=tmp_path)
    assert (tmp_path / "answers.jsonl").read_bytes() == before


def test_another_run_is_not_gone_on_with(tmp_path: Path) -> None:
    data = dataset(*QUESTIONS)
    ask_everything(data, [Parrot()], k=5, pooled=False, out=tmp_path)
    with pytest.raises(DataError, match="field 'k' is 5, and now 7"):
        ask_everything(data, [Parrot()], k=7, pooled=False, out=tmp_path, resume=True)
    other = replace(data, digest="d2")
    with pytest.raises(DataError, match="field 'digest'"):
        ask_everything(other, [Parrot()], k=5, pooled=False, out=tmp_path, resume=True)


def test_a_damaged_run_is_refused(tmp_path: Path) -> None:
    data = dataset(*QUESTIONS)
    ask_everything(data, [Parrot()], k=5, pooled=False, out=tmp_path)
    (tmp_path / "answers.jsonl").write_text('{"id": "q1"}\n', encoding="utf-8")
    with pytest.raises(DataError, match="line 1: not a kept answer"):
        ask_everything(data, [Parrot()], k=5, pooled=False, out=tmp_path, resume=True)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="cannot keep the run there"):
        ask_everything(
            dataset(*QUESTIONS), [Parrot()], k=5, pooled=False, out=tmp_path / "file" / "out"
        )


def test_whoever_keeps_more_is_told_even_of_half_a_run(tmp_path: Path) -> None:
    kept: list[tuple[Path, str, int]] = []
    with pytest.raises(KeyboardInterrupt):
        ask_everything(
            dataset(*QUESTIONS),
            [Parrot(stop_at="What fell?"), Parrot(name="plain")],
            k=5,
            pooled=False,
            out=tmp_path,
            keep=lambda folder, system, asked: kept.append((folder, system, len(asked))),
        )
    assert sorted(kept) == [(tmp_path, "article-qa", 2), (tmp_path / "plain", "plain", 2)]


def test_names_in_trec_files_hold_no_space() -> None:
    assert passage_name(("Super Bowl\t50", 3, 9)) == "Super_Bowl_50:3-9"
