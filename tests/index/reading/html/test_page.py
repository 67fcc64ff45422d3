"""Web pages: what is kept, what it is, and what the page says of itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from index import Article, BlockKind, EmptyArticle, read_article
from index.errors import SourceError
from index.reading.html.page import read_html

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
        "<figure><img src='c.jpg'><figcaption>The council in session</figcaption></figure>"
        f"<p>{PROSE[3].replace('March', 'June')}</p>"
    )

    assert texts(read_article(page(body)), BlockKind.CAPTION) == [said, "The council in session"]


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


def test_what_a_page_only_declares_is_no_part_of_its_text() -> None:
    head = f"<script type='application/ld+json'>{json.dumps(LINKED)}</script>"
    article = read_article(page(head=head))

    assert article.text == "\n\n".join(["Council limits facial recognition", *PROSE])
    assert article.authors == ("Jane Doe", "John Roe")
    assert dict(article.declared)["authors"] == "JSON-LD author"
    assert article.title == "Council limits facial recognition"


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


FOUND = "Divers found the wreck of the ferry Norna in forty metres of water off the northern cape."
RAISED = (
    "A crane ship raised the bow in June, and the museum in Hamnvik will show it from next year."
)
LOST = "She had sunk on her way to the islands with a cargo of herring, and her crew was saved."


def wreck(inner: str = "", head: str = "") -> Article:
    body = f"<article><h1>The Norna</h1><p>{FOUND}</p>{inner}<p>{RAISED}</p><p>{LOST}</p></article>"
    return read_article(f"<html><head>{head}</head><body>{body}</body></html>".encode())


@pytest.mark.parametrize(
    "code",
    ["<pre>def depth(bar):\n    return 10 * bar\n</pre>",
     "<pre><code>def depth(bar):<br>    return 10 * bar</code></pre>",
     "<div class='highlight'><table><tr><td><pre>1\n2</pre></td>"
     "<td><pre><span>def</span> depth(bar):\n    return 10 * bar</pre></td></tr></table></div>"],
)  # fmt: skip
def test_code_keeps_its_lines_and_their_indentation(code: str) -> None:
    assert texts(wreck(code), BlockKind.CODE) == ["def depth(bar):\n    return 10 * bar"]


def test_prose_that_only_lacks_markup_is_no_code() -> None:
    article = read_article(f"<html><body><pre>{FOUND}\n{RAISED}\n\n{LOST}</pre></body>".encode())

    assert not texts(article, BlockKind.CODE)
    assert LOST in article.text


TABLE = """<table><caption>Finds by year</caption>
<tr><th>Find</th><th>2021</th><th>2022</th></tr>
<tr><td>Anchors</td><td></td><td>7</td></tr>
<tr><td rowspan=2>Plates</td><td>12</td><td>30<br>in pieces</td></tr>
<tr><td colspan=1></td><td>4</td></tr>
<tr><td colspan=2>Coins</td><td>1</td></tr></table>"""


def test_each_cell_of_a_table_stays_in_its_column_and_the_header_row_is_known() -> None:
    article = wreck(TABLE)
    rows = [block for block in article.blocks if block.kind is BlockKind.TABLE_ROW]

    assert [article.text[row.start : row.end] for row in rows] == [
        "Find | 2021 | 2022", "Anchors | | 7", "Plates | 12 | 30 in pieces",
        "| | 4", "Coins | | 1",
    ]  # fmt: skip
    assert [row.level for row in rows] == [1, 0, 0, 0, 0]
    assert texts(article, BlockKind.CAPTION) == ["Finds by year"]


def test_an_infobox_and_definitions_are_kept() -> None:
    rows = "<tr><th>Built</th><td>1891</td></tr><tr><th>Length</th><td>41 m</td></tr>"
    box = f"<table class='infobox'>{rows}</table>"
    terms = "<dl><dt>Bow</dt><dd>the front of a ship</dd><dt>Stern</dt><dd>its rear</dd></dl>"
    article = wreck(box + terms)

    assert texts(article, BlockKind.TABLE_ROW) == ["Built | 1891", "Length | 41 m"]
    assert "the front of a ship" in article.text
    assert "its rear" in article.text


def test_a_formula_is_read_once_as_it_was_written() -> None:
    drawn = "<span class='k' aria-hidden='true'>p = ρgh</span>"
    formula = f"<span><math alttext='p = \\rho g h'><mi>p</mi><mo>=</mo></math></span>{drawn}"
    article = wreck(
        f"<p>The pressure {formula} grows with the depth, and so does the risk to divers.</p>"
    )

    assert r"The pressure p = \rho g h grows" in article.text


def test_a_formula_that_old_browsers_see_as_a_picture_does_not_break_its_sentence() -> None:
    alt = r"{\displaystyle v=s/t}"
    hidden = f"<span style='display:none'><math alttext='{alt}'><mi>v</mi></math></span>"
    picture = f"<img class='mwe-math-fallback-image' alt='{alt}'>"
    for formula in (hidden + picture, picture):
        article = wreck(
            f"<p>Her speed {formula} was never more than nine knots in fair weather.</p>"
        )
        assert f"Her speed {alt} was never more than nine knots" in article.text


def test_a_row_whose_last_cells_are_empty_is_a_row() -> None:
    table = "<table><tr><th>Find</th><th>Age</th></tr><tr><td>Rope</td><td>90</td></tr>"
    article = wreck(f"{table}<tr><td>Bell</td><td></td></tr></table>")

    assert texts(article, BlockKind.TABLE_ROW) == ["Find | Age", "Rope | 90", "Bell |"]


def test_readings_of_chinese_characters_are_left_out() -> None:
    article = wreck(
        "<p>The salvage ship is <ruby>海風<rp>(</rp><rt>うみかぜ</rt><rp>)</rp></ruby>, wind.</p>"
    )

    assert "is 海風, wind." in article.text


@pytest.mark.parametrize(
    "mark", ["style='color:red; display : none'", "hidden", "style='visibility:hidden'"]
)
def test_what_a_browser_does_not_show_is_not_read(mark: str) -> None:
    article = wreck(
        f"<div {mark}><p>Nobody reads this line, which is here for robots alone.</p></div>"
    )

    assert "robots" not in article.text


def test_a_heading_that_opens_a_panel_is_a_heading() -> None:
    inner = f"<h2><button aria-expanded='true'>Who owns it?</button></h2><p>{PROSE[0]}</p>"

    assert texts(wreck(inner), BlockKind.HEADING) == ["Who owns it?"]


@pytest.mark.parametrize(
    "around",
    ["<nav><div>{}</div></nav>", "<noscript>{}</noscript>", "<a href='/x'><div>{}</div></a>",
     "<h2>{}</h2>", "<table><tr><td width=9></td><td>{}</td></tr></table>", "<form>{}</form>",
     "<button><div>{}</div></button>", "<div style='visibility:hidden'><h1>Norna</h1>{}</div>",
      "<h3><section>{}</section></h3>"],
)  # fmt: skip
def test_an_article_is_found_in_whatever_element_it_stands(around: str) -> None:
    inner = "".join(f"<p>{text}</p>" for text in (FOUND, RAISED, LOST, *PROSE))
    article = read_article(
        f"<html><body><main>{around.format(inner)}</main></body></html>".encode()
    )

    for text in (FOUND, RAISED, LOST, *PROSE):
        assert text in article.text


@pytest.mark.parametrize(
    "wrapped", ["{}", "//<![CDATA[\n{}\n//]]>", "<!--{}-->", "/*<![CDATA[*/{}/*]]>*/"]
)
def test_a_text_that_only_json_ld_carries_is_read(wrapped: str) -> None:
    node = {"@type": "Article", "headline": "The Norna", "articleBody": f"{FOUND}\n\n{RAISED}"}
    script = f"<script type='application/ld+json'>{wrapped.format(json.dumps(node))}</script>"
    article = read_article(
        f"<html><head>{script}</head><body><div id=app></div></body></html>".encode()
    )

    assert texts(article, BlockKind.PARAGRAPH) == [FOUND, RAISED]
    assert article.title == "The Norna"


@pytest.mark.parametrize(
    "shown",
    ["<footer><p>Diving since 1987</p></footer>",
     "<p>The ferry sank on <time datetime='1899-02-11'>11 February 1899</time> in a storm that cost"
     " three other ships and their crews, as the papers of the day report at length.</p>",
     "<div class='event-date'>4 May 2031</div>",
     "<p class='date'>Last edited on 3 June 2020</p>",
     "<p>Copyright 2014</p>"],
)  # fmt: skip
def test_no_date_is_guessed(shown: str) -> None:
    assert wreck(shown).published is None


def test_a_date_alone_between_the_headline_and_the_text_is_the_article_s() -> None:
    body = f"<h1>Norna</h1><p>{{}}</p><p>{FOUND} {RAISED}</p><p>{{}}</p><p>{LOST}</p>"

    assert (
        read_article(f"<html>{body.format('3 June 2020', '')}".encode()).published == "2020-06-03"
    )
    assert read_article(f"<html>{body.format('', '3 June 1920')}".encode()).published is None


def test_the_day_of_an_edit_is_that_of_a_change() -> None:
    article = wreck("<p class='date'>Updated 3 June 2020</p>")
    both = wreck("<p class='dateline'>Updated 5 June 2020, first published 1 June 2020</p>")

    assert (article.published, article.modified) == (None, "2020-06-03")
    assert (both.published, both.modified) == ("2020-06-01", "2020-06-05")


@pytest.mark.parametrize(
    ("shown", "dateline"),
    [
        ("<p class='byline'>By Jane Doe | Published 3 June 2020</p>", "Published 3 June 2020"),
        ("<div><a rel=author>By Jane Doe</a> <time>June 3, 2020</time></div>", "June 3, 2020"),
        ("<p class='author'>By Jane Doe</p><p class='date'>3 June 2020</p>", "3 June 2020"),
    ],
)
def test_a_printed_byline_and_date_are_cited_as_they_are_printed(shown: str, dateline: str) -> None:
    article = wreck(shown)

    assert texts(article, BlockKind.BYLINE) == ["By Jane Doe"]
    assert texts(article, BlockKind.DATELINE) == [dateline]
    assert (article.authors, article.published) == (("Jane Doe",), "2020-06-03")


def test_what_is_left_out_is_told() -> None:
    comments = "".join(
        f"<p class=c>I saw her myself, number {n} of the divers said.</p>" for n in (1, 2)
    )
    body = f"<article><p>{FOUND}</p><p>{RAISED}</p><p>{LOST}</p></article>"
    body += f"<div id='comments'>{comments}</div>"
    article = read_article(f"<html><body>{body}</body></html>".encode())

    assert "blocks of comments: 2" in article.omitted


def test_an_address_that_is_none_is_passed_over() -> None:
    assert wreck(head="<link rel='canonical' href='http://['>").url is None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [f"<p>{FOUND}</p>", f"<p>{LOST}</p>", TABLE, "<pre>a\n  b</pre>", "<h2>Crew</h2>",
             "<p class='date'>3 June 2020</p>", "<div class='byline'>By Jane Doe</div>",
             "<ul><li>One anchor.</li></ul>", "<nav>Home</nav>",
             "<meta name=author content='J. Roe'>"]
        ),
        min_size=1,
    )
)  # fmt: skip
def test_every_word_of_the_text_stands_in_the_page_in_order(parts: list[str]) -> None:
    page = "<html><body>" + "".join(parts)
    try:
        article = read_html(page)
    except SourceError:
        return
    shown = iter(" ".join(html.fromstring(page).itertext()).split())
    words = article.text.replace("|", " ").split()  # a bar stands between cells
    assert all(word in shown for word in words)


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


@pytest.mark.parametrize("element", ["article", "main", "section", "figure"])
def test_a_page_may_leave_out_the_tags_of_its_head_and_body(element: str) -> None:
    prose = "".join(f"<p>{paragraph}</p>" for paragraph in PROSE)
    text = (
        f"<!doctype html><title>Council</title><meta charset=utf-8><{element}>{prose}</{element}>"
    )
    article = read_article(text.encode())
    assert article.title == "Council"
    assert article.text == "\n\n".join(PROSE)
