"""Fit the weights of the ranking to questions whose answers are known.

    python -m benchmarks.fit_ranking squad.json [--folds 6] [--write]

Prints what the weights reach on articles they were not fitted on (cross-validated by
article), every question counting alike and every article; then fits them on everything and,
with --write, puts them into qa/ranking/coefficients.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.fitting import Example, fit, folds
from index.models.encoder import Encoder, Float32, Int32
from index.models.loading import load_encoder
from index.segmentation.passages import Passage, Sentence
from index.single.cache import cached_index
from index.single.snapshot import ArticleSnapshot
from qa.evaluation.formats import read_dataset
from qa.ranking.candidates import every_candidate, parse_question, query_of
from qa.ranking.features import (
    LEAST,
    PASSAGE_FEATURES,
    SENTENCE_FEATURES,
    SUPPORTING,
    Candidates,
    Interaction,
    Query,
    interact,
    passage_features,
    sentence_features,
)
from qa.ranking.fusion import (
    OWN_WORDS,
    Coefficients,
    Fusion,
    by_cost,
    by_sentences,
    by_support,
    coefficients,
    to_json,
)

COEFFICIENTS = Path(__file__).parent.parent / "qa" / "ranking" / "coefficients.json"


@dataclass(frozen=True)
class Asked:
    """One question at its article, with everything that the features need."""

    document: str
    query: Query
    candidates: Candidates
    interaction: Interaction
    gold_passages: NDArray[np.int64]
    gold_sentences: NDArray[np.int64]
    starts: Int32
    gold: tuple[tuple[int, int], ...]

    def passages(self) -> Float32:
        """The features of its passages."""
        return passage_features(self.query, self.candidates, self.interaction)

    def sentences(self, scores: Float32) -> Float32:
        """The features of its sentences, given the scores of their passages."""
        return sentence_features(self.query, self.candidates, self.interaction, scores)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", help="SQuAD JSON, or any form that evaluate reads")
    parser.add_argument("--folds", type=int, default=6)
    parser.add_argument("--model")
    parser.add_argument("--precision", choices=["int8", "float32"])
    parser.add_argument("--write", action="store_true", help="replace qa/ranking/coefficients.json")
    arguments = parser.parse_args()

    encoder = load_encoder(arguments.model, precision=arguments.precision)
    asked = [question for path in arguments.data for question in _ask(path, encoder)]
    fold_of = folds([question.document for question in asked], arguments.folds)
    of = np.asarray([fold_of[question.document] for question in asked])
    passage_scores = _out_of_fold(
        of,
        lambda rows: _fit_passages([asked[n] for n in rows]),
        lambda fusion, n: fusion.scores(asked[n].passages()),
    )
    # Sentences see their passage's score, here too from weights that did not see the article.
    sentence_scores = _out_of_fold(
        of,
        lambda rows: _fit_sentences([(asked[n], passage_scores[n]) for n in rows]),
        lambda fusion, n: fusion.scores(asked[n].sentences(passage_scores[n])),
    )
    print(f"{len(asked)} questions, {len(fold_of)} articles, {arguments.folds} folds by article")
    print(f"{'':<14}{'questions':>10}{'articles':>10}")
    documents = np.asarray([question.document for question in asked])
    for name, hits in _measures(asked, passage_scores, sentence_scores):
        by_article = [hits[documents == document].mean() for document in fold_of]
        print(f"{name:<14}{hits.mean():>10.4f}{np.mean(by_article):>10.4f}")

    if arguments.write:
        fitted = Coefficients(
            _fit_passages(asked),
            _fit_sentences(list(zip(asked, passage_scores, strict=True))),
            coefficients().reading,  # fitted apart, by benchmarks.fit_reading
        )
        header = {
            "about": "Weights of the ranking; see qa/ranking/fusion.py. Fitted.",
            "data": [Path(path).name for path in arguments.data],
            "questions": len(asked),
            "model": encoder.name,
            "command": "python -m benchmarks.fit_ranking DATA --write",
        }
        COEFFICIENTS.write_text(json.dumps(header | to_json(fitted), indent=1) + "\n", "utf-8")


def _ask(path: str, encoder: Encoder) -> Iterator[Asked]:
    data = read_dataset(path)
    indexes = {
        name: cached_index(document.article, encoder)
        for name, document in tqdm(data.documents.items(), desc="indexing")
    }
    for question in tqdm(data.questions, desc="asking"):
        if question.document is None or not question.gold:
            continue
        index = indexes[question.document]
        snapshot = ArticleSnapshot(index)
        parsed = parse_question(snapshot, question.text, encoder.encode_query(question.text))
        query, candidates = query_of(snapshot, parsed), every_candidate(snapshot, parsed)
        yield Asked(
            document=question.document,
            query=query,
            candidates=candidates,
            interaction=interact(candidates),
            gold_passages=_holding(index.passages, question.gold),
            gold_sentences=_holding(index.sentences, question.gold),
            starts=np.asarray([s.start for s in index.sentences], dtype=np.int32),
            gold=question.gold,
        )


def _holding(
    spans: Sequence[Passage] | Sequence[Sentence], gold: Sequence[tuple[int, int]]
) -> NDArray[np.int64]:
    """Rows of the spans that wholly hold one of the gold spans."""
    starts = np.asarray([span.start for span in spans])
    ends = np.asarray([span.end for span in spans])
    held = np.zeros(len(spans), dtype=bool)
    for start, end in gold:
        held |= (starts <= start) & (end <= ends)
    return np.flatnonzero(held)


def _out_of_fold(
    of: NDArray[np.int64],
    fitted: Callable[[NDArray[np.int64]], Fusion],
    scored: Callable[[Fusion, int], Float32],
) -> list[Float32]:
    """Each question's scores by weights fitted on the articles of all other folds."""
    scores: list[Float32] = [np.zeros(0, dtype=np.float32)] * len(of)
    for fold in tqdm(range(int(of.max()) + 1), desc="fitting"):
        fusion = fitted(np.flatnonzero(of != fold))
        for n in np.flatnonzero(of == fold).tolist():
            scores[n] = scored(fusion, n)
    return scores


def _fit_passages(asked: Sequence[Asked]) -> Fusion:
    examples = [Example(q.passages(), q.gold_passages) for q in asked if len(q.gold_passages)]
    return fit(examples, PASSAGE_FEATURES, supporting=SUPPORTING)


def _fit_sentences(asked: Sequence[tuple[Asked, Float32]]) -> Fusion:
    examples = [
        Example(q.sentences(scores), q.gold_sentences)
        for q, scores in asked
        if len(q.gold_sentences)
    ]
    return fit(examples, SENTENCE_FEATURES, supporting=SUPPORTING, least=LEAST)


def _measures(
    asked: Sequence[Asked], passages: Sequence[Float32], sentences: Sequence[Float32]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Which questions the scores answer; one whose answer no candidate holds counts as missed."""
    shown = [
        by_sentences(scores, of_sentences, q.candidates.sentence_starts)
        for q, scores, of_sentences in zip(asked, passages, sentences, strict=True)
    ]
    for k in (1, 3):
        hits = [
            np.isin(np.argsort(-scores)[:k], q.gold_passages).any()
            for q, scores in zip(asked, shown, strict=True)
        ]
        yield f"passage R@{k}", np.asarray(hits)
    orders = [
        np.argsort(-_shown(q, of_passages, scores), kind="stable")
        for q, of_passages, scores in zip(asked, passages, sentences, strict=True)
    ]
    best = [order[0] in q.gold_sentences for q, order in zip(asked, orders, strict=True)]
    yield "sentence R@1", np.asarray(best)
    for n in (300, 600, 1200):
        read = [_answered(q, order, n) for q, order in zip(asked, orders, strict=True)]
        yield f"answer@{n}", np.asarray(read)


def _shown(question: Asked, passages: Float32, sentences: Float32) -> Float32:
    """Scores of the sentences in the order in which they are shown."""
    candidates = question.candidates
    own_words = question.sentences(passages)[:, OWN_WORDS]
    return by_support(by_cost(sentences, candidates.lengths), own_words, candidates.sentence_starts)


def _answered(question: Asked, order: NDArray[np.int64], n: int) -> bool:
    """Whether a gold span lies wholly in the first n characters of the quotes."""
    for row in order:
        start = int(question.starts[row])
        end = start + min(n, int(question.candidates.lengths[row]))
        if any(start <= a and b <= end for a, b in question.gold):
            return True
        n -= end - start
        if n <= 0:
            break
    return False


if __name__ == "__main__":
    main()
