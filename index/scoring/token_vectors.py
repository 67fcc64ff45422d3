"""Word pieces as an archive keeps them, compared with a question where they lie.

Late interaction needs only cosines, and a cosine with a sum is a sum: a coded word piece is
the image of its passage, the mean of its kind and one codeword a part, so that a question is
multiplied with each of these once and the products are added up (asymmetric distance
computation; Jégou et al., 2011, https://doi.org/10.1109/TPAMI.2010.57). Nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Float32, Int32

__all__ = ["CodedTokens", "JoinedTokens", "Tokens", "VectorTokens"]

_ALIKE: Final = 0.07
"""Mean cosine of what two word pieces of a sentence have beyond their passage; measured with
the bundled model on SQuAD, where it gives the length of a sentence's mean within 2 %."""


class Tokens(Protocol):
    """The word pieces of some passages, one after another."""

    def cosines(self, queries: Float32) -> Float32:
        """Compare them.

        Args:
            queries: float32 ``(n_queries, dim)``, L2-normalised.

        Returns:
            float32 ``(n_queries, n_tokens)``.
        """
        ...

    def mean_lengths(self, starts: Int32) -> Float32:
        """The L2 norm of the mean vector of each sentence's word pieces.

        Args:
            starts: int32 ``(n_sentences + 1,)``: sentence ``s`` holds word pieces
                ``starts[s]:starts[s + 1]``, possibly none.

        Returns:
            float32 ``(n_sentences,)``, 0 without word pieces.
        """
        ...

    def vectors(self) -> Float32:
        """All of them: float32 ``(n_tokens, dim)``, L2-normalised."""
        ...


class VectorTokens:
    """Word pieces whose vectors are at hand."""

    def __init__(self, vectors: Float32) -> None:
        """Hold float32 ``(n_tokens, dim)``, L2-normalised."""
        self._vectors = vectors

    def cosines(self, queries: Float32) -> Float32:
        """See `Tokens`."""
        return np.asarray(queries @ self._vectors.T)

    def mean_lengths(self, starts: Int32) -> Float32:
        """See `Tokens`."""
        bounds = starts.tolist()
        sums = np.zeros((len(bounds) - 1, self._vectors.shape[1]), dtype=np.float32)
        # A sum for each sentence is faster than one reduceat: NumPy adds whole rows at once.
        for row, (start, end) in enumerate(zip(bounds, bounds[1:], strict=False)):
            np.add.reduce(self._vectors[start:end], axis=0, out=sums[row])
        return np.asarray(np.linalg.norm(sums, axis=1) / np.maximum(np.diff(starts), 1))

    def vectors(self) -> Float32:
        """See `Tokens`."""
        return self._vectors


class CodedTokens:
    """Word pieces as sums of what is kept once for many of them."""

    def __init__(
        self,
        images: Float32,
        owner: NDArray[np.int64],
        means: Float32,
        mean_of: Int32,
        codebook: Float32,
        codes: NDArray[np.uint8],
    ) -> None:
        """Hold what they are sums of.

        Args:
            images: float32 ``(n_passages, dim)``: what the tokens of each passage share.
            owner: int64 ``(n_tokens,)``: the passage of each.
            means: float32 ``(n_means, dim)``: of kinds of word pieces.
            mean_of: int32 ``(n_tokens,)``: the kind of each.
            codebook: float32 ``(n_parts, n_codewords, dim / n_parts)``.
            codes: uint8 ``(n_tokens, n_parts)``: the codeword of each in each part.
        """
        self._images, self._owner = images, owner
        kinds, self._kind = np.unique(mean_of, return_inverse=True)
        self._means = means.take(kinds, axis=0)
        self._codebook = codebook
        parts, codewords, _ = codebook.shape
        self._cells = codes.astype(np.intp) + np.arange(parts) * codewords

    def cosines(self, queries: Float32) -> Float32:
        """See `Tokens`; up to what the lengths are off (see `_scales`)."""
        dots = (queries @ self._means.T).take(self._kind, axis=1)
        products = self._with_codewords(queries)
        for cells in self._cells.T:
            dots += products.take(cells, axis=1)
        dots += (queries @ self._images.T).take(self._owner, axis=1)
        dots *= self._scales
        return np.asarray(dots)

    def mean_lengths(self, starts: Int32) -> Float32:
        """See `Tokens`; estimated.

        What the word pieces of a sentence have of their passage's direction adds up; what they
        have beside it hardly does, and adds up as random vectors do that are a little alike.
        """
        n = np.diff(starts)
        lengths = np.sqrt(np.einsum("ij,ij->i", self._images, self._images))
        along = self._along * self._scales / np.maximum(lengths, 1e-12)[self._owner]
        total = np.concatenate([[0.0], np.cumsum(along, dtype=np.float64)])[starts]
        squares = np.concatenate([[0.0], np.cumsum(along * along, dtype=np.float64)])[starts]
        count = np.maximum(n, 1)
        beside = np.maximum(1 - np.diff(squares) / count, 0)
        squared = np.square(np.diff(total) / count) + beside * (_ALIKE + (1 - _ALIKE) / count)
        return np.asarray(np.where(n, np.sqrt(squared), 0), dtype=np.float32)

    def vectors(self) -> Float32:
        """See `Tokens`."""
        flat = self._codebook.reshape(-1, self._codebook.shape[2])
        vectors = flat.take(self._cells, axis=0).reshape(len(self._owner), -1)
        vectors += self._means.take(self._kind, axis=0)
        vectors += self._images.take(self._owner, axis=0)
        norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
        return np.asarray(vectors / np.maximum(norms, 1e-12))

    @cached_property
    def _along(self) -> Float32:
        """The product of each with the image of its own passage."""
        squares = np.einsum("ij,ij->i", self._images, self._images)
        return np.asarray(squares[self._owner] + self._beyond_image)

    @cached_property
    def _beyond_image(self) -> Float32:
        products = self._with_codewords(self._images)
        beyond = (self._images @ self._means.T)[self._owner, self._kind]
        for cells in self._cells.T:
            beyond += products[self._owner, cells]
        return np.asarray(beyond)

    @cached_property
    def _scales(self) -> Float32:
        """One over the length of each.

        Codewords stand for what the means leave over, and are as good as at right angles to
        them: without the product of the two the length is off by 2 % and no answer changes.
        """
        codewords = np.einsum("pkw,pkw->pk", self._codebook, self._codebook).ravel()
        squared = self._along + self._beyond_image
        squared += np.einsum("ij,ij->i", self._means, self._means).take(self._kind)
        for cells in self._cells.T:
            squared += codewords.take(cells)
        return np.asarray(1 / np.sqrt(np.maximum(squared, 1e-6)))

    def _with_codewords(self, queries: Float32) -> Float32:
        """Products with every codeword: float32 ``(n_queries, n_parts * n_codewords)``."""
        parts, _, width = self._codebook.shape
        split = queries.reshape(len(queries), parts, width).transpose(1, 0, 2)
        products = np.matmul(split, self._codebook.transpose(0, 2, 1))
        return np.asarray(products.transpose(1, 0, 2).reshape(len(queries), -1))


class JoinedTokens:
    """Word pieces that were kept in different ways, one lot after another."""

    def __init__(self, parts: Sequence[Tokens], sizes: Sequence[int]) -> None:
        """Join some; ``sizes`` are how many word pieces each has."""
        self._parts = tuple(parts)
        self._bounds = np.concatenate([[0], np.cumsum(sizes)]).tolist()

    def cosines(self, queries: Float32) -> Float32:
        """See `Tokens`."""
        return np.concatenate([part.cosines(queries) for part in self._parts], axis=1)

    def mean_lengths(self, starts: Int32) -> Float32:
        """See `Tokens`; no sentence reaches from one lot into the next."""
        found = np.zeros(len(starts) - 1, dtype=np.float32)
        for part, start, end in zip(self._parts, self._bounds, self._bounds[1:], strict=False):
            first, last = np.searchsorted(starts, (start, end))
            found[first:last] = part.mean_lengths(starts[first : last + 1] - start)
        return found

    def vectors(self) -> Float32:
        """See `Tokens`."""
        return np.concatenate([part.vectors() for part in self._parts])
