"""Questions about the article itself are told from questions about its content."""

from __future__ import annotations

import pytest

from index import Article, read_article
from index.reading.plaintext import article_from_text
from qa.question.about_article import Aspect, Described, described, metadata_evidence


def quotes(question: str, article: Article) -> list[str]:
    evidence = metadata_evidence(question, article)
    return [article.text[a:b] for a, b in evidence.spans] if evidence else []


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote this article?",
        "who is the author",
        "What is the name of the journalist behind this story?",
        "byline",
        "By whom was this written?",
        "What’s the author’s job title?",
        "who is the auther of this artical",
        "Who is Sayujya S?",
        "Please tell me who wrote it.",
    ],
)
def test_the_author_is_cited_from_the_byline(question: str, article: Article) -> None:
    assert quotes(question, article) == ["By Sayujya S, Desk Reporter"]


@pytest.mark.parametrize(
    "question",
    [
        "What is this piece called?",
        "headline?",
        "What does the headline say?",
        "Title of the story",
    ],
)
def test_the_title_is_cited_in_its_place(question: str, article: Article) -> None:
    assert quotes(question, article) == [article.title]


def test_the_caption_is_cited(article: Article) -> None:
    assert "Representational Image" in quotes("What does the picture show?", article)


def test_a_date_line_is_cited() -> None:
    article = article_from_text("Title\n\nPublished June 4, 2021\n\nIt rained all day in Rome.")
    assert quotes("When was this article published?", article) == ["Published June 4, 2021"]
    assert quotes("When was it written?", article) == ["Published June 4, 2021"]


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote the report on Gender Shades?",
        "What is the service called?",
        "Who is Nathan Freed Wessler?",
        "What was the title of Wessler?",
        "When was Rekognition published?",
        "When was this article published?",  # it does not say
        "Which newspaper published this article?",
        "What does the image recognition do?",
        "What is it about Amazon?",
        "Who?",
        "",
        "who " * 50,
    ],
)
def test_every_other_question_is_left_to_the_search(question: str, article: Article) -> None:
    assert metadata_evidence(question, article) is None


def test_an_article_without_a_byline_is_searched() -> None:
    article = article_from_text("The novel was written by Mary Shelley. It was published in 1818.")
    assert metadata_evidence("Who wrote it?", article) is None


def test_the_aspect_is_told(article: Article) -> None:
    evidence = metadata_evidence("What is this article about?", article)
    assert evidence is not None
    assert evidence.aspect is Aspect.TOPIC


@pytest.mark.parametrize(
    ("question", "asked", "subject"),
    [
        ("Who wrote the article about the flood?", "Who wrote the article", "the flood"),
        ("When was the story on rust published?", "When was the story published", "rust"),
        ("Who wrote about the flood", "Who wrote the article", "the flood"),
    ],
)
def test_an_article_may_be_named_by_what_it_tells_of(
    question: str, asked: str, subject: str
) -> None:
    assert described(question) == Described(asked, subject)


@pytest.mark.parametrize(
    "question",
    [
        "What does the article about the flood say of dikes?",
        "Who wrote the report on Gender Shades?",
        "Who is in the story about the flood?",
        "Who wrote this article?",
        "What is the article about?",
    ],
)
def test_other_questions_name_no_article(question: str) -> None:
    assert described(question) is None


def test_metadata_that_the_text_does_not_hold_is_told_beside_its_title() -> None:
    article = article_from_text("A flood\n\nIt rained all day in Rome.", published="2021-06-04")
    evidence = metadata_evidence("When was this article published?", article)
    assert evidence is not None
    assert evidence.reason.endswith("say when it was published: 2021-06-04")
    ((start, end),) = evidence.spans
    assert article.text[start:end] == "A flood"


@pytest.mark.parametrize("question", ["What is the headline?", "What is this article about?"])
def test_a_title_apart_from_the_text_is_told_beside_the_sentence_under_it(question: str) -> None:
    page = "<title>Rain in Rome</title><p>It rained all day in Rome. Nobody minded it at all.</p>"
    evidence = metadata_evidence(question, article := read_article(page.encode()))
    assert evidence is not None
    assert [article.text[a:b] for a, b in evidence.spans] == ["It rained all day in Rome."]
    assert "\u201cRain in Rome\u201d" in evidence.reason
