"""A model run by sentence-transformers itself, slower than a prepared one.

Used for models that cannot be exported, and as the reference that prepared models are
measured against. The only module besides ``prepare`` that imports torch.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from index.errors import ModelError
from index.models import hub
from index.models.attention_bias import MASKED, attention_bias
from index.models.encoder import Encoding
from index.models.tokenizer import Pieces, WordPieces, without_surrogates
from index.types import Float32, Progress

__all__ = [
    "TorchEncoder",
    "load_original",
    "max_length_of",
    "prompts_of",
    "run_biased",
    "takes_bias",
    "token_head",
    "word_pieces_of",
]

BATCH_SIZE = 16
ASSUMED_MAX_LENGTH = 512
"""Where a model states no limit."""
SEQUENTIAL = frozenset({"Transformer", "Pooling", "Dense", "LayerNorm", "Normalize", "Dropout"})
"""Parts of a model that run one after another, each on the output of the one before."""
TRIED_LENGTH = 600
"""Word pieces on which a bias is tried: more than the windows of models with local attention."""

Task = Literal["document", "query"]


def load_original(
    source: str, *, device: str | None = None, eager: bool = False, local: bool = False
) -> SentenceTransformer:
    """Load a model through sentence-transformers.

    Args:
        source: A folder or a hub name.
        device: Where torch runs it; its own choice by default.
        eager: Spell attention out in plain operators, which export best.
        local: Load it, and whatever it refers to, from this machine alone.

    Raises:
        ModelError: There is no such model, or it cannot be loaded.
    """
    offline = local or not hub.answers(source)
    try:
        model = SentenceTransformer(
            source,
            device=device,
            local_files_only=offline,
            model_kwargs={"attn_implementation": "eager"} if eager else None,
        )
    except Exception as error:  # whatever the hub, the network or the files raise
        why = hub.why(error, offline and not local)
        raise ModelError(
            f"sentence-transformers cannot load the model {source!r}: {why}"
        ) from error
    return model.float().eval()


def max_length_of(model: SentenceTransformer) -> int:
    """Word pieces the model reads in one pass, special tokens included."""
    limits = (
        model.max_seq_length,
        getattr(model.tokenizer, "model_max_length", None),
        getattr(model.config, "max_position_embeddings", None),
    )
    # A tokenizer that knows no limit reports an absurdly large one.
    return next((limit for limit in limits if limit and 0 < limit < 1_000_000), ASSUMED_MAX_LENGTH)


def prompts_of(model: SentenceTransformer) -> tuple[str, str]:
    """The prompts for documents and for queries, as sentence-transformers picks them."""
    prompts = model.prompts
    default = prompts.get(model.default_prompt_name or "")

    def first(*names: str) -> str:
        return next((prompts[name] for name in names if name in prompts), default) or ""

    return first("document", "passage", "corpus"), first("query")


def word_pieces_of(model: SentenceTransformer) -> WordPieces:
    """The model's tokenizer, prompts and limit.

    Raises:
        ModelError: Its tokenizer does not report where a word piece is in the text.
    """
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(
            f"the model's tokenizer ({type(model.tokenizer).__name__}) does not report where its "
            "word pieces are in the text; choose a model with a tokenizer.json"
        )
    document_prompt, query_prompt = prompts_of(model)
    return WordPieces(
        copy.deepcopy(backend),  # the original keeps its truncation and padding
        max_length=max_length_of(model),
        document_prompt=document_prompt,
        query_prompt=query_prompt,
    )


def token_head(model: SentenceTransformer, tokens: torch.Tensor) -> torch.Tensor:
    """Carry word-piece vectors into the space of the pooled vectors.

    A piece becomes what the model would make of a text that consists of it alone:
    each way of pooling yields the piece itself, and whatever follows the pooling
    (projections, normalisation) is applied to it.

    Args:
        model: The model.
        tokens: ``(batch, n_tokens, hidden)``, as the transformer returns them.

    Returns:
        ``(batch, n_tokens, dimension)``, each row L2-normalised.
    """
    pooled = False
    for module in model:
        if pooled:
            tokens = module({"sentence_embedding": tokens})["sentence_embedding"]
        elif mode := getattr(module, "pooling_mode", None):
            pooled = True
            tokens = tokens if isinstance(mode, str) else tokens.repeat(1, 1, len(mode))
    return torch.nn.functional.normalize(tokens, dim=-1)


def run_biased(
    model: SentenceTransformer, features: dict[str, Any], bias: torch.Tensor
) -> dict[str, Any]:
    """Run a model with an attention bias in place of its padding mask; see `takes_bias`.

    Args:
        model: The model.
        features: Its inputs.
        bias: float ``(batch, 1, length, length)``, as `attention_bias` makes it.
    """
    transformer, *rest = model
    mask = features["attention_mask"]
    features = transformer({**features, "attention_mask": bias})
    features["attention_mask"] = mask  # pooling leaves padding out
    for module in rest:
        features = module(features)
    return features


@torch.inference_mode()
def takes_bias(model: SentenceTransformer) -> bool:
    """Whether the model's attention takes a bias in place of a padding mask.

    Most models in transformers use a mask of four dimensions as it is. Whether this one does, and
    whether its own mask would have been more than padding (causal, or windows), shows on a long
    text beside a short one. A model that makes its mask in an older way is patched to leave such
    a one as it is.
    """
    kinds = [type(module).__name__ for module in model]
    if kinds[:1] != ["Transformer"] or not SEQUENTIAL.issuperset(kinds):
        return False
    transformer: Any = model[0].auto_model
    made = getattr(transformer, "get_extended_attention_mask", None)
    if made is not None:
        # Its own method refuses four dimensions.
        transformer.get_extended_attention_mask = lambda mask, *others, **named: (
            mask if mask.dim() == 4 else made(mask, *others, **named)
        )
    texts = ["rain " * min(max_length_of(model) // 2, TRIED_LENGTH), "It was the rain."]
    try:
        given = _on_device(model, model.preprocess(texts))
        mask = given["attention_mask"]
        length = mask.shape[1]
        # Where texts are padded in front, this is another bias, and shows.
        padding = torch.arange(length, device=mask.device) >= mask.sum(dim=1, keepdim=True)
        bias = (padding * MASKED)[:, None, None, :].expand(-1, 1, length, -1)
        usual = model(dict(given))["token_embeddings"][mask.bool()]
        biased = run_biased(model, dict(given), bias)["token_embeddings"][mask.bool()]
    except Exception:  # whatever a model raises that does not expect a bias
        return False
    return bool(torch.allclose(usual, biased, rtol=1e-3, atol=1e-4))


def _on_device(model: SentenceTransformer, features: dict[str, Any]) -> dict[str, Any]:
    """A model's inputs, moved to the model's device."""
    return {
        key: value.to(model.device) if isinstance(value, torch.Tensor) else value
        for key, value in features.items()
    }


class TorchEncoder:
    """An `Encoder` over sentence-transformers."""

    precision = "float32"

    def __init__(self, model: SentenceTransformer, name: str, fingerprint: str) -> None:
        """Wrap a model as `load_original` returns it.

        Raises:
            ModelError: It does not yield a vector for each word piece.
        """
        self.name = name
        self.fingerprint = fingerprint
        self.providers: tuple[str, ...] = (str(model.device),)
        self._model = model
        self._pieces = word_pieces_of(model)
        self._prompts = dict(zip(("document", "query"), prompts_of(model), strict=True))
        self.max_tokens = self._pieces.max_tokens
        self.dimension = int(self._encode([self._pieces.query("a")], ["a"], "query")[0].vector.size)

    @cached_property
    def takes_bias(self) -> bool:
        """Whether its attention takes a bias; tried when first needed."""
        return takes_bias(self._model)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Word pieces in each text, special tokens and prompts not counted."""
        return self._pieces.count(texts)

    def encode_documents(
        self,
        texts: Sequence[str],
        *,
        starts: Sequence[Sequence[int]] | None = None,
        progress: Progress | None = None,
    ) -> list[Encoding]:
        """Encode documents, in the order given; see `Encoder`."""
        pieces = [self._pieces.document(text) for text in texts]
        order = sorted(range(len(pieces)), key=lambda i: len(pieces[i].ids))
        encodings: dict[int, Encoding] = {}
        for start in range(0, len(order), BATCH_SIZE):
            batch = order[start : start + BATCH_SIZE]
            results = self._encode(
                [pieces[i] for i in batch],
                [texts[i] for i in batch],
                "document",
                starts and [starts[i] for i in batch],
            )
            encodings.update(zip(batch, results, strict=True))
            if progress:
                progress("encoding", len(encodings), len(texts))
        return [encodings[i] for i in range(len(texts))]

    def encode_query(self, text: str) -> Encoding:
        """Encode a query. One longer than fits is cut at the end."""
        return self._encode([self._pieces.query(text)], [text], "query")[0]

    @torch.inference_mode()
    def _encode(
        self,
        batch: Sequence[Pieces],
        texts: Sequence[str],
        task: Task,
        starts: Sequence[Sequence[int]] | None = None,
    ) -> list[Encoding]:
        """One pass of sentence-transformers over a batch."""
        model = self._model
        readable = [without_surrogates(text) for text in texts]
        inputs = model.preprocess(readable, prompt=self._prompts[task], task=task)
        features = _on_device(model, inputs)
        if starts and self.takes_bias:
            length = features["attention_mask"].shape[1]
            bias = torch.from_numpy(attention_bias(batch, starts, length)).to(model.device)
            features = run_biased(model, features, bias)
        else:
            features = model(features, task=task)
        if features.get("token_embeddings") is None or features["token_embeddings"].ndim != 3:
            raise ModelError(
                f"the model {self.name!r} yields no vector for each word piece; choose another"
            )
        pooled = features["sentence_embedding"]
        vectors: Float32 = torch.nn.functional.normalize(pooled, dim=-1).cpu().numpy()
        tokens = token_head(model, features["token_embeddings"]).cpu().numpy()
        present = features["attention_mask"].cpu().numpy().astype(bool)
        return [
            Encoding(
                vector=np.ascontiguousarray(vectors[row], dtype=np.float32),
                token_vectors=tokens[row][present[row]][pieces.own].astype(np.float32),
                token_ids=pieces.token_ids,
                token_spans=pieces.spans,
            )
            for row, pieces in enumerate(batch)
        ]
