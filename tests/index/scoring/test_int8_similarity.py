"""Word pieces are compared in whole numbers, with cosines as good as those of the vectors."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from index.models.int8_product import PRODUCT
from index.scoring.int8_similarity import ZERO, TokenScan
from index.types import Float32


def unit_vectors(n: int, dimension: int, seed: int, peaked: float = 0.0) -> Float32:
    """Random directions; ``peaked`` puts as much again into one coordinate, as models do."""
    vectors = np.random.default_rng(seed).standard_normal((n, dimension)).astype(np.float32)
    vectors[:, 0] += peaked * np.sqrt(dimension)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@given(st.integers(1, 40), st.integers(1, 9), st.integers(2, 400), st.sampled_from([0.0, 1.0, 9.0]))
def test_cosines_are_those_of_the_vectors(n: int, asked: int, dimension: int, peak: float) -> None:
    tokens, queries = unit_vectors(n, dimension, 1, peak), unit_vectors(asked, dimension, 2, peak)
    found = TokenScan(tokens).cosines(queries)
    assert found.dtype == np.float32
    assert found == pytest.approx(queries @ tokens.T, abs=0.02)


def test_on_usual_vectors_they_are_within_what_is_said() -> None:
    tokens, queries = unit_vectors(500, 384, 1), unit_vectors(20, 384, 2)
    assert np.abs(TokenScan(tokens).cosines(queries) - queries @ tokens.T).max() < 0.005


def test_vectors_of_a_single_coordinate_do_not_overflow() -> None:
    axis = np.zeros((2, 8), dtype=np.float32)
    axis[0, 3], axis[1, 3] = 1, -1
    assert TokenScan(axis).cosines(axis) == pytest.approx(np.asarray([[1, -1], [-1, 1]]), abs=1e-3)


def test_nothing_compared_with_something_is_nothing() -> None:
    nothing, something = np.zeros((0, 8), np.float32), unit_vectors(3, 8, 1)
    assert TokenScan(nothing).cosines(something).shape == (3, 0)
    assert TokenScan(something).cosines(nothing).shape == (0, 3)
    assert not TokenScan(np.zeros((2, 8), np.float32)).cosines(something).any()


def test_the_product_is_what_it_is_said_to_be() -> None:
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b", "zero"], ["y"])],
        "scan",
        [
            helper.make_tensor_value_info("a", TensorProto.UINT8, ["n", "d"]),
            helper.make_tensor_value_info("b", TensorProto.INT8, ["d", "q"]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.INT32, ["n", "q"])],
        [numpy_helper.from_array(np.array(ZERO, np.uint8), "zero")],
    )
    opset = [helper.make_opsetid("", 13)]
    made = helper.make_model(graph, opset_imports=opset, ir_version=8)
    assert onnx.load_from_string(PRODUCT) == made
