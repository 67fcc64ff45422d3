"""Score titles, authors and dates on made pages whose markup follows real publishing systems.

    python -m benchmarks.metadata [--misses]

Every page is built here from a row of facts and one of the ways in which pages state them;
the gold values are the facts. Titles count when equal but for white space, dates when the
day is the same, authors when the same names are found in any order and case.
"""

# ruff: noqa: E501 - markup is read best as it stands on the page
from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from index import read_article

PROSE = (
    "The city council voted on Tuesday to limit how the police may use facial recognition.",
    "Members said that the technology had been bought without a public debate, and that it"
    " misidentified residents in two cases last year, on 3 May 2011 and on 7 July 2012.",
    "The mayor, who had opposed the measure, will not veto it, her spokesman said on Wednesday.",
    "A similar rule was passed by a neighbouring town in March after a year of hearings there.",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of a page."""

    title: str
    authors: tuple[str, ...]
    published: str
    modified: str
    site: str


FACTS = (
    Facts("Council limits facial recognition", ("Jane Doe",), "2020-03-04", "2020-03-06", "The Example"),
    Facts("Why bridges fall – and how to stop it", ("Ana María López", "Tom O’Neill"), "2018-12-31", "2019-02-01", "Daily Post"),
    Facts("\"We were never asked\": voices from the river", ("J. R. Smith", "Mary-Kate Lee", "Ola Nordmann"), "2022-07-09", "2022-07-09", "River Times | Local"),
    Facts("Budget 2021: what changes & what does not", ("Leonardo di Caprio",), "2021-01-15", "2021-11-30", "BBC News"),
)  # fmt: skip
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre"
    " dicembre",
}


def worded(date: str, language: str = "en") -> str:
    """A date in words: "4 March 2020", "4. März 2020", "4 de marzo de 2020"."""
    year, month, day = date.split("-")
    name = MONTHS[language].split()[int(month) - 1]
    between = {"de": ". ", "es": " de "}.get(language, " ")
    return f"{int(day)}{between}{name}{' de ' if language == 'es' else ' '}{year}"


def american(date: str) -> str:
    """A date as "March 4, 2020"."""
    day, month, year = worded(date).split()
    return f"{month} {day}, {year}"


def joined(names: tuple[str, ...], word: str = "and") -> str:
    """Names as a byline has them."""
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def page(facts: Facts, head: str = "", top: str = "", below: str = "", *, title: str = "") -> str:
    """A page with a navigation bar, its article, comments and a foot that mislead."""
    shown = escape(facts.title, quote=False)
    prose = "".join(f"<p>{text}</p>" for text in PROSE)
    return (
        f"<!doctype html><html lang='en'><head><title>{title or shown}</title>{head}</head><body>"
        "<nav><a href='/'>Home</a> <a href='/news'>News</a></nav>"
        f"<article><h1>{shown}</h1>{top}<div class='content'>{prose}</div>{below}</article>"
        "<section class='comments'><div class='comment'><span class='comment-author'>Troll Face"
        "</span> <time datetime='2023-01-01'>1 January 2023</time><p>First!</p></div></section>"
        "<aside class='related'><h3>More</h3><a href='/x'>Other story</a> <span class='byline'>By"
        " Some Body</span> <span class='date'>2 February 2002</span></aside>"
        f"<footer><p>© 2024 {escape(facts.site)}. All rights reserved.</p></footer></body></html>"
    )


def ld(*nodes: object, graph: bool = False) -> str:
    """A script element of JSON-LD."""
    data: object = {"@context": "https://schema.org", "@graph": nodes} if graph else nodes[0]
    return f"<script type='application/ld+json'>{json.dumps(data)}</script>"


def article_node(facts: Facts, **more: object) -> dict[str, object]:
    """A NewsArticle with everything."""
    return {
        "@type": "NewsArticle",
        "headline": facts.title,
        "author": [{"@type": "Person", "name": name} for name in facts.authors],
        "datePublished": f"{facts.published}T09:30:00+01:00",
        "dateModified": f"{facts.modified}T08:00:00+01:00",
        "publisher": {"@type": "Organization", "name": facts.site},
    } | more


def meta(**values: str) -> str:
    """Meta tags; ``__`` stands for a colon, ``_`` for itself."""
    return "".join(
        f'<meta property="{name.replace("__", ":")}" content="{escape(value)}">'
        for name, value in values.items()
    )


def named(*pairs: tuple[str, str]) -> str:
    """Meta tags by name, which may repeat."""
    return "".join(f'<meta name="{name}" content="{escape(value)}">' for name, value in pairs)


WAYS: dict[str, Callable[[Facts], str]] = {
    "JSON-LD article": lambda f: page(f, ld(article_node(f))),
    "JSON-LD graph, authors by @id": lambda f: page(
        f,
        ld(
            {"@type": "WebSite", "name": f.site},
            *({"@type": "Person", "@id": f"#{i}", "name": n} for i, n in enumerate(f.authors)),
            article_node(f, author=[{"@id": f"#{i}"} for i in range(len(f.authors))]),
            graph=True,
        ),
    ),
    "JSON-LD, empty author, byline shown": lambda f: page(
        f,
        ld(article_node(f, author={}, dateModified="0001-01-01T00:00:00Z")),
        f"<div class='byline-section'><span class='author'>{joined(f.authors)}, {f.site}</span></div>",
    ),
    "JSON-LD, publisher as author": lambda f: page(
        f,
        ld(article_node(f, author={"@type": "Organization", "name": f.site})),
        f"<p class='small byline'>By {joined(f.authors)}<br>{american(f.published)}, 07:05 pm ET</p>",
    ),
    "JSON-LD, broken by a trailing comma": lambda f: page(
        f, ld(article_node(f)).replace("}</script>", ",}</script>")
    ),
    "JSON-LD of other articles beside it": lambda f: page(
        f,
        ld([{"@type": "NewsArticle", "headline": "Another story"}, article_node(f)]),
    ),
    "OpenGraph": lambda f: page(
        f,
        meta(og__title=f.title, og__site_name=f.site, article__author=joined(f.authors),
             article__published_time=f"{f.published}T23:30:00-08:00",
             article__modified_time=f"{f.modified}T23:59:00-08:00"),
        title=f"{escape(f.title)} | {f.site}",
    ),
    "OpenGraph, author a Facebook page": lambda f: page(
        f,
        meta(og__title=f"{f.title} | {f.site}", og__site_name=f.site,
             article__author="https://www.facebook.com/someone",
             article__published_time=f"{f.published}T10:00:00Z"),
        f"<address>By {joined(f.authors)}</address>",
    ),
    "meta tags of parse.ly": lambda f: page(
        f,
        named(("parsely-title", f.title), ("parsely-pub-date", f"{f.published}T10:00:00Z"),
              *(("parsely-author", name) for name in f.authors)),
    ),
    "meta tags of Dublin Core": lambda f: page(
        f,
        named(("DC.title", f.title), ("DC.date.issued", f.published),
              *(("DC.creator", name) for name in f.authors)),
    ),
    "meta tags of Google Scholar": lambda f: page(
        f,
        named(("citation_title", f.title), ("citation_publication_date", f.published.replace("-", "/")),
              *(("citation_author", name) for name in f.authors)),
    ),
    "microdata": lambda f: page(
        f,
        top="".join(
            f"<span itemprop='author' itemscope><span itemprop='name'>{n}</span></span>"
            for n in f.authors
        )
        + f"<time itemprop='datePublished' datetime='{f.published}T06:00:00'>x</time>"
        f"<time itemprop='dateModified' datetime='{f.modified}'>y</time>",
    ),
    "WordPress theme": lambda f: page(
        f,
        top="<div class='entry-meta'><span class='posted-on'>Posted on <time class='entry-date"
        f" published' datetime='{f.published}T06:00:00+00:00'>{worded(f.published)}</time><time"
        f" class='updated' datetime='{f.modified}'></time></span><span class='byline'> by"
        + ", ".join(f" <a class='url fn n' rel='author' href='/a'>{n}</a>" for n in f.authors)
        + "</span></div>",
        title=f"{escape(f.title)} – {f.site}",
    ),
    "byline and date in plain paragraphs": lambda f: page(
        f, top=f"<p>By {joined(f.authors)}</p><p class='date'>{american(f.published)}</p>"
    ),
    "one line: by … on …": lambda f: page(
        f,
        top="<p class='article__meta'>By "
        + ", ".join(f"<a href='/staff'>{n}</a>" for n in f.authors)
        + f" on {american(f.published)} at 11:04 a.m.</p>",
    ),
    "Written by, date in the address": lambda f: page(
        f,
        f"<link rel='canonical' href='https://example.org/{f.published.replace('-', '/')}/story'>",
        f"<div class='x1'>Written by <b>{joined(f.authors)}</b></div>",
    ),
    "German": lambda f: page(
        f,
        top=f"<p class='autor'>Von {joined(f.authors, 'und')}</p>"
        f"<span class='datum date'>{worded(f.published, 'de')}, 10:15 Uhr</span>",
    ),
    "French": lambda f: page(
        f,
        top=f"<p class='auteur'>Par {joined(f.authors, 'et')}</p>"
        f"<p class='date'>Publié le {worded(f.published, 'fr')}</p>",
    ),
    "Spanish": lambda f: page(
        f,
        top=f"<p class='autor'>Por {joined(f.authors, 'y')}</p>"
        f"<p class='fecha date'>{worded(f.published, 'es')}</p>",
    ),
    "Italian": lambda f: page(
        f,
        top=f"<p class='author'>di {joined(f.authors, 'e')}</p><time>{worded(f.published, 'it')}</time>",
    ),
    "a clock over the article": lambda f: page(
        f, top=f"<p>By {joined(f.authors)}</p><time datetime='{f.published}'>then</time>"
    ).replace("<nav>", "<time datetime='2025-05-05'>5 May 2025</time><nav>"),
    "search title unlike the headline": lambda f: page(
        f,
        ld(article_node(f)).replace("headline", "alternativeHeadline"),
        title=f"{escape(f.title)} - {f.site}",
    ),
    "section before the title": lambda f: page(
        f, meta(og__title=f"Opinion | {f.title}") + ld(article_node(f, headline=f"Opinion | {f.title}"))
    ),
    "title cut short": lambda f: page(
        f, ld(article_node(f, headline=f.title[:24] + "...")), title=escape(f.title[:30]) + "…"
    ),
    "names in capitals with their agency": lambda f: page(
        f,
        ld(article_node(f, author=f"By {joined(f.authors).upper()}, Associated Press")),
    ),
}  # fmt: skip


def results() -> Iterator[tuple[str, Facts, bool, bool, bool, str]]:
    """Way, facts, whether title, date and authors are right, and what was found."""
    for way, make in WAYS.items():
        for facts in FACTS:
            article = read_article(make(facts).encode())
            title = " ".join((article.title or "").split()) == facts.title
            date = (article.published or "")[:10] == facts.published
            authors = {a.lower() for a in article.authors} == {a.lower() for a in facts.authors}
            found = f"{article.title!r} {article.authors} {article.published}"
            yield way, facts, title, date, authors, found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--misses", action="store_true", help="also print what was found wrong")
    show = parser.parse_args().misses
    rows = list(results())
    print(f"{len(rows)} pages: {len(WAYS)} ways of stating {len(FACTS)} sets of facts\n")
    print("| way | title exact | date day-exact | authors |\n| --- | --- | --- | --- |")
    for way in (*WAYS, "**all**"):
        own = [row for row in rows if row[0] == way or way == "**all**"]
        shares = (sum(row[i] for row in own) / len(own) for i in (2, 3, 4))
        print(f"| {way} | " + " | ".join(f"{share:.2f}" for share in shares) + " |")
    for row in rows if show else ():
        if not all(row[2:5]):
            print(f"{row[0]}: {row[1].title!r} {row[1].authors} {row[1].published} -> {row[5]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
