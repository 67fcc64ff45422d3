"""Archives to measure: passages without end, made from those of a SQuAD file.

Of each generated passage the text is four real sentences drawn at random and one made-up
word, the word pieces and their vectors are a real passage's, and the vector is synthetic: a
random mixture of two real passages' vectors and noise with the real ones' covariance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from index import Article, Block, BlockKind
from index.archive.preparation import prepare_articles
from index.archive.records.token_codec import TokenCodec
from index.archive.store import PreparedArticle, PreparedPassage
from index.models.encoder import Encoder, Float32, Int32
from index.reading.plaintext import article_from_text

PASSAGES_AN_ARTICLE = 20
ARTICLES_A_COMMIT = 50


def prepared(data: Sequence[dict[str, Any]], encoder: Encoder) -> list[PreparedArticle]:
    """The articles of a SQuAD file, encoded."""
    texts = ["\n\n".join(p["context"] for p in entry["paragraphs"]) for entry in data]
    articles = [article_from_text(text) for text in texts]
    return [one for one in prepare_articles(articles, encoder) if isinstance(one, PreparedArticle)]


class Remembered:
    """A codec that gives the codes it gave for the same vectors before."""

    def __init__(self, codec: TokenCodec) -> None:
        self._codec = codec
        self._codes: dict[int, bytes] = {}

    def encode(self, vector: Float32, token_vectors: Float32, token_ids: Int32) -> bytes:
        """As the codec does, the first time."""
        key = id(token_vectors)
        if key not in self._codes:
            self._codes[key] = self._codec.encode(vector, token_vectors, token_ids)
        return self._codes[key]


class Generator:
    """Passages without end out of real ones."""

    def __init__(self, real: Sequence[PreparedArticle]) -> None:
        self._rng = np.random.default_rng(0)
        self._passages = [p for article in real for p in article.passages]
        self._sentences = [
            (article.article.text[a:b], terms)
            for article in real
            for p in article.passages
            for (a, b), terms in zip(p.sentence_spans.tolist(), p.terms, strict=True)
            if b - a < 400
        ]
        self._vectors = np.stack([p.vector for p in self._passages])
        self._spread = np.linalg.cholesky(np.cov(self._vectors.T) + 1e-6 * np.eye(self.dim))

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return self._vectors.shape[1]

    def vectors(self, n: int) -> Float32:
        """Vectors spread as the real ones are."""
        rng = self._rng
        one, other = rng.integers(len(self._vectors), size=(2, n))
        share = rng.uniform(0.2, 0.8, (n, 1))
        mixed = share * self._vectors[one] + (1 - share) * self._vectors[other]
        mixed += 0.7 * rng.standard_normal((n, self.dim)) @ self._spread.T
        return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)

    def article(self, number: int) -> PreparedArticle:
        """An article of ``PASSAGES_AN_ARTICLE`` passages."""
        rng, text, blocks, passages = self._rng, "", [], []
        vectors = self.vectors(PASSAGES_AN_ARTICLE)
        for row in range(PASSAGES_AN_ARTICLE):
            start, spans, terms = len(text), [], []
            for n, pick in enumerate(rng.integers(len(self._sentences), size=4)):
                sentence, words = self._sentences[pick]
                extra = f" x{rng.zipf(1.2) % 10**9}x" if n == 3 else ""
                begin = len(text)
                text += sentence + extra
                spans.append((begin, len(text)))
                terms.append(words + ((extra.strip(),) if extra else ()))
                text += " "
            like: PreparedPassage = self._passages[rng.integers(len(self._passages))]
            n_tokens = len(like.token_ids)
            passages.append(
                PreparedPassage(
                    start=start,
                    end=len(text) - 1,
                    paragraph=row,
                    page=None,
                    vector=vectors[row],
                    token_vectors=like.token_vectors,
                    token_ids=like.token_ids,
                    sentence_spans=np.asarray(spans, dtype=np.int32),
                    token_starts=np.linspace(0, n_tokens, 5).astype(np.int32),
                    traits=np.zeros((4, like.traits.shape[1]), dtype=np.uint8),
                    terms=tuple(terms),
                )
            )
            blocks.append(Block(BlockKind.PARAGRAPH, start, len(text) - 1))
            text += "\n"
        day = f"20{10 + number % 15}-{1 + number % 12:02}-{1 + number % 28:02}"
        article = Article(text, tuple(blocks), title=f"Generated {number}", published=day)
        return PreparedArticle(article, tuple(passages), tags=(f"t{number % 100}",))


def commits(generator: Generator, n_articles: int) -> Iterator[list[PreparedArticle]]:
    """Articles, in the batches in which they are added."""
    for start in range(0, n_articles, ARTICLES_A_COMMIT):
        end = min(n_articles, start + ARTICLES_A_COMMIT)
        yield [generator.article(number) for number in range(start, end)]
