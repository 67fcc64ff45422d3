"""Who wrote a page: declared names cleaned, the publication no author, comments left out."""

from __future__ import annotations

import pytest
from lxml import html

from index.reading.html.authors import page_authors


def authors(body: str = "", *declared: str, site: str = "The Example") -> tuple[str, ...]:
    root = html.document_fromstring(f"<html><body><h1>Title</h1>{body}</body></html>")
    return page_authors([declared], root, site)


@pytest.mark.parametrize(
    ("declared", "names"),
    [
        ("By Jane Doe and John Roe", ("Jane Doe", "John Roe")),
        ("LISA MASCARO, ERIC TUCKER Associated Press", ("LISA MASCARO", "ERIC TUCKER")),
        ("JANE DOE AND JOHN ROE", ("JANE DOE", "JOHN ROE")),
        ("Analysis by Chris Cillizza, CNN", ("Chris Cillizza",)),
        ("Ilana Muhlstein, MS, RDN", ("Ilana Muhlstein",)),
        ("Finian Cunningham. The Example International", ("Finian Cunningham",)),
        ("Carrie Arnold November 15, 2019", ("Carrie Arnold",)),
        ("Jane Doe, The Example", ("Jane Doe",)),
        ("Por Ana María López y Tomás Ruiz", ("Ana María López", "Tomás Ruiz")),
        ("José Ortega y Gasset", ("José Ortega y Gasset",)),
        ("Leonardo di Caprio", ("Leonardo di Caprio",)),
        ("Von Miller", ("Von Miller",)),
        ("The Associated Press", ("The Associated Press",)),
        ("Regan", ("Regan",)),
        ("Gov. Ann Richards and Lt. Col. Tom Roe", ("Gov. Ann Richards", "Lt. Col. Tom Roe")),
        ("Thos. Hardy", ("Thos. Hardy",)),
        ("Professor Ada Byrne", ("Professor Ada Byrne",)),
        ("Byrne, Ada", ("Ada Byrne",)),
        ("Byrne, Ada M.; van der Berg, Jan", ("Ada M. Byrne", "Jan van der Berg")),
        ("Ada Byrne; Tom Roe", ("Ada Byrne", "Tom Roe")),
        ("Ada Byrne, Tom Roe", ("Ada Byrne", "Tom Roe")),
        ("4 minutes", ()),
        ("Staff Reports", ("Staff Reports",)),
        ("admin", ()),
        ("https://www.facebook.com/example", ()),
    ],
)
def test_a_declared_author_is_cleaned(declared: str, names: tuple[str, ...]) -> None:
    assert authors("", declared) == names


@pytest.mark.parametrize(
    "shown",
    [
        "<p class='byline'>By Jane Doe and John Roe<br>Monday, November 18, 2019</p>",
        "<span class='author'>Jane Doe and John Roe</span>",
        "<div class='x'>Written by <a href='/j'>Jane Doe</a>, <a href='/r'>John Roe</a></div>",
        "<div class='x'><!-- -->By <a href='/j'>Jane Doe and John Roe</a> on May 4, 2020</div>",
        "<a rel='author'>Jane Doe</a>, <a rel='author'>John Roe</a>",
        "<p class='autor'>Von Jane Doe und John Roe</p>",
    ],
)
def test_a_byline_that_is_shown_names_them_where_only_the_publication_is_declared(
    shown: str,
) -> None:
    assert authors(shown, "The Example") == ("Jane Doe", "John Roe")


def test_the_publication_is_the_author_where_nobody_else_is_named() -> None:
    assert authors("<p>It rained.</p>", "The Example") == ("The Example",)


@pytest.mark.parametrize("around", ["<div class='comments'>{}</div>", "<aside>{}</aside>"])
def test_who_commented_or_wrote_another_article_is_not_named(around: str) -> None:
    assert authors(around.format("<span class='author'>Troll Face</span>")) == ()
