"""Write the questions on which whatever uses the reader is fitted and judged.

    python -m benchmarks.held_out DATA OUT

The reader is trained on half of SQuAD's titles, those at even places of the sorted list. OUT
gets the other half: ``squad1.json``, ``squad2.json``, and ``cut.json``, whose articles lack the
sentences that answer its questions. That is what readers meet: not a trick, but an article that
says much about a thing and not what they want to know.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from index.segmentation.sentences import split_sentences

ROUNDS = 4
"""Times that an article is cut, each time another sentence of each paragraph."""


def even_titles(data: Path) -> frozenset[str]:
    """The titles that the reader may be trained on."""
    return frozenset(
        sorted(str(article["title"]) for article in articles(data, "squad1.json"))[::2]
    )


def articles(data: Path, name: str) -> list[dict[str, Any]]:
    """The articles of a file in SQuAD's form, by title."""
    found: list[dict[str, Any]] = json.loads((data / name).read_text(encoding="utf-8"))["data"]
    return sorted(found, key=lambda article: str(article["title"]))


def cut_articles(article: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An article without a sentence of each paragraph, and the questions that those answered."""
    cuts = [list(_cuts(paragraph)) for paragraph in article["paragraphs"]]
    for turn in range(ROUNDS):
        paragraphs = [
            some[turn] if turn < len(some) else {"context": paragraph["context"], "qas": []}
            for some, paragraph in zip(cuts, article["paragraphs"], strict=True)
        ]
        if any(paragraph["qas"] for paragraph in paragraphs):
            yield {"title": f"{article['title']} ({turn})", "paragraphs": paragraphs}


def _cuts(paragraph: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A paragraph without one of its sentences, where that leaves questions unanswered."""
    text: str = paragraph["context"]
    sentences = split_sentences(text, 0, len(text), "en")
    for start, end in sentences if len(sentences) > 2 else ():
        left = (text[:start] + text[end:].lstrip()).strip()
        unanswered = [
            {**question, "answers": [], "is_impossible": True}
            for question in paragraph["qas"]
            if question["answers"]
            and all(
                start <= answer["answer_start"] < end and answer["text"].lower() not in left.lower()
                for answer in question["answers"]
            )
        ]
        if unanswered:
            yield {"context": left, "qas": unanswered}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    even = even_titles(arguments.data)
    odd = {
        name: [a for a in articles(arguments.data, name) if a["title"] not in even]
        for name in ("squad1.json", "squad2.json")
    }
    odd["cut.json"] = [cut for article in odd["squad1.json"] for cut in cut_articles(article)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, held in odd.items():
        n = sum(len(p["qas"]) for article in held for p in article["paragraphs"])
        print(f"{name}: {len(held)} articles, {n:,} questions")
        (arguments.out / name).write_text(json.dumps({"data": held}), encoding="utf-8")


if __name__ == "__main__":
    main()
