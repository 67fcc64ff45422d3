"""Questions about the article itself are told from questions about its content."""

from __future__ import annotations

from dataclasses import replace

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
        "When was it updated?",
        "When was the ban changed?",
        "What changed last year?",
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


def declared(question: str, article: Article) -> list[tuple[str, str]]:
    evidence = metadata_evidence(question, article)
    return [(d.value, d.where) for d in evidence.declared] if evidence else []


def test_what_a_source_only_declares_is_told_with_the_place_that_declares_it() -> None:
    page = (
        "<title>Rain</title><meta property='og:site_name' content='The Roman'>"
        "<meta name='author' content='Ann Poe'><meta name='lastmod' content='2021-06-06'>"
        "<meta property='article:published_time' content='2021-06-04'>"
        "<article><h1>Rain</h1><p>It rained all day in Rome. Nobody minded.</p></article>"
    )
    article = read_article(page.encode())
    when = [("2021-06-04", "meta tag article:published_time")]
    assert declared("When was this article published?", article) == when
    assert declared("Who wrote this?", article) == [("Ann Poe", "meta tag author")]
    assert declared("Who published this?", article) == [("The Roman", "meta tag og:site_name")]
    assert declared("Which newspaper published it?", article) == declared("Publisher?", article)
    assert declared("When was it last updated?", article) == [("2021-06-06", "meta tag lastmod")]
    assert quotes("When was this article published?", article) == ["Rain"]


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What date was this article written?", "2021-06-04"),
        ("Wann wurde dieser Artikel veröffentlicht?", "2021-06-04"),
        ("¿Cuándo se publicó este artículo?", "2021-06-04"),
        ("Last updated?", "2021-06-06"),
        ("When was the document revised?", "2021-06-06"),
        ("In which newspaper did this appear?", "The Roman"),
        ("Where was it published?", "The Roman"),
    ],
)
def test_it_may_be_asked_in_many_ways(question: str, value: str) -> None:
    text = "Rain\n\nIt rained all day in Rome. Nobody minded it."
    article = article_from_text(text, published="2021-06-04", site="The Roman")
    article = replace(article, modified="2021-06-06")
    assert [said for said, _ in declared(question, article)] == [value]


def test_a_printed_line_goes_before_what_is_declared() -> None:
    page = (
        "<meta property='article:published_time' content='2021-06-04T09:00:00Z'>"
        "<meta property='article:modified_time' content='2021-06-06'>"
        "<article><h1>Rain</h1><p class='meta'>Published June 4, 2021</p>"
        "<p class='meta'>Last updated June 6, 2021</p>"
        "<p>It rained all day in Rome. Nobody minded.</p></article>"
    )
    article = read_article(page.encode())
    assert quotes("When was this published?", article) == ["Published June 4, 2021"]
    assert quotes("When was this updated?", article) == ["Last updated June 6, 2021"]
    assert declared("When was this published?", article) == []


def test_the_day_of_a_change_is_none_of_publication() -> None:
    article = article_from_text("Rain\n\nUpdated June 6, 2021\n\nIt rained all day in Rome.")
    assert metadata_evidence("When was this published?", article) is None
    assert quotes("When was it updated?", article) == ["Updated June 6, 2021"]


def test_a_person_that_the_text_speaks_of_is_searched_for() -> None:
    text = "Rain\n\nAnn Poe, who lives in Rome, says that it rained all day."
    article = article_from_text(text, authors=("Ann Poe",))
    assert metadata_evidence("Who is Ann Poe?", article) is None
    assert declared("Who wrote this?", article) == [("Ann Poe", "given with the text")]


def test_a_title_apart_from_the_text_is_metadata() -> None:
    page = "<title>Rain in Rome</title><p>It rained all day in Rome. Nobody minded it at all.</p>"
    article = read_article(page.encode())
    assert declared("What is the headline?", article) == [("Rain in Rome", "title element")]
    assert quotes("What is this article about?", article) == ["It rained all day in Rome."]
    assert declared("What is this article about?", article) == []
