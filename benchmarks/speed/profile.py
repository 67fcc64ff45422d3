"""Where the time of a cold start, of one question and of indexing goes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import numpy as np

from benchmarks.speed.timing import own_environment
from index.models.encoder import Encoder
from index.models.onnx_encoder import available_cores
from index.single.article_index import ArticleIndex
from index.single.snapshot import ArticleSnapshot
from qa.citing.cite import cite
from qa.engine import DEFAULT_K, Engine
from qa.question.about_article import metadata_evidence
from qa.question.answer_type import correct_spelling
from qa.ranking.candidates import (
    POOL_OF_ONE,
    SnapshotVocabulary,
    candidates_of,
    find_rows,
    parse_question,
    query_of,
)
from qa.ranking.features import interact
from qa.ranking.fusion import coefficients, fuse
from qa.ranking.ranking import rank

__all__ = ["FlopRates", "Share", "flop_rates", "import_shares", "stage_shares"]

_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
_MATRIX = 1024
_TRIES = 9

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a whole.

    Attributes:
        name: What it is.
        milliseconds: What it takes, the median where it was measured often.
        detail: How many modules, or nothing.
    """

    name: str
    milliseconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FlopRates:
    """Floating-point operations a second, all cores together.

    Attributes:
        encoder: Of the model while it encodes an article.
        product: Of a float32 matrix product on this machine.
        quantized: Of the int8 product that the prepared model itself is made of.
    """

    encoder: float
    product: float
    quantized: float


def import_shares(command: Sequence[str], most: int = 10) -> list[Share]:
    """Which packages a cold start spends its time importing, the dearest first.

    Args:
        command: Arguments of the interpreter.
        most: Packages to name; the others are summed up.
    """
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        capture_output=True,
        check=False,
        env=own_environment(),
    )
    spent: dict[str, list[float]] = defaultdict(list)
    for microseconds, module in _IMPORT.findall(done.stderr.decode(errors="replace")):
        spent[module.partition(".")[0]].append(int(microseconds) / 1000)
    ordered = sorted(spent, key=lambda name: -sum(spent[name]))
    shares = [
        Share(name, sum(spent[name]), f"{len(spent[name])} modules") for name in ordered[:most]
    ]
    rest = [time for name in ordered[most:] for time in spent[name]]
    return [*shares, Share("all others", sum(rest), f"{len(rest)} modules")]


def stage_shares(index: ArticleIndex, encoder: Encoder, questions: Sequence[str]) -> list[Share]:
    """What each stage of a question takes, measured at the functions it is made of.

    Args:
        index: Of the article that is asked.
        encoder: The model that made it.
        questions: What is asked, one or more.
    """
    times: dict[str, list[float]] = defaultdict(list)

    def stage(name: str, work: Callable[..., _Result], *given: object) -> _Result:
        began = perf_counter()
        result = work(*given)
        times[name].append(1000 * (perf_counter() - began))
        return result

    engine, snapshot = Engine(encoder), ArticleSnapshot(index)
    for asked in questions:
        stage("metadata", metadata_evidence, asked, index.article)
        vocabulary = SnapshotVocabulary(snapshot, asked)
        read_as = stage("spelling", correct_spelling, asked, vocabulary, engine.is_word)
        encoding = stage("encode", encoder.encode_query, read_as)
        parsed = stage("parse", parse_question, snapshot, read_as, encoding)
        rows = stage("search", find_rows, snapshot, [parsed], [None], POOL_OF_ONE)
        pool = snapshot.pool(rows, parsed.known)
        columns = range(len(parsed.known))
        statistics, query = snapshot.statistics, query_of(snapshot, parsed)
        candidates = stage("cosines, terms, BM25", candidates_of, pool, columns, statistics, parsed)
        stage("late interaction", interact, candidates)
        stage("fuse", fuse, query, candidates, coefficients())
        (ranked,) = stage("rank", partial(rank, n_passages=POOL_OF_ONE), snapshot, [parsed])
        stage("cite", cite, ranked, snapshot.article, read_as, DEFAULT_K, DEFAULT_K)
    medians = {name: float(np.median(values)) for name, values in times.items()}
    # Fusing includes the interaction, ranking includes both and the search.
    fused, ranking = medians.pop("fuse"), medians.pop("rank")
    apart = fused + medians["cosines, terms, BM25"] + medians["search"]
    medians["features, fusion"] = max(0.0, fused - medians["late interaction"])
    medians["rest of ranking"] = max(0.0, ranking - apart)
    return [Share(name, milliseconds) for name, milliseconds in medians.items()]


def flop_rates(index: ArticleIndex, encoder: Encoder, folder: Path | None) -> FlopRates | None:
    """How near encoding comes to what the machine multiplies; None for an unknown model.

    Multiplications and additions of the transformer's matrices are counted, and nothing else.

    Args:
        index: Of the article whose passages are encoded.
        encoder: The model.
        folder: Where its configuration is.
    """
    try:
        config = json.loads((folder / "config.json").read_text("utf-8")) if folder else {}
        layers, width = int(config["num_hidden_layers"]), int(config["hidden_size"])
        inner = int(config["intermediate_size"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    texts = [index.article.text[p.start : p.end] for p in index.passages]
    special = 2
    lengths = np.asarray(encoder.count_tokens(texts), dtype=np.float64) + special
    # Four projections and two layers of the perceptron; keys by queries, weights by values.
    per_token = 8 * width**2 + 4 * width * inner
    operations = layers * float((lengths * per_token + 4 * lengths**2 * width).sum())
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((2, _MATRIX, _MATRIX), dtype=np.float32)
    return FlopRates(
        encoder=operations / _best(lambda: encoder.encode_documents(texts), 3),
        product=2 * _MATRIX**3 / _best(lambda: left @ right, _TRIES),
        quantized=_int8_rate(rng),
    )


def _int8_rate(rng: np.random.Generator) -> float:
    """Operations a second of ONNX Runtime's int8 product, one on each core at a time.

    A model of nothing but the product: uint8 activations by constant int8 weights.
    """
    import onnx  # deferred: nothing but this measurement makes a graph here
    import onnxruntime as ort

    cores = available_cores()
    weights = rng.integers(-64, 64, (_MATRIX, _MATRIX), dtype=np.int8)
    given = onnx.helper.make_tensor_value_info("a", onnx.TensorProto.UINT8, [_MATRIX, _MATRIX])
    made = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.INT32, [_MATRIX, _MATRIX])
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMulInteger", ["a", "b"], ["y"])],
        "product",
        [given],
        [made],
        [onnx.numpy_helper.from_array(weights, "b")],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9
    )
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    left = rng.integers(0, 128, (_MATRIX, _MATRIX), dtype=np.uint8)
    with ThreadPoolExecutor(cores) as pool:

        def work() -> None:
            list(pool.map(lambda _: session.run(None, {"a": left}), range(cores)))

        return cores * 2 * _MATRIX**3 / _best(work, _TRIES)


def _best(work: Callable[[], object], tries: int) -> float:
    """Seconds of the fastest of several tries."""
    seconds = []
    for _ in range(tries):
        began = perf_counter()
        work()
        seconds.append(perf_counter() - began)
    return min(seconds)
