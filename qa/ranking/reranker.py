"""A second look at the best candidates, by a model that reads question and text together.

Off unless asked for: what the fusion ranks in milliseconds costs a cross-encoder (Nogueira
and Cho, 2019, https://arxiv.org/abs/1901.04085) one pass of a transformer each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Float32
from index.scoring.pool import Pool

__all__ = ["RERANKER_HELP", "Reranker", "RerankerLike", "SecondLook", "load_reranker"]

RERANKER_HELP: Final = (
    "a sentence-transformers cross-encoder (a folder or a hub name) that reorders the best"
    " candidates; slower (default: none)"
)

BEST_PASSAGES: Final = 10
BEST_SENTENCES: Final = 20
"""Sentences looked at again: some 2,400 characters, more than anyone reads through."""


class Reranker(Protocol):
    """Whatever tells how well texts answer a question."""

    @property
    def name(self) -> str:
        """What the user calls it."""
        ...

    def scores(self, question: str, texts: Sequence[str]) -> Float32:
        """How well each text answers.

        Args:
            question: As it is to be read.
            texts: One or more.

        Returns:
            float32 ``(n_texts,)``, higher is better, on any scale.
        """
        ...


RerankerLike: TypeAlias = "str | Reranker"
"""A cross-encoder's hub name or folder, or anything that scores texts."""


def load_reranker(reranker: RerankerLike | None) -> Reranker | None:
    """A reranker from its name; one that is loaded, or None, comes back as it is.

    Raises:
        ModelError: There is no such model, or it is no cross-encoder.
    """
    if not isinstance(reranker, str):
        return reranker
    from qa.ranking.cross_encoder import CrossEncoderReranker  # torch: seconds, and only for this

    return CrossEncoderReranker(reranker)


@dataclass(frozen=True, slots=True)
class SecondLook:
    """Reorders the best passages and sentences of a pool.

    A sentence alone may not say who its "he" is, and a passage not which of its sentences
    answers, so that a sentence counts by what the model says of both. Half of the new order
    is the model's, half that of the fusion, each standardised among the candidates: the
    scales of cross-encoders differ, and their vote should not.

    The candidates keep their scores and only change hands: the first in the new order has the
    highest. So no candidate falls behind what was not looked at again, and scores stay on the
    scale that confidence was fitted to.

    Attributes:
        reranker: The model.
        question: As it is to be read.
        pool: The candidates.
        texts: Of the pool's passages.
    """

    reranker: Reranker
    question: str
    pool: Pool
    texts: Sequence[str]

    def __call__(self, passages: Float32, sentences: Float32) -> tuple[Float32, Float32]:
        """The scores of passages and sentences in the new order, shapes as before."""
        passage_of = self.pool.passage_of
        best_sentences = _best(sentences, BEST_SENTENCES)
        holding = passage_of[best_sentences]
        best_passages = np.union1d(_best(passages, BEST_PASSAGES), holding)
        quotes = [self._sentence(row, passage_of[row]) for row in best_sentences.tolist()]
        said = self.reranker.scores(
            self.question, [*(self.texts[row] for row in best_passages.tolist()), *quotes]
        )
        of_passages, of_sentences = np.split(said.astype(np.float64), [len(best_passages)])
        of_sentences = of_sentences + of_passages[np.searchsorted(best_passages, holding)]
        return (
            _reordered(passages, best_passages, of_passages),
            _reordered(sentences, best_sentences, of_sentences),
        )

    def _sentence(self, row: int, passage: int) -> str:
        offset = int(self.pool.passage_spans[passage, 0])
        start, end = (self.pool.sentence_spans[row] - offset).tolist()
        return self.texts[passage][start:end]


def _best(scores: Float32, n: int) -> NDArray[np.int64]:
    return np.asarray(np.argsort(-scores, kind="stable")[:n])


def _reordered(scores: Float32, rows: NDArray[np.int64], said: NDArray[np.float64]) -> Float32:
    """Deal the scores of some rows out again, the highest to the first in the fused order."""
    before = scores[rows]
    fused = _standard(before.astype(np.float64)) + _standard(said)
    # Where the model sees no difference, the order stays.
    order = np.lexsort((-before, -fused))
    after: Float32 = scores.copy()
    after[rows[order]] = -np.sort(-before)
    return after


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-9 else np.zeros_like(values)
