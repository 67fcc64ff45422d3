"""An article as HTML: all of its text, in order, in units that know their place."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from index import Article
from index.article import Block, BlockKind
from index.reading.plaintext import article_from_text
from qa import ArticleBot
from qa.page.article_view import render_article
from qa.page.markup import escape


class Units(HTMLParser):
    """Collects what stands in each unit."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: dict[tuple[int, int], str] = {}
        self.all = ""
        self._open: tuple[int, int] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("class") == "unit":
            self._open = int(values["data-start"] or -1), int(values["data-end"] or -1)
            self.texts.setdefault(self._open, "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self._open = None

    def handle_data(self, data: str) -> None:
        self.all += data
        if self._open:
            self.texts[self._open] += data


def test_every_citable_sentence_and_every_label_is_a_unit(bot: ArticleBot) -> None:
    article = bot.article
    spans = [(sentence.start, sentence.end) for sentence in bot.index.sentences]
    units = Units(render_article(article, spans)).texts
    assert set(spans) <= set(units)
    for (start, end), text in units.items():
        assert text == article.text[start:end]
    labels = {(b.start, b.end) for b in article.blocks if not b.kind.citable}
    assert set(units) == set(spans) | labels


@given(
    st.lists(
        st.tuples(st.sampled_from(list(BlockKind)), st.text(st.characters(), min_size=1)),
        max_size=8,
    )
)
def test_no_character_is_lost_or_run(parts: list[tuple[BlockKind, str]]) -> None:
    blocks, text = [], ""
    # An article always has something to cite.
    parts = [*parts, (BlockKind.PARAGRAPH, "The end.")]
    for kind, part in parts:
        blocks.append(Block(kind, len(text), len(text) + len(part), level=1))
        text += part + "\n"
    spans = [(b.start, b.end) for b in blocks if b.kind.citable]
    html = render_article(Article(text, tuple(blocks)), spans)
    shown = Units(html)
    expected = [unescape(escape(part)) for _, part in parts]
    assert list(shown.texts.values()) == expected
    assert shown.all == "".join(expected)


def test_what_its_own_lines_do_not_show_is_put_over_it() -> None:
    article = Article(
        text="It rains.",
        blocks=(Block(BlockKind.PARAGRAPH, 0, 9),),
        title="Weather",
        authors=("Ann", "Ben"),
        published="2021-05-19T10:00:00Z",
        site="The <Daily>",
        url="https://e.org/w",
    )
    html = render_article(article, [(0, 9)])
    assert '<h2 class="title" dir="auto">Weather</h2>' in html
    assert "Ann, Ben · The &lt;Daily&gt; · " in html
    assert ">19 May 2021</time>" in html
    assert 'href="https://e.org/w" target="_blank" rel="noopener noreferrer"' in html


def test_a_title_and_a_byline_in_the_text_are_not_said_twice(article: Article) -> None:
    html = render_article(article, [])
    assert html.count(escape(article.title or "")) == 1
    assert html.count("Sayujya S") == 1


def test_an_address_that_would_run_is_not_linked() -> None:
    article = Article("It rains.", (Block(BlockKind.PARAGRAPH, 0, 9),), url="javascript:alert(1)")
    assert "javascript" not in render_article(article, [(0, 9)])


def test_list_items_stand_in_a_list_and_headings_below_the_title() -> None:
    article = article_from_text("Title of it\n\nProse stands first.\n\n- one item\n- two items\n")
    html = render_article(article, [])
    assert html.count("<ul>") == html.count("</ul>") == 1
    assert html.count("<li ") == 2
    assert html.index("<h2") < html.index("<ul>")
