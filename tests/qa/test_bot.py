"""Ask an article and get its own sentences back, exact to the character."""

from __future__ import annotations

import asyncio
import dataclasses
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qa
from index import EmptyArticle, OtherModel, SourceNotFound
from index.models.encoder import Encoder
from qa import Answer, ArticleBot, QuestionError, SourceError


def exact(answer: Answer, text: str) -> bool:
    return all(
        text[c.start : c.end] == c.quote
        and text[c.passage.start : c.passage.end] == c.passage.text
        and c.passage.start <= c.start < c.end <= c.passage.end
        for c in answer.citations
    ) and all(text[p.start : p.end] == p.text for p in answer.passages)


QUESTION = st.text(min_size=1, max_size=80).filter(lambda q: any(map(str.isalnum, q)))


@given(QUESTION, st.integers(1, 100))
def test_every_citation_stands_in_the_article(bot: ArticleBot, question: str, k: int) -> None:
    answer = bot.ask(question, k=k)
    assert exact(answer, bot.article.text)
    assert [c.number for c in answer.citations] == list(range(1, len(answer.citations) + 1))
    assert len({(c.start, c.end) for c in answer.citations}) == len(answer.citations) <= k
    assert 0.0 <= answer.confidence <= 1.0
    scores = [c.score for c in answer.citations]
    assert scores == sorted(scores, reverse=True)


@settings(max_examples=25)
@given(st.text(min_size=1, max_size=300), QUESTION)
def test_any_text_can_be_asked(text: str, question: str) -> None:
    try:
        bot = ArticleBot.from_text(text)
    except EmptyArticle:
        return
    assert exact(bot.ask(question), text)


def test_furniture_titles_and_headings_never_answer(bot: ArticleBot) -> None:
    for question in ("What may I like?", "Follow author on", "Rekognition", "MGM movie studio"):
        quotes = [c.quote for c in bot.ask(question, k=100).citations]
        assert "YOU MAY LIKE" not in quotes
        assert not any("Follow author" in quote or "MGM" in quote for quote in quotes)
        assert "Rekognition" not in quotes


def test_passages_are_distinct_and_best_first(bot: ArticleBot) -> None:
    passages = bot.ask("What did Microsoft say?", k=10).passages
    assert "Microsoft" in passages[0].text
    assert passages[0].heading == "Rekognition"
    assert len({(p.start, p.end) for p in passages}) == len(passages)


def test_metadata_comes_first_and_is_cited_in_its_place(bot: ArticleBot) -> None:
    answer = bot.ask("Who wrote this article?")
    assert answer.found
    assert answer.citations[0].quote == "By Sayujya S, Desk Reporter"
    assert exact(answer, bot.article.text)


def test_a_citation_names_its_article(bot: ArticleBot) -> None:
    reference = bot.ask("Who protested?").citations[0].article
    assert reference.hash == bot.article.hash
    assert (reference.title, reference.authors) == (bot.article.title, ("Sayujya S",))


def test_the_bundled_article_is_one_line_away(bot: ArticleBot) -> None:
    assert qa.ask("Who protested?") == bot.ask("Who protested?")


def test_a_file_is_asked_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "pets.txt"
    path.write_text("Cats sleep all day. Dogs bark at night.", encoding="utf-8")
    answer = ArticleBot.open(path).ask("What do cats do?")
    assert answer.citations[0].quote == "Cats sleep all day."


def test_one_sentence_is_an_article() -> None:
    bot = ArticleBot.from_text("Cats sleep.")
    assert [c.quote for c in bot.ask("Do cats sleep?", k=9).citations] == ["Cats sleep."]


@pytest.mark.parametrize("question", ["", " \t\n", "?!", "…"])
def test_an_empty_question_is_refused(bot: ArticleBot, question: str) -> None:
    with pytest.raises(QuestionError, match="type one in words"):
        bot.ask(question)


@pytest.mark.parametrize("question", [None, 7, b"why", ["why"]])
def test_a_question_that_is_not_text_is_refused(bot: ArticleBot, question: object) -> None:
    with pytest.raises(QuestionError, match="must be text, not"):
        bot.ask(question)  # type: ignore[arg-type]


def test_an_overlong_question_is_refused_with_both_numbers(bot: ArticleBot) -> None:
    with pytest.raises(QuestionError, match=r"2,001 characters.*2,000"):
        bot.ask("x" * 2001)
    assert bot.ask("why " * 500).citations


@pytest.mark.parametrize("k", [0, -1, 101, 2.5, "3", None, True])
def test_k_out_of_range_is_refused(bot: ArticleBot, k: object) -> None:
    with pytest.raises(QuestionError, match="from 1 to 100, not"):
        bot.ask("why?", k=k)  # type: ignore[arg-type]


def test_text_that_is_not_text_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a str, not bytes"):
        ArticleBot.from_text(b"Cats sleep.")  # type: ignore[arg-type]


def test_a_missing_file_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        ArticleBot.open(tmp_path / "no.txt")


def test_an_index_is_not_asked_with_another_models_vectors(
    bot: ArticleBot, encoder: Encoder, tmp_path: Path
) -> None:
    other = dataclasses.replace(bot.index, fingerprint="0" * 64)
    ArticleBot(other, encoder).save(tmp_path / "index")
    with pytest.raises(OtherModel):
        ArticleBot.open(tmp_path / "index")


def test_many_threads_get_the_answers_that_one_gets(bot: ArticleBot) -> None:
    questions = ["Who protested?", "Why a ban?", "What is Rekognition?", "When?"] * 5
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(bot.ask, questions)) == [bot.ask(q) for q in questions]


def test_the_one_line_function_follows_a_conversation_too(bot: ArticleBot) -> None:
    first = qa.ask("What did Microsoft do?")
    assert qa.ask("Why?", history=[first]) == bot.ask("Why?", history=[first])
    assert qa.ask("Why?", history=[first]) != qa.ask("Why?")


@pytest.mark.parametrize("source", [123, ["article.txt"], 1.5])
def test_what_is_no_source_is_refused_in_words(source: object) -> None:
    with pytest.raises(SourceError, match=f"not {type(source).__name__}"):
        ArticleBot.open(source)  # type: ignore[arg-type]


def test_an_event_loop_goes_on_while_a_question_is_answered(bot: ArticleBot) -> None:
    async def both() -> tuple[Answer, int]:
        asked = asyncio.ensure_future(bot.aask("Who protested against the deal?", k=2))
        turns = 0
        while not asked.done():
            await asyncio.sleep(0)
            turns += 1
        return asked.result(), turns

    answer, turns = asyncio.run(both())
    assert answer == bot.ask("Who protested against the deal?", k=2)
    assert turns > 10


def test_the_package_has_its_errors_its_reader_and_its_version() -> None:
    assert issubclass(qa.SourceNotFound, qa.SourceError)
    assert qa.read_article(b"Cats sleep.").text == "Cats sleep."
    assert qa.__version__ == version("article-qa")
