"""Read a passage twice: as a whole, and sentence by sentence.

In its passage a word piece knows what "he" and "the bridge" stand for, and has taken on a
little of everything around it; in its sentence alone it says what the sentence says. The two
err differently: a mean of the two vectors finds more than either, and takes no more room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder, Encoding, Int32, Progress
from index.passages import Passage, Sentence
from index.rows import normalised

__all__ = ["READING", "read_passages"]

ALONE: Final = 0.7
"""What a word piece in its sentence alone counts, beside 1 in its passage. Between 0.35 and 1 it
matters little: more finds the passage better, less finds the answer in fewer characters."""
READING: Final = f"passages + {ALONE} sentences"
"""Names how word pieces get their vectors; vectors made otherwise are others."""
SENTENCES_AT_ONCE: Final = 512
"""As many are held in memory beside the passages' own word pieces: some 30 MB."""


def read_passages(
    articles: Sequence[tuple[str, Sequence[Passage], Sequence[Sentence]]],
    encoder: Encoder,
    *,
    progress: Progress | None = None,
) -> list[Encoding]:
    """Encode the passages of articles.

    Args:
        articles: The text of each, and what `index.passages.segment` cut it into.
        encoder: The model.
        progress: Called as encoding advances.

    Returns:
        The encoding of each passage, one article's after another's. The vectors of its word
        pieces are the weighted means, L2-normalised, of what they are in the passage and in the
        sentence alone.
    """
    passages: list[str] = []
    apart: list[tuple[int, int, str]] = []  # its passage, where it starts there, its text
    for text, cut, sentences in articles:
        for passage in cut:
            for sentence in sentences[passage.first : passage.last]:
                # A passage of one sentence is read alone already.
                if (sentence.start, sentence.end) != (passage.start, passage.end):
                    quote = text[sentence.start : sentence.end]
                    apart.append((len(passages), sentence.start - passage.start, quote))
            passages.append(text[passage.start : passage.end])
    total = len(passages) + len(apart)
    encodings = encoder.encode_documents(passages, progress=_from(progress, 0, total))
    sums = [encoding.token_vectors.copy() for encoding in encodings]
    for first in range(0, len(apart), SENTENCES_AT_ONCE):
        block = apart[first : first + SENTENCES_AT_ONCE]
        alone = encoder.encode_documents(
            [quote for _, _, quote in block],
            progress=_from(progress, len(passages) + first, total),
        )
        for (row, start, _), encoding in zip(block, alone, strict=True):
            ours, theirs = _shared(encodings[row].token_spans, encoding.token_spans + start)
            sums[row][ours] += ALONE * encoding.token_vectors[theirs]
    return [
        replace(encoding, token_vectors=normalised(vectors))
        for encoding, vectors in zip(encodings, sums, strict=True)
    ]


def _shared(passage: Int32, sentence: Int32) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the word pieces that end in the same place.

    A tokenizer may cut a word otherwise where no space is before it; what ends elsewhere has no
    counterpart, and is what it is in the passage.
    """
    _, ours, theirs = np.intersect1d(passage[:, 1], sentence[:, 1], return_indices=True)
    return ours, theirs


def _from(progress: Progress | None, done_before: int, total: int) -> Progress | None:
    """The same progress, as a part of a longer work."""
    if progress is None:
        return None
    return lambda what, done, _: progress(what, done_before + done, total)
