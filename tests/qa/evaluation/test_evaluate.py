"""The whole way, from a file to a verdict, with the real bot."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import qa.evaluation
from index import DataError
from qa.cli import parse
from qa.commands.evaluate import BELOW_THE_GATE
from qa.evaluation import Report, evaluate

BUNDLED = Path(__file__).parents[2] / "data" / "bundled_questions.jsonl"
MILL = "Ann Hale built the mill in 1820. It ground rye for the valley. Its wheel broke in 1893."
FISH = "Herring spawn in spring. Their eggs stick to weed. Cod hunt the herring in deep water."


def qa_of(name: str, question: str, context: str, answer: str | None) -> dict[str, object]:
    answers = [{"text": answer, "answer_start": context.index(answer)}] if answer else []
    return {"id": name, "question": question, "answers": answers, "is_impossible": not answer}


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    mill = [
        qa_of("who", "Who built the mill?", MILL, "Ann Hale"),
        qa_of("what", "What did the mill grind?", MILL, "rye"),
        qa_of("price", "How much did the mill cost?", MILL, None),
    ]
    fish = [
        qa_of("when", "When do herring spawn?", FISH, "in spring"),
        qa_of("bad", "What do cod hunt?", FISH, "herring"),
    ]
    fish[1]["answers"] = [{"text": "herring", "answer_start": 3}]
    articles = [("Mill", MILL, mill), ("Fish", FISH, fish)]
    data = {
        "version": "2.0",
        "data": [
            {"title": title, "paragraphs": [{"context": context, "qas": qas}]}
            for title, context, qas in articles
        ],
    }
    path = tmp_path / "squad.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_a_data_set_is_asked_and_measured(squad: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    seen: list[str] = []
    report = evaluate(squad, run=out, progress=lambda what, done, total: seen.append(what))
    assert (report.n_questions, report.n_judged, report.n_refused) == (5, 4, 0)
    assert report.measures["answer@300"].value == 1
    assert report.measures["citation exactness"].value == 1
    assert report.measures["AUROC"].n == 5
    assert [p.what for p in report.problems] == ["gold span not in its text", "no usable gold"]
    assert "asking article-qa" in seen
    assert {path.name for path in out.iterdir()} == {
        "answers.jsonl",
        "qrels.trec",
        "report.json",
        "run.json",
        "run.trec",
        "scores.jsonl",
    }
    scored = json.loads((out / "scores.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert scored["question"] == "Who built the mill?"
    assert scored["gold"]
    assert scored["gold"][0] in scored["quotes"][0]
    assert scored["scores"]["answer@300"] == 1
    assert scored["milliseconds"] > 0
    kept = json.loads((out / "answers.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert qa.Answer.from_dict(kept["answer"]).question == "Who built the mill?"


def test_the_same_run_twice_is_no_different(squad: Path, tmp_path: Path) -> None:
    first = evaluate(squad, run=tmp_path / "out")
    again = evaluate(squad, run=tmp_path / "out", resume=True, compare_with=tmp_path / "out")
    assert again.measures == first.measures
    assert again.compared is not None
    assert again.compared.unpaired == 0
    assert {difference.p for difference in again.compared.differences.values()} == {1}
    assert "against" in str(again)


def test_pooled_finds_the_right_article(squad: Path) -> None:
    report = evaluate(squad, pooled=True)
    assert report.measures["R@1"].value == 1
    assert report.measures["citation exactness"].value == 1


def test_a_collection_is_ranked_by_document(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    corpus = [{"_id": "m", "text": MILL}, {"_id": "f", "text": FISH}]
    queries = [{"_id": "1", "text": "mill wheel"}, {"_id": "2", "text": "herring eggs"}]
    for name, lines in (("corpus", corpus), ("queries", queries)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    qrels = "query-id\tcorpus-id\tscore\n1\tm\t1\n2\tf\t1\n"
    (tmp_path / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")
    report = evaluate(tmp_path)
    assert report.measures["nDCG@10"].value == 1
    assert report.options == {"k": 100, "pooled": True}


def test_strangers_and_a_limit(squad: Path) -> None:
    report = evaluate(squad, limit=3, off_article=2)
    assert report.n_questions == 5
    assert report.measures["AUROC, off-article"].value == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"k": 0}, "k must be from 1"),
        ({"k": 101}, "k must be from 1"),
        ({"limit": 0}, "limit must be at least 1"),
        ({"sample": 0}, "sample must be at least 1"),
        ({"sample": 2, "limit": 2}, "not both"),
        ({"off_article": -1}, "cannot be -1"),
        ({"off_article": 1, "pooled": True}, "no question is off the article"),
        ({"baseline": "langchain"}, "the only baseline is 'plain'"),
        ({"resume": True}, "name the run's folder"),
        ({"compare_with": "nowhere"}, "'nowhere' holds no run to compare with"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    squad: Path, options: dict[str, object], complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        evaluate(squad, **options)  # type: ignore[arg-type]


def test_a_run_on_other_data_is_not_compared_with(squad: Path, tmp_path: Path) -> None:
    evaluate(squad, run=tmp_path / "out", limit=1)
    with pytest.raises(DataError, match="a run on other data"):
        evaluate(BUNDLED, compare_with=tmp_path / "out")


def command(arguments: Sequence[object]) -> int:
    parsed = parse(["evaluate", *map(str, arguments)])
    status: int = parsed.command(parsed)
    return status


def gate(folder: Path, floor: float) -> Path:
    path = folder / "gate.json"
    path.write_text(json.dumps({"floors": {"answer@300": floor}}), encoding="utf-8")
    return path


def test_the_command_prints_the_table_and_the_errors(
    squad: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [squad, "--show-errors", "--plots", tmp_path / "p.png"]
    assert command([*arguments, "--gate", gate(tmp_path, 0.5)]) == 0
    shown = capsys.readouterr().out
    assert "| answer@300" in shown
    assert "questions answered wrong" in shown
    assert (tmp_path / "p.png").is_file()


def test_the_command_fails_below_the_gate(
    squad: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [squad, "--json", "--show-errors", "1", "--gate", gate(tmp_path, 1.1)]
    assert command(arguments) == BELOW_THE_GATE == 3
    captured = capsys.readouterr()
    assert json.loads(captured.out)["data"] == "squad.json"
    assert "answer@300 is 1.0000, and must be at least 1.1" in captured.err


def test_a_broken_gate_is_found_before_the_work(squad: Path, tmp_path: Path) -> None:
    (tmp_path / "gate.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="not JSON"):
        command([squad, "--gate", tmp_path / "gate.json"])


def test_all_is_exported_and_documented() -> None:
    for name in qa.evaluation.__all__:
        assert getattr(qa.evaluation, name).__doc__


def test_a_report_carries_what_it_was_made_of(squad: Path) -> None:
    report = evaluate(squad, limit=2)
    assert isinstance(report, Report)
    assert len(report.rows) == 2
    assert report.to_dict()["options"] == {"k": 30, "pooled": False, "limit": 2}


def test_importing_qa_does_not_import_the_evaluation() -> None:
    code = "import sys, qa; print([m for m in sys.modules if m.startswith('qa.evaluation')])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_the_evaluation_imports_neither_torch_nor_its_extra_before_it_is_asked() -> None:
    heavy = "torch", "matplotlib", "ir_measures", "sentence_transformers"
    code = f"import sys, qa.evaluation; print([m for m in {heavy!r} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
