"""An article as HTML, cut into the units that citations point at.

Every sentence that can be cited, and every title, byline and dateline, becomes one

    <span class="unit" id="u123" data-start="123" data-end="164">…</span>

whose offsets are those of the article's text. The page highlights units; it never searches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from index.article import Article, Block, BlockKind
from qa.page.markup import escape
from qa.sharing.export import readable_date
from qa.text import web_url

__all__ = ["Span", "render_article"]

Span = tuple[int, int]

_TAGS = {
    BlockKind.PARAGRAPH: "p",
    BlockKind.TABLE_ROW: "p",
    BlockKind.CAPTION: "p",
    BlockKind.CODE: "pre",
    BlockKind.BYLINE: "p",
    BlockKind.DATELINE: "p",
    BlockKind.FURNITURE: "p",
    BlockKind.LIST_ITEM: "li",
    BlockKind.QUOTE: "blockquote",
    BlockKind.TITLE: "h2",
}
# The page's own title is the h1, the article's the h2.
_FIRST_HEADING = 3


def render_article(article: Article, sentences: Sequence[Span], *, several: bool = False) -> str:
    """The article for the reader's pane.

    Args:
        article: What to show.
        sentences: Spans of its citable sentences, in order, each within one block.
        several: Whether it is one of several, which a button leads back to.
    """
    spans = iter([*sentences, (len(article.text) + 1, 0)])
    upcoming = next(spans)
    parts: list[str] = []
    for is_list, blocks in groupby(article.blocks, lambda b: b.kind is BlockKind.LIST_ITEM):
        parts += ["<ul>"] * is_list
        for block in blocks:
            inside: list[Span] = []
            while upcoming[0] < block.end:
                inside.append(upcoming)
                upcoming = next(spans)
            parts.append(_block(article.text, block, inside))
        parts += ["</ul>"] * is_list
    back = (
        '<p class="of-many"><button type="button" class="all-articles">All articles</button>'
        ' <button type="button" class="only">Ask only this article</button></p>'
    )
    return (
        f'<article class="article" id="article" data-id="{escape(article.id)}" dir="auto"'
        f"{_language(article)}>{back if several else ''}{_head(article)}{''.join(parts)}</article>"
    )


def _block(text: str, block: Block, sentences: Sequence[Span]) -> str:
    if block.kind is BlockKind.HEADING:
        tag = f"h{min(6, _FIRST_HEADING + max(block.level, 1) - 1)}"
    else:
        tag = _TAGS[block.kind]
    if not block.kind.citable:
        sentences = [(block.start, block.end)]
    inner = "".join(_units(text, block, sentences))
    return f'<{tag} class="{block.kind.value}" dir="auto">{inner}</{tag}>'


def _units(text: str, block: Block, sentences: Sequence[Span]) -> Iterator[str]:
    """The block's text whole and in order, its sentences wrapped."""
    at = block.start
    for start, end in sentences:
        yield escape(text[at:start])
        yield (
            f'<span class="unit" id="u{start}" data-start="{start}" data-end="{end}">'
            f"{escape(text[start:end])}</span>"
        )
        at = end
    yield escape(text[at : block.end])


def _head(article: Article) -> str:
    """What is known of the article beyond what its own lines show."""
    kinds = {block.kind for block in article.blocks}
    parts = []
    if article.title and BlockKind.TITLE not in kinds:
        parts.append(f'<h2 class="title" dir="auto">{escape(article.title)}</h2>')
    facts = []
    if article.authors and BlockKind.BYLINE not in kinds:
        facts.append(escape(", ".join(article.authors)))
    if article.site:
        facts.append(escape(article.site))
    if article.published:
        day = escape(readable_date(article.published))
        facts.append(f'<time datetime="{escape(article.published)}">{day}</time>')
    if url := web_url(article.url):
        facts.append(
            f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">Original</a>'
        )
    if facts:
        parts.append(f'<p class="facts">{" · ".join(facts)}</p>')
    return "".join(parts)


def _language(article: Article) -> str:
    return f' lang="{escape(article.language)}"' if article.language else ""
