"""Let a word piece attend to its own sentence first.

Read without regard to sentences, a word piece takes on a little of everything around it, and
what one sentence says is found in its neighbours. Read sentence by sentence, it no longer knows
what "he" and "the bridge" stand for. So of a score of attention between two sentences a constant
is taken before the softmax, which divides its weight by another, as ALiBi does by distance (Press
et al., Train short, test long, 2022, https://arxiv.org/abs/2108.12409). It costs nothing: a
passage is still read in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from index.models.tokenizer import Pieces
from index.types import Float32

__all__ = ["MASKED", "READING", "attention_bias"]

ELSEWHERE: Final = 0.4
"""Taken from the score of a word piece in another sentence, which so gets two thirds of the weight.
More finds a passage a little better, and begins to lose which ferry it was that "It carried 21
crates" is said of."""
READING: Final = f"-{ELSEWHERE} to other sentences"
"""Names how word pieces get their vectors; vectors made otherwise are others."""
MASKED: Final = -1e4
"""Leaves nothing of a weight, and is no infinity, of which some models make NaN."""


def attention_bias(
    batch: Sequence[Pieces], starts: Sequence[Sequence[int]] | None, length: int
) -> Float32:
    """What is added to each score of attention.

    Args:
        batch: The texts.
        starts: Where the sentences of each begin, in code points, ascending; None where each is
            one sentence. Special tokens and prompts belong to none, and are near to all.
        length: Word pieces to which the texts are padded.

    Returns:
        float32 ``(len(batch), 1, length, length)``: of who attends, of what is attended to.
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
