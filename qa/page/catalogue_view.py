"""A library in the reader's pane: what there is, what a filter leaves of it, and the filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from index.archive.store import Entry, Where
from qa import filters
from qa.page.markup import escape, transferable
from qa.sharing.export import readable_date

__all__ = ["LISTED", "NAMES", "render_catalogue", "render_filters", "where_of"]

LISTED = 200
"""Articles that are listed; a filter leads to the others."""
NAMES = 2000
"""Articles whose authors, sites and tags are offered; others can be typed."""
_OFFERED = 200

_FIELDS = (("author", "Author"), ("site", "Site"), ("tag", "Tag"))
_DAYS = (("from", "From"), ("until", "Until"))


def render_catalogue(entries: Sequence[Entry], *, filtered: bool) -> str:
    """Articles to choose from.

    Args:
        entries: Those that fit, one more than are listed where there are more.
        filtered: Whether there are others that do not fit.
    """
    more = len(entries) > LISTED
    number = f"More than {LISTED}" if more else str(len(entries))
    what = "article" if len(entries) == 1 else "articles"
    fit = (" fits" if len(entries) == 1 else " fit") if filtered else ""
    head = f'<h2 class="title">{number} {what}{fit}</h2>'
    if not entries:
        head = (
            '<h2 class="title">No article fits</h2><p class="facts">Take a filter away.</p>'
            if filtered
            else '<h2 class="title">The library is empty</h2>'
            '<p class="facts">Add articles with <code>article-qa add</code>.</p>'
        )
    listed = enumerate(entries[:LISTED])
    items = "".join(_item(number, entry) for number, entry in listed)
    order = (("added", "Order added"), ("title", "Title"), ("published", "Newest"))
    options = "".join(f'<option value="{value}">{label}</option>' for value, label in order)
    tools = (
        '<div class="find"><input type="search" id="find-article" placeholder="Find by title, name"'
        ' aria-label="Find among these articles" dir="auto">'
        f'<select id="sort-articles" aria-label="Sort these articles">{options}</select></div>'
        if len(entries) > 1
        else ""
    )
    rest = '<p class="facts">Filter by date, author, site or tag to see the others.</p>'
    return (
        f'<section class="article catalogue" id="article" data-id="" aria-label="Articles">{head}'
        f"{tools}<ul>{items}</ul>{rest if more else ''}</section>"
    )


def render_filters(entries: Iterable[Entry]) -> str:
    """The form that says which articles are asked; it offers the names that these have."""
    known = list(entries)
    days = "".join(
        f'<label>{label} <input type="date" data-filter="{name}"></label>' for name, label in _DAYS
    )
    names = "".join(
        f'<label>{label} <input type="text" data-filter="{name}" list="known-{name}"'
        f' autocomplete="off" placeholder="Any"></label>{_offer(name, known)}'
        for name, label in _FIELDS
    )
    return (
        '<details id="filters"><summary>Asking <span class="asked">all articles</span></summary>'
        f'<div class="fields" role="group" aria-label="Which articles are asked">{days}{names}'
        '<button type="button" class="all">All articles</button></div></details>'
    )


def where_of(said: Mapping[str, Any]) -> Where | None:
    """The filter that a page asks for; None where it asks for none.

    Args:
        said: ``from`` and ``until`` as ISO 8601 days, ``author``, ``site`` and ``tag`` as names,
            ``article`` as an id.

    Raises:
        QuestionError: It is no filter.
    """
    given = {name: transferable(str(value)).strip() for name, value in said.items() if value}
    author, site, tag, only = (
        [given[name]] if given.get(name) else [] for name in ("author", "site", "tag", "article")
    )
    since, until = given.get("from"), given.get("until")
    where = filters.where_of(since=since, until=until, author=author, site=site, tag=tag, only=only)
    return where or None


def _item(number: int, entry: Entry) -> str:
    facts = [*entry.authors, entry.site or "", readable_date(entry.published), *entry.tags]
    return (
        f'<li data-added="{number}" data-title="{escape(entry.title or "Untitled")}"'
        f' data-published="{escape(entry.published or "")}">'
        f'<button type="button" class="entry" data-article="{escape(entry.id)}" dir="auto">'
        f"{escape(entry.title or 'Untitled')}</button>"
        f'<span class="facts" dir="auto">{" · ".join(escape(f) for f in facts if f)}</span></li>'
    )


def _offer(name: str, entries: Sequence[Entry]) -> str:
    """The names that most articles have, for a text box to complete."""
    found: Counter[str] = Counter()
    for entry in entries:
        values = {"author": entry.authors, "site": (entry.site or "",), "tag": entry.tags}[name]
        found.update(value for value in values if value)
    options = "".join(
        f'<option value="{escape(value)}"></option>' for value, _ in found.most_common(_OFFERED)
    )
    return f'<datalist id="known-{name}">{options}</datalist>'
