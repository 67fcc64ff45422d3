"""A question that leans on the one before is read after it; any other is asked alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa import Answer, ArticleBot, QuestionError
from qa.conversation.followup import TURNS, come_to, joined, weights
from qa.conversation.ranking import nearness


@pytest.fixture(scope="module")
def zoo() -> ArticleBot:
    return ArticleBot.from_text(
        "The zoo of Basel opened in 1874. It keeps three lions. The lions sleep all day because"
        " the sun is hot.\n\nThe zoo of Bern opened in 1937. It keeps twelve bears. The bears fish"
        " in the Aare because they like trout.\n\nTickets cost ten francs. Children enter free."
    )


@pytest.fixture
def bears(zoo: ArticleBot) -> Answer:
    return zoo.ask("How many bears does the zoo of Bern keep?")


def test_what_a_question_leaves_out_comes_from_the_one_before(
    zoo: ArticleBot, bears: Answer
) -> None:
    quote = zoo.ask("And why do they fish?", history=[bears]).citations[0].quote
    assert quote.startswith("The bears fish")
    assert "1937" in zoo.ask("When did it open?", history=[bears]).citations[0].quote


def test_an_ellipsis_stays_where_the_talk_is(zoo: ArticleBot) -> None:
    for animal in ("lions", "bears"):
        before = zoo.ask(f"What do the {animal} do?")
        quotes = [c.quote for c in zoo.ask("Why?", history=[before]).citations[:2]]
        assert any(animal in quote and "because" in quote for quote in quotes)


def test_an_answer_says_what_was_understood(zoo: ArticleBot, bears: Answer) -> None:
    answer = zoo.ask("Why?", history=[bears])
    assert answer.question == "Why?"
    assert answer.interpreted_as == f"Why? (following “{bears.question}”)"
    assert Answer.from_dict(answer.to_dict()) == answer


@pytest.mark.parametrize(
    "question",
    [
        "How many francs do tickets to the zoo of Basel cost?",
        "When did the zoo of Basel open in Switzerland?",
    ],
)
def test_a_question_that_stands_by_itself_is_asked_alone(
    zoo: ArticleBot, bears: Answer, question: str
) -> None:
    assert zoo.ask(question, history=[bears]) == zoo.ask(question)


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote Hamlet?",
        "How do I bake rye bread?",
        "Which planet has the most moons?",
        "And who won the hammer throw?",
        "What caused the inflammation?",
    ],
)
def test_a_question_about_something_else_is_asked_alone(
    zoo: ArticleBot, bears: Answer, question: str
) -> None:
    answer = zoo.ask(question, history=[bears])
    assert answer == zoo.ask(question)
    assert not answer.found


@pytest.mark.parametrize("question", ["Which year?", "In which city?", "And wolves?", "For whom?"])
def test_an_ellipsis_follows_whatever_it_names(
    zoo: ArticleBot, bears: Answer, question: str
) -> None:
    assert "following" in (zoo.ask(question, history=[bears]).interpreted_as or "")


@pytest.mark.parametrize("person", ["Who is Nathan Freed Wessler?", "What did George Floyd do?"])
def test_a_name_takes_the_place_of_the_one_before(bot: ArticleBot, person: str) -> None:
    answer = bot.ask("And Microsoft?", history=[bot.ask(person)])
    assert "Microsoft" in answer.citations[0].quote


def test_without_a_name_of_its_own_a_question_keeps_the_one_before() -> None:
    assert joined("When did Basel and Bern meet?", "And why?").startswith("When did Basel and Bern")
    assert joined("When did Basel and Bern meet?", "And Chur?") == "When did and meet? And Chur?"


def test_a_question_about_the_article_itself_is_asked_alone(bot: ArticleBot) -> None:
    before = bot.ask("What did Microsoft say?")
    assert bot.ask("Who wrote this?", history=[before]) == bot.ask("Who wrote this?")


def test_other_articles_are_passed_over(zoo: ArticleBot, bot: ArticleBot, bears: Answer) -> None:
    stranger = bot.ask("What did Microsoft say?")
    assert zoo.ask("Why?", history=[stranger]) == zoo.ask("Why?")
    assert zoo.ask("Why?", history=[bears, stranger]) == zoo.ask("Why?", history=[bears])


def test_a_long_conversation_is_its_last_turns(zoo: ArticleBot, bears: Answer) -> None:
    lions = zoo.ask("What do the lions do?")
    last = [lions, bears] * (TURNS // 2)
    assert zoo.ask("Why?", history=[lions] * 1000 + last) == zoo.ask("Why?", history=last)


def test_whoever_asks_for_more_is_read_on_to(zoo: ArticleBot) -> None:
    history = [zoo.ask("When did the zoo of Bern open?", k=1)]
    for quote in ("It keeps twelve bears.", "The bears fish", "Tickets cost"):
        answer = zoo.ask("Is there anything else of interest?", history=history, k=1)
        assert answer.citations[0].quote.startswith(quote)
        assert answer.interpreted_as is not None
        assert answer.interpreted_as.endswith(", further on in the text)")
        history.append(answer)


def test_whoever_asks_for_more_is_told_when_there_is_none(zoo: ArticleBot) -> None:
    short = ArticleBot.from_text("Cats sleep all day. Dogs bark at night.")
    history = [short.ask("What do dogs do at night?")]
    answer = short.ask("Is there anything else of interest?", history=history)
    assert not answer.found
    assert answer.why == ("all of it was shown before",)
    history = [zoo.ask("When did the zoo of Basel open?", k=2)]
    answer = zoo.ask("Is there anything else of interest?", history=history)
    assert answer.found
    assert answer.why == ("it goes on from where the last answers stand",)


def test_a_question_for_more_lends_no_words_to_the_next(zoo: ArticleBot, bears: Answer) -> None:
    more = zoo.ask("Is there anything else of interest?", history=[bears])
    answer = zoo.ask("And why do they fish?", history=[bears, more])
    assert answer.interpreted_as == f"And why do they fish? (following “{bears.question}”)"
    assert answer.citations[0].quote.startswith("The bears fish")


def test_what_was_shown_comes_after_all_that_was_not(zoo: ArticleBot, bears: Answer) -> None:
    more = zoo.ask("Can you tell me more about that?", history=[bears], k=100)
    shown = {citation.quote for citation in bears.citations[:3]}
    assert {citation.quote for citation in more.citations[-3:]} == shown


def test_the_talk_is_where_the_last_answer_was_right() -> None:
    first, last = ((1, 1.0),), ((7, 0.5), (8, 0.5))
    sure = dict(come_to([(last, 1.0), (first, 1.0)], (0.5, 0.5)))
    assert sure == pytest.approx({7: 0.5, 8: 0.5, 1: 0.0})
    doubtful = dict(come_to([(last, 0.0), (first, 1.0)], (0.5, 0.5)))
    assert doubtful == pytest.approx({7: 0.25, 8: 0.25, 1: 0.5})


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True),
            st.floats(),
        ),
        max_size=6,
    )
)
def test_the_talk_is_in_one_place_at_a_time(cited: list[tuple[list[int], float]]) -> None:
    answers = [
        (tuple((row, 1 / len(rows)) for row in rows), confidence) for rows, confidence in cited
    ]
    weights_ = [weight for _, weight in come_to(answers, weights().trust)]
    assert all(weight >= 0 for weight in weights_)
    assert sum(weights_) <= 1 + 1e-9


def broken(answer: Answer) -> Iterator[Answer]:
    first = answer.citations[0]
    yield replace(answer, citations=())
    yield replace(answer, question=" … ")
    for wrong in (
        replace(first, start=-5, end=10**9),
        replace(first, start=first.start + 1),
        replace(first, score=float("nan")),
        replace(first, article=replace(first.article, hash="0" * 64)),
    ):
        yield replace(answer, citations=(wrong,))


def test_what_does_not_fit_the_article_is_passed_over(zoo: ArticleBot, bears: Answer) -> None:
    for answer in broken(bears):
        assert zoo.ask("Why?", history=[answer]) == zoo.ask("Why?")


def test_a_history_that_was_kept_by_an_older_version_is_read(
    zoo: ArticleBot, bears: Answer
) -> None:
    older = {**bears.to_dict(), "schema": "article-qa/answer/1"}
    kept = Answer.from_dict(json.loads(json.dumps(older)))
    assert zoo.ask("Why?", history=[kept]) == zoo.ask("Why?", history=[bears])


@pytest.mark.parametrize("history", ["Why?", b"x", None, 3, ["Why?"], [None], [{"question": "x"}]])
def test_a_history_of_anything_else_is_refused(zoo: ArticleBot, history: object) -> None:
    with pytest.raises(QuestionError, match="the history must"):
        zoo.ask("Why?", history=history)  # type: ignore[arg-type]


def test_a_history_is_checked_whatever_is_asked(bot: ArticleBot) -> None:
    with pytest.raises(QuestionError, match=r"not str; Answer\.from_dict"):
        bot.ask("Who wrote this article?", history=["x"])  # type: ignore[list-item]


def test_a_long_question_before_leaves_room_for_this_one(zoo: ArticleBot) -> None:
    before = zoo.ask("bears " * 300)
    read_as = zoo.ask("Why?", history=[before]).interpreted_as
    assert read_as is not None
    assert len(read_as) < 340


@given(st.integers(1, 40), st.data())
def test_the_next_answer_is_likelier_near_the_last(n: int, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, n - 1))
    fitted = weights()
    near = nearness(((row, 1.0),), n, fitted.steps, fitted.elsewhere)
    assert near.shape == (n,)
    assert near.argmax() == row
