"""From what came back to a question's measures, each worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import ir_measures
import pytest

from index import Article, DataError
from index.article import Block, BlockKind
from qa.evaluation import Dataset, Document, Question
from qa.evaluation.judge import Row, judge, read_rows, write_rows, write_trec
from qa.evaluation.measures import Place
from qa.evaluation.run import Asked

TEXT = "x" * 4000
ARTICLE = Article(text=TEXT, blocks=(Block(BlockKind.PARAGRAPH, 0, len(TEXT)),))


def data(*questions: Question, evidence: str = "spans", sentences: tuple = ()) -> Dataset:
    return Dataset(
        name="d",
        form="f",
        evidence=evidence,  # type: ignore[arg-type]
        documents={"a": Document("a", ARTICLE, ((0, 4000),), sentences)},
        questions=questions,
        problems=(),
        digest="",
    )


def came_back(name: str, *quotes: Place, **fields: object) -> Asked:
    asked = Asked(name, None, True, 0.5, quotes, len(quotes), quotes, (), 3.0, ())
    return replace(asked, **fields)  # type: ignore[arg-type]


def judged(question: Question, asked: Asked, **options: object) -> Row:
    return judge(data(question, **options), [asked])[0]  # type: ignore[arg-type]


SPAN = Question("q", "?", "a", True, ((500, 510), (1000, 1005)))


def test_answers_are_read_quote_after_quote() -> None:
    row = judged(SPAN, came_back("q", ("a", 0, 250), ("a", 400, 800), ("a", 990, 1010)))
    assert [row.scores[f"answer@{n}"] for n in (300, 600, 1200, 2400)] == [0, 1, 1, 1]
    assert (row.scores["citation@1"], row.scores["citation@3"]) == (0, 1)
    assert row.correct is False  # which the first citation decides
    assert row.scores["citation exactness"] == 1


def test_passages_are_ranked() -> None:
    ranked = (("a", 0, 100), ("a", 400, 600), ("a", 900, 1100))
    relevant = (("a", 400, 600), ("a", 900, 1100))
    row = judged(SPAN, came_back("q", ranked=ranked, relevant=relevant))
    assert [row.scores[f"R@{k}"] for k in (1, 3, 5)] == [0, 1, 1]
    assert row.scores["MRR"] == 0.5
    ideal = 1 + 1 / math.log2(3)
    assert row.scores["nDCG@10"] == pytest.approx((1 / math.log2(3) + 0.5) / ideal)


def test_the_order_of_passages_is_that_of_the_answer_not_of_their_names() -> None:
    ranked = tuple(("a", at, at + 10) for at in (900, 100, 500, 300))
    for place, rank in zip(ranked, (1, 2, 3, 4), strict=True):
        row = judged(SPAN, came_back("q", ranked=ranked, relevant=(place,)))
        assert row.scores["MRR"] == pytest.approx(1 / rank)


def test_a_refused_question_scores_nothing() -> None:
    refused = came_back("q", error="no", confidence=math.nan, milliseconds=math.nan, found=False)
    row = judged(SPAN, refused)
    assert set(row.scores.values()) == {0.0}
    assert {"answer@300", "R@1", "MRR"} <= row.scores.keys()
    assert row.correct is False


def test_what_cannot_be_judged_is_not() -> None:
    row = judged(replace(SPAN, gold=()), came_back("q", ("a", 0, 9)))
    assert row.correct is None
    assert set(row.scores) == {"citation exactness"}


def test_an_unanswerable_question_is_never_answered_right() -> None:
    row = judged(Question("q", "?", "a", False), came_back("q", ("a", 0, 9)))
    assert (row.correct, set(row.scores)) == (False, {"citation exactness"})


def test_sentences_are_matched_as_sets() -> None:
    sentences = ((0, 100), (101, 200), (201, 300), (301, 400))
    question = Question("q", "?", "a", True, ((101, 200), (301, 400)))
    quotes = (("a", 101, 200), ("a", 0, 100), ("a", 310, 400), ("a", 201, 300))
    row = judged(question, came_back("q", *quotes), evidence="sentences", sentences=sentences)
    assert row.scores["sentence P@3"] == pytest.approx(2 / 3)
    assert row.scores["sentence R@3"] == 1
    assert row.scores["sentence F1@3"] == pytest.approx(0.8)
    assert row.scores["sentence R-precision"] == 0.5
    assert row.correct is True


def test_a_turn_is_judged_by_its_middle_from_the_second_on() -> None:
    first, later = (Question("q", "?", "a", True, ((5, 6),), turn=turn) for turn in (0, 1))
    assert "evidence@300" not in judged(first, came_back("q", ("a", 0, 9)), evidence="turns").scores
    assert judged(later, came_back("q", ("a", 0, 9)), evidence="turns").scores["evidence@300"] == 1


def test_documents_are_found_with_their_first_passage() -> None:
    question = Question("q", "?", None, True, relevant=(("a", 1), ("b", 2), ("c", 0)))
    ranked = (("c", 0, 5), ("c", 5, 9), ("a", 0, 5), ("c", 9, 12), ("b", 0, 5))
    row = judged(question, came_back("q", *ranked), evidence="documents")
    assert row.scores["MRR"] == 0.5  # c once, then a
    assert row.scores["recall@10"] == 1
    expected = (1 / math.log2(3) + 2 / math.log2(4)) / (2 + 1 / math.log2(3))
    assert row.scores["nDCG@10"] == pytest.approx(expected)
    assert row.correct is False  # c came first
    assert "R@1" not in row.scores


def test_trec_files_give_other_tools_the_same_measures(tmp_path: Path) -> None:
    ranked = (("a", 0, 100), ("a", 400, 600), ("a", 900, 1100))
    asked = [
        came_back("q", ranked=ranked, relevant=ranked[1:]),
        came_back("r s", ranked=ranked, relevant=ranked[:1]),
    ]
    dataset = data(SPAN, replace(SPAN, id="r s"))
    write_trec(dataset, asked, tmp_path, "article-qa")
    run = (tmp_path / "run.trec").read_text(encoding="utf-8").splitlines()
    assert run[3] == "r_s Q0 a:0-100 1 3 article-qa"
    measures = ir_measures.calc_aggregate(
        [ir_measures.RR, ir_measures.nDCG @ 10],
        ir_measures.read_trec_qrels(str(tmp_path / "qrels.trec")),
        ir_measures.read_trec_run(str(tmp_path / "run.trec")),
    )
    rows = judge(dataset, asked)
    assert measures[ir_measures.RR] == sum(row.scores["MRR"] for row in rows) / 2 == 0.75
    ours = sum(row.scores["nDCG@10"] for row in rows) / 2
    assert measures[ir_measures.nDCG @ 10] == pytest.approx(ours)


def test_names_that_no_encoding_has_are_written_all_the_same(tmp_path: Path) -> None:
    asked = [came_back("\ud800", relevant=(("a", 0, 9),))]
    write_trec(data(replace(SPAN, id="\ud800")), asked, tmp_path, "x")
    assert (tmp_path / "qrels.trec").read_text(encoding="utf-8") == "\\ud800 0 a:0-9 1\n"


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    refused = Row("b", None, True, False, math.nan, None, math.nan, {"MRR": 0.25})
    rows = (Row("a", "near", False, True, 0.5, False, 2.0, {}), refused)
    write_rows(rows, tmp_path / "scores.jsonl")
    again = read_rows(tmp_path / "scores.jsonl")
    assert again[0] == rows[0]
    assert math.isnan(again[1].confidence)
    assert again[1].scores == refused.scores


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{}", "line 1: field 'scores' is missing"),
        ('{"scores": {"MRR": "x"}}', "line 1: field 'scores.MRR' must be a number, not 'x'"),
    ],
)
def test_malformed_rows_are_refused(tmp_path: Path, line: str, complaint: str) -> None:
    (tmp_path / "scores.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(DataError, match=complaint):
        read_rows(tmp_path / "scores.jsonl")
    with pytest.raises(DataError, match="no such file"):
        read_rows(tmp_path / "none.jsonl")
