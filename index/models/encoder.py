"""The contract between a text-embedding model and everything that uses its vectors.

One pass of the model over a text yields two views of it: a pooled vector for the
whole text and a vector for each word piece in context. Both come from the same
forward pass, so late interaction (Khattab & Zaharia, ColBERT, 2020,
https://arxiv.org/abs/2004.12832) costs no second model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from index.types import Float32, Int32, Int64, Progress

__all__ = ["Encoder", "Encoding", "Float32", "Int32", "Progress"]


@dataclass(frozen=True, slots=True)
class Encoding:
    """What one pass of the model over one text yields.

    Attributes:
        vector: float32 ``(dimension,)``, L2-normalised: the text as a whole.
        token_vectors: float32 ``(n_tokens, dimension)``, each row L2-normalised:
            the word pieces in context, without special tokens and prompt.
        token_ids: int32 ``(n_tokens,)``: the word pieces in the model's vocabulary.
        token_spans: int32 ``(n_tokens, 2)``: where each stands in the text, as
            half-open code-point offsets.
    """

    vector: Float32
    token_vectors: Float32
    token_ids: Int32
    token_spans: Int32

    def first_tokens(self, begins: Sequence[int]) -> Int64:
        """The first token of each of the sentences that begin at these code points.

        A token belongs to the sentence in which it ends: some tokenizers let one begin with the
        space before it.
        """
        return np.searchsorted(self.token_spans[:, 1], begins, side="right")


class Encoder(Protocol):
    """A model that turns texts into vectors."""

    @property
    def name(self) -> str:
        """What the user calls it: a bundled name, a folder or a hub name."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex digest of its weights and settings; equal ones mean interchangeable vectors."""
        ...

    @property
    def dimension(self) -> int:
        """Width of every vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Word pieces of a document that fit into one pass, special tokens and prompt excluded.

        A longer document is refused rather than cut.
        """
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Word pieces in each text, special tokens and prompts not counted."""
        ...

    def encode_documents(
        self,
        texts: Sequence[str],
        *,
        starts: Sequence[Sequence[int]] | None = None,
        progress: Progress | None = None,
    ) -> list[Encoding]:
        """Encode documents, in the order given.

        Args:
            texts: The documents.
            starts: Where the sentences of each begin, in code points, for word pieces to attend
                to their own sentence first (see `attention_bias`); None where each is one
                sentence. A model that takes no attention bias ignores it.
            progress: Called as it advances.

        Raises:
            ModelError: A document does not fit into one pass.
        """
        ...

    def encode_query(self, text: str) -> Encoding:
        """Encode a query. One longer than fits is cut at the end."""
        ...
