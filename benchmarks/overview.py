"""Compare overviews with the first three sentences, on real pages that describe themselves.

    python -m benchmarks.overview DATA_DIR

``DATA_DIR`` as for `benchmarks.extraction`. Both tell an article in three sentences, titles left
out. "Description" is ROUGE-1 F1 over stemmed content words with what the page declares as its
description, where its first three sentences do not hold that word for word; "article" is the
cosine of their term counts with those of the whole article.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from html import unescape
from math import sqrt
from pathlib import Path
from statistics import mean, stdev

from benchmarks.extraction import load_pages
from index.errors import ArticleQAError
from index.reading.reader import read_article
from index.scoring.terms import terms
from qa import ArticleBot

SENTENCES = 3
LONG = 10
SHORTEST = 8
_META = re.compile(rb"<meta\b[^>]*\b(?:name|property)=[\"'](?:og:)?description[\"'][^>]*>", re.I)
_CONTENT = re.compile(r"\bcontent=\"([^\"]*)\"|\bcontent='([^']*)'")


def description(page: bytes) -> Counter[str]:
    """The terms of the longest description that a page declares."""
    tags = (tag.decode("utf-8", "ignore") for tag in _META.findall(page))
    texts = ("".join(match.groups("")) for tag in tags if (match := _CONTENT.search(tag)))
    return Counter(terms(unescape(max(texts, key=len, default=""))))


def f1(one: Counter[str], other: Counter[str]) -> float:
    """ROUGE-1 F1."""
    return 2 * (one & other).total() / max(1, one.total() + other.total())


def cosine(one: Counter[str], other: Counter[str]) -> float:
    """Cosine of two counts."""
    norms = sqrt(sum(n * n for n in one.values()) * sum(n * n for n in other.values()))
    return sum(n * other[term] for term, n in one.items()) / max(norms, 1e-9)


def main() -> None:
    """Run the command."""
    described: list[tuple[float, float]] = []
    whole: list[tuple[float, float]] = []
    for _, page, _ in load_pages(Path(sys.argv[1])):
        try:
            bot = ArticleBot.from_article(read_article(page), reader=False)
        except ArticleQAError:
            continue
        text = bot.article.text
        sentences = [text[s.start : s.end] for s in bot.index.sentences]
        if len(sentences) < LONG or bot.article.language != "en":
            continue
        chosen = [c.quote for c in bot.overview(k=SENTENCES + 1).citations]
        chosen = [quote for quote in chosen if quote in sentences][:SENTENCES]
        ours, lead = (Counter(terms(" ".join(s))) for s in (chosen, sentences[:SENTENCES]))
        said, all_of_it = description(page), Counter(terms(" ".join(sentences)))
        whole.append((cosine(ours, all_of_it), cosine(lead, all_of_it)))
        if said.total() >= SHORTEST and (said & lead).total() < 0.9 * said.total():
            described.append((f1(ours, said), f1(lead, said)))
    print("| | pages | overview | first three | difference |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, rows in (("description", described), ("article", whole)):
        gains = [a - b for a, b in rows]
        error = stdev(gains) / sqrt(len(gains))
        ours, lead = mean(a for a, _ in rows), mean(b for _, b in rows)
        print(
            f"| {name} | {len(rows)} | {ours:.3f} | {lead:.3f} | {mean(gains):+.3f} ± {error:.3f} |"
        )


if __name__ == "__main__":
    main()
