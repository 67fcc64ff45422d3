"""Fit what the reader's findings count for in the ranking, and see which spans can be shown.

    python -m benchmarks.held_out DATA HELD
    python -m benchmarks.fit_reading HELD/squad1.json [--windows 2] [--write]

On titles that the reader was not trained on, and cross-validated by article: how often the
first citation holds the answer and the first 300 characters do, without the reader and with
it; how exact its words are over the whole article; and of the spans above each margin, how
many are right. With --write the weights, fitted on everything, go into
qa/ranking/coefficients.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.asking import Compared, compare
from benchmarks.fitting import Example, fit, folds
from index.models.encoder import Encoder, Float32, Int32
from index.models.loading import load_encoder
from index.single.cache import cached_index
from index.single.snapshot import ArticleSnapshot
from qa.citing.cite import SHOWN_FROM
from qa.evaluation.formats import read_dataset
from qa.evaluation.measures import exact_match, word_f1
from qa.ranking.candidates import POOL_OF_ONE
from qa.ranking.features import READING_FEATURES, reading_features
from qa.ranking.fusion import Coefficients, Fusion, coefficients
from qa.reading.candidates import WINDOWS, Readings, read_best
from qa.reading.reader import Reader, default_reader

COEFFICIENTS = Path(__file__).parent.parent / "qa" / "ranking" / "coefficients.json"
NAMES = ("before", *READING_FEATURES)


@dataclass(frozen=True)
class Asked:
    """A question, compared and read.

    Attributes:
        document: Which article it is asked of.
        compared: With the candidates.
        readings: What the reader found.
        gold: Spans that answer.
    """

    document: str
    compared: Compared
    readings: Readings
    gold: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        """The article's."""
        return self.compared.places.articles[0].text

    @property
    def spans(self) -> Int32:
        """Where the candidates stand."""
        return self.compared.places.spans

    def holding(self) -> NDArray[np.int64]:
        """Rows that hold an answer."""
        held = [any(a <= x and y <= b for x, y in self.gold) for a, b in self.spans.tolist()]
        return np.flatnonzero(held)

    def order(self, fitted: Coefficients | None) -> NDArray[np.int64]:
        """Rows as they are quoted, without the reader or by weights for it."""
        fused = self.compared.read(self.readings.margins if fitted else None, fitted)
        return np.argsort(-self.compared.quoted(fused), kind="stable")

    def answered(self, order: NDArray[np.int64], n: int) -> bool:
        """Whether an answer lies wholly in the first ``n`` characters of the quotes."""
        for row in order.tolist():
            start, end = self.spans[row].tolist()
            stop = start + min(n, end - start)
            if any(start <= a and b <= stop for a, b in self.gold):
                return True
            n -= end - start
            if n <= 0:
                break
        return False


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", help="questions of titles that the reader was not trained on")
    parser.add_argument("--folds", type=int, default=6)
    parser.add_argument("--windows", type=int, default=WINDOWS)
    parser.add_argument("--reader", type=Path, help="a folder with another one")
    parser.add_argument("--most", type=int, default=0, help="questions at most")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()

    encoder = load_encoder()
    reader = Reader(arguments.reader) if arguments.reader else default_reader()
    asked = list(_ask(arguments.data, encoder, reader, arguments.windows, arguments.most))
    fold_of = folds([question.document for question in asked], arguments.folds)
    of = np.asarray([fold_of[question.document] for question in asked])
    orders: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)] * len(asked)
    for fold in range(arguments.folds):
        fitted = _fit([asked[n] for n in np.flatnonzero(of != fold)])
        for n in np.flatnonzero(of == fold).tolist():
            orders[n] = asked[n].order(fitted)
    print(f"{len(asked)} questions, {len(fold_of)} articles, {arguments.windows} windows")
    without = [question.order(None) for question in asked]
    for name, some in (("without the reader", without), ("with it", orders)):
        first = [order[0] in q.holding() for q, order in zip(asked, some, strict=True)]
        read = [q.answered(order, 300) for q, order in zip(asked, some, strict=True)]
        print(f"{name:<20} citation@1 {np.mean(first):.4f}  answer@300 {np.mean(read):.4f}")
    _spans(asked, orders)
    every = _fit(asked)
    print({n: round(float(w), 4) for n, w in zip(NAMES[1:], every.reading.weights, strict=True)})
    if arguments.write:
        data = json.loads(COEFFICIENTS.read_text("utf-8"))
        data["reading"] = {
            name: {"weight": round(float(weight), 4), "spread": float(f"{spread:.4g}")}
            for name, weight, spread in zip(
                every.reading.names, every.reading.weights, every.reading.spreads, strict=True
            )
        }
        data["reading_data"] = "SQuAD 1.1, titles at odd places; benchmarks.fit_reading"
        COEFFICIENTS.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


def _ask(path: str, encoder: Encoder, reader: Reader, n_windows: int, most: int) -> Iterator[Asked]:
    data = read_dataset(path)
    questions = [q for q in data.questions if q.document and q.gold]
    if most:
        chance = np.random.default_rng(0)
        questions = [questions[n] for n in chance.permutation(len(questions))[:most]]
    names = {question.document or "" for question in questions}
    snapshots = {
        name: ArticleSnapshot(cached_index(data.documents[name].article, encoder))
        for name in sorted(names)
    }
    for question in tqdm(questions, desc="asking", mininterval=10):
        name = question.document or ""
        encoding = encoder.encode_query(question.text)
        compared = compare(snapshots[name], question.text, encoding, POOL_OF_ONE)
        scores = compared.fused.sentences
        readings = read_best(reader, question.text, scores, compared.places, n_windows)
        if readings:
            yield Asked(name, compared, readings, question.gold)


def _fit(asked: Sequence[Asked]) -> Coefficients:
    examples = [
        Example(_features(question), gold) for question in asked if len(gold := question.holding())
    ]
    fusion = fit(examples, NAMES, supporting=("before", "margin", "best"))
    # What the scores so far count for is one by definition.
    scale = fusion.weights[0] / fusion.spreads[0]
    reading = Fusion(READING_FEATURES, fusion.weights[1:] / scale, fusion.spreads[1:])
    return replace(coefficients(), reading=reading)


def _features(question: Asked) -> Float32:
    before = question.compared.fused.sentences[:, None]
    return np.concatenate([before, reading_features(question.readings.margins)], axis=1)


def _spans(asked: Sequence[Asked], orders: Sequence[NDArray[np.int64]]) -> None:
    """How exact the first citation's words are, and which of them can be shown."""
    exact, overlap, margins = [], [], []
    for question, order in zip(asked, orders, strict=True):
        span = question.readings.spans.get(int(order[0]))
        said = question.text[span.start : span.end] if span else ""
        golds = [question.text[start:end] for start, end in question.gold]
        exact.append(any(exact_match(said, gold) for gold in golds))
        overlap.append(max(word_f1(said, gold) for gold in golds))
        margins.append(span.margin if span else -99.0)
    right = np.asarray(overlap) >= 0.5
    print(f"exact words: EM {np.mean(exact):.4f}  F1 {np.mean(overlap):.4f}")
    for least in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, SHOWN_FROM):
        shown = np.asarray(margins) >= least
        print(f"shown from {least:.2f}: {shown.mean():.3f}, right {right[shown].mean():.3f}")


if __name__ == "__main__":
    main()
