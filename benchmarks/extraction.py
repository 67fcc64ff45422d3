"""Compare the page reader with trafilatura on real pages: body F1 and pages per second.

    python -m benchmarks.extraction DATA_DIR

``DATA_DIR`` holds ``ground-truth.json`` (``{page: {"articleBody": …, "url": …}}``) and
``html/PAGE.html.gz``, as in https://github.com/scrapinghub/article-extraction-benchmark,
whose scoring this is: precision and recall over 4-word shingles of each page, averaged
over pages. "Body" is what can be cited with its headings; "whole text" has the byline and
dateline before it as well, which the gold texts leave out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parent.parent

Scores: TypeAlias = "tuple[float, float, float]"
_WORD = re.compile(r"\w+")
SHINGLE = 4


def load_pages(folder: Path) -> Iterator[tuple[str, bytes, str]]:
    """Name, HTML and gold body of each page."""
    truth = json.loads((folder / "ground-truth.json").read_text("utf-8"))
    for name in sorted(truth):
        data = gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes())
        yield name, data, truth[name]["articleBody"]


def shingle_counts(text: str) -> Counter[tuple[str, ...]]:
    """How often each run of four words occurs; a shorter text is one run."""
    words = _WORD.findall(text)
    runs = (tuple(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1)))
    return Counter(run for run in runs if run)


def string_scores(gold: str, text: str) -> Scores:
    """Shares of true positive, false positive and false negative shingles."""
    expected, found = shingle_counts(gold), shingle_counts(text)
    both = sum((expected & found).values())
    more, less = sum(found.values()) - both, sum(expected.values()) - both
    total = both + more + less or 1
    return both / total, more / total, less / total


def f1_of(scores: list[Scores]) -> Scores:
    """F1, precision and recall over pages."""
    precision = statistics.mean(
        both / (both + more) for both, more, less in scores if both + more > 0
    )
    recall = statistics.mean(both / (both + less) for both, more, less in scores if both + less > 0)
    return 2 * precision * recall / (precision + recall), precision, recall


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, metavar="DATA_DIR")
    pages = list(load_pages(parser.parse_args().data))
    import trafilatura

    from index import Article, BlockKind, EmptyArticle
    from index.reading.formats import Format
    from index.reading.sandbox import read_here

    aside = {BlockKind.TITLE, BlockKind.BYLINE, BlockKind.DATELINE}

    def ours(data: bytes) -> Article | None:
        try:
            return read_here(Format.HTML, data, name="")  # what a child process does
        except EmptyArticle:
            return None

    def body(article: Article | None) -> str:
        blocks = article.blocks if article else ()
        kept = (block for block in blocks if block.kind not in aside)
        return "\n\n".join(article.text[block.start : block.end] for block in kept)

    def timed(extract: Callable[[bytes], object]) -> tuple[list[object], float]:
        start = time.process_time()
        results = [extract(data) for _, data, _ in pages]
        return results, len(pages) / (time.process_time() - start)

    ours(pages[0][1])
    trafilatura.extract(pages[0][1])
    rates: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(3):  # in turn, so that whatever else the machine does hits both
        articles, rate = timed(ours)
        rates["ours"].append(rate)
        plain, rate = timed(trafilatura.extract)
        rates["plain"].append(rate)
    no_comments, _ = timed(lambda data: trafilatura.extract(data, include_comments=False))

    best, plain_best = max(rates["ours"]), max(rates["plain"])
    gold = [text for _, _, text in pages]
    print(f"{len(pages)} pages, trafilatura {metadata.version('trafilatura')}\n")
    print("| reader | F1 | precision | recall | pages/s | against trafilatura |")
    print("| --- | --- | --- | --- | --- | --- |")
    rows = [
        ("article-qa, body", [body(a) for a in articles], best),
        ("article-qa, whole text", [a.text if a else "" for a in articles], best),
        ("trafilatura", plain, plain_best),
        ("trafilatura, no comments", no_comments, 0.0),
    ]
    for name, texts, rate in rows:
        scores = [string_scores(g, str(t or "")) for g, t in zip(gold, texts, strict=True)]
        f1, precision, recall = f1_of(scores)
        speed = f"{rate:.1f} | {rate / plain_best:.2f}" if rate else " | "
        print(f"| {name} | {f1:.4f} | {precision:.4f} | {recall:.4f} | {speed} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
