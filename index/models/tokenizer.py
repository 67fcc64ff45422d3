"""Split texts into the word pieces a model reads, with their offsets in the text.

The prompt that a model expects before a text is added here and told apart again: `Pieces`
says which pieces are the text's own and counts their offsets from its first character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.errors import ModelError
from index.types import Int32

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["Pieces", "WordPieces", "without_surrogates"]

_SURROGATES = re.compile("[\ud800-\udfff]")  # halves of a pair, which UTF-8 cannot encode
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Pieces:
    """One text as a model reads it.

    Attributes:
        ids: Every word piece of the pass, special tokens and prompt included.
        type_ids: The segment each belongs to, as long as ``ids``.
        own: Which of them are the text's own.
        spans: int32 ``(n_tokens, 2)``: where those stand in the text, in code points.
    """

    ids: list[int]
    type_ids: list[int]
    own: slice
    spans: Int32

    @property
    def token_ids(self) -> Int32:
        """int32 ``(n_tokens,)``: the text's own word pieces."""
        return np.array(self.ids[self.own], dtype=np.int32)


class WordPieces:
    """A model's tokenizer together with its prompts and its limit."""

    def __init__(
        self, tokenizer: Tokenizer, *, max_length: int, document_prompt: str, query_prompt: str
    ) -> None:
        """Take over a tokenizer, and switch off its own truncation and padding.

        Args:
            tokenizer: The model's.
            max_length: Word pieces of one pass, special tokens and prompt included.
            document_prompt: Put before documents.
            query_prompt: Put before queries.

        Raises:
            ModelError: The prompt alone fills the pass.
        """
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer = tokenizer
        self._document_prompt = document_prompt
        self._query_prompt = query_prompt
        # Special tokens are at the two ends, as many for every text. Counting them once
        # keeps a "[SEP]" written in a text from being taken for its end.
        special = tokenizer.encode("a").special_tokens_mask
        self._before = special.index(0) if 0 in special else 0
        self._after = special[::-1].index(0) if 0 in special else len(special)
        self._room = max_length - self._before - self._after
        prompt = self._pieces("a", document_prompt)
        self.max_tokens = self._room - (prompt.own.start - self._before)
        if self.max_tokens < 1:
            raise ModelError(
                f"the model reads {max_length} word pieces at a time and its prompt "
                f"{document_prompt!r} fills them; choose another model"
            )

    @classmethod
    def from_file(
        cls, path: Path, *, max_length: int, document_prompt: str, query_prompt: str
    ) -> WordPieces:
        """Read a ``tokenizer.json``.

        Raises:
            ModelError: The file is missing or is no tokenizer.
        """
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the package raises bare exceptions
            raise ModelError(f"{path} is no tokenizer: {error}") from error
        return cls(
            tokenizer,
            max_length=max_length,
            document_prompt=document_prompt,
            query_prompt=query_prompt,
        )

    def count(self, texts: Sequence[str]) -> list[int]:
        """Word pieces in each text, special tokens and prompt not counted."""
        return [len(self._pieces(text, self._document_prompt).spans) for text in texts]

    def document(self, text: str) -> Pieces:
        """Split a document.

        Raises:
            ModelError: The text does not fit into one pass.
        """
        pieces = self._pieces(text, self._document_prompt)
        if len(pieces.spans) > self.max_tokens:
            raise ModelError(
                f"the text starting {text[:_SHOWN]!r} has {len(pieces.spans)} word pieces, "
                f"the model reads {self.max_tokens} at a time; split the text"
            )
        return pieces

    def query(self, text: str) -> Pieces:
        """Split a query; one too long is cut at the end."""
        pieces = self._pieces(text, self._query_prompt)
        excess = len(pieces.ids) - self._before - self._after - self._room
        if excess <= 0:
            return pieces
        end = pieces.own.stop - excess
        start = min(pieces.own.start, end)
        after = pieces.own.stop
        return Pieces(
            pieces.ids[:end] + pieces.ids[after:],
            pieces.type_ids[:end] + pieces.type_ids[after:],
            slice(start, end),
            pieces.spans[: end - start],
        )

    def _pieces(self, text: str, prompt: str) -> Pieces:
        """Split a prompt and a text together, and tell them apart again."""
        encoding = self.tokenizer.encode(prompt + without_surrogates(text))
        ids = encoding.ids
        start, end = self._before, len(ids) - self._after
        spans = np.array(encoding.offsets[start:end], dtype=np.int32).reshape(-1, 2)
        if prompt:
            # A piece across the boundary belongs to the text.
            n_prompt = int(np.searchsorted(spans[:, 1], len(prompt), side="right"))
            spans = np.maximum(spans[n_prompt:] - len(prompt), 0)
            start += n_prompt
        return Pieces(ids, encoding.type_ids, slice(start, end), spans)


def without_surrogates(text: str) -> str:
    """The text with what UTF-8 cannot encode replaced, at the same length."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)
