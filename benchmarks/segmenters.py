"""Compare sentence splitters on boundary F1, offsets, speed and import time.

    python -m benchmarks.segmenters DATA_DIR

``DATA_DIR`` holds ``ud_ewt_dev.jsonl`` (documents of sentences with ``par_starts``,
the index of the first sentence of each paragraph) and ``pysbd_golden.json``. A
paragraph is its sentences joined by one space and is what a splitter is given.

A boundary is counted by the non-whitespace characters before it, so that it does not
matter on which side of the gap a splitter puts the space, and the end of the text,
which nobody can miss, does not count.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

Span = tuple[int, int]
Splitter = Callable[[str], list[Span]]

NEWS: tuple[tuple[str, ...], ...] = (
    ("“We are done,” he said.", "“We are not.", "Not yet!” she replied.", "Nobody laughed."),
    ("“It was wrong.”", "He left at once."),
    ("“Will you stay?” he asked.", "“No!” she said."),
    ('"It works," said Dr. Lee.', '"We tried it twice."', "The board agreed."),
    ("He called it “a disaster.”", "Mr. Jones, of Acme Inc., disagreed."),
    ("The U.S. Department of Justice sued Acme Corp. on Jan. 5.", "It lost."),
    ("The company moved to the U.S.", "It had been based in the U.K. since 1990."),
    ("J. K. Rowling met George W. Bush and J.R.R. Tolkien's heirs.", "They talked."),
    ("Shares rose 3.5 percent to $10.25.", "Rivals fell 1.2%."),
    ("Sen. Jane Doe (D., Calif.) objected.", "Gov. Smith did not."),
    ("She paused ... then went on.", "Then … nothing."),
    ("He wasn't sure…", "Nobody was."),
    ("The plan (It was never published.) failed.", "(Nobody was told.)", "Work went on."),
    ("Prof. A. Smith et al. (2019) disagree, cf. Fig. 3 and pp. 4-9.", "So do we."),
    ("Sales fell, i.e. they shrank, e.g. in St. Louis vs. Boston.", "See No. 7 for more."),
    ("It opened at 9 a.m. on Monday and closed at 5 p.m.", "Crowds came."),
    ("Visit example.com or node.js.org.", "Yahoo! hired 20 people."),
    ("‘I can’t,’ she said.", "‘You must.’", "He shrugged."),
    ("The film won.[1]", "It was shown in 1999.[2][3]", "Critics hated it."),
    ("Version 2.0.1 came out on 3.4.2020.", "iPhone users rejoiced.", "eBay did not."),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A splitter to be measured.

    Attributes:
        name: How the table calls it.
        distribution: Where its version comes from; empty for our own.
        load: The statement that brings it in, timed in a process of its own. Ours is
            run from its file, so that the rest of its package does not count.
        build: Returns the splitter; raises ImportError where it is not installed.
    """

    name: str
    distribution: str
    load: str
    build: Callable[[], Splitter]


def _ours() -> Splitter:
    split = import_module("index.segmentation.sentences").split_sentences
    return lambda text: list(split(text, 0, len(text)))


def _sentencex() -> Splitter:
    boundaries = import_module("sentencex").get_sentence_boundaries
    return lambda text: [(b["start_index"], b["end_index"]) for b in boundaries("en", text)]


def _nupunkt() -> Splitter:
    spans = import_module("nupunkt").sent_spans
    return lambda text: list(spans(text))


def _syntok() -> Splitter:
    segmenter: Any = import_module("syntok.segmenter")

    def split(text: str) -> list[Span]:
        return [
            (sentence[0].offset, sentence[-1].offset + len(sentence[-1].value))
            for paragraph in segmenter.process(text)
            for sentence in paragraph
            if sentence
        ]

    return split


def _pysbd() -> Splitter:
    segmenter = import_module("pysbd").Segmenter(language="en", clean=False, char_span=True)
    return lambda text: [(span.start, span.end) for span in segmenter.segment(text)]


def _blingfire() -> Splitter:
    split = import_module("blingfire").text_to_sentences_and_offsets
    return lambda text: list(split(text)[1])


def _semantic() -> Splitter:
    splitter: Any = import_module("semantic_text_splitter").TextSplitter
    # It packs text into a capacity and knows no "one sentence": the nearest to it is the
    # capacity of an average sentence, not trimmed so that offsets can be followed.
    chunks = splitter((60, 120), trim=False).chunk_indices
    return lambda text: [(start, start + len(chunk)) for start, chunk in chunks(text)]


CANDIDATES = (
    Candidate(
        "index.segmentation.sentences",
        "",
        "import runpy; runpy.run_path('index/segmentation/sentences.py')",
        _ours,
    ),
    Candidate("nupunkt", "nupunkt", "import nupunkt", _nupunkt),
    Candidate("sentencex", "sentencex", "import sentencex", _sentencex),
    Candidate("syntok", "syntok", "import syntok.segmenter", _syntok),
    Candidate("pysbd", "pysbd", "import pysbd", _pysbd),
    Candidate("blingfire", "blingfire", "import blingfire", _blingfire),
    Candidate(
        "semantic-text-splitter",
        "semantic-text-splitter",
        "import semantic_text_splitter",
        _semantic,
    ),
)


def boundaries(text: str, spans: Iterable[Span]) -> set[int]:
    """Inner boundaries of ``spans`` as counts of the non-whitespace characters before."""
    ink_before = [0]
    for character in text:
        ink_before.append(ink_before[-1] + (not character.isspace()))
    ends = {ink_before[min(max(end, 0), len(text))] for _, end in spans}
    return ends - {0, ink_before[-1]}


def joined(sentences: Sequence[str]) -> tuple[str, list[Span]]:
    """The sentences with a space between, and where each stands in the result."""
    spans, start = [], 0
    for sentence in sentences:
        spans.append((start, start + len(sentence)))
        start += len(sentence) + 1
    return " ".join(sentences), spans


def read_paragraphs(path: Path) -> list[list[str]]:
    """The sentences of each paragraph of a UD treebank in JSON lines."""
    paragraphs = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            document = json.loads(line)
            sentences, starts = document["sentences"], [*document["par_starts"], None]
            for here, following in zip(starts, starts[1:], strict=False):
                paragraphs.append(sentences[here:following])
    return paragraphs


def read_golden(path: Path) -> list[tuple[str, list[Span]]]:
    """The English golden rules as a text and where its sentences stand in it."""
    rules = json.loads(path.read_text(encoding="utf-8"))["english_golden"]
    found = []
    for rule in rules:
        spans, position = [], 0
        for sentence in rule["sentences"]:
            start = rule["text"].index(sentence, position)
            position = start + len(sentence)
            spans.append((start, position))
        found.append((rule["text"], spans))
    return found


def precision_recall_f1(
    cases: Sequence[tuple[str, list[Span]]], split: Splitter
) -> tuple[float, float, float]:
    """Micro-averaged over all inner boundaries of all the cases."""
    right = said = wanted = 0
    for text, gold in cases:
        guess, truth = boundaries(text, split(text)), boundaries(text, gold)
        right, said, wanted = right + len(guess & truth), said + len(guess), wanted + len(truth)
    precision, recall = right / max(said, 1), right / max(wanted, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def exact(cases: Sequence[tuple[str, list[Span]]], split: Splitter) -> int:
    """How many of the cases are split exactly as wanted."""
    return sum(boundaries(text, split(text)) == boundaries(text, gold) for text, gold in cases)


def untiled(texts: Iterable[str], split: Splitter) -> int:
    """Texts of which the spans, in order, do not give back every non-whitespace character."""
    wrong = 0
    for text in texts:
        position, whole = 0, True
        for start, end in split(text):
            whole &= start >= position and end <= len(text) and not text[position:start].strip()
            position = end
        wrong += not (whole and not text[position:].strip())
    return wrong


def import_milliseconds(load: str) -> float:
    """The best of five cold imports, each in a process of its own."""
    program = (
        "import time; t = time.perf_counter(); "
        f"{load}; import sys; sys.stdout.write(str(time.perf_counter() - t))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
        )
        for _ in range(5)
    ]
    return min(float(run.stdout) for run in runs) * 1000


def characters_per_second(texts: Sequence[str], split: Splitter) -> float:
    """The best of three passes after one that warms up, none over a text seen before."""
    speeds = []
    for turn in range(4):
        fresh = [f"{turn} {text}" for text in texts]  # some splitters keep what they split
        started = time.perf_counter()
        for text in fresh:
            split(text)
        speeds.append(sum(map(len, fresh)) / (time.perf_counter() - started))
    return max(speeds[1:])


def row(candidate: Candidate, data: Path) -> str:
    """One line of the table."""
    try:
        split = candidate.build()
    except ImportError:
        return f"| {candidate.name} | not installed |" + " |" * 5
    treebank = [joined(sentences) for sentences in read_paragraphs(data / "ud_ewt_dev.jsonl")]
    golden = read_golden(data / "pysbd_golden.json")
    news = [joined(sentences) for sentences in NEWS]
    every_text = [text for text, _ in [*treebank, *golden, *news]]
    every_text += [f"😀 e\u0301 {text}\r\n{text}" for text in every_text]
    precision, recall, f1 = precision_recall_f1(treebank, split)
    name = candidate.name
    if candidate.distribution:
        name += f" {metadata.version(candidate.distribution)}"
    return (
        f"| {name} | {f1:.3f} ({precision:.3f} / {recall:.3f}) "
        f"| {exact(golden, split)} / {len(golden)} | {exact(news, split)} / {len(news)} "
        f"| {untiled(every_text, split)} / {len(every_text)} "
        f"| {characters_per_second([text for text, _ in treebank], split) / 1e6:.2f} "
        f"| {import_milliseconds(candidate.load):.0f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="folder of the two files")
    data = parser.parse_args().data
    lines = [
        "| splitter | UD-EWT boundary F1 (precision / recall) | golden rules | news | texts not "
        "tiled | million characters / s | import, ms |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    sys.stdout.write("\n".join([*lines, *(row(each, data) for each in CANDIDATES)]) + "\n")


if __name__ == "__main__":
    main()
