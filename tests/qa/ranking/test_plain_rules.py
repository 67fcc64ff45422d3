"""Where a reader would have no doubt, a plain rule decides."""

from __future__ import annotations

import pytest

from qa import Answer, ArticleBot

DEPOT = """Depot of Marn lists its trams
By Lena Torvik

Tram LM-2071 was scrapped in June after a fire. Tram LM-2017 was painted green in August and
returned to line 4. Driver Oskar Brandt, who retired in 2020, had driven it for thirty years.

Director Ilse Maurer proposed the sale. Only Henrik Sand spoke against it. He said that the museum
should have it. The museum has room for two trams.

Opening hours
The depot is open from ten to four. On Sundays it is closed.
"""
INTERVIEW = """The lighthouse keeper on storms and bread
By Ole Finn

What do you do in a storm? I count the seconds between the waves. Who brings you bread? My cousin
Agnete, once a week.
"""


@pytest.fixture(scope="module")
def depot(bot: ArticleBot) -> ArticleBot:
    return ArticleBot.from_text(DEPOT)


def first(answer: Answer) -> str:
    assert answer.found, answer.why
    return answer.citations[0].quote


@pytest.mark.parametrize("asked", ["LM-2071", "LM2071"])
def test_the_sentence_with_the_identifier_comes_first(depot: ArticleBot, asked: str) -> None:
    assert "scrapped" in first(depot.ask(f"What happened to {asked}?"))


@pytest.mark.parametrize(
    "question", ["What happened to tram LM-2099?", "What happened in February?"]
)
def test_what_is_nowhere_is_not_said(depot: ArticleBot, question: str) -> None:
    answer = depot.ask(question)
    assert not answer.found
    assert "is not mentioned" in answer.why[0]


def test_the_month_decides(depot: ArticleBot) -> None:
    assert "painted" in first(depot.ask("What happened in Aug?"))


def test_who_somebody_is_stands_where_they_are_named(depot: ArticleBot) -> None:
    assert "Oskar Brandt" in first(depot.ask("Who is Brandt?"))


def test_who_was_against_is_answered_by_a_denial(depot: ArticleBot) -> None:
    assert "spoke against" in first(depot.ask("Who spoke against the sale?"))


def test_the_reason_that_follows_is_the_answer(depot: ArticleBot) -> None:
    assert "museum should" in " ".join(first(depot.ask("Why did Sand speak against it?")).split())


@pytest.mark.parametrize("question", ["What does the section Opening hours say?", "Opening hours"])
def test_a_section_is_quoted_in_its_order(depot: ArticleBot, question: str) -> None:
    answer = depot.ask(question)
    assert "from ten to four" in first(answer)
    assert "closed" in answer.citations[1].quote


@pytest.mark.parametrize(
    ("question", "words"),
    [("What does he do in a storm?", "seconds"), ("Who brings him bread?", "Agnete")],
)
def test_a_question_of_the_article_is_not_its_answer(
    bot: ArticleBot, question: str, words: str
) -> None:
    assert words in first(ArticleBot.from_text(INTERVIEW).ask(question))


def test_a_sentence_that_stands_twice_is_cited_once(bot: ArticleBot) -> None:
    twice = ArticleBot.from_text(
        "The bridge is closed. Cars wait.\n\nThe bridge is closed. Buses turn."
    )
    quotes = [citation.quote for citation in twice.ask("What is closed?").citations]
    assert len(quotes) == len({*quotes})


def test_what_stands_beyond_the_passages_that_were_read_is_mentioned(bot: ArticleBot) -> None:
    pier = [f"The ferry board argued over berth {n} of the pier." for n in range(20, 220)]
    bread = [f"A baker in {n} Mill Street sold rye bread on Monday." for n in range(20, 220)]
    long = ArticleBot.from_text("\n\n".join(["Quay", *pier, *bread]))
    answer = long.ask("What did the ferry board argue about berths of the pier on Monday?")
    assert not any("not mentioned" in reason for reason in answer.why)


def test_a_denial_does_not_say_what_does(bot: ArticleBot) -> None:
    press = ArticleBot.from_text(
        "Printing works of Aune\n\nThe old presses did not print in colour. Editor Lea Moe bought"
        " two new presses. Mayor Finn Berg backed the purchase. Councillor Ivar Sund opposed it."
    )
    assert not press.ask("Which presses print in colour?").found
    assert "old presses" in first(press.ask("Did the old presses print in colour?"))
    assert "Ivar Sund" in first(press.ask("Who did not back the purchase?"))
    assert "Ivar Sund" in first(press.ask("Who didn't support the purchase?"))


def test_may_is_a_month_only_where_it_is_no_verb(depot: ArticleBot) -> None:
    answer = depot.ask("May I visit the depot?")
    assert not any("May" in reason for reason in answer.why)
    assert "is not mentioned" in depot.ask("What happened in May?").why[0]


def test_nobody_is_who_holds_an_office_that_is_not_mentioned(bot: ArticleBot) -> None:
    tram = ArticleBot.from_text(
        "Night tram of Lorn\n\nOn Sundays the night tram leaves at ten. The tram turns at the quay."
        " Mayor Siv Aas paid for it. The founder was Bo Ek."
    )
    assert not tram.ask("Who is the conductor of the night tram?").found
    assert "Siv Aas" in first(tram.ask("Who is the mayor?"))
