"""Fit the confidence to questions with and without an answer.

    python benchmarks/fit_confidence.py squad2.json [--folds 6] [--write]

Every question is asked of its whole article and of a stretch of it, 1 to 10 paragraphs long,
so that the probability means the same for articles of any length; every answerable one also
of another article, whole and in part. An answer counts as right where a gold span lies in
the first three citations. The mix that the probability is calibrated for is the data's own
(in SQuAD 2.0 every second question has no answer), with as many questions of other articles
as there are answerable ones on top.

Prints what is reached on articles that were not fitted on (cross-validated by article), then
fits on everything and, with --write, puts the weights into qa/confidence.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from index.article_index import ArticleIndex, build_index
from index.encoder import Encoder, Encoding
from index.models import load_encoder
from index.plaintext import article_from_text
from qa.confidence import MIN_CONFIDENCE, ConfidenceModel, Logistic, to_json
from qa.confidence_features import (
    ANSWER_FEATURES,
    BOUNDS,
    SHOWN,
    TOPIC_FEATURES,
    Features,
    confidence_features,
)
from qa.evaluation.datasets import Dataset, Question
from qa.evaluation.formats import read_dataset
from qa.evaluation.measures import auroc, calibration_error
from qa.fit import folds
from qa.fusion import coefficients, fuse
from qa.ranking import candidates_of, query_of, query_terms
from qa.wording import wording

WEIGHTS = Path(__file__).parent.parent / "qa" / "confidence.json"
STRETCHES = (1, 8, 3, 10, 2, 5, 4)
"""Paragraphs in the stretches that an article is cut into, over and over."""
PENALTY = 1e-3
ANSWERABLE, NEAR, OFF = "answerable", "near", "off"


@dataclass(frozen=True)
class View:
    """An article or a stretch of one: ``index.article.text`` begins at ``start`` of the whole."""

    index: ArticleIndex
    start: int
    whole: bool

    def holds(self, span: tuple[int, int]) -> bool:
        """Whether a span of the whole article lies in it."""
        return self.start <= span[0] and span[1] <= self.start + len(self.index.article.text)


@dataclass(frozen=True)
class Case:
    """One question asked of one view.

    Attributes:
        features: What the confidence is made from.
        kind: Answerable, near (of this article, without an answer) or off (of another one).
        right: Whether the first citations hold the answer.
        whole: Whether the article was asked as a whole.
        articles: The one that is asked, and the one that the question is about.
    """

    features: Features
    kind: str
    right: bool
    whole: bool
    articles: tuple[str, str]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", help="SQuAD 2.0 JSON, or any form with gold spans")
    parser.add_argument("--folds", type=int, default=6)
    parser.add_argument("--model")
    parser.add_argument("--write", action="store_true", help="replace qa/confidence.json")
    arguments = parser.parse_args()

    encoder = load_encoder(arguments.model)
    cases = [case for path in arguments.data for case in _cases(read_dataset(path), encoder)]
    fold_of = folds([name for case in cases for name in case.articles], arguments.folds)
    probabilities = np.zeros(len(cases))
    for fold in range(arguments.folds):
        seen = [c for c in cases if all(fold_of[name] != fold for name in c.articles)]
        model = _fit(seen)
        for n, case in enumerate(cases):
            if fold_of[case.articles[0]] == fold:
                probabilities[n] = model.probability(case.features)
    print(f"{len(cases)} cases, {len(fold_of)} articles, {arguments.folds} folds by article")
    _report(cases, probabilities)

    if arguments.write:
        header = {
            "about": "Weights of the confidence; see qa/confidence.py. Fitted, not by hand.",
            "data": [Path(path).name for path in arguments.data],
            "cases": len(cases),
            "model": encoder.name,
            "command": "python benchmarks/fit_confidence.py DATA --write",
        }
        WEIGHTS.write_text(json.dumps(header | to_json(_fit(cases)), indent=1) + "\n", "utf-8")


def _cases(data: Dataset, encoder: Encoder) -> Iterator[Case]:
    views = {
        name: list(_views(document.article.text, encoder))
        for name, document in tqdm(data.documents.items(), desc="indexing")
    }
    names = list(views)
    rng = np.random.default_rng(0)

    @lru_cache(maxsize=1)
    def encoded(text: str) -> Encoding:
        return encoder.encode_query(text)

    def case(question: Question, name: str, view: View, kind: str) -> Case:
        return _case(question, view, encoded(question.text), kind, name)

    for question in tqdm(data.questions, desc="asking"):
        own = question.document
        if own is None or (question.answerable and not question.gold):
            continue
        whole, *parts = views[own]
        kind = ANSWERABLE if question.answerable else NEAR
        if kind is NEAR:
            # The data do not say which paragraph it was written for; the nearest will be it.
            parts = [max(parts, key=lambda view: _cosine(view, encoded(question.text)))]
        else:
            parts = [view for view in parts if view.holds(question.gold[0])][:1]
        for view in (whole, *parts):
            yield case(question, own, view, kind)
        if question.answerable and len(names) > 1:
            other = names[(names.index(own) + 1 + rng.integers(len(names) - 1)) % len(names)]
            whole, *parts = views[other]
            for view in (whole, parts[rng.integers(len(parts))]):
                yield case(question, other, view, OFF)


def _views(text: str, encoder: Encoder) -> Iterator[View]:
    """The whole article, then stretches of it that leave nothing out."""
    yield View(build_index(article_from_text(text), encoder), 0, whole=True)
    paragraphs = text.split("\n\n")
    starts = np.cumsum([0] + [len(paragraph) + 2 for paragraph in paragraphs]).tolist()
    first = turn = 0
    while first < len(paragraphs):
        last = min(len(paragraphs), first + STRETCHES[turn % len(STRETCHES)])
        stretch = article_from_text("\n\n".join(paragraphs[first:last]))
        yield View(build_index(stretch, encoder), starts[first], whole=False)
        first, turn = last, turn + 1


def _cosine(view: View, encoding: Encoding) -> float:
    return float((view.index.sentence_vectors @ encoding.vector).max())


def _case(question: Question, view: View, encoding: Encoding, kind: str, name: str) -> Case:
    index = view.index
    known, unknown = query_terms(index, question.text)
    query = query_of(index, question.text, encoding, known, unknown)
    candidates = candidates_of(index, known)
    passages, sentences = fuse(query, candidates, coefficients())
    known_terms = [index.terms.vocabulary[term] for term in known]
    asked = wording(question.text, encoding, known_terms, index.article.language)
    features, _ = confidence_features(query, candidates, passages, sentences, asked)
    shown = [index.sentences[row] for row in np.argsort(-sentences, kind="stable")[:SHOWN]]
    right = kind is ANSWERABLE and any(
        sentence.start <= start - view.start and end - view.start <= sentence.end
        for sentence in shown
        for start, end in question.gold
    )
    return Case(features, kind, right, view.whole, (name, question.document or name))


def _fit(cases: Sequence[Case]) -> ConfidenceModel:
    about = [case for case in cases if case.kind is not OFF]
    return ConfidenceModel(
        _logistic(cases, [case.kind is not OFF for case in cases], TOPIC_FEATURES),
        _logistic(about, [case.right for case in about], ANSWER_FEATURES),
    )


def _logistic(cases: Sequence[Case], right: Sequence[bool], names: Sequence[str]) -> Logistic:
    """The logistic regression of greatest likelihood, within `BOUNDS`."""
    from scipy.optimize import minimize

    table = np.asarray([[case.features[name] for name in names] for case in cases])
    usual, spreads = table.mean(axis=0), table.std(axis=0)
    spreads[spreads < 1e-9] = 1.0
    table = np.column_stack([(table - usual) / spreads, np.ones(len(table))])
    sign = np.where(right, 1.0, -1.0)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (table @ weights)
        slope = -(table.T @ (sign / (1 + np.exp(margin)))) / len(table)
        penalised = np.append(weights[:-1], 0.0) * PENALTY
        value = np.logaddexp(0, -margin).mean() + penalised @ weights / 2
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


def _report(cases: Sequence[Case], probabilities: NDArray[np.float64]) -> None:
    kinds = np.asarray([case.kind for case in cases])
    right = np.asarray([case.right for case in cases])
    whole = np.asarray([case.whole for case in cases])
    for name, rows in (("whole articles", whole), ("stretches", ~whole)):
        of = {kind: probabilities[rows & (kinds == kind)] for kind in (ANSWERABLE, NEAR, OFF)}
        print(f"\n{name}")
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
