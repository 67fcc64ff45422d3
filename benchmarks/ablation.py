"""What each part of the ranking is worth: it is taken away, and the rest is fitted again.

    python -m benchmarks.ablation squad1.json [--folds 3] [-o benchmarks/results/ablation.md]

Every ranking, the whole one included, is judged on articles that it was not fitted on. About
ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.fit_ranking import Asked, _answered, _ask
from benchmarks.fitting import Example, fit, folds
from index.models.encoder import Encoder, Encoding, Float32
from index.models.loading import load_encoder
from qa.ranking.features import LEAST, PASSAGE_FEATURES, SENTENCE_FEATURES, SUPPORTING
from qa.ranking.fusion import Coefficients, Fusion, by_support, fuse

RESAMPLES: Final = 2000
FITTED_ON: Final = 1500
"""Questions, spread evenly, that weights are fitted on; more change little but the time."""
MEASURES: Final = ("answer@300", "answer@1200", "R@1", "R@3")

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "sentence vectors": ("passage:best_sentence_vector", "sentence:vector", "*:best_vector_*"),
    "BM25": ("passage:bm25", "passage:best_sentence_bm25"),
    "coverage of the question's terms": ("*:coverage*",),
    "MaxSim, weighted by idf": ("*:maxsim", "sentence:best_maxsim_of_passage"),
    "MaxSim, plain": ("*:maxsim_plain",),
    "MaxSim, idf smoothed by a background": ("*:maxsim_telling", "passage:best_sentence_maxsim"),
    "phrases and proximity": ("*:phrase*", "*:proximity*", "*:ngram*"),
    "what the rest of the passage meets": ("sentence:share", "sentence:in_context"),
    "neighbouring sentences": ("*:*previous*", "*:*next*", "*:*neighbour*"),
    "heading and title": ("*:*heading*", "*:*title*"),
    "passage's score in a sentence": ("sentence:passage", "sentence:passage_*"),
    "expected answer type": ("*:*_asked", "*:asked*"),
    "kind of sentence": ("*:has_*",),
    "place and length": (
        "*:*position*",
        "sentence:opens_passage",
        "*:log_length",
        "sentence:long",
        "sentence:short",
    ),
}
"""Features of each idea, as ``passage:`` or ``sentence:`` and a pattern of their names."""

TOGETHER: Final[Mapping[str, tuple[str, ...]]] = {
    "all MaxSim and phrases (late interaction)": tuple(
        name
        for name in PARTS
        if name.startswith(("MaxSim", "phrases", "what the rest", "neighbouring"))
    ),
    "all words (BM25 and coverage)": ("BM25", "coverage of the question's terms"),
}
"""Parts that stand in for each other, and cost little one at a time."""


UNTOLD: Final = "attention to the own sentence first"

Pool: Final = get_context("fork").Pool
_shared: tuple[list[Asked], NDArray[np.int64]]


class Untold:
    """An encoder that is told nothing of where sentences begin, and is otherwise as it is."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.fingerprint = f"{encoder.fingerprint}-untold"  # its indexes are others

    def __getattr__(self, name: str) -> object:
        return getattr(self._encoder, name)

    def encode_documents(self, texts: Sequence[str], **options: object) -> list[Encoding]:
        """As the encoder does with each text for one sentence."""
        return self._encoder.encode_documents(texts, **options | {"starts": None})


@dataclass(frozen=True)
class Result:
    """How a ranking without some features does.

    Attributes:
        part: What was taken away.
        features: How many features that were.
        hits: bool ``(n_questions, len(MEASURES))``.
    """

    part: str
    features: int
    hits: NDArray[np.bool_]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="SQuAD JSON, or any form that evaluate reads")
    parser.add_argument("--folds", type=int, default=3, help="by article (default %(default)s)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth question")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="(default: every core)")
    parser.add_argument("--model")
    parser.add_argument("-o", "--output", type=Path, help="also write the table to this file")
    arguments = parser.parse_args()

    parts = parts_of(PASSAGE_FEATURES, SENTENCE_FEATURES)
    parts |= {
        name: set().union(*(parts[p] for p in of if p in parts)) for name, of in TOGETHER.items()
    }
    encoder = load_encoder(arguments.model)
    asked = list(_ask(arguments.data, encoder))[:: arguments.every]
    n_asked = len(asked)
    fold_of = folds([question.document for question in asked], arguments.folds)
    of = np.asarray([fold_of[question.document] for question in asked])
    parts = {"nothing": set[str](), **parts}
    # Forked, the workers share the questions' vectors; what they get is a few names.
    global _shared
    _shared = asked, of
    with Pool(arguments.jobs) as pool:
        hits = list(tqdm(pool.imap(_judged, parts.values()), "parts", len(parts)))
    del asked
    _shared = list(_ask(arguments.data, Untold(encoder)))[:: arguments.every], of
    parts[UNTOLD] = set()
    hits.append(_judged(parts[UNTOLD]))
    whole, *rest = [
        Result(name, len(without), hit)
        for (name, without), hit in zip(parts.items(), hits, strict=True)
    ]
    heading = (
        f"**{Path(arguments.data).name}**: {n_asked:,} questions, {len(fold_of)} articles,"
        f" {arguments.folds} folds by article; {encoder.name}"
    )
    text = "\n".join([heading, "", *_table(whole, rest), "", *_NOTES]) + "\n"
    sys.stdout.write(text)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")


def parts_of(passages: Sequence[str], sentences: Sequence[str]) -> dict[str, set[str]]:
    """The features of each part, every one in exactly one; parts without features are left out.

    Raises:
        SystemExit: A feature is in no part or in several: the table would be wrong.
    """
    names = [f"passage:{name}" for name in passages] + [f"sentence:{name}" for name in sentences]
    parts: dict[str, set[str]] = {}
    for name in names:
        of = [p for p, patterns in PARTS.items() if any(fnmatchcase(name, x) for x in patterns)]
        if len(of) != 1:
            where = f"in several parts ({', '.join(of)})" if of else "in no part"
            raise SystemExit(f"the feature {name!r} is {where}; correct PARTS in {__file__}")
        parts.setdefault(of[0], set()).add(name)
    return {part: parts[part] for part in PARTS if part in parts}


def _judged(without: set[str]) -> NDArray[np.bool_]:
    return _hits(*_shared, without)


def _hits(asked: Sequence[Asked], of: NDArray[np.int64], without: set[str]) -> NDArray[np.bool_]:
    """What each question's answer reaches, by weights that did not see its article."""
    passages = [question.passages() for question in asked]
    scores: list[Float32] = [np.zeros(0, dtype=np.float32)] * len(asked)
    all_folds = range(int(of.max()) + 1)
    fitted: list[Fusion] = []
    for fold in all_folds:
        rows = _spread([n for n in np.flatnonzero(of != fold) if len(asked[n].gold_passages)])
        examples = [Example(passages[n], asked[n].gold_passages) for n in rows]
        fitted.append(_fit("passage", examples, PASSAGE_FEATURES, without))
        for n in np.flatnonzero(of == fold):
            scores[n] = fitted[fold].scores(passages[n])
    sentences = [question.sentences(score) for question, score in zip(asked, scores, strict=True)]
    hits = np.zeros((len(asked), len(MEASURES)), dtype=bool)
    for fold in all_folds:
        rows = _spread([n for n in np.flatnonzero(of != fold) if len(asked[n].gold_sentences)])
        examples = [Example(sentences[n], asked[n].gold_sentences) for n in rows]
        fusion = _fit("sentence", examples, SENTENCE_FEATURES, without)
        both = Coefficients(fitted[fold], fusion)
        for n in np.flatnonzero(of == fold):
            hits[n] = _reached(asked[n], both)
    return hits


def _spread(rows: list[int]) -> list[int]:
    return rows[:: max(1, len(rows) // FITTED_ON)]


def _fit(kind: str, examples: Sequence[Example], names: Sequence[str], without: set[str]) -> Fusion:
    """A fusion in which what is taken away weighs nothing."""
    kept = [column for column, name in enumerate(names) if f"{kind}:{name}" not in without]
    found = fit(
        [Example(np.ascontiguousarray(e.features[:, kept]), e.gold) for e in examples],
        [names[column] for column in kept],
        supporting=SUPPORTING,
        least=LEAST,
    )
    weights, spreads = np.zeros(len(names)), np.ones(len(names))
    weights[kept], spreads[kept] = found.weights, found.spreads
    return Fusion(tuple(names), weights.astype(np.float32), spreads.astype(np.float32))


def _reached(question: Asked, fitted: Coefficients) -> list[bool]:
    """The measures of one question, ranked as users get it ranked."""
    fused = fuse(question.query, question.candidates, fitted, interaction=question.interaction)
    starts = question.candidates.sentence_starts
    order = np.argsort(-by_support(fused.sentences, fused.own_words, starts), kind="stable")
    first = np.isin(np.argsort(-fused.passages, kind="stable")[:3], question.gold_passages)
    return [
        _answered(question, order, 300),
        _answered(question, order, 1200),
        bool(first[0]),
        bool(first.any()),
    ]


def _table(whole: Result, rest: Sequence[Result]) -> Iterator[str]:
    yield f"| taken away | features | {' | '.join(MEASURES)} |"
    yield f"| --- | ---: |{' ---: |' * len(MEASURES)}"
    means = " | ".join(f"{mean:.4f}" for mean in whole.hits.mean(axis=0))
    yield f"| nothing | | {means} |"
    rng = np.random.default_rng(0)
    n = len(whole.hits)
    # The same resamples for every part: rows can be compared.
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(np.float32) / n
    for result in rest:
        gaps = result.hits.astype(np.float32) - whole.hits
        low, high = np.percentile(drawn @ gaps, [2.5, 97.5], axis=0)
        cells = [
            f"{100 * gap:+.2f} ({100 * a:+.2f} {100 * b:+.2f})"
            for gap, a, b in zip(gaps.mean(axis=0), low, high, strict=True)
        ]
        yield f"| {result.part} | {result.features} | {' | '.join(cells)} |"


_NOTES = (
    "The first line is the whole ranking; under it, how many points of a hundred each measure",
    "changes when a part is taken away and the others are fitted again, with the 95 % interval",
    "of paired bootstrap resamples of the questions. What has its zero inside could as well be",
    "nothing; parts that say nearly the same replace each other, so the lines that begin with",
    "“all” take them away together. The last line has vectors that were made without it.",
)


if __name__ == "__main__":
    main()
