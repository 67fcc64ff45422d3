"""Questions about the article itself are told from questions about its content."""

from __future__ import annotations

import pytest

from index import Article
from index.plaintext import article_from_text
from qa.metadata import Aspect, metadata_evidence


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
