"""Weights in 8 bits, with the outliers of the activations moved out of the way first.

Activations are quantized as they come, one scale for the whole tensor, so the few
channels that run an order of magnitude above the rest cost all others their
resolution. Dividing each channel by a factor and multiplying the rows of the weights
it meets by the same factor leaves the product as it was and the channels alike
(Xiao et al., SmoothQuant, 2023, https://arxiv.org/abs/2211.10438). The factors here
come from root mean squares rather than maxima, which a few sentences estimate well.

Weights get one scale for each output channel, and 7 of the 8 bits: processors with
AVX2 but without VNNI add pairs of products in 16 bits, which 8 would overflow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from index.models.onnx_encoder import session_for
from index.types import Float32

__all__ = ["quantize", "smooth"]

MIGRATION = 0.5
"""Share of an outlier that moves into the weights; the paper's alpha."""

Feed = Mapping[str, NDArray[Any]]


def quantize(exported: Path, path: Path, feeds: Sequence[Feed]) -> None:
    """Write a graph with 8-bit weights.

    Args:
        exported: The graph in full precision, in one file or with its data beside it.
        path: Where to write.
        feeds: Inputs of the graph, on which its activations are measured.
    """
    smoothed = path.with_name("smoothed.onnx")
    external = exported.with_name(f"{exported.name}.data").exists()
    try:
        model = onnx.load(exported)
        smooth(model, _channel_sizes(exported, feeds))
        for node in model.graph.node:  # each says at which lines of which files it was traced
            del node.metadata_props[:]
            node.doc_string = ""
        onnx.save(model, smoothed, save_as_external_data=external, location="smoothed.onnx.data")
        quantize_dynamic(
            smoothed,
            path,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            use_external_data_format=external,
        )
    finally:
        for left in path.parent.glob("smoothed.onnx*"):
            left.unlink()


def smooth(model: onnx.ModelProto, sizes: Mapping[str, Float32]) -> None:
    """Even out the channels that meet a weight, changing the graph but not what it computes.

    Args:
        model: The graph, changed in place.
        sizes: For each tensor that is multiplied by weights, its channels' root mean
            squares, float32 ``(channels,)``.
    """
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    uses = Counter(name for node in graph.node for name in node.input)
    nodes: list[onnx.NodeProto] = []
    factors: dict[str, Float32] = {}
    for node in graph.node:
        if node.op_type == "MatMul" and (size := sizes.get(node.input[0])) is not None:
            source, name = node.input
            if source not in factors:
                together = [
                    numpy_helper.to_array(weights[other.input[1]])
                    for other in graph.node
                    if other.op_type == "MatMul"
                    and other.input[0] == source
                    and uses[other.input[1]] == 1
                    and other.input[1] in weights
                ]
                factors[source] = _factors(size, together)
                nodes.append(_division(graph, source, factors[source]))
            if uses[name] == 1:
                scaled = numpy_helper.to_array(weights[name]) * factors[source][:, np.newaxis]
                weights[name].CopyFrom(numpy_helper.from_array(scaled, name))
                node.input[0] = _even(source)
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def _factors(size: Float32, weights: Sequence[Float32]) -> Float32:
    """What to divide each channel by, float32 ``(channels,)``, with a geometric mean of 1."""
    rows = np.sqrt(np.mean([np.square(weight).mean(axis=1) for weight in weights], axis=0))
    logarithms = MIGRATION * np.log(np.maximum(size, 1e-6)) - (1 - MIGRATION) * np.log(
        np.maximum(rows, 1e-6)
    )
    factors: Float32 = np.exp(logarithms - logarithms.mean()).astype(np.float32)
    return factors


def _even(name: str) -> str:
    return f"{name}_even"


def _division(graph: onnx.GraphProto, name: str, factors: Float32) -> onnx.NodeProto:
    """The node that divides a tensor's channels by their factors."""
    inverse = f"{_even(name)}_factors"
    graph.initializer.append(numpy_helper.from_array(1 / factors, inverse))
    return onnx.helper.make_node("Mul", [name, inverse], [_even(name)], name=_even(name))


def _channel_sizes(exported: Path, feeds: Sequence[Feed]) -> dict[str, Float32]:
    """Root mean squares of the channels of each tensor that is multiplied by weights."""
    model = onnx.load(exported, load_external_data=False)
    weights = {tensor.name for tensor in model.graph.initializer}
    uses = Counter(name for node in model.graph.node for name in node.input)
    measured = sorted(
        {
            node.input[0]
            for node in model.graph.node
            if node.op_type == "MatMul" and node.input[1] in weights and uses[node.input[1]] == 1
        }
    )
    for name in measured:
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    watched = exported.with_name("watched.onnx")
    try:
        onnx.save(model, watched)
        session = session_for(watched, optimise=False)
    finally:
        watched.unlink(missing_ok=True)
    squares: dict[str, NDArray[np.float64]] = {}
    n_rows = 0
    for feed in feeds:
        n_rows += feed["input_ids"].size
        for name, value in zip(measured, session.run(measured, dict(feed)), strict=True):
            rows = value.reshape(-1, value.shape[-1]).astype(np.float64)
            squares[name] = squares.get(name, 0.0) + np.square(rows).sum(axis=0)
    return {name: np.sqrt(total / n_rows).astype(np.float32) for name, total in squares.items()}
