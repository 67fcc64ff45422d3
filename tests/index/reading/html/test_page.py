"""Web pages: what is kept, what it is, and what the page says of itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import Article, BlockKind, EmptyArticle, read_article
from index.errors import SourceError

PROSE = (
    "The city council voted on Tuesday to limit how the police may use facial recognition.",
    "Members said that the technology had been bought without a public debate, and that it"
    " misidentified residents in two cases last year.",
    "The mayor, who had opposed the measure, will not veto it, her spokesman said on Wednesday.",
    "A similar rule was passed by a neighbouring town in March after a year of hearings there.",
)
LINKED = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "Person", "@id": "#jane", "name": "Jane Doe"},
        {
            "@type": "NewsArticle",
            "headline": "Council limits facial recognition",
            "author": [{"@id": "#jane"}, {"@type": "Person", "name": "John Roe"}],
            "datePublished": "2020-03-04T09:30:00+0100",
            "dateModified": "2020-03-05",
            "publisher": {"@type": "Organization", "name": "The Example"},
        },
    ],
}


def page(body: str = "", head: str = "") -> bytes:
    paragraphs = "".join(f"<p>{text}</p>" for text in PROSE)
    return (
        f"<!doctype html><html lang='en-GB'><head><title>Council limits | The Example</title>{head}"
        "</head><body><nav><a href='/'>Home</a><a href='/news'>News</a></nav>"
        f"<article><h1>Council limits facial recognition</h1>{paragraphs}{body}</article>"
        "<footer><p>Copyright 2020 The Example. All rights reserved.</p></footer></body></html>"
    ).encode()


def texts(article: Article, kind: BlockKind) -> list[str]:
    return [article.text[b.start : b.end] for b in article.blocks if b.kind is kind]


def test_the_prose_is_kept_in_order_and_the_frame_around_it_is_not() -> None:
    article = read_article(page())

    assert texts(article, BlockKind.PARAGRAPH) == list(PROSE)
    assert "Home" not in article.text
    assert "Copyright" not in article.text


@pytest.mark.parametrize("count", range(1, 5))
def test_a_page_that_is_nothing_but_its_article_is_kept_whole(count: int) -> None:
    data = "<html><body>" + "".join(f"<p>{text}</p>" for text in PROSE[:count]) + "</body></html>"

    assert texts(read_article(data.encode()), BlockKind.PARAGRAPH) == list(PROSE[:count])


def test_text_five_hundred_elements_deep_is_read() -> None:
    data = "<html><body>" + "<div>" * 500 + f"<p>{PROSE[0]}</p>" + "</div>" * 500

    assert texts(read_article(data.encode()), BlockKind.PARAGRAPH) == [PROSE[0]]


def test_short_paragraphs_are_an_article_too() -> None:
    short = ("He came in at noon.", "Nobody had seen him.", "She left at once.", "It rained.")
    data = "<html><body>" + "".join(f"<p>{text}</p>" for text in short) + "</body></html>"

    assert texts(read_article(data.encode()), BlockKind.PARAGRAPH) == list(short)


def test_structure_keeps_its_place() -> None:
    body = (
        "<h2>What the rule says</h2><p>Officers need a warrant before they search any database of"
        " faces, and each search is logged.</p><ul><li>Searches are logged for ten years.</li></ul>"
        "<blockquote><p>We were never asked, and we will not be ignored again.</p></blockquote>"
        "<table><tr><th>Year</th><th>Searches</th></tr><tr><td>2018</td><td>312</td></tr></table>"
        f"<p>{PROSE[1].replace('two', 'three')}</p>"
    )
    article = read_article(page(body))

    assert texts(article, BlockKind.HEADING) == ["What the rule says"]
    assert texts(article, BlockKind.LIST_ITEM) == ["Searches are logged for ten years."]
    assert texts(article, BlockKind.QUOTE) == [
        "We were never asked, and we will not be ignored again."
    ]


def test_a_caption_that_says_something_is_kept_as_one_and_a_credit_is_not() -> None:
    said = "The mayor, who opposed the rule, speaks to the council before the vote on Tuesday."
    body = (
        f"<figure><img src='a.jpg'><figcaption>{said}</figcaption></figure>"
        "<figure><img src='b.jpg'><figcaption>Photo: J. Doe/Agency</figcaption></figure>"
        f"<p>{PROSE[3].replace('March', 'June')}</p>"
    )

    assert texts(read_article(page(body)), BlockKind.CAPTION) == [said]


def test_footnotes_and_the_marks_that_point_to_them_are_left_out() -> None:
    body = (
        "<p>Officers disagreed with the new rule in writing.<sup><a href='#fn1'>1</a></sup></p>"
        f"<p>{PROSE[3].replace('March', 'June')}</p><section class='footnotes'><ol><li id='fn1'>"
        "Letter of the police union to the council, 3 March 2020.</li></ol></section>"
    )
    article = read_article(page(body))

    assert "Officers disagreed with the new rule in writing." in texts(article, BlockKind.PARAGRAPH)
    assert "police union" not in article.text


def test_what_json_ld_says_goes_before_opengraph_and_meta_tags() -> None:
    head = (
        f"<script type='application/ld+json'>{json.dumps(LINKED)}</script>"
        "<meta property='article:published_time' content='2001-01-01'>"
        "<meta name='author' content='Somebody Else'>"
        "<link rel='canonical' href='https://example.org/a'>"
    )
    article = read_article(page(head=head))

    assert article.title == "Council limits facial recognition"
    assert article.authors == ("Jane Doe", "John Roe")
    assert article.published == "2020-03-04T09:30:00+01:00"
    assert article.modified == "2020-03-05"
    assert article.site == "The Example"
    assert article.url == "https://example.org/a"
    assert article.language == "en"


def test_byline_and_dateline_can_be_cited_and_the_title_stands_apart_from_the_text() -> None:
    head = f"<script type='application/ld+json'>{json.dumps(LINKED)}</script>"
    article = read_article(page(head=head))

    assert texts(article, BlockKind.BYLINE) == ["By Jane Doe and John Roe"]
    assert texts(article, BlockKind.DATELINE) == ["Published 2020-03-04"]
    assert article.title == "Council limits facial recognition"
    assert article.title not in article.text


@pytest.mark.parametrize(
    ("head", "published"),
    [
        ("lang='en-GB'", "2020-04-03"),
        ("lang='en-US'", "2020-03-04"),
        ("lang='de'", "2020-04-03"),
        ("lang='en'><head><meta property='og:locale' content='en_US'></head", "2020-03-04"),
        ("lang='en'><head><link rel='canonical' href='https://a.example.co.uk/x'></head",
         "2020-04-03"),
    ],
)  # fmt: skip
def test_a_date_in_numbers_is_read_as_where_the_page_is_from_it_is_written(
    head: str, published: str
) -> None:
    data = (
        f"<html {head}><body><h1>Rain</h1><p class='date'>03/04/2020</p><p>{PROSE[0]}</p>"
        f"<p>{PROSE[1]}</p></body></html>"
    )
    assert read_article(data.encode()).published == published


def test_a_long_text_says_its_language_whatever_the_page_declares() -> None:
    german = "Der Stadtrat hat am Dienstag beschlossen, die Gesichtserkennung einzuschränken. "
    data = f"<html lang='en'><body><p>{german * 8}</p><p>{german * 8}Ende.</p></body></html>"

    assert read_article(data.encode()).language == "de"


def test_a_page_without_declarations_is_read_by_what_it_shows() -> None:
    shown = "<div class='byline'>By Jane Doe, Staff Reporter</div><time>4 March 2020</time>"
    article = read_article(page(shown))

    assert article.title == "Council limits facial recognition"
    assert article.authors == ("Jane Doe",)
    assert article.published == "2020-03-04"


@pytest.mark.parametrize("damage", ["{", "[1, 2", '{"@type": "Article",}', "<!-- -->", "null", "3"])
def test_damaged_json_ld_is_passed_over(damage: str) -> None:
    head = (
        f"<script type='application/ld+json'>{damage}</script><meta name=author content='A. Doe'>"
    )

    assert read_article(page(head=head)).authors == ("A. Doe",)


def test_a_second_copy_of_the_text_is_left_out() -> None:
    copy = "".join(f"<p>{text}</p>" for text in PROSE)

    assert texts(read_article(page(copy)), BlockKind.PARAGRAPH) == list(PROSE)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_the_declared_encoding_is_used(encoding: str) -> None:
    text = page("<p>The café’s owner said that the naïve plan had cost her dearly, très cher.</p>")
    marked = text.decode().replace("<head>", f"<head><meta charset='{encoding}'>").encode(encoding)

    assert "café’s owner" in read_article(marked).text


@pytest.mark.parametrize("data", [b"<html></html>", b"<html><body><nav>Home</nav></body></html>"])
def test_a_page_without_an_article_is_empty(data: bytes) -> None:
    with pytest.raises(EmptyArticle):
        read_article(data)


@pytest.mark.parametrize(
    "data",
    [
        b"<html><body>" + b"<div>" * 100_000 + b"<p>One sentence stands here.</p>",
        b"<html><body>" + b"<p>One sentence stands here.</p>" * 400_000,
        b"<html><!DOCTYPE x [<!ENTITY a 'b'>]><p>&a;</p>",
    ],
    ids=["deep", "large", "entities"],
)
def test_hostile_pages_end_in_a_typed_error_or_an_article(data: bytes) -> None:
    try:
        assert read_article(data).blocks
    except SourceError as error:
        assert str(error)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["<p>", "</p>", "<div", ">", "<!--", "<td>", "<br>", "a b", "&amp"]))
)
def test_any_markup_is_read_or_refused(parts: list[str]) -> None:
    try:
        article = read_article(("<html>" + "".join(parts)).encode())
    except SourceError:
        return
    assert all(article.text[b.start : b.end].strip() for b in article.blocks)


@pytest.mark.parametrize(
    ("head", "shown", "title"),
    [
        ("<meta property='og:title' content='Opinion | The long way home'>", "The long way home", "The long way home"),  # noqa: E501
        ("<title>Budget 2020: what it means for you | Post</title>", "What the budget of 2020 means for you", "What the budget of 2020 means for you"),  # noqa: E501
        ("<title>Rain in Rome - Daily Post</title>", "Daily Post", "Rain in Rome"),
    ],
    ids=["section before it", "put otherwise for search engines", "heading is the site's"],
)  # fmt: skip
def test_the_title_is_the_one_that_is_printed(head: str, shown: str, title: str) -> None:
    data = f"<html><head>{head}</head><body><h1>{shown}</h1><p>{PROSE[0]}</p></body></html>"

    assert read_article(data.encode()).title == title


@pytest.mark.parametrize(
    ("head", "shown"),
    [
        ("<link rel='canonical' href='https://a.example/2020/mar/04/story'>", ""),
        ("<link rel='canonical' href='https://a.example/2020/03/04/story'>", ""),
        ("", "<time datetime='2020-03-04'>then</time>"),
        ("", "<p class='date'>4. März 2020</p>"),
    ],
)
def test_the_date_is_the_article_s_own(head: str, shown: str) -> None:
    data = (
        f"<html><head>{head}</head><body><p class='date'>1 May 2024</p><h1>Rain</h1>{shown}"
        f"<p>{PROSE[0]}</p><div class='comment'><time>2 June 2023</time></div></body></html>"
    )

    assert (read_article(data.encode()).published or "")[:10] == "2020-03-04"


@pytest.mark.parametrize("declared", ["hex", "rot13", "idna", "undefined", "no-such-thing"])
def test_a_declared_encoding_that_is_none_is_not_believed(declared: str) -> None:
    page = f"<html><head><meta charset='{declared}'></head><body><p>{LATE}</p></body></html>"
    article = read_article(page.encode("cp1252"))
    assert LATE in article.text


LATE = "The café is open all day long, and on Sundays it serves breakfast until noon."
