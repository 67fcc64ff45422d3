r"""Fit the confidence to questions with and without an answer.

    python -m benchmarks.held_out DATA HELD
    python -m benchmarks.fit_confidence HELD/squad2.json HELD/cut.json DATA/clapnq.jsonl \
        [--folds 4] [--write]

Every question is asked of its whole article, of a stretch of it, 1 to 10 paragraphs long, and
some of an archive of many articles, so that the probability means the same for texts of any
length; every answerable one also of another article, whole and in part, and of an archive
without its own. Questions of a dialogue that lean on those before are left out. An answer
counts as right where a gold span lies in the first citation. Every question is ranked without
the reader and with it, on titles that it was not trained on, and each has its weights.

The data are full of questions that an article comes near to and does not answer, far fuller than
what readers ask: the probability is calibrated for `RIGHT` by moving the bias (Saerens et al.,
2002, https://doi.org/10.1162/089976602753284446), which leaves the order as it is. A set of a
hundredth the size counts a tenth as much: each brings its own kind of question, and a small one
shall be heard.

Prints what is reached on articles that were not fitted on (cross-validated by article), then
fits on everything and, with --write, puts the weights into qa/ranking/confidence.json.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.asking import EVERY, compare
from benchmarks.fitting import folds
from index.models.encoder import Encoder, Encoding, Float32
from index.models.loading import load_encoder
from index.reading.plaintext import article_from_text
from index.scoring.terms import terms
from index.single.article_index import ArticleIndex, build_index
from index.single.snapshot import ArticleSnapshot
from qa.conversation.context_dependence import leaning_of
from qa.conversation.followup import weights
from qa.evaluation.datasets import Dataset, Question
from qa.evaluation.formats import read_dataset
from qa.evaluation.measures import auroc, calibration_error
from qa.ranking.confidence import MIN_CONFIDENCE, ConfidenceModel, Logistic, to_json
from qa.ranking.confidence_features import (
    ANSWER_FEATURES,
    BOUNDS,
    READ_FEATURES,
    TOPIC_FEATURES,
    Features,
    confidence_features,
)
from qa.reading.candidates import read_best
from qa.reading.reader import default_reader

WEIGHTS = Path(__file__).parent.parent / "qa" / "ranking" / "confidence.json"
STRETCHES = (1, 8, 3, 10, 2, 5, 4)
"""Paragraphs in the stretches that an article is cut into, over and over."""
TO_ARCHIVES = 3
"""Every so many questions, one is asked of archives: as many cases as of articles would be slow."""
PENALTY = 1e-3
RIGHT = 0.57
"""Of readers' questions that an article is about, how many the first citation answers: two in three
have an answer in it, and of these it is found first 85 times in 100."""
ANSWERABLE, NEAR, OFF = "answerable", "near", "off"
ARTICLE, STRETCH, ARCHIVE = "whole articles", "stretches", "archives"


@dataclass(frozen=True)
class View:
    """What is asked: an article, a stretch of one, or one in the middle of an archive.

    Attributes:
        index: Of what is asked.
        start: Where its text begins in the article's.
        extent: ARTICLE, STRETCH or ARCHIVE.
    """

    index: ArticleIndex
    start: int
    extent: str

    @cached_property
    def snapshot(self) -> ArticleSnapshot:
        """What questions are answered from."""
        return ArticleSnapshot(self.index)

    def holds(self, span: tuple[int, int]) -> bool:
        """Whether a span of the article lies in it."""
        return self.start <= span[0] and span[1] <= self.start + len(self.index.article.text)


@dataclass(frozen=True)
class Source:
    """An article of the data, and the views of it.

    Attributes:
        data: The set that it is from.
        name: In that set.
        fold: Its fold.
        whole: As it is.
        stretches: What it is cut into; none where it has one paragraph.
        archive: Among the articles of its fold.
    """

    data: str
    name: str
    fold: int
    whole: View
    stretches: tuple[View, ...]
    archive: View


@dataclass(frozen=True)
class Case:
    """One question asked of one view.

    Attributes:
        features: What the confidence is made from.
        kind: Answerable, near (of this article, without an answer) or off (of another one).
        right: Whether the first citation holds the answer.
        extent: Of the view.
        folds: Of what is asked, and of what the question is about.
        data: The set that the question is from.
    """

    features: Features
    kind: str
    right: bool
    extent: str
    folds: tuple[int, int]
    data: str


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", help="SQuAD 2.0 JSON, or any form with gold spans")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--model")
    parser.add_argument("--most", type=int, default=0, help="questions of each set")
    parser.add_argument("--write", action="store_true", help="replace qa/ranking/confidence.json")
    arguments = parser.parse_args()

    encoder = load_encoder(arguments.model)
    sets = [_some(read_dataset(path), arguments.most) for path in arguments.data]
    sources = _sources(sets, encoder, arguments.folds)
    both = [pair for data in sets for pair in _cases(data, sources, encoder) if pair]
    print(f"{len(both)} cases, {len(sources)} articles, {arguments.folds} folds by article")
    models = {}
    for kind, cases in zip(("unread", "read"), zip(*both, strict=True), strict=True):
        probabilities = np.zeros(len(cases))
        for fold in range(arguments.folds):
            model = _fit([case for case in cases if fold not in case.folds], read=kind == "read")
            for n, case in enumerate(cases):
                if case.folds[0] == fold:
                    probabilities[n] = model.probability(case.features)
        for data in sets:
            rows = [n for n, case in enumerate(cases) if case.data == data.name]
            _report(f"{kind}: {data.name}", [cases[n] for n in rows], probabilities[rows])
        models[kind] = _fit(cases, read=kind == "read")

    if arguments.write:
        header = {
            "about": "Weights of the confidence; see qa/ranking/confidence.py. Fitted.",
            "data": [Path(path).name for path in arguments.data],
            "cases": len(both),
            "model": encoder.name,
            "command": "python -m benchmarks.fit_confidence DATA --write",
        }
        weights_of = {kind: to_json(model) for kind, model in models.items()}
        WEIGHTS.write_text(json.dumps(header | weights_of, indent=1) + "\n", "utf-8")


def _some(data: Dataset, most: int) -> Dataset:
    """A sample of a set; of all its articles."""
    if not 0 < most < len(data.questions):
        return data
    chosen = np.random.default_rng(0).permutation(len(data.questions))[:most]
    return replace(data, questions=tuple(data.questions[n] for n in sorted(chosen.tolist())))


def _sources(sets: Sequence[Dataset], encoder: Encoder, n_folds: int) -> list[Source]:
    """Every article of the data, indexed in all ways in which it is asked."""
    texts = {(d.name, name): x.article.text for d in sets for name, x in d.documents.items()}
    fold_of = folds(["/".join(key) for key in texts], n_folds)
    archives: dict[tuple[str, str], View] = {}
    for fold in tqdm(range(n_folds), desc="archives"):
        keys = [key for key in texts if fold_of["/".join(key)] == fold]
        index = build_index(article_from_text("\n\n".join(texts[key] for key in keys)), encoder)
        starts = np.cumsum([0] + [len(texts[key]) + 2 for key in keys]).tolist()
        archives |= {
            key: View(index, -start, ARCHIVE) for key, start in zip(keys, starts, strict=False)
        }
    return [
        Source(
            *key,
            fold_of["/".join(key)],
            View(build_index(article_from_text(text), encoder), 0, ARTICLE),
            tuple(_stretches(text, encoder)),
            archives[key],
        )
        for key, text in tqdm(texts.items(), desc="articles")
    ]


def _stretches(text: str, encoder: Encoder) -> Iterator[View]:
    """Parts of an article that leave nothing out."""
    paragraphs = text.split("\n\n")
    starts = np.cumsum([0] + [len(paragraph) + 2 for paragraph in paragraphs]).tolist()
    first = turn = 0
    while first < len(paragraphs) > 1:
        last = min(len(paragraphs), first + STRETCHES[turn % len(STRETCHES)])
        stretch = article_from_text("\n\n".join(paragraphs[first:last]))
        yield View(build_index(stretch, encoder), starts[first], STRETCH)
        first, turn = last, turn + 1


def _cases(
    data: Dataset, sources: Sequence[Source], encoder: Encoder
) -> Iterator[tuple[Case, Case] | None]:
    chance = np.random.default_rng(0)
    of_data = {source.name: source for source in sources if source.data == data.name}
    for n, question in enumerate(tqdm(data.questions, desc=data.name)):
        own = of_data.get(question.document or "")
        if own is None or (question.answerable and not question.gold):
            continue
        if question.turn and _leans(question, own):
            continue
        encoding = encoder.encode_query(question.text)
        kind = ANSWERABLE if question.answerable else NEAR
        views = [own.whole, *_stretch(question, own, encoding)]
        if n % TO_ARCHIVES == 0:
            views.append(own.archive)
        for view in views:
            yield _case(question, view, encoding, kind, (own.fold, own.fold), data.name)
        others = [source for source in of_data.values() if source is not own]
        if question.answerable and others:
            other = others[chance.integers(len(others))]
            for view in (other.whole, *_any(other.stretches, chance)):
                yield _case(question, view, encoding, OFF, (other.fold, own.fold), data.name)
        elsewhere = [source for source in sources if source.fold != own.fold]
        if question.answerable and n % TO_ARCHIVES == 0 and elsewhere:
            other = elsewhere[chance.integers(len(elsewhere))]
            yield _case(question, other.archive, encoding, OFF, (other.fold, own.fold), data.name)


def _leans(question: Question, own: Source) -> bool:
    """Whether a question of a dialogue is read after those before it."""
    fitted = weights()
    wanted = terms(question.text, own.whole.index.article.language)
    known = np.count_nonzero(own.whole.snapshot.document_frequencies(sorted({*wanted})))
    return float(leaning_of(question.text, int(known)) @ fitted.leaning) >= fitted.threshold


def _stretch(question: Question, own: Source, encoding: Encoding) -> Sequence[View]:
    """The stretch that a question is asked of."""
    if question.answerable:
        return [view for view in own.stretches if view.holds(question.gold[0])][:1]
    # The data do not say which paragraph it was written for; the nearest will be it.
    return sorted(own.stretches, key=lambda view: -_cosine(view, encoding))[:1]


def _any(views: Sequence[View], chance: np.random.Generator) -> Sequence[View]:
    return [views[chance.integers(len(views))]] if views else []


def _cosine(view: View, encoding: Encoding) -> float:
    return float(view.snapshot.dense(encoding.vector, 1).scores[0])


def _case(
    question: Question,
    view: View,
    encoding: Encoding,
    kind: str,
    folds_of: tuple[int, int],
    data: str,
) -> tuple[Case, Case] | None:
    """The question without the reader, and with it."""
    compared = compare(view.snapshot, question.text, encoding, EVERY)
    readings = read_best(default_reader(), question.text, compared.fused.sentences, compared.places)
    if readings is None:  # not English, as it seems
        return None

    def case(margins: Float32 | None) -> Case:
        fused = compared.read(margins)
        quoted = compared.quoted(fused)
        features, _ = confidence_features(
            compared.query,
            compared.candidates,
            compared.interaction.tokens,
            fused.passages,
            quoted,
            compared.wording,
            margins,
        )
        first, last = compared.places.spans[int(np.argmax(quoted))].tolist()
        right = kind == ANSWERABLE and any(
            first <= start - view.start and end - view.start <= last for start, end in question.gold
        )
        return Case(features, kind, right, view.extent, folds_of, data)

    return case(None), case(readings.margins)


def _fit(cases: Sequence[Case], *, read: bool) -> ConfidenceModel:
    size = Counter(case.data for case in cases)
    counts = np.asarray([size[case.data] ** -0.5 for case in cases])
    about = np.asarray([case.kind != OFF for case in cases])
    near = [case for case in cases if case.kind != OFF]
    right = np.asarray([case.right for case in near])
    names = READ_FEATURES if read else ANSWER_FEATURES
    answer = _logistic(near, right, counts[about], names)
    shift = _log_odds(RIGHT) - _log_odds(float(np.average(right, weights=counts[about])))
    return ConfidenceModel(
        _logistic(cases, about, counts, TOPIC_FEATURES), replace(answer, bias=answer.bias + shift)
    )


def _log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _logistic(
    cases: Sequence[Case],
    right: NDArray[np.bool_],
    counts: NDArray[np.float64],
    names: Sequence[str],
) -> Logistic:
    """The logistic regression of greatest likelihood, within `BOUNDS`."""
    from scipy.optimize import minimize

    table = np.asarray([[case.features[name] for name in names] for case in cases])
    usual, spreads = table.mean(axis=0), table.std(axis=0)
    spreads[spreads < 1e-9] = 1.0
    table = np.column_stack([(table - usual) / spreads, np.ones(len(table))])
    sign, shares = np.where(right, 1.0, -1.0), counts / counts.sum()

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (table @ values)
        slope = -(table.T @ (shares * sign / (1 + np.exp(margin))))
        penalised = np.append(values[:-1], 0.0) * PENALTY
        value = shares @ np.logaddexp(0, -margin) + penalised @ values / 2
        return float(value), slope + penalised

    bounds = [
        tuple(
            bound if bound is None else bound * spread for bound in BOUNDS.get(name, (None, None))
        )
        for name, spread in zip(names, spreads, strict=True)
    ]
    found = minimize(
        loss,
        np.zeros(table.shape[1]),
        jac=True,
        method="L-BFGS-B",
        bounds=[*bounds, (None, None)],
    )
    return Logistic(tuple(names), found.x[:-1], usual, spreads, float(found.x[-1]))


def _report(name: str, cases: Sequence[Case], probabilities: NDArray[np.float64]) -> None:
    kinds = np.asarray([case.kind for case in cases])
    right = np.asarray([case.right for case in cases])
    extents = np.asarray([case.extent for case in cases])
    for extent in (ARTICLE, STRETCH, ARCHIVE):
        rows = extents == extent
        of = {kind: probabilities[rows & (kinds == kind)] for kind in (ANSWERABLE, NEAR, OFF)}
        if not all(map(len, of.values())):
            continue
        print(f"\n{name}, {extent}")
        for kind in (NEAR, OFF):
            both = np.concatenate([of[ANSWERABLE], of[kind]])
            answerable = np.arange(len(both)) < len(of[ANSWERABLE])
            print(f"  AUROC, {kind:<21}{auroc(both, answerable):.4f}")
        mixed = rows & (kinds != OFF)
        for mix, chosen in (("data", mixed), ("with off", rows)):
            print(f"  ECE, {mix:<23}{calibration_error(probabilities[chosen], right[chosen]):.4f}")
        for threshold in (0.1, MIN_CONFIDENCE, 0.2, 0.3, 0.5):
            found = [f"{kind} {np.mean(of[kind] >= threshold):.4f}" for kind in of]
            print(f"  found from {threshold:.2f}: {', '.join(found)}")


if __name__ == "__main__":
    main()
