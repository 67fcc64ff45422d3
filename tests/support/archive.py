"""Small archives for tests: articles with vectors out of a hat, or with the real model's."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from index import Article, Block, BlockKind
from index.archive.store import ModelRef, PreparedArticle, PreparedPassage
from index.models.encoder import Float32
from index.scoring.terms import terms
from index.segmentation.traits import sentence_traits

DIM = 32
MODEL = ModelRef("toy", "f" * 64, DIM)


def make_article(text: str, **metadata: object) -> Article:
    """An article of one paragraph a line."""
    blocks, at = [], 0
    for line in text.split("\n"):
        if line:
            blocks.append(Block(BlockKind.PARAGRAPH, at, at + len(line)))
        at += len(line) + 1
    return Article(text=text, blocks=tuple(blocks), **metadata)  # type: ignore[arg-type]


def number_of(word: str) -> int:
    """A number that belongs to a word."""
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=4096)
def vector_of(word: str) -> Float32:
    """A unit vector that belongs to a word."""
    vector = np.random.default_rng(number_of(word)).standard_normal(DIM)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def vector_of_text(text: str) -> Float32:
    """A unit vector that is near that of a text with the same words."""
    total = np.sum([vector_of(word) for word in text.lower().split()], axis=0)
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


def prepare(
    article: Article, tags: Sequence[str] = (), source: str | None = None
) -> PreparedArticle:
    """What a store is given: a passage a paragraph, a sentence a passage, a token a word."""
    passages = []
    for number, block in enumerate(article.blocks):
        text = article.text[block.start : block.end]
        words = text.lower().split()
        passages.append(
            PreparedPassage(
                start=block.start,
                end=block.end,
                paragraph=number,
                page=number + 1,
                vector=vector_of_text(text),
                token_vectors=np.stack([vector_of(word) for word in words]),
                token_ids=np.asarray([number_of(w) % 3000 for w in words], np.int32),
                sentence_spans=np.asarray([(block.start, block.end)], dtype=np.int32),
                token_starts=np.asarray([0, len(words)], dtype=np.int32),
                traits=sentence_traits([f"{text} because of {words[0]}, due to {words[-1]}"]),
                terms=(tuple(terms(text)),),
            )
        )
    return PreparedArticle(article, tuple(passages), tuple(tags), source)


WORDS = (
    "harbour lantern granite violin orchard thunder meadow copper falcon glacier saffron canyon"
    " lighthouse walnut ember tundra marble willow comet anchor pepper velvet prairie beacon"
).split()


def generated(n: int, seed: int = 0, paragraphs: int = 3) -> list[PreparedArticle]:
    """Articles of random words, all different."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(n):
        lines = [" ".join(rng.choice(WORDS, 12)) for _ in range(paragraphs)]
        lines[0] += f" number{seed}x{number}"
        day = f"20{rng.integers(10, 25):02}-{rng.integers(1, 13):02}-{rng.integers(1, 29):02}"
        made.append(
            prepare(
                make_article(
                    "\n".join(lines),
                    title=f"Article {number}",
                    authors=(f"Author {number % 3}",),
                    published=day,
                    site=("Herald", "Courier")[number % 2],
                ),
                tags=("even",) if number % 2 == 0 else ("odd", "rest"),
            )
        )
    return made
