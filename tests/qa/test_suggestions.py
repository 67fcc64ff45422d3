"""Questions to offer are well formed, and answered by the sentence they were made from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Article
from index.models.encoder import Encoder
from index.reading.plaintext import article_from_text
from index.single.article_index import build_index
from qa import ArticleBot
from qa.suggestions import suggestions


def made(encoder: Encoder, text: str) -> list[str]:
    index = build_index(article_from_text(text), encoder)
    return [s.question for s in suggestions(index.article, index.sentences)]


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The Basel Zoo opened in 1874.", "When did the Basel Zoo open?"),
        ("In 1746, Johnson left New York.", "When did Johnson leave New York?"),
        ("Johnson was elected mayor of Bern in 1805.", "When was Johnson elected mayor of Bern?"),
        ("Marie Curie was born in Warsaw.", "Where was Marie Curie born?"),
        (
            "Amazon halted sales because people protested.",
            "Why did Amazon halt sales?",
        ),
        (
            "Temujin had three brothers named Hasar and so on.",
            "How many brothers did Temujin have?",
        ),
        ("Ada Lovelace, a British mathematician, liked trains.", "Who is Ada Lovelace?"),
        ("They sell it with Rekognition, a service from Seattle.", "What is Rekognition?"),
        (
            "More recently the Supreme Court noted that it was late.",
            "What did the Supreme Court note?",
        ),
        ("Critics have long warned that it is unsafe.", "What have critics warned?"),
    ],
)
def test_a_sentence_is_turned_into_a_question(
    encoder: Encoder, sentence: str, question: str
) -> None:
    assert made(encoder, sentence) == [question]


@pytest.mark.parametrize(
    "sentence",
    [
        "It opened in 1874.",
        "The company halted the practice in June 2020.",
        "The result was a depreciation of the dollar.",
        "The company had halted the practice for one year starting in June 2020.",
        "Weeks later, the report by Independent Experts found that it failed.",
        "Years after she left, they said that nobody knew.",
    ],
)
def test_what_would_make_a_vague_question_is_left_alone(encoder: Encoder, sentence: str) -> None:
    assert made(encoder, sentence) == []


def test_thousands_and_initials_do_not_end_a_clause(encoder: Encoder) -> None:
    assert made(encoder, "In 1656, Naples lost 300,000 inhabitants.") == [
        "When did Naples lose 300,000 inhabitants?"
    ]
    assert made(encoder, "In 1973, Nixon named William E. Simon as his man.") == []


def test_no_question_is_made_of_another_language(encoder: Encoder) -> None:
    article = Article(
        text="In 1746 Johnson left.",
        blocks=article_from_text("In 1746 Johnson left.").blocks,
        language="de",
    )
    assert suggestions(article, build_index(article, encoder).sentences) == []


def test_the_bundled_article_is_asked_what_it_answers(bot: ArticleBot) -> None:
    offered = bot.suggest(8)
    assert len(offered) >= 3
    starts = []
    for question in offered:
        answer = bot.ask(question)
        assert answer.found
        starts.append(answer.citations[0].start)
    assert starts == sorted(starts)
    assert len({question.casefold() for question in offered}) == len(offered)


def test_what_was_asked_is_not_offered_again(bot: ArticleBot) -> None:
    first = bot.suggest(3)
    assert len(first) == 3
    assert not set(first) & set(bot.suggest(3, asked=[q.upper() for q in first]))


@given(st.integers(-2, 20))
def test_no_more_are_offered_than_wanted(bot: ArticleBot, n: int) -> None:
    assert len(bot.suggest(n)) <= max(0, n)


def test_an_article_without_such_sentences_offers_nothing() -> None:
    assert ArticleBot.from_text("cats sleep.").suggest() == ()
