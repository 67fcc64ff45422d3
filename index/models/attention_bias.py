"""Let a word piece attend to its own sentence first.

In a passage read as a whole, each word piece takes on a little of everything around it, and a
search finds what one sentence says in its neighbours. Read sentence by sentence, it no longer
knows what "he" and "the bridge" refer to. So a constant is subtracted from the attention scores
between different sentences before the softmax, as ALiBi does by distance (Press et al., Train
short, test long, 2022, https://arxiv.org/abs/2108.12409). It costs nothing: a passage is still
read in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from index.models.tokenizer import Pieces
from index.types import Float32

__all__ = ["MASKED", "READING", "attention_bias"]

ELSEWHERE: Final = 0.4
"""Subtracted from the attention score of a word piece in another sentence, which leaves it two
thirds of the weight. More finds passages a little better, but begins to lose which ferry the
sentence "It carried 21 crates" is about."""
READING: Final = f"-{ELSEWHERE} to other sentences"
"""Part of cache keys: vectors depend on the attention bias."""
MASKED: Final = -1e4
"""Leaves nothing of a weight; from an infinity some models would make NaN."""


def attention_bias(
    batch: Sequence[Pieces], starts: Sequence[Sequence[int]] | None, length: int
) -> Float32:
    """What is added to each attention score.

    Args:
        batch: The texts.
        starts: Where the sentences of each begin, in code points, ascending; None where each is
            one sentence. Special tokens and prompts belong to none, and are near to all.
        length: Word pieces to which the texts are padded.

    Returns:
        float32 ``(len(batch), 1, length, length)``: from each word piece, to each word piece.
    """
    bias = np.zeros((len(batch), 1, length, length), dtype=np.float32)
    for row, pieces in enumerate(batch):
        bias[row, :, :, len(pieces.ids) :] = MASKED
        if starts is not None and len(starts[row]) > 1:
            # A word piece belongs to the sentence in which it ends, as for `Encoding.first_tokens`.
            sentence = np.searchsorted(starts[row], pieces.spans[:, 1])
            apart = sentence[np.newaxis, :] != sentence[:, np.newaxis]
            bias[row, 0, pieces.own, pieces.own] = np.where(apart, -ELSEWHERE, 0.0)
    return bias
