"""Who wants all of something gets all of it, in the article's order."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.reading.plaintext import article_from_text
from qa import Answer, ArticleBot, Library
from qa.question.lists import as_question, listing

FAIR = """Book fair of Tyn opens its doors
By Rut Malm

The book fair of Tyn opened on Thursday with 210 publishers. Organiser Olga Dahl expects 9,000
visitors. A ticket costs 15 euros, and pupils pay 6 euros.

Novelist Per Aune will read on Friday. The weather will be fine. Poet Sif Kjær will read on Saturday
from a book that won a prize in 2019. Trams run all night.

The jury members Jon Bakke and Eva Moe choose the best cover. Jury member Lars Hove fell ill. The
jury meets behind closed doors.
"""


@pytest.fixture(scope="module")
def fair(bot: ArticleBot) -> ArticleBot:
    return ArticleBot.from_text(FAIR)


def quotes(answer: Answer) -> list[str]:
    assert answer.found, answer.why
    starts = [citation.start for citation in answer.citations]
    assert starts == sorted(starts)
    return [" ".join(citation.quote.split()) for citation in answer.citations]


def holding(found: list[str], *words: str) -> bool:
    return len(found) == len(words) and all(w in q for w, q in zip(words, found, strict=True))


def test_members_are_the_sentences_that_name_them(fair: ArticleBot) -> None:
    assert holding(quotes(fair.ask("Name the jury members")), "Jon Bakke", "Lars Hove")


def test_all_people_are_named_whatever_k_is(fair: ArticleBot) -> None:
    found = quotes(fair.ask("List all people who are mentioned", k=1))
    assert holding(found, "Olga Dahl", "Per Aune", "Sif Kj\u00e6r", "Jon Bakke", "Lars Hove")


@pytest.mark.parametrize("question", ["List all dates", "Which dates are mentioned?"])
def test_dates(fair: ArticleBot, question: str) -> None:
    assert holding(quotes(fair.ask(question)), "Thursday", "Friday", "2019")


def test_prices(fair: ArticleBot) -> None:
    assert holding(quotes(fair.ask("List the prices")), "15 euros")


def test_as_many_as_are_wanted_have_the_most_numbers(fair: ArticleBot) -> None:
    assert holding(quotes(fair.ask("What are the key numbers?", k=1)), "15 euros")


def test_a_library_lists_more_than_two_of_an_article(fair: ArticleBot, tmp_path: Path) -> None:
    other = article_from_text("Rye\n\nRye bread is baked of rye. It keeps for a week or two.")
    with Library.open(tmp_path / "library") as library:
        library.add([fair.article, other])
        assert len(quotes(library.ask("List all people who are mentioned"))) == 5


def test_articles_that_mention_something_are_cited_once_each(
    fair: ArticleBot, tmp_path: Path
) -> None:
    festival = article_from_text("Music\n\nPoet Sif Kjær sings in Bergen. Sif Kjær lives in Tyn.")
    other = article_from_text("Rye\n\nRye bread is baked of rye. It keeps for a week or two.")
    with Library.open(tmp_path / "library") as library:
        library.add([fair.article, festival, other])
        answer = library.ask("Which articles mention Sif Kjær?")
        assert answer.found
        assert {c.article.id for c in answer.citations} == {fair.article.id, festival.id}
        assert len(answer.citations) == 2
        assert answer.interpreted_as == "What is said about Sif Kjær?"
        assert not library.ask("Which articles mention Mongolia?").found


def test_what_nothing_is_listed_of_is_asked_as_ever(fair: ArticleBot) -> None:
    assert not fair.ask("List all sponsors of the zoo").found


@pytest.mark.parametrize(
    "question",
    ["Who is Olga Dahl?", "What are the rules of the fair?", "Name a novelist", "Who are they?",
     "What are the ticket prices?", "Name one of the poets", "List",
     "Name the way that the trams take"],
)  # fmt: skip
def test_any_other_question_is_no_list(question: str) -> None:
    assert listing(question) is None


def test_an_order_is_read_as_a_question() -> None:
    assert as_question("Name the jury members") == "Who are the jury members?"
    assert as_question("List all ferries") == "What are all ferries?"
    assert as_question("Name a novelist") == "Name a novelist"
