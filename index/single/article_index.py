"""What is computed once for an article so that questions are cheap.

Article ─▶ passages, sentences ─▶ one pass of the encoder for each passage
                                    ├─ passage vectors ─▶ FAISS
                                    └─ token vectors
           sentences ─▶ terms
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import faiss
import numpy as np
from numpy.typing import NDArray

from index.archive.preparation import prepare_articles
from index.archive.store import PreparedArticle
from index.article import Article
from index.errors import EmptyArticle
from index.models.encoder import Encoder, Float32, Int32, Progress
from index.scoring.terms import TermTable
from index.segmentation.passages import Passage, Sentence
from index.segmentation.traits import TRAITS

__all__ = ["ArticleIndex", "build_index", "flat_index"]


@dataclass(frozen=True)
class ArticleIndex:
    """An article ready to be asked, see `index.single.snapshot`.

    Attributes:
        article: The article itself.
        model: Name of the embedding model that made the vectors.
        fingerprint: Its fingerprint; a query must be encoded by the same.
        passages: In the order of the text.
        sentences: In the order of the text.
        passage_index: FAISS over the passages' vectors, inner product of unit vectors.
        token_vectors: float16 ``(n_tokens, dim)``, L2-normalised, in the order of the text.
        token_ids: int32 ``(n_tokens,)``, word pieces of the model.
        token_starts: int32 ``(n_sentences + 1,)``: sentence ``s`` holds tokens
            ``token_starts[s]:token_starts[s + 1]``.
        terms: The stemmed content words of each sentence.
        traits: uint8 ``(n_sentences, len(TRAITS))``, see ``sentence_traits``.
    """

    article: Article
    model: str
    fingerprint: str
    passages: tuple[Passage, ...]
    sentences: tuple[Sentence, ...]
    passage_index: faiss.IndexFlat
    token_vectors: NDArray[np.float16]
    token_ids: Int32
    token_starts: Int32
    terms: TermTable
    traits: NDArray[np.uint8]

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together."""
        n_sentences = len(self.sentences)
        n_tokens = len(self.token_vectors)
        expected = {
            "passage_index": (
                (self.passage_index.ntotal, self.passage_index.d),
                (len(self.passages), self.token_vectors.shape[1]),
            ),
            "token_ids": (self.token_ids.shape, (n_tokens,)),
            "token_starts": (self.token_starts.shape, (n_sentences + 1,)),
            "terms.starts": (self.terms.starts.shape, (n_sentences + 1,)),
            "traits": (self.traits.shape, (n_sentences, len(TRAITS))),
        }
        for name, (shape, wanted) in expected.items():
            if shape != wanted:
                raise ValueError(f"{name} has shape {shape}, expected {wanted}")

    @property
    def dimension(self) -> int:
        """Width of every vector."""
        return int(self.passage_index.d)


def flat_index(vectors: Float32) -> faiss.IndexFlat:
    """An exact FAISS index over L2-normalised vectors, inner product.

    A single article stays far below the 1e5 vectors where an approximate kind begins to pay.
    """
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors))
    return index


def build_index(
    article: Article, encoder: Encoder, *, progress: Progress | None = None
) -> ArticleIndex:
    """Segment, encode and index an article.

    Raises:
        EmptyArticle: It holds no sentence.
    """
    (prepared,) = prepare_articles([article], encoder, progress=progress)
    if isinstance(prepared, EmptyArticle):
        raise prepared
    return _index_of(prepared, encoder)


def _index_of(prepared: PreparedArticle, encoder: Encoder) -> ArticleIndex:
    article, parts = prepared.article, prepared.passages
    firsts = [0, *accumulate(len(part.sentence_spans) for part in parts)]
    offsets = [0, *accumulate(len(part.token_ids) for part in parts)]
    vocabulary: dict[str, int] = {}
    sentences = [terms for part in parts for terms in part.terms]
    ids = [vocabulary.setdefault(term, len(vocabulary)) for terms in sentences for term in terms]
    bounds = [0, *accumulate(map(len, sentences))]
    return ArticleIndex(
        article=article,
        model=encoder.name,
        fingerprint=encoder.fingerprint,
        passages=tuple(
            Passage(
                part.start,
                part.end,
                article.heading_at(part.start),
                part.paragraph,
                first,
                last,
                part.page,
            )
            for part, first, last in zip(parts, firsts, firsts[1:], strict=False)
        ),
        sentences=tuple(
            Sentence(start, end, row)
            for row, part in enumerate(parts)
            for start, end in part.sentence_spans.tolist()
        ),
        passage_index=flat_index(np.stack([part.vector for part in parts])),
        # Half precision moves a cosine by less than 0.0005.
        token_vectors=np.concatenate([part.token_vectors for part in parts]).astype(np.float16),
        token_ids=np.concatenate([part.token_ids for part in parts]),
        token_starts=np.asarray(
            [
                *(
                    offset + start
                    for offset, part in zip(offsets, parts, strict=False)
                    for start in part.token_starts[:-1].tolist()
                ),
                offsets[-1],
            ],
            dtype=np.int32,
        ),
        terms=TermTable(tuple(vocabulary), np.asarray(ids, np.int32), np.asarray(bounds, np.int32)),
        traits=np.concatenate([part.traits for part in parts]),
    )
