"""Export, quantize and check a model, once, in a process of its own.

`loading` starts ``python -m index.models.prepare REQUEST`` so that torch never enters the
caller's process. The request is a JSON object. Standard output carries one JSON object a
line: ``{"progress": [what, done, total]}`` as it advances, and at the end
``{"prepared": folder}``, ``{"refused": message}`` or ``{"unwritable": message}``.

The graph has two outputs from one pass: the vectors of the word pieces and the pooled vector.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from index.errors import ModelError
from index.models.cache import (
    Fidelity,
    PreparedModel,
    fingerprint_of,
    publish,
    source_digest,
    staging_folder,
)
from index.models.encoder import Encoder
from index.models.onnx_encoder import (
    BIAS,
    PORTABLE,
    TOKENIZER,
    OnnxEncoder,
    optimised_name,
    session_for,
)
from index.models.probe_sentences import PROBE_SENTENCES
from index.models.quantize import quantize
from index.models.torch_encoder import (
    SEQUENTIAL,
    TorchEncoder,
    load_original,
    max_length_of,
    prompts_of,
    run_biased,
    token_head,
    word_pieces_of,
)
from index.types import Float32, Progress

__all__ = ["UnexportableError", "export", "faithful", "fidelity_of", "prepare_model"]

OPSET = 20  # the first in which GELU is one operator
STEPS = 5
EXTERNAL_DATA_BYTES = 1_800_000_000  # one protobuf file ends at 2 GiB

LEAST_SENTENCES = 10
"""Fewer built-in sentences say nothing about how faithful a model is."""

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUTS = ("token_vectors", "vector")

LEAST_FAITHFUL = {
    "int8": Fidelity(cosine=0.98, token_cosine=0.95, rank_agreement=0.85),
    "float32": Fidelity(cosine=0.9999, token_cosine=0.9999, rank_agreement=0.98),
}
"""Below this, a more precise form of the model is used."""


class UnexportableError(Exception):
    """The exported graph would not do all that the model does."""


class _Graph(torch.nn.Module):
    """The module to export: tensors in, both kinds of vectors out."""

    def __init__(self, model: SentenceTransformer, inputs: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self.inputs = inputs

    def forward(self, *given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = dict(zip(self.inputs, given, strict=True))
        bias = features.pop(BIAS, None)
        features = self.model(features) if bias is None else run_biased(self.model, features, bias)
        tokens = token_head(self.model, features["token_embeddings"])
        return tokens, torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)


def refuse_unexportable(model: SentenceTransformer) -> None:
    """Refuse models whose results depend on more than the graph.

    Raises:
        UnexportableError: With the reason.
    """
    modules = list(model.children())
    kinds = [type(module).__name__ for module in modules]
    if strange := sorted(set(kinds) - SEQUENTIAL):
        raise UnexportableError(f"it has parts that cannot be exported ({', '.join(strange)})")
    if kinds[:2] != ["Transformer", "Pooling"]:
        raise UnexportableError("it is not a transformer followed by pooling")
    transformer: Any = modules[0]
    pooling: Any = modules[1]
    if list(transformer.modality_config) != ["text"]:
        raise UnexportableError("it reads more than plain text")
    lengths = ("query_length", "document_length", "query_expansion")
    if any(getattr(transformer, name, None) for name in lengths):
        raise UnexportableError("it cuts questions and documents to different lengths")
    if not pooling.include_prompt and any(prompts_of(model)):
        raise UnexportableError("its pooling leaves the prompt out")


def export(model: SentenceTransformer, path: Path, *, biased: bool) -> None:
    """Write a model's graph in full precision.

    Args:
        model: The model.
        path: Where to write.
        biased: Whether the graph takes an attention bias (see `takes_bias`).

    Raises:
        UnexportableError: The model cannot be exported; with the reason.
    """
    refuse_unexportable(model)
    given = _inputs(model, PROBE_SENTENCES[:2], biased)
    batch = torch.export.Dim("batch", min=1, max=4096)
    length = torch.export.Dim("length", min=1, max=max_length_of(model))
    axes = tuple(
        {0: batch, 2: length, 3: length} if name == BIAS else {0: batch, 1: length}
        for name in given
    )
    try:
        with torch.no_grad():
            program = torch.onnx.export(
                _Graph(model, list(given)).eval(),
                tuple(given.values()),
                dynamo=True,
                input_names=list(given),
                output_names=OUTPUTS,
                dynamic_shapes={"given": axes},
                opset_version=OPSET,
                verbose=False,
            )
        if program is None:
            raise UnexportableError("torch exported nothing")
        n_bytes = sum(p.numel() * p.element_size() for p in model.parameters())
        program.save(path, external_data=n_bytes > EXTERNAL_DATA_BYTES)
    except UnexportableError:
        raise
    except Exception as error:  # the exporter raises whatever its many layers raise
        raise UnexportableError(f"torch cannot export it: {_first_line(error)}") from error


def fidelity_of(encoder: Encoder, reference: Encoder) -> Fidelity:
    """Compare two encoders of one model on the built-in sentences it can read.

    Raises:
        UnexportableError: The two cannot be compared.
    """
    counts = reference.count_tokens(PROBE_SENTENCES)
    readable = [
        sentence
        for sentence, n_tokens in zip(PROBE_SENTENCES, counts, strict=True)
        if n_tokens <= reference.max_tokens
    ]
    if len(readable) < LEAST_SENTENCES:
        raise UnexportableError(f"it reads only {reference.max_tokens} word pieces at a time")
    ours = encoder.encode_documents(readable)
    theirs = reference.encode_documents(readable)
    for mine, other in zip(ours, theirs, strict=True):
        if not np.array_equal(mine.token_spans, other.token_spans):
            raise UnexportableError("its tokenizer splits text differently once exported")
    cosines = np.array([a.vector @ b.vector for a, b in zip(ours, theirs, strict=True)])
    tokens = np.concatenate(
        [(a.token_vectors * b.token_vectors).sum(axis=1) for a, b in zip(ours, theirs, strict=True)]
    )
    near = [_nearest(np.stack([e.vector for e in encodings])) for encodings in (ours, theirs)]
    shared = [len(set(a) & set(b)) / len(a) for a, b in zip(*near, strict=True)]
    return Fidelity(
        cosine=float(cosines.mean()),
        token_cosine=float(tokens.mean()),
        rank_agreement=float(np.mean(shared)),
    )


def faithful(fidelity: Fidelity, precision: str) -> bool:
    """Whether vectors this close to the original's may stand in for them."""
    measured = dataclasses.asdict(fidelity)
    least = dataclasses.asdict(LEAST_FAITHFUL[precision])
    # Written so that a NaN counts as unfaithful.
    return all(measured[name] >= least[name] for name in least)


def prepare_model(
    source: str,
    root: Path,
    *,
    folder: Path | None,
    precision: str = "int8",
    local: bool = False,
    replace: bool = False,
    progress: Progress | None = None,
) -> PreparedModel:
    """Prepare a model and keep it in the cache.

    Args:
        source: What sentence-transformers loads: a folder or a hub name.
        root: The cache.
        folder: Where the model's files are, None where loading has yet to fetch them.
        precision: The one to try first.
        local: Load it from this machine alone.
        replace: Prepare it again even where a whole one is kept.
        progress: Called before each step.

    Raises:
        ModelError: The model cannot be loaded.
        OSError: The cache takes no writes.
    """
    what = f"preparing {source}, once"
    report: Callable[[int], None] = (
        (lambda done: progress(what, done, STEPS)) if progress else (lambda done: None)
    )
    with staging_folder(root) as staging:
        report(0)
        model = load_original(source, device="cpu", eager=True, local=local)
        if folder is None:
            from index.models.loading import resolve  # the files are there only now

            folder = resolve(source).folder
            if folder is None:
                raise ModelError(f"the files of {source!r} are not where the hub keeps them")
        digest = source_digest(folder, root)
        reference = TorchEncoder(model, source, "")
        try:
            chosen = _graph_model(model, staging, reference, precision, report)
        except UnexportableError as error:
            for left in staging.iterdir():
                left.unlink()
            chosen = _described(model, staging, "torch", "float32", None, reason=str(error))
        report(STEPS - 1)
        prepared = dataclasses.replace(
            chosen,
            fingerprint=fingerprint_of(digest, chosen.precision),
            dimension=reference.dimension,
            max_tokens=reference.max_tokens,
        )
        target = root / "models" / fingerprint_of(digest, precision)
        prepared = publish(prepared, target, replace=replace)
        report(STEPS)
        return prepared


def _graph_model(
    model: SentenceTransformer,
    staging: Path,
    reference: TorchEncoder,
    precision: str,
    report: Callable[[int], None],
) -> PreparedModel:
    """The first of int8 and float32 that is faithful, its files in the staging folder.

    Raises:
        UnexportableError: Neither is.
    """
    report(1)
    tokenizer = word_pieces_of(model).tokenizer
    exported = staging / "exported.onnx"
    export(model, exported, biased=reference.takes_bias)
    reason = ""
    for attempt in ("int8", "float32") if precision == "int8" else ("float32",):
        report(2)
        for left in staging.iterdir():
            if not left.name.startswith(exported.name):
                left.unlink()
        tokenizer.save(str(staging / TOKENIZER))
        if attempt == "int8":
            feeds = [_inputs(model, [text], reference.takes_bias) for text in PROBE_SENTENCES]
            quantize(
                exported,
                staging / PORTABLE,
                [{name: value.numpy() for name, value in feed.items()} for feed in feeds],
            )
        else:
            exported.rename(staging / PORTABLE)
        if not any(staging.glob("*.data")):  # a model too large for one file is not kept twice
            session_for(staging / PORTABLE, optimise=True, save_as=staging / optimised_name())
        report(3)
        prepared = _described(model, staging, "onnx", attempt, None, reason=reason)
        measured = fidelity_of(OnnxEncoder(prepared, reference.name), reference)
        if faithful(measured, attempt):
            for left in staging.glob(f"{exported.name}*") if attempt == "int8" else ():
                left.unlink()
            return dataclasses.replace(prepared, fidelity=measured)
        reason = f"{attempt} strays too far from the original (mean cosine {measured.cosine:.3f})"
    raise UnexportableError(reason)


def _inputs(
    model: SentenceTransformer, texts: Sequence[str], biased: bool
) -> dict[str, torch.Tensor]:
    """Texts as inputs of the graph.

    Raises:
        UnexportableError: The model takes other inputs.
    """
    features = model.preprocess(list(texts))
    names = [name for name in INPUTS if name in features]
    if names != list(INPUTS[: len(names)]) or len(names) < 2:
        raise UnexportableError(f"its inputs are {sorted(features)}")
    inputs: dict[str, torch.Tensor] = {name: features[name] for name in names}
    if biased:
        n_texts, length = inputs["input_ids"].shape
        inputs[BIAS] = torch.zeros(n_texts, 1, length, length)
    return inputs


def _described(
    model: SentenceTransformer,
    folder: Path,
    backend: str,
    precision: str,
    fidelity: Fidelity | None,
    *,
    reason: str,
) -> PreparedModel:
    """A prepared model before its fingerprint and fidelity are known."""
    document_prompt, query_prompt = prompts_of(model)
    packages = ("onnxruntime", "sentence-transformers", "torch", "transformers")
    return PreparedModel(
        folder=folder,
        backend=backend,
        precision=precision,
        fingerprint="",
        dimension=0,
        max_length=max_length_of(model),
        max_tokens=0,
        document_prompt=document_prompt,
        query_prompt=query_prompt,
        fidelity=fidelity,
        reason=reason,
        versions={name: version(name) for name in packages},
    )


def _nearest(vectors: Float32, k: int = 3) -> list[list[int]]:
    """The ``k`` nearest other rows of each row."""
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    return [list(row) for row in np.argsort(-similarity, axis=1)[:, :k]]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def own_channel() -> TextIO:
    """Standard output for our own messages; libraries print to standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    return channel


def main(arguments: Sequence[str]) -> int:
    """Prepare what the request names, and report on standard output."""
    request: Mapping[str, Any] = json.loads(arguments[0])
    channel = own_channel()

    def say(**message: object) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    try:
        prepared = prepare_model(
            request["source"],
            Path(request["root"]),
            folder=Path(request["folder"]) if request["folder"] else None,
            precision=request["precision"],
            local=request["local"],
            replace=request["replace"],
            progress=lambda what, done, total: say(progress=[what, done, total]),
        )
    except ModelError as error:
        say(refused=str(error))
        return 1
    except OSError as error:
        say(unwritable=str(error))
        return 1
    say(prepared=str(prepared.folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
