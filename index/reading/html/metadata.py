"""What a page says of itself: JSON-LD first, then OpenGraph, meta tags, markup and text.

Vocabulary: https://schema.org/Article, https://ogp.me/, and the names that parse.ly, Dublin
Core, Google Scholar and the like have for the same things.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from html import escape, unescape
from itertools import islice
from typing import Any, TypeAlias, cast
from urllib.parse import urljoin, urlsplit

from lxml import etree

from index.reading.assembly import Metadata
from index.reading.dates import dates_of_line, day_comes_first, iso_date, last_word_of_change
from index.reading.header import said_in
from index.reading.html.authors import marks_of, page_authors, stands_elsewhere, text_of

__all__ = ["declared_text", "page_metadata"]

Said: TypeAlias = "tuple[str, str]"
"""Where the page declares something, and what."""

_ARTICLE_TYPES = re.compile(r"(?i)(?:article|posting|report|review|story|claimreview)$")
_PAGE_TYPES = re.compile(r"(?i)(?:webpage|itempage|creativework|videoobject|podcastepisode)$")
_TAG = re.compile(r"<[^>]{1,300}>")
_WITH_ITEMPROP = etree.XPath("//*[@itemprop]")
_SPACE = re.compile(r"\s+")
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_TRAILING_COMMA = re.compile(r",\s*([}\]])")
_SEPARATOR = re.compile(r"(?<!\s)\s+(?:[|•·»›–—-]+|::)\s+|(?<![\s|])\s*\|\s*|\|")
_DATE_NAMES = re.compile(r"date|time|publish|posted|byline|meta\b")
_DATED = re.compile(
    r"[/-](?P<y>(?:19|20)\d\d)(?P<s>[/-])(?P<m>\d\d|[a-z]{3})(?P=s)(?P<d>\d\d)(?:[/-]|$)",
    re.IGNORECASE,
)
_DATE_TAGS = ("p", "div", "span", "li", "small", "em", "td", "h4", "h5", "h6", "a")
MAX_DATE_LINE = 120
MAX_BESIDE_DATE = 60
MAX_PLAIN = 60
_EVENT = re.compile(r"event|calendar|deadline|schedule|birth|copyright")
MAX_LD_NODES = 5000
MAX_LD_CHARS = 5_000_000
MAX_TITLE = 500

# In order of trust; keys of meta tags in lower case.
_META = {
    "title": ("og:title", "twitter:title", "parsely-title", "sailthru.title", "dc.title",
              "dcterms.title", "citation_title", "title", "headline"),
    "author": ("article:author", "author", "og:author", "byl", "byline", "parsely-author",
               "sailthru.author", "dc.creator", "dc.creator.personalname", "dcterms.creator",
               "dcsext.author", "citation_author", "article:author_name", "cxenseparse:author",
               "article.author"),
    "published": ("article:published_time", "og:article:published_time", "og:published_time",
                  "parsely-pub-date", "sailthru.date", "datepublished", "date", "pubdate",
                  "publishdate", "publish_date", "publish-date", "article.published",
                  "dc.date.issued", "dcterms.issued", "dcterms.created", "dc.date.created",
                  "dc.date", "dcterms.date", "citation_publication_date", "citation_date",
                  "cxenseparse:recs:publishtime", "published-date", "article_date_original",
                  "originalpublicationdate", "rnews:datepublished", "ptime"),
    "modified": ("article:modified_time", "og:updated_time", "article:updated_time",
                 "datemodified", "lastmod", "last-modified", "dcterms.modified",
                 "dc.date.modified", "revised", "article.updated", "utime"),
    "site": ("og:site_name", "application-name", "twitter:app:name:iphone", "dc.publisher",
             "publisher", "citation_journal_title", "al:ios:app_name"),
    "url": ("og:url", "twitter:url", "parsely-link"),
    "language": ("og:locale", "content-language", "dc.language", "dcterms.language", "language"),
}  # fmt: skip


def page_metadata(root: etree._Element, url: str | None = None) -> Metadata:
    """What a page says of itself."""
    article, page = _structured(root)
    meta = _meta_tags(root)
    item = _item_properties(root)

    def tags(name: str) -> list[Said]:
        return [(f"meta tag {key}", value) for key in _META[name] for value in meta.get(key, ())]

    def linked(node: dict[str, Any], *keys: str) -> list[Said]:
        return [(f"JSON-LD {key}", _string(node.get(key))) for key in keys]

    def items(key: str) -> list[Said]:
        return [(f"microdata {key}", value) for value in item[key.lower()]]

    def first(said: Iterable[Said]) -> Said:
        return next((found for found in said if found[1]), ("", ""))

    address = _canonical(root, first(tags("url"))[1], _string(article.get("url")), url)
    publisher = ("JSON-LD publisher", _string(_get(article, "publisher", "name")))
    site, site_at = first([publisher, *tags("site"), *items("publisher")])[::-1]
    headline = first(linked(article, "headline", "name"))
    titles = [headline, first(tags("title"))]
    title = _title([said for _, said in titles], root, site, _string(page.get("headline")))
    locale = (_string(article.get("inLanguage")), first(tags("language"))[1])
    host = urlsplit(address).hostname if address else None
    day_first = day_comes_first(_locale(root, *locale), host or "")
    printed = _printed_dates(root, address, day_first)
    persons = article.get("author") or article.get("creator")
    by = [
        ("JSON-LD author", [_string(value) for value in _listed(persons)]),
        *((f"meta tag {key}", meta.get(key, [])) for key in _META["author"]),
        ("microdata author", item["author"]),
    ]
    authors = page_authors([values for _, values in by], root, site)
    family = authors[0].split()[-1] if authors else ""
    return Metadata.of(
        {
            "title": (title, first(titles)[0] or "title element"),
            "authors": (authors, next((at for at, said in by if family in " ".join(said)), "")),
            "published": _date(
                [
                    *linked(article, "datePublished", "dateCreated"),
                    *tags("published"),
                    *items("datePublished"),
                    *linked(page, "datePublished"),
                    printed["published"],
                ],
                day_first,
            ),
            "modified": _date(
                [
                    *linked(article, "dateModified"),
                    *tags("modified"),
                    *items("dateModified"),
                    *linked(page, "dateModified"),
                    printed["modified"],
                ],
                day_first,
            ),
            "site": (site, site_at),
        },
        url=address,
        language=_language(root, *locale),
    )


def declared_text(root: etree._Element) -> str:
    """The article's text as JSON-LD carries it, for pages that show it by a script; "" if none."""
    article, _ = _structured(root)
    text = article.get("articleBody") or article.get("text")
    if not isinstance(text, str):
        return ""
    text = unescape(text) if "&lt;" in text or "<" not in text else text
    if _TAG.search(text):
        return text
    return "".join(f"<p>{escape(line)}</p>\n" for line in text.splitlines() if line.strip())


def _structured(root: etree._Element) -> tuple[dict[str, Any], dict[str, Any]]:
    """The page's JSON-LD node for an article, and the one for the page; each may be empty."""
    nodes: list[dict[str, Any]] = []
    for script in root.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower():
            continue
        text = script.text or ""
        if len(text) <= MAX_LD_CHARS:
            nodes.extend(_nodes(_json(text)))
    by_id = {
        node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1
    }
    articles = [node for node in nodes if _is_a(node, _ARTICLE_TYPES)]
    # A page may list other articles: the one with a text, an author and a date is its own.
    shown = _letters(" ".join(text_of(element, MAX_TITLE) for element in root.iter("h1", "title")))

    def trust(node: dict[str, Any]) -> tuple[bool, int]:
        headline = _letters(_string(node.get("headline")) or _string(node.get("name")))
        said = ("articleBody", "author", "datePublished", "headline", "mainEntityOfPage")
        return bool(headline) and headline in shown, sum(key in node for key in said)

    best = max(articles, key=trust, default={})
    page = next((node for node in nodes if _is_a(node, _PAGE_TYPES)), {})
    return _resolved(best, by_id), _resolved(page, by_id)


def _json(text: str) -> object:
    # Some wrap it in comments or CDATA marks.
    text = _CDATA.sub("", text)
    start = re.search(r"[{\[]", text)
    text = text[start.start() if start else 0 : max(text.rfind("}"), text.rfind("]")) + 1]
    for candidate in (text, _TRAILING_COMMA.sub(r"\1", text)):
        try:
            return json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    """All objects of a JSON-LD document, outermost first."""
    queue: list[object] = [value]
    seen = 0
    while queue and seen < MAX_LD_NODES:
        value = queue.pop(0)
        seen += 1
        if isinstance(value, list):
            queue.extend(value)
        elif isinstance(value, dict):
            yield value
            queue.extend(inner for inner in value.values() if isinstance(inner, (dict, list)))


def _is_a(node: dict[str, Any], types: re.Pattern[str]) -> bool:
    kinds = node.get("@type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    return any(isinstance(kind, str) and types.search(kind) for kind in listed)


def _resolved(node: dict[str, Any], by_id: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A node with the nodes that it only names by ``@id`` put in their place."""

    def follow(value: object) -> object:
        if isinstance(value, dict) and set(value) == {"@id"} and isinstance(value["@id"], str):
            return by_id.get(value["@id"], value)
        return [follow(inner) for inner in value] if isinstance(value, list) else value

    return {key: follow(value) for key, value in node.items()}


def _get(node: dict[str, Any], *keys: str) -> object:
    value: object = node
    for key in keys:
        value = value[0] if isinstance(value, list) and value else value
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _string(value: object) -> str:
    """A JSON-LD value as text without markup."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("@value") or value.get("name")
    if not isinstance(value, str):
        return ""
    return _SPACE.sub(" ", unescape(unescape(_TAG.sub("", value)))).strip()


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _meta_tags(root: etree._Element) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = defaultdict(list)
    for element in root.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("http-equiv")
        content = element.get("content")
        if name and content and content.strip():
            tags[name.strip().lower()].append(_SPACE.sub(" ", unescape(content)).strip())
    for number in ("1", "2"):  # a label and its value: who wrote it, or how long it takes to read
        if re.search(r"(?i)written by|author", " ".join(tags.get(f"twitter:label{number}", ()))):
            tags["author"] += tags.get(f"twitter:data{number}", [])
    return tags


def _item_properties(root: etree._Element) -> dict[str, list[str]]:
    """Values of the microdata properties that matter, by name in lower case."""
    found: dict[str, list[str]] = defaultdict(list)
    for element in _found(_WITH_ITEMPROP, root):
        name = (element.get("itemprop") or "").lower()
        if name in ("datepublished", "datemodified"):
            value = element.get("content") or element.get("datetime") or text_of(element)
            found[name].append(value)
        elif name == "author" and not stands_elsewhere(element):
            inner = element.find(".//*[@itemprop='name']")
            value = element.get("content") or text_of(element if inner is None else inner)
            if inner is not None and inner.get("content"):
                value = inner.get("content") or ""
            found[name].append(value)
        elif name == "publisher":
            inner = element.find(".//*[@itemprop='name']")
            value = "" if inner is None else inner.get("content") or text_of(inner)
            found[name].append(element.get("content") or value)
    return found


def _found(path: etree.XPath, root: etree._Element) -> list[etree._Element]:
    """What an XPath that selects elements selects."""
    return cast("list[etree._Element]", path(root))


def _title(declared: list[str], root: etree._Element, site: str, page_title: str) -> str:
    """The title as printed, by what the page declares.

    A declared title may be cut short, put in other words for search engines, or carry the
    site's name or the section's; the page's own first-level heading then has it as printed.
    """
    headings = [text_of(element, MAX_TITLE) for element in root.iter("h1")]
    known = [h for h in headings if h and _letters(h) != _letters(site)]
    element = root.find(".//title")
    page_title = page_title or (text_of(element, MAX_TITLE) if element is not None else "")
    candidates = [unescape(title)[:MAX_TITLE].strip() for title in (*declared, page_title) if title]
    for candidate in candidates:
        bare = _letters(candidate)
        parts = [_letters(part) for part in _SEPARATOR.split(candidate)]
        # A short part behind a bar is the site's name; the first or the longest is the title.
        named = (bare, parts[0], max(parts, key=len))
        for heading in known:
            shown = _letters(heading)
            if shown and (
                shown in named
                or (len(shown) > 15 and bare.startswith(shown))
                or (candidate.endswith(("...", "…")) and shown.startswith(bare))
            ):
                return heading
    if len(known) == 1 and any(_in_other_words(known[0], c) for c in candidates):
        return known[0]
    if not candidates:
        return next(filter(None, headings), "")
    return _without_site(candidates[0], site, guess=not any(declared))


def _in_other_words(heading: str, title: str) -> bool:
    """Whether a heading says what a title says: half the words of the shorter are shared."""
    ours, theirs = (set(re.findall(r"\w{3,}", text.lower())) for text in (heading, title))
    return len(ours) >= 4 and len(ours & theirs) >= 0.5 * max(4, min(len(ours), len(theirs)))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


def _without_site(title: str, site: str, *, guess: bool) -> str:
    """A title without the publication's name behind or before it.

    Where the site is unknown, a guess takes a few words after a bar or dash for its name.
    """
    parts = _SEPARATOR.split(title)
    if len(parts) < 2:
        return title
    name = _letters(site)
    last, first = _letters(parts[-1]), _letters(parts[0])
    if name and last and (last in name or name in last):
        return title[: title.rindex(parts[-1])].rstrip(" |•·»›–—-:")
    if name and first and first == name:
        return title[len(parts[0]) :].lstrip(" |•·»›–—-:")
    if guess and not name and len(parts[-1].split()) <= 4 and len(parts[-1]) < len(title) / 2:
        return title[: title.rindex(parts[-1])].rstrip(" |•·»›–—-:")
    return title


def _date(said: Iterable[Said], day_first: bool | None) -> tuple[str | None, str]:
    dates = ((iso_date(value, day_first=day_first), where) for where, value in said if value)
    return next((found for found in dates if found[0]), (None, ""))


def _printed_dates(
    root: etree._Element, address: str | None, day_first: bool | None
) -> dict[str, Said]:
    """The days on which the page says it was published and changed, as far as it prints them.

    Only a line that is a date counts: never one out of the prose, of an event, or of a foot. What
    stands after the headline goes before what stands above it: the day's own date, a ticker. What
    stands with a comment or another article's teaser is passed over.
    """
    heading = next(root.iter("h1"), None)
    below = heading is None
    found: dict[str, dict[tuple[bool, bool], Said]] = {"published": {}, "modified": {}}
    begun = heading is None
    for element in root.iter("h1", "time", *_DATE_TAGS):
        if element.tag == "h1":
            below = below or element is heading
            continue
        begun = begun or (below and element.tag == "p" and len(element.text or "") > MAX_DATE_LINE)
        # Between the headline and the text, a line needs no name to be the date's.
        named = below and not begun and len(element) == 0 and len(element.text or "") < MAX_PLAIN
        if not named and element.tag != "time":
            named = bool(_DATE_NAMES.search(marks_of(element)))
        if not named and element.tag != "time":
            continue
        key = (element.tag == "time", below)
        for name, date in _shown_dates(element, day_first).items():
            if key not in found[name] and not stands_elsewhere(element):
                found[name][key] = ("time element" if element.tag == "time" else "", date)
    shown = {
        name: next(
            (dates[key] for key in ((True, True), (True, False), (False, True), (False, False))
             if key in dates),
            ("", ""),
        )
        for name, dates in found.items()
    }  # fmt: skip
    in_address = _date_of_address(address)
    if in_address and (True, True) not in found["published"]:
        shown["published"] = ("the page's address", in_address)
    return shown


def _shown_dates(element: etree._Element, day_first: bool | None) -> dict[str, str]:
    """The dates that an element prints as its page's own, by what they are the dates of."""
    outer = [element, *islice(element.iterancestors(), 2)]
    marks = " ".join(map(marks_of, outer))
    if _EVENT.search(marks):
        return {}
    line = text_of(element)
    if element.tag == "time":
        parent, sibling = element.getparent(), element.getprevious()
        around = text_of(parent, 2 * MAX_DATE_LINE) if parent is not None else ""
        is_line = len(around) <= len(line) + MAX_BESIDE_DATE and (
            not around.endswith((".", "!", "?")) or bool(said_in(around, day_first=day_first))
        )
        if parent is not None and parent.tag in ("p", "li", "dd", "td") and not is_line:
            return {}  # within the prose: the date of what is told there
        date = iso_date(element.get("datetime") or "", day_first=day_first)
        if date:
            beside = parent.text if sibling is None and parent is not None else None
            beside = sibling.tail if sibling is not None else beside
            before = around[: around.find(line)] if is_line and line in around else beside or ""
            edited = last_word_of_change(f"{before} {line}")
            return {"modified" if edited or "modified" in marks else "published": date}
    return dates_of_line(line, day_first=day_first) if len(line) <= MAX_DATE_LINE else {}


def _date_of_address(address: str | None) -> str | None:
    """The day that an address names: ``/2019/11/18/``, ``/2019/nov/18/``, ``/2019-11-18-``."""
    match = _DATED.search(address or "")
    if match is None:
        return None
    year, month, day = match["y"], match["m"], match["d"]
    return iso_date(f"{year}-{month}-{day}" if month.isdigit() else f"{day} {month} {year}")


def _canonical(root: etree._Element, *others: str | None) -> str | None:
    """The address the page gives as its own, else the one it came from."""
    link = next(
        (e.get("href") for e in root.iter("link") if (e.get("rel") or "").lower() == "canonical"),
        None,
    )
    base = others[-1] or ""
    for address in (link, *others):
        try:
            full = urljoin(base, (address or "").strip()) if address else ""
            parts = urlsplit(full)
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and parts.netloc:
            return full
    return None


def _language(root: etree._Element, *declared: str) -> str | None:
    """The ISO 639-1 code that the page declares."""
    return _locale(root, *declared)[:2].lower() or None


def _locale(root: etree._Element, *declared: str) -> str:
    """The language that the page declares, with its country where that is said too."""
    outer = root if root.tag == "html" else root.getparent()
    attribute = outer.get("lang") if outer is not None else None
    found = [
        match[0].strip()
        for value in (attribute, *declared)
        if (match := re.match(r"\s*[A-Za-z]{2}(?:[-_][A-Za-z]{2}\b|(?=[-_]|$))", value or ""))
    ]
    # The first names the language; another of the same may name the country.
    same = [locale for locale in found if locale[:2].lower() == found[0][:2].lower()]
    return max(same, key=len, default="")
