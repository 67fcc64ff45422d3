"""The plain recipe that everything here is measured against.

Paragraphs, encoded whole by sentence-transformers, in a flat FAISS index; a question is
answered with the paragraphs nearest to it. The same model as ours, and nothing else of ours.
Where evidence is labelled by sentence, the recipe is given those sentences for paragraphs:
one that quotes the whole text could not be told from another.

torch and FAISS each bring an OpenMP of their own. In one process they can crash on macOS,
so only the evaluation has them together, and only when the baseline is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from index.models.encoder import Progress
from index.models.loading import resolve
from index.single.article_index import flat_index
from qa.answer import Answer, Citation, PassageRef
from qa.citing.cite import article_ref
from qa.evaluation.datasets import Document
from qa.evaluation.measures import Place
from qa.evaluation.systems import Located, Reader

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["PlainSystem"]

FOUND = 0.5
"""The recipe knows no confidence; its cosine stands for one."""


class PlainSystem:
    """sentence-transformers and FAISS over paragraphs."""

    name = "plain"

    def __init__(self, model: str | None = None) -> None:
        """Load the model as its own library runs it.

        Args:
            model: As for the bot; None for the default.

        Raises:
            ModelError: It cannot be loaded.
        """
        from transformers.utils import logging  # torch: seconds, and only for the baseline

        from index.models.torch_encoder import load_original

        # Its bar of the weights would break into the evaluation's own.
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # as it ships

        source = resolve(model)
        self.model = source.name
        self._model = load_original(source.reference)

    def open(self, documents: Sequence[Document], progress: Progress | None = None) -> Reader:
        """See ``System``."""
        return _PlainReader(self._model, documents, progress)


class _PlainReader:
    def __init__(
        self,
        model: SentenceTransformer,
        documents: Sequence[Document],
        progress: Progress | None,
    ) -> None:
        self._model = model
        self._documents = [d for d in documents for _ in d.sentences or d.paragraphs]
        self.passages: list[Place] = [
            (document.id, start, end)
            for document in documents
            for start, end in document.sentences or document.paragraphs
        ]
        if progress:
            progress("encoding for the plain recipe", 0, len(self.passages))
        texts = [
            document.article.text[start:end]
            for document, (_, start, end) in zip(self._documents, self.passages, strict=True)
        ]
        vectors = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        self._index = flat_index(np.asarray(vectors, dtype=np.float32))

    def ask(self, question: str, *, k: int, history: Sequence[Answer] = ()) -> Located:
        """See ``Reader``; the recipe has no use for a history."""
        began = perf_counter()
        vector = self._model.encode([question], normalize_embeddings=True, show_progress_bar=False)
        scores, rows = self._index.search(
            np.asarray(vector, dtype=np.float32), min(k, len(self.passages))
        )
        milliseconds = 1000 * (perf_counter() - began)
        citations = tuple(
            self._citation(number, int(row), float(score))
            for number, (row, score) in enumerate(zip(rows[0], scores[0], strict=True), 1)
        )
        places = tuple(self.passages[row] for row in rows[0])
        confidence = float(np.clip(scores[0][0], 0, 1))
        answer = Answer(
            question=question,
            interpreted_as=None,
            found=confidence >= FOUND,
            confidence=confidence,
            citations=citations,
            passages=tuple(citation.passage for citation in citations),
        )
        return Located(answer, places, places, milliseconds)

    def _citation(self, number: int, row: int, score: float) -> Citation:
        _, start, end = self.passages[row]
        article = self._documents[row].article
        text = article.text[start:end]
        passage = PassageRef(text, start, end, None, None, None, score)
        return Citation(number, text, start, end, score, passage, article_ref(article))
