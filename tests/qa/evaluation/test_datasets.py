"""Which data is read, and what becomes of data that is wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index import Article, DataError
from qa import ArticleBot
from qa.evaluation import Dataset, read_dataset
from qa.evaluation.datasets import OFF_ARTICLE, sampled, with_off_article
from qa.sharing.feedback import FeedbackFile, Verdict, feedback_record

CONTEXTS = ["Ann built the mill in 1820. It ground rye.", "Bob bought it later. He was poor."]


def write(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def write_lines(path: Path, *values: object) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return path


def squad(*questions: list[dict[str, Any]], title: str = "The_mill") -> dict[str, Any]:
    paragraphs = [
        {"context": context, "qas": qas} for context, qas in zip(CONTEXTS, questions, strict=True)
    ]
    return {"version": "1.1", "data": [{"title": title, "paragraphs": paragraphs}]}


def qa(name: str, *answers: tuple[str, int], **fields: object) -> dict[str, Any]:
    return {
        "id": name,
        "question": f"What is {name}?",
        "answers": [{"text": text, "answer_start": start} for text, start in answers],
        **fields,
    }


def golds(dataset: Dataset, name: str) -> list[str]:
    question = next(question for question in dataset.questions if question.id == name)
    text = dataset.documents[question.document or ""].article.text
    return [text[start:end] for start, end in question.gold]


def test_squad_is_one_article_of_paragraphs_joined_by_a_blank_line(tmp_path: Path) -> None:
    data = squad([qa("a", ("Ann", 0), ("1820", 22))], [qa("b", ("Bob", 0))])
    dataset = read_dataset(write(tmp_path / "x.json", data))
    document = dataset.documents["The_mill"]
    assert document.article.text == "\n\n".join(CONTEXTS)
    assert document.article.title == "The mill"
    assert [document.article.text[a:b] for a, b in document.paragraphs] == CONTEXTS
    assert golds(dataset, "a") == ["Ann", "1820"]
    assert golds(dataset, "b") == ["Bob"]
    assert not dataset.problems


def test_squad_2_has_questions_without_an_answer(tmp_path: Path) -> None:
    data = squad([qa("a", is_impossible=True)], [qa("b", ("Bob", 0), is_impossible=False)])
    a, b = read_dataset(write(tmp_path / "x.json", data)).questions
    assert (a.answerable, b.answerable) == (False, True)
    assert a.judged


def test_a_gold_span_that_is_not_there_is_counted_and_the_question_kept(tmp_path: Path) -> None:
    data = squad([qa("a", ("Ann", 5), ("mill", 14)), qa("c", ("Zoe", 0))], [qa("b")])
    dataset = read_dataset(write(tmp_path / "x.json", data))
    assert golds(dataset, "a") == ["mill"]
    assert [question.judged for question in dataset.questions] == [True, False, False]
    assert [problem.what for problem in dataset.problems] == [
        "gold span not in its text",
        "gold span not in its text",
        "no usable gold",
        "no usable gold",
    ]
    assert "data[0].paragraphs[0].qas[0].answers[0]" in str(dataset.problems[0])


def test_a_negative_or_empty_span_is_not_in_its_text(tmp_path: Path) -> None:
    data = squad([qa("a", ("", 0), ("Ann", -3))], [])
    assert len(read_dataset(write(tmp_path / "x.json", data)).problems) == 3


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d: d["data"][0].pop("paragraphs"), r"data\[0\]: field 'paragraphs' is missing"),
        (lambda d: d.update(data=3), r"field 'data' must be a list, not 3"),
        (lambda d: d["data"].append("x"), r"data\[1\]: expected an object, found 'x'"),
        (
            lambda d: d["data"][0]["paragraphs"][1].update(context=None),
            r"data\[0\].paragraphs\[1\]: field 'context' must be text, not None",
        ),
        (
            lambda d: d["data"][0]["paragraphs"][0]["qas"][0]["answers"][0].update(
                answer_start=True
            ),
            r"qas\[0\].answers\[0\]: field 'answer_start' must be a whole number, not True",
        ),
        (
            lambda d: d["data"][0]["paragraphs"][0]["qas"][0].pop("question"),
            r"qas\[0\]: field 'question' is missing",
        ),
    ],
)
def test_malformed_squad_names_file_record_and_field(
    tmp_path: Path, change: Callable[[Any], object], complaint: str
) -> None:
    data = squad([qa("a", ("Ann", 0))], [])
    change(data)
    with pytest.raises(DataError, match=rf"broken\.json: .*{complaint}"):
        read_dataset(write(tmp_path / "broken.json", data))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"not json", "not JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
        (b'{"data": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"{}", "of no known form"),
        (b"3", "of no known form"),
        (b'{"x": 1}', "of no known form"),
        (b"[]", "holds no question"),
        (b'{"data": []}', "holds no question"),
        (b'{"question": "a?", "gold": []}\n{"question": 3}', "line 2: field 'question' must be"),
        (b'{"question": "a?"}\n{"question": ', "line 2: not JSON"),
        (b'{"question": "a?", "gold": [[1]]}', "line 1: field 'gold' must hold quotes"),
        (b'{"question": "a?", "answerable": "no"}', "line 1: field 'answerable' must be true or"),
        (b'{"question": "a?", "article": "no.txt"}', "line 1: field 'article' cannot be used"),
        (b'[{"context": "A b.", "turns": 3}]', r"\[0\]: field 'turns' must be a list"),
        (b'{"input": "a", "output": []}', "line 1: field 'passages' is missing"),
    ],
)
def test_what_is_no_data_is_refused_by_name(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=complaint) as raised:
        read_dataset(path)
    assert "odd.json" in str(raised.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_dataset(tmp_path / "nowhere.json")


def test_an_article_without_questions_or_text_is_counted(tmp_path: Path) -> None:
    data = squad([qa("a", ("Ann", 0))], [])
    data["data"].append({"title": "Idle", "paragraphs": [{"context": "A word.", "qas": []}]})
    data["data"].append({"title": "Void", "paragraphs": [{"context": "", "qas": [qa("v")]}]})
    dataset = read_dataset(write(tmp_path / "x.json", data))
    assert [problem.what for problem in dataset.problems] == [
        "article without questions",
        "empty document",
        "no usable gold",
    ]
    assert len(dataset.questions) == 2


def test_ids_that_repeat_are_told_apart(tmp_path: Path) -> None:
    data = squad([qa("a", ("Ann", 0)), qa("a", ("Ann", 0))], [])
    data["data"] *= 2
    dataset = read_dataset(write(tmp_path / "x.json", data))
    assert [question.id for question in dataset.questions] == ["a", "a#2", "a#3", "a#4"]
    assert list(dataset.documents) == ["The_mill", "The_mill#2"]
    assert {problem.what for problem in dataset.problems} == {"duplicate question id"}


def test_own_questions_have_quotes_or_offsets_and_articles_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "mill.txt").write_text("\n\n".join(CONTEXTS), encoding="utf-8")
    path = write_lines(
        tmp_path / "q.jsonl",
        {"id": "quote", "question": "Who?", "gold": ["Ann"], "article": "mill.txt", "kind": "who"},
        {"question": "Who wrote it?", "gold": ["Sayujya S"]},
        {"id": 7, "question": "When?", "gold": [[22, 26], "nowhere"], "article": "mill.txt"},
        {"id": "none", "question": "How?", "answerable": False, "article": "mill.txt"},
    )
    dataset = read_dataset(path)
    assert [question.id for question in dataset.questions] == ["quote", "7", "none", "1"]
    assert golds(dataset, "quote") == ["Ann"]
    assert golds(dataset, "7") == ["1820"]
    assert golds(dataset, "1") == ["Sayujya S"]
    assert dataset.questions[0].kind == "who"
    assert [(p.what, "line 3" in p.where) for p in dataset.problems] == [
        ("gold span not in its text", True)
    ]


def test_a_quote_counts_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Rye. Or rye. Or wheat (rye).", encoding="utf-8")
    path = write_lines(
        tmp_path / "q.jsonl", {"question": "x?", "gold": ["rye"], "article": "a.txt"}
    )
    assert read_dataset(path).questions[0].gold == ((8, 11), (23, 26))


@pytest.mark.parametrize("named", [{"answer": "rye"}, {"answers": ["rye"]}, {"gold": ["rye"]}])
def test_gold_may_be_called_answer_or_answers(tmp_path: Path, named: dict[str, object]) -> None:
    (tmp_path / "a.txt").write_text("They ground rye.", encoding="utf-8")
    path = write_lines(tmp_path / "q.jsonl", {"question": "x?", "article": "a.txt", **named})
    assert read_dataset(path).questions[0].gold == ((12, 15),)


def test_the_bundled_questions_are_whole() -> None:
    dataset = read_dataset(Path(__file__).parents[2] / "data" / "bundled_questions.jsonl")
    assert list(dataset.documents) == ["bundled"]
    assert not dataset.problems
    assert all(question.judged for question in dataset.questions)


def test_conversations_are_judged_by_the_middle_of_their_evidence(tmp_path: Path) -> None:
    turns = [
        {"question": "Who?", "evidence": "Ann", "evidence_start": 0},
        {"question": "When?", "evidence": "1820", "evidence_start": 22, "unanswerable": False},
        {"question": "Why?", "evidence": "CANNOTANSWER", "evidence_start": -1},
        {"question": "How?", "evidence": "Ann", "evidence_start": 0, "unanswerable": True},
        {"question": "Where?", "evidence": "Bob", "evidence_start": 0},
    ]
    path = write(
        tmp_path / "c.json",
        [{"id": "m", "title": "M.txt0", "context": CONTEXTS[0], "turns": turns}],
    )
    dataset = read_dataset(path)
    assert dataset.evidence == "turns"
    assert [question.turn for question in dataset.questions] == [0, 1, 2, 3, 4]
    assert [question.answerable for question in dataset.questions] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert [question.gold for question in dataset.questions] == [((1, 2),), ((24, 25),), (), (), ()]
    assert dataset.documents["m"].article.title == "M"
    assert [p.what for p in dataset.problems] == ["gold span not in its text", "no usable gold"]


def test_clapnq_has_sentences_that_any_annotator_selected(tmp_path: Path) -> None:
    sentences = ["It rained .", "It poured .", "It rained ."]
    line = {
        "id": "1",
        "input": "what fell",
        "passages": [{"title": "Rain", "text": " ".join(sentences), "sentences": sentences}],
        "output": [
            {"answer": "Rain.", "selected_sentences": ["It poured ."]},
            {"answer": "Rain.", "selected_sentences": ["It rained .", "It froze ."]},
        ],
    }
    empty = line | {"id": "2", "output": [{"answer": "", "selected_sentences": []}]}
    dataset = read_dataset(write_lines(tmp_path / "c.jsonl", line, empty))
    assert dataset.documents["1"].sentences == ((0, 11), (12, 23), (24, 35))
    assert dataset.questions[0].gold == ((0, 11), (12, 23))
    assert [question.answerable for question in dataset.questions] == [True, False]
    assert [problem.what for problem in dataset.problems] == ["gold span not in its text"]


def beir(folder: Path, qrels: str = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n") -> Path:
    (folder / "qrels").mkdir(parents=True)
    write_lines(
        folder / "corpus.jsonl",
        {"_id": "d1", "title": "Mills", "text": "They grind rye."},
        {"_id": "d2", "title": "", "text": "Boats float."},
    )
    write_lines(
        folder / "queries.jsonl", {"_id": "q1", "text": "grinding"}, {"_id": "q2", "text": "train"}
    )
    (folder / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")
    return folder


def test_a_beir_folder(tmp_path: Path) -> None:
    dataset = read_dataset(beir(tmp_path / "mini"))
    assert dataset.name == "mini"
    assert dataset.evidence == "documents"
    assert [d.article.text for d in dataset.documents.values()] == [
        "Mills They grind rye.",
        "Boats float.",
    ]
    (question,) = dataset.questions
    assert (question.id, question.document, question.relevant) == (
        "q1",
        None,
        (("d1", 2), ("d2", 0)),
    )
    assert [problem.what for problem in dataset.problems] == ["queries without judgements"]


@pytest.mark.parametrize(
    ("qrels", "complaint"),
    [
        ("q1\td1\n", "line 1: expected 3 columns, found 2"),
        ("query-id\tcorpus-id\tscore\nq1\td1\thigh\n", "line 2: field 'score' must be a whole"),
        ("query-id\tcorpus-id\tscore\n", "holds no question"),
    ],
)
def test_malformed_judgements_are_refused(tmp_path: Path, qrels: str, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        read_dataset(beir(tmp_path / "mini", qrels))


def test_judgements_of_what_is_not_there_are_counted(tmp_path: Path) -> None:
    dataset = read_dataset(beir(tmp_path / "mini", "q1\td9\t1\nq1\td1\t1\nq1\td1\t1\nq8\td1\t1\n"))
    assert [problem.what for problem in dataset.problems] == [
        "judged twice",
        "relevant document not in the corpus",
        "queries without judgements",
        "judgements of an unknown query",
    ]


def test_a_trec_folder_whose_judgements_count_the_topics(tmp_path: Path) -> None:
    (tmp_path / "docs.xml").write_text(
        "<doc><docno>1</docno><text>wings\nlift &amp; drag</text></doc>"
        "<doc><docno>2</docno><title>x</title><text></text></doc>",
        encoding="utf-8",
    )
    (tmp_path / "topics.xml").write_text(
        "<top><num> 1</num><title>\nwhat\nlifts</title></top>"
        "<top><num> 40</num><title>drag</title></top>",
        encoding="utf-8",
    )
    (tmp_path / "qrels.txt").write_text("1 0 1 1\n2 0 1 1\n", encoding="utf-8")
    dataset = read_dataset(tmp_path)
    assert [(question.id, question.text) for question in dataset.questions] == [
        ("1", "what lifts"),
        ("2", "drag"),
    ]
    assert dataset.documents["1"].article.text == "wings lift & drag"
    assert "topics numbered by position" in {problem.what for problem in dataset.problems}


def test_topics_that_do_not_close_their_fields_are_read(tmp_path: Path) -> None:
    (tmp_path / "docs.xml").write_text(
        "<doc><docno>LA-1</docno><text>gangs</text></doc>", encoding="utf-8"
    )
    topic = (
        "<top>\n\n<num> Number: 301\n<title> Organized\nCrime\n\n<desc> Description:\nWhich"
        " gangs?\n\n<narr> Narrative:\nAny.\n\n</top>\n"
    )
    (tmp_path / "topics.txt").write_text(topic, encoding="utf-8")
    (tmp_path / "qrels.txt").write_text("301 0 LA-1 1", encoding="utf-8")
    (question,) = read_dataset(tmp_path).questions
    assert (question.id, question.text) == ("301", "Organized Crime")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello\n", encoding="utf-8")
    with pytest.raises(DataError, match="no known collection"):
        read_dataset(tmp_path)


def two_articles(tmp_path: Path) -> Dataset:
    data = squad([qa(f"a{n}", ("Ann", 0)) for n in range(6)], [])
    data["data"] += squad([qa(f"b{n}", ("Ann", 0)) for n in range(4)], [], title="Other")["data"]
    return read_dataset(write(tmp_path / "x.json", data))


def test_a_limit_is_spread_over_the_data(tmp_path: Path) -> None:
    dataset = two_articles(tmp_path)
    assert [q.id for q in sampled(dataset, 4).questions] == ["a0", "a2", "a5", "b1"]
    assert sampled(dataset, None) is dataset
    assert sampled(dataset, 10) is dataset


def test_a_sample_is_drawn_and_always_the_same(tmp_path: Path) -> None:
    dataset = two_articles(tmp_path)
    drawn = [question.id for question in sampled(dataset, None, sample=4).questions]
    assert len(drawn) == 4
    assert drawn == sorted(drawn) != ["a0", "a1", "a2", "a3"]
    assert [question.id for question in sampled(dataset, None, sample=4).questions] == drawn
    assert sampled(dataset, None, sample=10) is dataset


def test_a_sample_of_conversations_takes_them_whole(tmp_path: Path) -> None:
    turns = [{"question": "Who?", "evidence": "Ann", "evidence_start": 0}] * 3
    talks = [{"id": name, "context": "Ann slept.", "turns": turns} for name in "abcd"]
    dataset = read_dataset(write(tmp_path / "talks.json", talks))
    for cut in (sampled(dataset, 4), sampled(dataset, None, sample=4)):
        asked = Counter(question.document for question in cut.questions)
        assert list(asked.values()) == [3, 3]


def test_questions_are_taken_to_an_article_that_cannot_answer_them(tmp_path: Path) -> None:
    dataset = with_off_article(two_articles(tmp_path), 2)
    strangers = [question for question in dataset.questions if question.kind == OFF_ARTICLE]
    assert [(q.id, q.document, q.answerable) for q in strangers] == [
        ("a0@Other", "Other", False),
        ("a5@Other", "Other", False),
    ]
    documents = [question.document for question in dataset.questions]
    assert documents == sorted(documents, key=["The_mill", "Other"].index)


def test_one_article_alone_has_no_strangers(tmp_path: Path) -> None:
    dataset = read_dataset(write(tmp_path / "x.json", squad([qa("a", ("Ann", 0))], [])))
    with pytest.raises(DataError, match="two articles"):
        with_off_article(dataset, 1)


def test_what_readers_said_on_the_page_is_a_question_set(
    tmp_path: Path, article: Article, bot: ArticleBot
) -> None:
    path = tmp_path / "feedback.jsonl"
    file, answer = FeedbackFile(path), bot.ask("Why did Amazon halt police use?")
    for verdict, article_hash in [
        (Verdict.RIGHT, article.hash),
        (Verdict.WRONG, article.hash),
        (Verdict.RIGHT, "0" * 64),
    ]:
        file.append(feedback_record(answer, verdict, article_hash=article_hash))
    data = read_dataset(path)
    (question,) = data.questions
    start, end = question.gold[0]
    assert article.text[start:end] == answer.citations[0].quote
    # A thumb down says that this was wrong, not whether anything would have been right.
    assert [(p.what, p.where) for p in data.problems] == [
        ("not known whether there is an answer", f"{path}: line 2"),
        ("article known by its hash alone", f"{path}: line 3"),
    ]


def test_what_readers_said_of_their_own_articles_is_asked_of_these(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    own = ArticleBot.from_text("Cats sleep all day.\n\nDogs bark at night.", title="Pets")
    answer = own.ask("Who barks?")
    record = feedback_record(answer, Verdict.RIGHT, article_hash=own.article.hash)
    FeedbackFile(path).append(record, own.article)
    data = read_dataset(path)
    (question,) = data.questions
    assert data.problems == ()
    assert data.documents[question.document or ""].article == own.article
    (kept,) = (tmp_path / "feedback.articles").iterdir()
    kept.write_text(kept.read_text().replace("night", "early"))
    with pytest.raises(DataError, match="another article than its name says"):
        read_dataset(path)
