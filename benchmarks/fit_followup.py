r"""Fit how follow-up questions are read, to dialogues whose evidence is known.

    python -m benchmarks.fit_followup --dialogues coqa.json quac.json \
        --standalone squad.json [--write]

Prints, for weights fitted on other dialogues and articles (cross-validated), how many turns
after the first are answered within 300 characters alone and in their conversation, and what
questions that stand by themselves lose with a stranger's history in front. Then fits on
everything and, with --write, puts the weights into qa/conversation/followup.json.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from tqdm import tqdm

from benchmarks.fitting import Example, fit, folds
from index.models.encoder import Encoder, Float32
from index.models.loading import load_encoder
from index.single.article_index import ArticleIndex, build_index
from index.single.cache import cached_index
from index.single.snapshot import ArticleSnapshot
from qa.conversation.context_dependence import LEANING, asks_for_more, is_short, leaning_of
from qa.conversation.followup import (
    CITED,
    SENTENCE_FEATURES,
    Focus,
    Weights,
    come_to,
    joined,
    last_with_a_subject,
    weighted,
)
from qa.conversation.ranking import FURTHER, followup_features, further_on, nearness
from qa.evaluation.datasets import Question
from qa.evaluation.formats import read_dataset
from qa.evaluation.measures import reading_depth
from qa.ranking.candidates import parse_question
from qa.ranking.confidence_features import SHOWN
from qa.ranking.fusion import Fusion, by_cost
from qa.ranking.ranking import rank

WEIGHTS = Path(__file__).parent.parent / "qa" / "conversation" / "followup.json"
NEAR = range(-2, 6)
PENALTY = 0.15
ROUNDS = 2
STANDALONE = 40  # questions an article
READ = 300  # characters
LOST = 0.02  # share of standalone questions that may be read in context


@dataclass(frozen=True)
class Turn:
    """One question, ranked alone and after the one before: log-odds, and how confident each is.

    ``quoted`` has the scores of the question alone as they are shown.
    """

    question: Question
    leaning: Float32
    quoted: Float32
    alone: Float32
    joined: Float32
    confidences: tuple[float, float]
    gold: NDArray[np.int64]


@dataclass(frozen=True)
class Dialogue:
    """Questions about one text, in order; or, standalone, each with a stranger's before it."""

    data: str
    name: str
    cost: Float32
    spans: tuple[tuple[int, int], ...]
    turns: tuple[Turn, ...]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dialogues", nargs="+", required=True)
    parser.add_argument("--standalone", required=True)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument(
        "--deals", type=int, default=6, help="times the folds are dealt; one decides too much"
    )
    parser.add_argument(
        "--write", action="store_true", help="replace qa/conversation/followup.json"
    )
    arguments = parser.parse_args()

    encoder = load_encoder()
    dialogues = [d for path in arguments.dialogues for d in _dialogues(path, encoder)]
    strangers = list(_standalone(arguments.standalone, encoder))
    judged: list[tuple[str, float, float, bool]] = []
    for deal in tqdm(range(arguments.deals), desc="fitting"):
        judged += _cross_validated(dialogues, strangers, arguments.folds, deal)
    for data in dict.fromkeys(row[0] for row in judged):
        rows = np.asarray([row[1:] for row in judged if row[0] == data], dtype=float)
        alone, context, used = 100 * rows.mean(axis=0)
        print(
            f"{data}: {len(rows) // arguments.deals} turns, alone {alone:.1f},"
            f" in context {context:.1f} ({context - alone:+.1f}), read in context {used:.0f} %"
        )
    if arguments.write:
        _write(_fit(dialogues, strangers))


def _cross_validated(
    dialogues: Sequence[Dialogue], strangers: Sequence[Dialogue], n_folds: int, seed: int
) -> Iterator[tuple[str, float, float, bool]]:
    """What `_judged` says of every turn, by weights fitted on other dialogues and articles."""
    fold_of = folds([d.name for d in (*dialogues, *strangers)], n_folds, seed)
    for fold in range(n_folds):
        fitted = _fit(
            [d for d in dialogues if fold_of[d.name] != fold],
            [d for d in strangers if fold_of[d.name] != fold],
        )
        for kind, apart in ((dialogues, False), (strangers, True)):
            for dialogue in kind:
                if fold_of[dialogue.name] == fold:
                    yield from _judged(dialogue, fitted, strangers=apart)


def _turn(index: ArticleIndex, encoder: Encoder, question: Question, before: Sequence[str]) -> Turn:
    gold = [
        row
        for row, s in enumerate(index.sentences)
        if any(s.start <= (a + b - 1) // 2 < s.end for a, b in question.gold)
    ]
    cost = _cost(index)
    text, snapshot = question.text, ArticleSnapshot(index)
    after = joined(last_with_a_subject(before), text) if before else text
    alone, joint = (parse_question(snapshot, q, encoder.encode_query(q)) for q in (text, after))
    by_itself, in_context = (
        ranked.ranking for ranked in rank(snapshot, [alone, joint], n_passages=len(index.passages))
    )
    return Turn(
        question,
        leaning_of(text, len(alone.known)),
        by_itself.quoted,
        by_itself.sentences - cost,
        in_context.sentences - cost,
        (by_itself.confidence, in_context.confidence),
        np.asarray(gold, dtype=np.int64),
    )


def _cost(index: ArticleIndex) -> Float32:
    lengths = np.asarray([s.end - s.start for s in index.sentences], dtype=np.int32)
    return by_cost(np.zeros(len(lengths), dtype=np.float32), lengths)


def _dialogue(data: str, name: str, index: ArticleIndex, turns: Sequence[Turn]) -> Dialogue:
    return Dialogue(
        Path(data).name,
        f"{Path(data).name}/{name}",
        _cost(index),
        tuple((s.start, s.end) for s in index.sentences),
        tuple(turns),
    )


def _dialogues(path: str, encoder: Encoder) -> Iterator[Dialogue]:
    data = read_dataset(path)
    for name, document in tqdm(data.documents.items(), desc=Path(path).name):
        index = build_index(document.article, encoder)
        asked = [q for q in data.questions if q.document == name]
        texts = [q.text for q in asked]
        turns = [_turn(index, encoder, q, texts[:n]) for n, q in enumerate(asked)]
        yield _dialogue(path, name, index, turns)


def _standalone(path: str, encoder: Encoder) -> Iterator[Dialogue]:
    """Questions in random order: each stands after two that have nothing to do with it."""
    data = read_dataset(path)
    chance = np.random.default_rng(0)
    for name, document in tqdm(data.documents.items(), desc=Path(path).name):
        index = cached_index(document.article, encoder)
        asked = [q for q in data.questions if q.document == name and q.gold]
        asked = [asked[n] for n in chance.permutation(len(asked))[:STANDALONE]]
        texts = [q.text for q in asked]
        turns = [_turn(index, encoder, q, texts[:n]) for n, q in enumerate(asked)]
        yield _dialogue(path, name, index, turns)


def _fit(dialogues: Sequence[Dialogue], strangers: Sequence[Dialogue]) -> Weights:
    """Fit, with the histories that the bot itself would have: its own answers, right or wrong."""
    follow = np.stack([t.leaning for d in dialogues for t in d.turns[1:]])
    alone = np.stack([t.leaning for d in strangers for t in d.turns[1:]])
    leans = _logistic(follow, alone)
    threshold = float(np.quantile(alone @ leans, 1 - LOST)) + 1e-3
    steps = _steps(dialogues)
    elsewhere = 1.0 - sum(steps.values())
    fitted = Weights(leans, threshold, (1.0, 0.0), steps, elsewhere, _as_alone())
    counts = Counter(d.data for d in dialogues)
    turns = {data: sum(len(d.turns) for d in dialogues if d.data == data) for data in counts}
    for _ in range(ROUNDS):
        fitted = replace(fitted, trust=_trust(dialogues, fitted))
        examples: list[Example] = []
        for dialogue in dialogues:
            # Data sets count about alike, whatever their size.
            repeats = round(max(turns.values()) / turns[dialogue.data])
            for turn, where, follows, _, _ in _asked(dialogue, fitted, strangers=False):
                if follows and len(turn.gold) and not asks_for_more(turn.question.text):
                    table = _table(dialogue, turn, where, fitted)
                    examples += [Example(table, turn.gold)] * repeats
        fusion = fit(
            examples,
            SENTENCE_FEATURES,
            supporting=set(SENTENCE_FEATURES) - {"alone_short"},
            penalty=PENALTY,
        )
        fitted = replace(fitted, sentences=fusion)
    return fitted


def _as_alone() -> Fusion:
    ones = np.ones(len(SENTENCE_FEATURES), dtype=np.float32)
    only = np.asarray([name == "alone" for name in SENTENCE_FEATURES], dtype=np.float32)
    return Fusion(SENTENCE_FEATURES, only, ones)


def _logistic(positive: Float32, negative: Float32) -> Float32:
    """Weights that tell follow-ups from other questions, both kinds counting alike."""
    table = np.concatenate([positive, negative]).astype(np.float64)
    sign = np.repeat([1.0, -1.0], [len(positive), len(negative)])
    share = np.repeat([0.5 / len(positive), 0.5 / len(negative)], [len(positive), len(negative)])

    def loss(values: NDArray[np.float64]) -> float:
        margins = sign * (table @ values)
        return float(share @ np.logaddexp(0, -margins) + 0.003 * values[1:] @ values[1:])

    return np.asarray(minimize(loss, np.zeros(table.shape[1])).x, dtype=np.float32)


def _trust(dialogues: Sequence[Dialogue], fitted: Weights) -> tuple[float, float]:
    """How often an answer is right, as a straight line over its confidence."""
    confident: list[float] = []
    right: list[bool] = []
    for dialogue in dialogues:
        for turn, _, _, scores, confidence in _asked(dialogue, fitted, strangers=False):
            confident.append(confidence)
            right.append(bool(np.isin(np.argsort(-scores)[:SHOWN], turn.gold).any()))
    slope, always = np.polyfit(confident, np.asarray(right, dtype=float), 1)
    return float(np.clip(always, 0, 1)), float(max(slope, 0))


def _steps(dialogues: Sequence[Dialogue]) -> dict[int, float]:
    """How far the evidence moves from one turn to the next."""
    seen: Counter[int] = Counter()
    total = 0
    for dialogue in dialogues:
        rows = [int(turn.gold[0]) for turn in dialogue.turns if len(turn.gold)]
        moves = [after - before for before, after in zip(rows, rows[1:], strict=False)]
        seen.update(moves)
        total += len(moves)
    return {step: seen[step] / total for step in NEAR}


def _table(dialogue: Dialogue, turn: Turn, where: Focus, fitted: Weights) -> Float32:
    near = nearness(where, len(dialogue.cost), fitted.steps, fitted.elsewhere)
    return followup_features(turn.alone, turn.joined, near, is_short(turn.question.text))


def _asked(
    dialogue: Dialogue, fitted: Weights, *, strangers: bool
) -> Iterator[tuple[Turn, Focus, bool, Float32, float]]:
    """Each turn: where the talk has come to, whether that counts, its scores and confidence."""
    cited: list[tuple[Focus, float]] = []
    shown: set[int] = set()
    for turn in dialogue.turns:
        where = come_to(cited[::-1], fitted.trust)
        further = asks_for_more(turn.question.text)
        leans = bool(where) and (
            further or float(turn.leaning @ fitted.leaning) >= fitted.threshold
        )
        scores, confidence = turn.quoted, turn.confidences[leans]
        if leans and further:
            scores, confidence = further_on(where, shown, len(scores)), FURTHER
        elif leans:
            table = _table(dialogue, turn, where, fitted)
            scores = fitted.sentences.scores(table) + dialogue.cost
        yield turn, where, leans, scores, confidence
        before = turn.quoted if strangers else scores
        rows = np.argsort(-before, kind="stable")[:CITED].tolist()
        cited.append((weighted(rows, before[rows].tolist()), confidence))
        shown.update(rows[:SHOWN])


def _judged(
    dialogue: Dialogue, fitted: Weights, *, strangers: bool
) -> Iterator[tuple[str, float, float, bool]]:
    """Whether each turn after the first is answered alone, and in its conversation."""
    for turn, where, leans, scores, _ in _asked(dialogue, fitted, strangers=strangers):
        if where and turn.question.gold:
            alone = _answered(dialogue, turn, turn.quoted)
            yield dialogue.data, alone, _answered(dialogue, turn, scores), leans


def _answered(dialogue: Dialogue, turn: Turn, scores: Float32) -> float:
    order = np.argsort(-scores, kind="stable")[:10]
    quotes = [("", *dialogue.spans[row]) for row in order]
    return float(reading_depth(quotes, [("", *span) for span in turn.question.gold]) <= READ)


def _write(fitted: Weights) -> None:
    fusion = fitted.sentences
    data = {
        "about": "How follow-ups are read; see qa/conversation/followup.py. Fitted.",
        "fitted_on": "25 dialogues of CoQA, 25 of QuAC; questions that stand alone: SQuAD 1.1",
        "procedure": "python -m benchmarks.fit_followup --dialogues COQA QUAC --standalone SQUAD"
        " --write",
        "leaning": dict(zip(LEANING, _rounded(fitted.leaning), strict=True)),
        "threshold": round(fitted.threshold, 4),
        "trust": dict(zip(("always", "confidence"), _rounded(fitted.trust), strict=True)),
        "steps": {str(s): round(p, 4) for s, p in fitted.steps.items()}
        | {"elsewhere": round(fitted.elsewhere, 4)},
        "sentences": dict(
            zip(SENTENCE_FEATURES, _rounded(fusion.weights / fusion.spreads), strict=True)
        ),
    }
    WEIGHTS.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(float(value), 4) for value in values]


if __name__ == "__main__":
    main()
