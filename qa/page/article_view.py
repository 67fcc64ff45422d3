"""An article as HTML, cut into the units that citations point at.

Every sentence that can be cited, and every title, byline and dateline, becomes one

    <span class="unit" id="u123" data-start="123" data-end="164">…</span>

whose offsets are those of the article's text. The page highlights units; it never searches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from index.article import Article, Block, BlockKind
from qa.page.markup import escape
from qa.page.sheets_view import Span, render_sheets
from qa.sharing.export import readable_date
from qa.text import web_url

__all__ = ["render_article"]

_TAGS = {
    BlockKind.PARAGRAPH: "p",
    BlockKind.CAPTION: "p",
    BlockKind.CODE: "pre",
    BlockKind.BYLINE: "p",
    BlockKind.DATELINE: "p",
    BlockKind.FURNITURE: "p",
    BlockKind.LIST_ITEM: "li",
    BlockKind.QUOTE: "blockquote",
    BlockKind.TITLE: "h2",
}
_AROUND = {
    BlockKind.LIST_ITEM: ("<ul>", "</ul>"),
    BlockKind.TABLE_ROW: ('<table class="table">', "</table>"),
}
_SEAM = re.compile(r" ?\| ?")
# The page's own title is the h1, the article's the h2.
_FIRST_HEADING = 3


def render_article(
    article: Article, sentences: Sequence[Span], *, several: bool = False, pdf: bytes | None = None
) -> str:
    """The article for the reader's pane.

    Args:
        article: What to show.
        sentences: Spans of its citable sentences, in order, each within one block.
        several: Whether it is one of several, which a button leads back to.
        pdf: The file that it was read from, to be shown as its pages.
    """
    spans = iter([*sentences, (len(article.text) + 1, 0)])
    upcoming = next(spans)
    parts: list[str] = []
    units: list[Span] = []
    page = None
    for kind, blocks in groupby(article.blocks, lambda b: b.kind if b.kind in _AROUND else None):
        opening, closing = _AROUND[kind] if kind else ("", "")
        parts.append(opening)
        for block in blocks:
            inside: list[Span] = []
            while upcoming[0] < block.end:
                inside.append(upcoming)
                upcoming = next(spans)
            if not block.kind.citable:
                inside = [(block.start, block.end)]
            units += inside
            turned = f' data-page="{block.page}"' if block.page not in (None, page) else ""
            page = block.page
            parts.append(_block(article.text, block, inside, turned))
        parts.append(closing)
    sheets = render_sheets(article, units, pdf) if pdf else ""
    back = (
        '<p class="of-many"><button type="button" class="all-articles">All articles</button>'
        ' <button type="button" class="only">Ask only this article</button></p>'
    )
    return (
        f'<article class="article" id="article" data-id="{escape(article.id)}" dir="auto"'
        f"{_language(article)}>{back if several else ''}"
        + (f'<div class="pages">{sheets}</div>' if sheets else "")
        + f'<div class="text"{" hidden" if sheets else ""}>{_head(article)}{"".join(parts)}</div>'
        "</article>"
    )


def _block(text: str, block: Block, sentences: Sequence[Span], turned: str) -> str:
    if block.kind is BlockKind.TABLE_ROW:
        return f"<tr{turned}>{''.join(_cells(text, block, sentences))}</tr>"
    if block.kind is BlockKind.HEADING:
        tag = f"h{min(6, _FIRST_HEADING + max(block.level, 1) - 1)}"
    else:
        tag = _TAGS[block.kind]
    inner = "".join(_units(text, block.start, block.end, sentences))
    return f'<{tag} class="{block.kind.value}" dir="auto"{turned}>{inner}</{tag}>'


def _units(text: str, first: int, last: int, sentences: Sequence[Span]) -> Iterator[str]:
    """A stretch of text whole and in order, its sentences wrapped.

    Of a sentence that stands in several cells, each part says where it begins.
    """
    at = first
    for start, end in sentences:
        if end <= first or start >= last:
            continue
        begin = max(start, first)
        place = f'id="u{start}"' if begin == start else f'data-from="{begin}"'
        yield escape(text[at:begin])
        at = min(end, last)
        yield (
            f'<span class="unit" {place} data-start="{start}" data-end="{end}">'
            f"{escape(text[begin:at])}</span>"
        )
    yield escape(text[at:last])


def _cells(text: str, block: Block, sentences: Sequence[Span]) -> Iterator[str]:
    """The cells of a row; what stands between two of them is there, and not shown."""
    tag = "th" if block.level == 1 else "td"
    at = block.start
    while at < block.end:
        seam = _SEAM.search(text, at, block.end)
        end, after = seam.span() if seam else (block.end, block.end)
        inner = "".join(_units(text, at, end, sentences))
        between = "".join(_units(text, end, after, sentences))
        hidden = f"<span hidden>{between}</span>" if between else ""
        yield f'<{tag} dir="auto">{inner}{hidden}</{tag}>'
        at = after


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
