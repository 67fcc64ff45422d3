"""The contract between a text-embedding model and everything that uses its vectors.

One pass of the model over a text yields two views of it: a pooled vector for the
whole text and a vector for each word piece in context. Both come from the same
forward pass, so late interaction (Khattab & Zaharia, ColBERT, 2020,
https://arxiv.org/abs/2004.12832) costs no second model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Encoder", "Encoding", "Float32", "Int32", "Progress"]

Float32: TypeAlias = NDArray[np.float32]
Int32: TypeAlias = NDArray[np.int32]

Progress: TypeAlias = Callable[[str, int, int], None]
"""``progress(what, done, total)``: called as long work advances; rendered by the caller."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """What one pass of the model over one text yields.

    Attributes:
        vector: float32 ``(dimension,)``, L2-normalised: the text as a whole.
        token_vectors: float32 ``(n_tokens, dimension)``, each row L2-normalised:
            the word pieces in context, special tokens and prompt left out.
        token_ids: int32 ``(n_tokens,)``: the word pieces in the model's vocabulary.
        token_spans: int32 ``(n_tokens, 2)``: where each stands in the text, as
            half-open code-point offsets.
    """

    vector: Float32
    token_vectors: Float32
    token_ids: Int32
    token_spans: Int32

    def first_tokens(self, begins: Sequence[int]) -> NDArray[np.int64]:
        """The first token of each sentence.

        A token belongs to the sentence in which it ends: some tokenizers let one begin with the
        space before it.

        Args:
            begins: Where the sentences begin, in code points, ascending.
        """
        return np.searchsorted(self.token_spans[:, 1], begins, side="right")


class Encoder(Protocol):
    """A model that turns texts into vectors.

    Attributes:
        name: What the user calls it: a bundled name, a folder or a hub name.
        fingerprint: Hex digest of the model's weights and settings; equal
            fingerprints mean interchangeable vectors.
        dimension: Width of every vector.
        max_tokens: Word pieces of the text itself that fit into one pass (special
            tokens and prompts already subtracted). Longer texts are the caller's
            mistake, and are refused rather than cut.
    """

    @property
    def name(self) -> str:
        """What the user calls it."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex digest of what determines its vectors."""
        ...

    @property
    def dimension(self) -> int:
        """Width of every vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Word pieces of a text that fit into one pass."""
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
        """Encode what is searched, in the order given.

        Args:
            texts: What to encode.
            starts: Where the sentences of each begin, in code points, for word pieces to attend
                to their own sentence first (see `attention_bias`); None where each is one.
            progress: Called as it advances.
        """
        ...

    def encode_query(self, text: str) -> Encoding:
        """Encode what is searched for. A query longer than fits is cut at the end."""
        ...
