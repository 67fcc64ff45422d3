"""Run a prepared model on ONNX Runtime, without torch or transformers.

Every text is a pass of its own, on one thread, and texts are spread over the cores.
A batch would share the scale of its quantized activations, so a text's vector would
depend on its neighbours. Alone it does not, nothing is padded, and two cores on two
texts lose less than two cores on one. A graphics card gets batches, in full precision,
where neighbours do not matter.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from index.errors import ModelError
from index.models.attention_bias import attention_bias
from index.models.cache import PreparedModel
from index.models.cuda import CPU, CUDA
from index.models.encoder import Encoding
from index.models.tokenizer import Pieces, WordPieces
from index.types import Float32, Progress

__all__ = ["OnnxEncoder", "available_cores", "optimised_name", "session_for"]

PORTABLE = "model.onnx"
TOKENIZER = "tokenizer.json"
BIAS = "attention_bias"
"""The input of a graph that takes an attention bias."""
CUDA_BATCH = 64
INDEXING_NICENESS = 10

SLOW_FUSIONS = ["SkipLayerNormFusion"]
"""Fused, residual and layer norm run in one scalar loop; apart, a pass is a fifth faster."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def optimised_name(version: str = ort.__version__) -> str:
    """The file with the graph as one version of ONNX Runtime has optimised it."""
    return f"model-ort-{version}.onnx"


def available_cores() -> int:
    """Cores this process may use; ``OMP_NUM_THREADS`` lowers the number."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores, int(asked))) if asked.isdigit() else cores


def session_for(
    path: Path, *, optimise: bool, save_as: Path | None = None, cuda: bool = False
) -> ort.InferenceSession:
    """Open a graph, one thread to a pass.

    Args:
        path: The ``.onnx`` file.
        optimise: False for a graph that already is.
        save_as: Where to write the optimised graph.
        cuda: Run it on the graphics card.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = (
        level.ORT_ENABLE_EXTENDED if optimise else level.ORT_DISABLE_ALL
    )
    if save_as:
        options.optimized_model_filepath = str(save_as)
    providers = [CUDA, CPU] if cuda else [CPU]
    return ort.InferenceSession(
        str(path), options, providers=providers, disabled_optimizers=SLOW_FUSIONS
    )


class OnnxEncoder:
    """An `Encoder` over a model that has been prepared. Safe to share between threads."""

    def __init__(
        self, model: PreparedModel, name: str, *, cuda: bool = False, batch_size: int | None = None
    ) -> None:
        """Open a prepared model.

        Args:
            model: The model.
            name: What the user calls it.
            cuda: Run it on the graphics card.
            batch_size: Texts to a pass; by default one on a processor, more on a card.

        Raises:
            ModelError: ONNX Runtime or the tokenizer cannot read its files.
        """
        self.name = name
        self.fingerprint = model.fingerprint
        self.dimension = model.dimension
        self.precision = model.precision
        self._batch_size = batch_size or (CUDA_BATCH if cuda else 1)
        self._pieces = WordPieces.from_file(
            model.folder / TOKENIZER,
            max_length=model.max_length,
            document_prompt=model.document_prompt,
            query_prompt=model.query_prompt,
        )
        self.max_tokens = self._pieces.max_tokens
        self._session = _open_session(model.folder, cuda)
        self.providers: tuple[str, ...] = tuple(self._session.get_providers())
        self._inputs = tuple(given.name for given in self._session.get_inputs())

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
        # Longest first: a long text started last would leave the other cores idle.
        order = sorted(range(len(pieces)), key=lambda i: -len(pieces[i].ids))
        size = self._batch_size
        batches = [order[i : i + size] for i in range(0, len(order), size)]
        done = 0

        def report(batch: list[int]) -> None:
            nonlocal done
            done += len(batch)
            if progress:
                progress("encoding", done, len(texts))

        def encode(batch: list[int]) -> list[Encoding]:
            begin = None if starts is None else [starts[i] for i in batch]
            return self._encode([pieces[i] for i in batch], begin)

        encodings: dict[int, Encoding] = {}
        results = _spread(encode, batches, report)
        for batch, result in zip(batches, results, strict=True):
            encodings.update(zip(batch, result, strict=True))
        return [encodings[i] for i in range(len(texts))]

    def encode_query(self, text: str) -> Encoding:
        """Encode a query. One longer than fits is cut at the end."""
        return self._encode([self._pieces.query(text)])[0]

    def _encode(
        self, batch: Sequence[Pieces], starts: Sequence[Sequence[int]] | None = None
    ) -> list[Encoding]:
        """One pass over a batch, padded to its longest text."""
        shape = (len(batch), max(len(pieces.ids) for pieces in batch))
        feed: dict[str, NDArray[np.int64] | Float32] = {
            name: np.zeros(shape, np.int64) for name in self._inputs if name != BIAS
        }
        if BIAS in self._inputs:
            feed[BIAS] = attention_bias(batch, starts, shape[1])
        for row, pieces in enumerate(batch):
            n = len(pieces.ids)
            feed["input_ids"][row, :n] = pieces.ids
            feed["attention_mask"][row, :n] = 1
            if "token_type_ids" in feed:
                feed["token_type_ids"][row, :n] = pieces.type_ids
        tokens: NDArray[np.float32]
        vectors: Float32
        tokens, vectors = self._session.run(None, feed)
        return [
            Encoding(
                vector=vectors[row],
                # Copied, so that a kept encoding does not keep its neighbours' padding.
                token_vectors=tokens[row, pieces.own].copy(),
                token_ids=pieces.token_ids,
                token_spans=pieces.spans,
            )
            for row, pieces in enumerate(batch)
        ]


def _open_session(folder: Path, cuda: bool) -> ort.InferenceSession:
    """Open the graph that this version of ONNX Runtime has optimised, else the portable one."""
    optimised = folder / optimised_name()
    try:
        if optimised.exists() and not cuda:
            return session_for(optimised, optimise=False)
        return session_for(folder / PORTABLE, optimise=True, cuda=cuda)
    except Exception as error:  # ONNX Runtime's exceptions share no base of their own
        raise ModelError(f"ONNX Runtime {ort.__version__} cannot open {folder}: {error}") from error


def _spread(
    work: Callable[[_Item], _Result], items: Sequence[_Item], report: Callable[[_Item], None]
) -> list[_Result]:
    """Apply ``work`` to each item on all cores; results in order, reported as they come."""
    workers = min(available_cores(), len(items))
    results: list[_Result] = []
    if workers < 2:
        for item in items:
            results.append(work(item))
            report(item)
        return results
    from concurrent.futures import ThreadPoolExecutor  # deferred: a question does not need it

    with ThreadPoolExecutor(
        workers, thread_name_prefix="encoder", initializer=_yield_to_questions
    ) as pool:
        try:
            for item, result in zip(items, pool.map(work, items), strict=True):
                results.append(result)
                report(item)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results


def _yield_to_questions() -> None:
    """Give way to questions asked meanwhile: on Linux a thread has a priority of its own."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), INDEXING_NICENESS)
