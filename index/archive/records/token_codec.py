"""Word-piece vectors in a few bytes each, for late interaction over an archive.

A vector of 384 numbers is predicted from what is known anyway, and only what the prediction
misses is stored: by product quantisation (Jégou et al., 2011,
https://doi.org/10.1109/TPAMI.2010.57), as ColBERTv2 stores residuals of centroids
(Santhanam et al., 2022, https://arxiv.org/abs/2112.01488). The prediction needs no stored
centroid number: it is the mean vector of the word piece, plus a linear image of the
passage's own vector, which is the mean of its tokens and so tells much of their context.

Until an archive holds enough to learn this from, tokens are kept with a byte a dimension.
They are compared as they are kept (see `index.scoring.token_vectors`).
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from index.models.encoder import Float32, Int32
from index.scoring.token_vectors import CodedTokens, Tokens, VectorTokens

__all__ = ["MAX_SAMPLE", "TRAIN_AT", "ByteCodec", "ResidualCodec", "TokenCodec", "train"]

TRAIN_AT: Final = 1_000
"""Passages that an archive holds when its codec is trained."""
MAX_SAMPLE: Final = 2_000
"""Passages that it is trained on at most."""
BYTES_A_TOKEN: Final = 4
_CENTROIDS: Final = 256
_MIN_COUNT: Final = 2
_MAX_ARRAY_BYTES: Final = 2**30
_SAMPLE: Final = 30_000


class TokenCodec(Protocol):
    """How the tokens of a passage become bytes, and back."""

    def encode(self, vector: Float32, token_vectors: Float32, token_ids: Int32) -> bytes:
        """The tokens of one passage, whose vector is given as it is stored."""

    def tokens(
        self, vectors: Float32, codes: Sequence[bytes], token_ids: Sequence[NDArray[np.int64]]
    ) -> Tokens:
        """The tokens of some passages, one after another: what ``encode`` gave for each, decoded.

        Raises:
            ValueError: Codes and word pieces do not belong together.
        """


@dataclass(frozen=True, slots=True)
class ByteCodec:
    """A byte a dimension; needs no training."""

    dimension: int

    def encode(self, vector: Float32, token_vectors: Float32, token_ids: Int32) -> bytes:
        largest = np.maximum(np.abs(token_vectors).max(axis=1, keepdims=True), 1e-12)
        # The scale is not kept: the vectors are normalised again when they are read.
        return bytes(np.rint(token_vectors / largest * 127).astype(np.int8).tobytes())

    def tokens(
        self, vectors: Float32, codes: Sequence[bytes], token_ids: Sequence[NDArray[np.int64]]
    ) -> Tokens:
        table = np.frombuffer(b"".join(codes), dtype=np.int8)
        tokens = table.reshape(sum(map(len, token_ids)), self.dimension).astype(np.float32)
        norms = np.sqrt(np.einsum("ij,ij->i", tokens, tokens))[:, None]
        return VectorTokens(tokens / np.maximum(norms, 1e-12))


@dataclass(frozen=True, slots=True)
class ResidualCodec:
    """Prediction and quantised residual.

    Attributes:
        image: float32 ``(dim, dim)``: maps a passage's vector to what its tokens share.
        means: float32 ``(n_means, dim)``: of word pieces beyond that; row 0 for any other.
        mean_of: int32 ``(n_pieces,)``: row of each word piece; larger ids have row 0.
        codebook: float32 ``(n_parts, 256, dim / n_parts)``.
    """

    image: Float32
    means: Float32
    mean_of: Int32
    codebook: Float32

    def encode(self, vector: Float32, token_vectors: Float32, token_ids: Int32) -> bytes:
        means = self.means.take(self._kinds(token_ids.astype(np.int64)), axis=0)
        residual = token_vectors - means - vector @ self.image
        parts, _, width = self.codebook.shape
        split = residual.reshape(len(residual), parts, width).transpose(1, 0, 2)
        # Nearest by Euclid: half the squared norm of the centroid less the inner product.
        half = np.square(self.codebook).sum(axis=2)[:, None, :] / 2
        nearest = (half - split @ self.codebook.transpose(0, 2, 1)).argmin(axis=2)
        return bytes(nearest.T.astype(np.uint8).tobytes())

    def tokens(
        self, vectors: Float32, codes: Sequence[bytes], token_ids: Sequence[NDArray[np.int64]]
    ) -> Tokens:
        sizes = [len(own) for own in token_ids]
        table = np.frombuffer(b"".join(codes), dtype=np.uint8)
        return CodedTokens(
            images=vectors @ self.image,
            owner=np.repeat(np.arange(len(sizes)), sizes),
            means=self.means,
            mean_of=self._kinds(np.concatenate([np.zeros(0, dtype=np.int64), *token_ids])),
            codebook=self.codebook,
            codes=table.reshape(sum(sizes), len(self.codebook)),
        )

    def _kinds(self, token_ids: NDArray[np.int64]) -> Int32:
        """The row of ``means`` of each word piece."""
        return self.mean_of.take(np.minimum(token_ids, len(self.mean_of) - 1))

    def to_bytes(self) -> bytes:
        """For keeping; half precision loses nothing that quantisation has not lost."""
        file = io.BytesIO()
        np.savez(
            file,
            image=self.image.astype(np.float16),
            means=self.means.astype(np.float16),
            mean_of=self.mean_of,
            codebook=self.codebook.astype(np.float16),
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, dimension: int) -> ResidualCodec:
        """Read what ``to_bytes`` gave.

        Raises:
            ValueError, KeyError: It is not a codec for such vectors.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if sum(member.file_size for member in archive.infolist()) > _MAX_ARRAY_BYTES:
                    raise ValueError("the codec is too large")
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                image, means, codebook = (
                    arrays[name].astype(np.float32) for name in ("image", "means", "codebook")
                )
                mean_of = arrays["mean_of"].astype(np.int32)
        except (zipfile.BadZipFile, zlib.error, OSError) as error:
            raise ValueError(f"the codec is damaged: {error}") from error
        shapes = (image.shape, means.shape[1:], codebook.shape[1:2], mean_of.ndim, codebook.ndim)
        if shapes != ((dimension, dimension), (dimension,), (_CENTROIDS,), 1, 3):
            raise ValueError("the codec is for other vectors")
        if codebook.shape[0] * codebook.shape[2] != dimension or not len(mean_of):
            raise ValueError("the codec is for other vectors")
        if mean_of.min() < 0 or mean_of.max() >= len(means):
            raise ValueError("the codec names a mean that it lacks")
        return cls(image, means, mean_of, codebook)


def train(
    vectors: Float32, token_vectors: Float32, token_ids: Int32, passage_of: Int32
) -> ResidualCodec:
    """Learn a codec from an archive's first passages; the same input gives the same codec.

    Args:
        vectors: float32 ``(n_passages, dim)``.
        token_vectors: float32 ``(n_tokens, dim)``.
        token_ids: int32 ``(n_tokens,)``.
        passage_of: int32 ``(n_tokens,)``: row of ``vectors``.
    """
    dimension = vectors.shape[1]
    sample = np.random.default_rng(0).permutation(len(token_ids))[:_SAMPLE]
    inputs = vectors[passage_of[sample]]
    # Ridge regression; the penalty is small against tens of thousands of unit vectors.
    gram = inputs.T @ inputs + 30 * np.eye(dimension, dtype=np.float32)
    image = np.linalg.solve(gram, inputs.T @ token_vectors[sample]).astype(np.float32)
    rest = token_vectors - (vectors @ image)[passage_of]
    means, mean_of = _means(rest, token_ids)
    rest -= means[mean_of[token_ids]]
    parts = max(p for p in range(1, BYTES_A_TOKEN + 1) if dimension % p == 0)
    quantiser = faiss.ProductQuantizer(dimension, parts, 8)
    quantiser.cp.seed = 0
    quantiser.cp.min_points_per_centroid = 1  # or FAISS writes to standard error
    quantiser.train(np.ascontiguousarray(rest[sample]))
    codebook = faiss.vector_to_array(quantiser.centroids)
    return ResidualCodec(
        image, means, mean_of, codebook.reshape(parts, _CENTROIDS, dimension // parts)
    )


def _means(rest: Float32, token_ids: Int32) -> tuple[Float32, Int32]:
    """The mean of each word piece seen often enough, drawn towards the mean of all."""
    overall = rest.mean(axis=0, keepdims=True)
    counts = np.bincount(token_ids)
    seen = np.flatnonzero(counts >= _MIN_COUNT)
    mean_of = np.zeros(len(counts) + 1, dtype=np.int32)
    mean_of[seen] = np.arange(1, len(seen) + 1)
    order = np.argsort(token_ids, kind="stable")
    starts = np.searchsorted(token_ids[order], seen)
    ends = starts + counts[seen]
    sums = np.zeros((len(seen), rest.shape[1]), dtype=np.float32)
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        sums[row] = rest[order[start:end]].sum(axis=0)
    prior = 2.0
    means = (sums + prior * overall) / (counts[seen, None] + prior)
    return np.concatenate([overall, means]).astype(np.float32), mean_of
