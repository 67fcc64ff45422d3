"""What is computed once for an article so that questions are cheap.

Article ─▶ passages, sentences ─▶ one pass of the encoder for each passage
                                    ├─ passage vectors ─▶ FAISS
                                    └─ token vectors
                                         └─ sentence vectors ─▶ FAISS
           sentences ─▶ terms ─▶ BM25 postings
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import faiss
import numpy as np
from numpy.typing import NDArray

from index.article import Article
from index.models.encoder import Encoder, Encoding, Float32, Int32, Progress
from index.scoring.int8_similarity import TokenScan
from index.scoring.pool import pooled
from index.scoring.terms import Postings, TermTable
from index.segmentation.passages import Passage, Sentence, begins, segment
from index.segmentation.traits import TRAITS, sentence_traits

__all__ = ["ArticleIndex", "build_index", "flat_index"]

LEGIBLE_WORDS = 20
"""Words under which an article is too short to tell."""
LEGIBLE_PIECES = 3.0
"""Word pieces a word up to which it is read: English has 1.1, German 1.8, Russian 4.8."""
LEGIBLE_SHARE = 0.2
"""Share of the commonest piece up to which it is read: the unknown sign is 0.3 of Japanese."""

_WORD = re.compile(r"[^\W\d_]+")
# Han and kana sign by sign, for they write no spaces.
_SIGN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+|[^\w\s]")


@dataclass(frozen=True)
class ArticleIndex:
    """An article ready to be asked.

    Attributes:
        article: The article itself.
        model: Name of the embedding model that made the vectors.
        fingerprint: Its fingerprint; a query must be encoded by the same.
        passages: In the order of the text.
        sentences: In the order of the text.
        passage_vectors: float32 ``(n_passages, dim)``, L2-normalised.
        sentence_vectors: float32 ``(n_sentences, dim)``, L2-normalised.
        token_vectors: float32 ``(n_tokens, dim)``, L2-normalised, in the order of the text.
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
    passage_vectors: Float32
    sentence_vectors: Float32
    token_vectors: Float32
    token_ids: Int32
    token_starts: Int32
    terms: TermTable
    traits: NDArray[np.uint8]

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together."""
        n_passages, n_sentences = len(self.passages), len(self.sentences)
        n_tokens, dim = self.token_vectors.shape
        expected = {
            "passage_vectors": (self.passage_vectors.shape, (n_passages, dim)),
            "sentence_vectors": (self.sentence_vectors.shape, (n_sentences, dim)),
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
        return int(self.passage_vectors.shape[1])

    @cached_property
    def sentence_starts(self) -> Int32:
        """int32 ``(n_passages + 1,)``: passage ``p`` holds these sentences."""
        return np.asarray([p.first for p in self.passages] + [len(self.sentences)], dtype=np.int32)

    @cached_property
    def passage_index(self) -> faiss.Index:
        """FAISS over ``passage_vectors``, inner product."""
        return flat_index(self.passage_vectors)

    @cached_property
    def sentence_index(self) -> faiss.Index:
        """FAISS over ``sentence_vectors``, inner product."""
        return flat_index(self.sentence_vectors)

    @cached_property
    def token_scan(self) -> TokenScan:
        """``token_vectors``, to be compared with those of a question."""
        return TokenScan(self.token_vectors)

    @cached_property
    def sentence_postings(self) -> Postings:
        """BM25 over sentences."""
        return Postings(self.terms)

    @cached_property
    def passage_postings(self) -> Postings:
        """BM25 over passages."""
        return Postings(self.terms.merged(self.sentence_starts))

    @cached_property
    def row_of(self) -> dict[tuple[int, int], int]:
        """The row of the sentence with each ``(start, end)``."""
        return {(s.start, s.end): row for row, s in enumerate(self.sentences)}

    @cached_property
    def lengths(self) -> Int32:
        """int32 ``(n_sentences,)``: code points of each sentence."""
        return np.asarray([s.end - s.start for s in self.sentences], dtype=np.int32)

    @cached_property
    def piece_frequency(self) -> dict[int, int]:
        """In how many passages each word piece occurs."""
        passage_tokens = self.token_starts[self.sentence_starts]
        passage = np.repeat(np.arange(len(self.passages)), np.diff(passage_tokens))
        pairs = np.unique(np.stack([self.token_ids, passage]), axis=1)
        pieces, counts = np.unique(pairs[0], return_counts=True)
        return dict(zip(pieces.tolist(), counts.tolist(), strict=True))

    @cached_property
    def legible(self) -> bool:
        """Whether the model reads what the article is written in.

        A vocabulary that lacks a script falls to single letters, or to one sign for whatever it
        does not know; its vectors then say nothing about meaning.
        """
        words = len(_SIGN.findall(self.article.text))
        pieces = len(self.token_ids)
        if words < LEGIBLE_WORDS:
            return True
        commonest = int(np.bincount(self.token_ids).max()) if pieces else 0
        return pieces <= LEGIBLE_PIECES * words and commonest <= LEGIBLE_SHARE * pieces

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of the article, lower-cased: how it spells what it speaks of."""
        quotes = (self.article.text[s.start : s.end] for s in self.sentences)
        return frozenset(word for quote in quotes for word in _WORD.findall(quote.lower()))

    @cached_property
    def term_of(self) -> dict[str, int]:
        """The id of each term of the article."""
        return {term: number for number, term in enumerate(self.terms.vocabulary)}


def flat_index(vectors: Float32) -> faiss.Index:
    """An exact FAISS index over L2-normalised vectors, inner product.

    A single article stays far below the 1e5 vectors where an approximate kind begins to pay.
    """
    index = faiss.index_factory(vectors.shape[1], "Flat", faiss.METRIC_INNER_PRODUCT)
    index.add(np.ascontiguousarray(vectors))
    return index


def build_index(
    article: Article, encoder: Encoder, *, progress: Progress | None = None
) -> ArticleIndex:
    """Segment, encode and index an article.

    Raises:
        EmptyArticle: It holds no sentence.
    """
    passages, sentences = segment(article, encoder.count_tokens, encoder.max_tokens)
    text = article.text
    encodings = encoder.encode_documents(
        [text[passage.start : passage.end] for passage in passages],
        starts=[begins(passage, sentences) for passage in passages],
        progress=progress,
    )
    quotes = [text[sentence.start : sentence.end] for sentence in sentences]
    token_starts = _token_starts(passages, sentences, encodings)
    # Rounded to what a folder keeps, so that a saved index answers as the built one does.
    token_vectors = np.concatenate([encoding.token_vectors for encoding in encodings])
    token_vectors = token_vectors.astype(np.float16).astype(np.float32)
    return ArticleIndex(
        article=article,
        model=encoder.name,
        fingerprint=encoder.fingerprint,
        passages=passages,
        sentences=sentences,
        passage_vectors=np.stack([encoding.vector for encoding in encodings]),
        sentence_vectors=pooled(token_vectors, token_starts),
        token_vectors=token_vectors,
        token_ids=np.concatenate([encoding.token_ids for encoding in encodings]),
        token_starts=token_starts,
        terms=TermTable.of(quotes, article.language),
        traits=sentence_traits(quotes),
    )


def _token_starts(
    passages: tuple[Passage, ...], sentences: tuple[Sentence, ...], encodings: list[Encoding]
) -> Int32:
    """Where each sentence's tokens begin in the concatenation of all passages' tokens."""
    starts: list[int] = []
    offset = 0
    for passage, encoding in zip(passages, encodings, strict=True):
        inside = encoding.first_tokens(begins(passage, sentences))
        starts.extend((offset + inside).tolist())
        offset += len(encoding.token_ids)
    return np.asarray([*starts, offset], dtype=np.int32)
