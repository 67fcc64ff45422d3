"""The bot and the plain recipe, asked through the same door."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from index import Article, QuestionError
from index.article import Block, BlockKind
from index.reading.plaintext import article_from_text
from qa import Answer, ArticleBot
from qa.evaluation import Document
from qa.evaluation.datasets import paragraphs_of
from qa.evaluation.plain import PlainSystem
from qa.evaluation.systems import BotSystem, Located, Reader, System

TEXTS = {
    "mill": (
        "Ann Hale built the mill in 1820. It ground rye for the whole valley.\n\n"
        "The wheel broke in the flood of 1893 and was never mended."
    ),
    "fish": (
        "Herring spawn in shallow water in spring. Their eggs stick to weed and stones.\n\n"
        "Cod hunt them. 🐟 A large cod eats its own weight in a month."
    ),
    "moon": "The Moon turns once in 27 days. It always shows us the same face.",
}


def document(name: str) -> Document:
    text = TEXTS[name]
    return Document(name, article_from_text(text, title=name), tuple(paragraphs_of(text)))


DOCUMENTS = [document(name) for name in TEXTS]


@pytest.fixture(scope="module")
def plain() -> PlainSystem:
    return PlainSystem()


@pytest.fixture(scope="module", params=["article-qa", "plain"])
def system(request: pytest.FixtureRequest, plain: PlainSystem) -> System:
    return plain if request.param == "plain" else BotSystem()


def assert_in_place(located: Located) -> None:
    """Every citation and passage stands where the answer says, in the document it says."""
    articles = {d.id: d.article for d in DOCUMENTS}
    assert len(located.quotes) == len(located.answer.citations)
    assert len(located.ranked) == len(located.answer.passages)
    for (name, start, end), citation in zip(located.quotes, located.answer.citations, strict=True):
        assert articles[name].text[start:end] == citation.quote
        assert (citation.start, citation.end) == (start, end)
        assert citation.article.id == articles[name].id
        passage = citation.passage
        assert articles[name].text[passage.start : passage.end] == passage.text
        assert passage.start <= start < end <= passage.end
    for (name, start, end), passage in zip(located.ranked, located.answer.passages, strict=True):
        assert articles[name].text[start:end] == passage.text


@pytest.mark.parametrize(
    ("question", "name", "answer"),
    [
        ("Who built the mill?", "mill", "Ann Hale"),
        ("When do herring spawn?", "fish", "spring"),
        ("How much does a cod eat?", "fish", "its own weight"),
        ("How long does the Moon take to turn?", "moon", "27 days"),
    ],
)
def test_pooled_documents_are_told_apart_again(
    pooled: Reader, question: str, name: str, answer: str
) -> None:
    located = pooled.ask(question, k=3)
    assert_in_place(located)
    assert located.quotes[0][0] == name
    assert answer in located.answer.citations[0].quote
    assert located.ranked[0] in pooled.passages
    assert located.milliseconds > 0


@pytest.fixture(scope="module")
def pooled(system: System) -> Reader:
    return system.open(DOCUMENTS)


def test_no_passage_reaches_from_one_document_into_the_next(pooled: Reader) -> None:
    texts = {d.id: d.article.text for d in DOCUMENTS}
    assert {name for name, _, _ in pooled.passages} == set(texts)
    for name, start, end in pooled.passages:
        assert 0 <= start < end <= len(texts[name])
        assert texts[name][start:end] == texts[name][start:end].strip()


def test_one_document_is_asked_as_it_is(system: System) -> None:
    located = system.open(DOCUMENTS[:1]).ask("Why was the wheel never mended?", k=2)
    assert_in_place(located)
    assert "flood" in located.answer.citations[0].quote


def test_the_plain_recipe_quotes_paragraphs(plain: PlainSystem) -> None:
    reader = plain.open(DOCUMENTS)
    quotes = [c.quote for c in reader.ask("mill", k=50).answer.citations]
    assert sorted(quotes) == sorted("\n\n".join(TEXTS.values()).split("\n\n"))


def test_the_plain_recipe_quotes_the_sentences_that_the_data_labels(plain: PlainSystem) -> None:
    text = "It rained . It poured ."
    article = Article(text=text, blocks=(Block(BlockKind.PARAGRAPH, 0, len(text)),))
    reader = plain.open([Document("d", article, ((0, len(text)),), ((0, 11), (12, 23)))])
    assert {c.quote for c in reader.ask("rain", k=9).answer.citations} == {
        "It rained .",
        "It poured .",
    }


def test_a_history_goes_to_a_bot_that_takes_one() -> None:
    heard: list[list[Answer]] = []

    class Remembering:
        def __init__(self, bot: ArticleBot) -> None:
            self.bot, self.index = bot, bot.index

        def ask(self, question: str, *, k: int, history: Sequence[Answer] = ()) -> Answer:
            heard.append(list(history))
            return self.bot.ask(question, k=k)

    def remembering(article: Article) -> ArticleBot:
        return Remembering(ArticleBot.from_article(article))  # type: ignore[return-value]

    reader = BotSystem("mine", open_bot=remembering).open(DOCUMENTS[:1])
    first = reader.ask("Who built the mill?", k=3)
    reader.ask("When?", k=3, history=[first.answer])
    assert heard == [[], [first.answer]]


def test_what_the_bot_refuses_is_passed_on() -> None:
    with pytest.raises(QuestionError):
        BotSystem().open(DOCUMENTS[:1]).ask(" ", k=3)
