"""Readers' verdicts as a question set."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from qa import Answer, ArticleBot
from qa.sharing.feedback import FeedbackFile, Verdict, feedback_record


@pytest.fixture(scope="module")
def answer(bot: ArticleBot) -> Answer:
    return replace(bot.ask("Who wrote this article?"), found=True)


def test_a_right_answer_makes_its_best_sentence_gold(answer: Answer) -> None:
    record = feedback_record(answer, Verdict.RIGHT, article_hash="h")
    assert record["question"] == "Who wrote this article?"
    assert (record["answerable"], record["gold"]) == (True, ["By Sayujya S, Desk Reporter"])


def test_rightly_not_found_is_an_unanswerable_question(answer: Answer) -> None:
    record = feedback_record(replace(answer, found=False), Verdict.RIGHT, article_hash="h")
    assert (record["answerable"], record["gold"]) == (False, [])


def test_a_wrong_answer_leaves_open_whether_there_is_one(answer: Answer) -> None:
    record = feedback_record(answer, Verdict.WRONG, article_hash="h")
    assert (record["answerable"], record["gold"]) == (None, [])


def test_the_sentence_pointed_at_is_gold(answer: Answer) -> None:
    record = feedback_record(answer, Verdict.CORRECTED, article_hash="h", right="It is so.")
    assert (record["answerable"], record["gold"]) == (True, ["It is so."])


def test_lines_stay_whole_when_many_write_at_once(answer: Answer, tmp_path: Path) -> None:
    file = FeedbackFile(tmp_path / "new" / "feedback.jsonl")
    records = [
        feedback_record(answer, Verdict.WRONG, article_hash="\ud800" * 2000) for _ in range(64)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(file.append, records))
    lines = [json.loads(line) for line in file.path.read_text().splitlines()]
    assert {line["id"] for line in lines} == {record["id"] for record in records}
