"""Plain text shows its structure by the shape of its lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Article, BlockKind, EmptyArticle
from index.reading.plaintext import article_from_text, authors_of_byline, is_furniture


def kinds(article: Article) -> list[tuple[str, str]]:
    return [(b.kind.value, article.text[b.start : b.end]) for b in article.blocks]


def test_the_bundled_article_has_its_title_author_caption_and_headings(article: Article) -> None:
    assert article.title == (
        "Face recognition tech: Amazon extends ban on its software use by police"
    )
    assert article.authors == ("Sayujya S",)
    assert [text for kind, text in kinds(article) if kind == "heading"] == [
        "Inaccurate results and consequences",
        "Rekognition",
    ]
    found = kinds(article)
    assert ("byline", "By Sayujya S, Desk Reporter") in found
    assert ("caption", "Amazon Rekognition Image") in found
    assert [text for kind, text in found if kind == "furniture"] == [
        "• Follow author on",
        "Related:\xa0Amazon plans to buy movie studio MGM for $9bn; Report",
        "YOU MAY LIKE",
    ]


@pytest.mark.parametrize(
    ("line", "authors"),
    [
        ("By Sayujya S, Desk Reporter", ("Sayujya S",)),
        ("By Jane Doe and John Roe", ("Jane Doe", "John Roe")),
        ("BY JANE DOE, JOHN ROE & ANN POE", ("JANE DOE", "JOHN ROE", "ANN POE")),
        ("By Jane Doe | Senior Editor", ("Jane Doe",)),
        ("Written by Jane Doe, BBC correspondent", ("Jane Doe",)),
        ("By the time it ended", ()),
        ("Bylines are names.", ()),
    ],
)
def test_bylines(line: str, authors: tuple[str, ...]) -> None:
    assert authors_of_byline(line) == authors


@pytest.mark.parametrize(
    "line", ["YOU MAY LIKE", "  • Follow author on", "Related: a film", "Read more", "3 comments"]
)
def test_furniture(line: str) -> None:
    assert is_furniture(line)


@pytest.mark.parametrize(
    "line",
    [
        "Related parties must be named in the report.",
        "Share prices fell.",
        "You may like the result or not, but it stands.",
        "Comments by the minister were withdrawn.",
        "Read more books than your neighbour, she said.",
    ],
)
def test_prose_that_begins_like_furniture_is_kept(line: str) -> None:
    assert not is_furniture(line)


def test_lines_wrapped_by_hand_are_one_paragraph() -> None:
    text = (
        "The first paragraph was wrapped by hand at a width that\n"
        "mail programs used, as many plain text files still are,\n"
        "and ends here.\n"
        "\n"
        "The second one is short.\n"
    )
    article = article_from_text(text)
    assert [kind for kind, _ in kinds(article)] == ["paragraph", "paragraph"]
    assert article.text == text


def test_long_lines_are_paragraphs_of_their_own() -> None:
    article = article_from_text(f"{'A long line goes on. ' * 8}\nAnother one follows it. It ends.")
    assert len(article.blocks) == 2


def test_what_the_caller_knows_goes_first() -> None:
    article = article_from_text("A headline\n\nA sentence.", title="Known", authors=("A",))
    assert (article.title, article.authors) == ("Known", ("A",))
    assert kinds(article)[0][0] != "title"


@given(st.text(max_size=500))
def test_the_text_is_kept_and_its_lines_are_covered(text: str) -> None:
    try:
        article = article_from_text(text)
    except EmptyArticle:
        return
    assert article.text == text
    covered = "".join("".join(line.split()) for _, line in kinds(article))
    assert covered == "".join(text.split())
    assert any(BlockKind(kind).citable for kind, _ in kinds(article))
