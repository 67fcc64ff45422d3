from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import ModelError
from index.models import onnx_encoder
from index.models.cache import PreparedModel
from index.models.encoder import Encoder, Encoding
from index.models.loading import describe
from index.models.onnx_encoder import OnnxEncoder

TEXTS = [
    "The council closed the bridge to lorries.",
    "Rain.",
    "Two late goals won them the cup, and nobody went home before midnight.",
    "",
    "Ash from the eruption closed airports across the north for six days. " * 8,
]


@pytest.fixture(scope="module")
def prepared(encoder: Encoder) -> PreparedModel:
    model = describe().prepared
    assert model is not None
    return model


def same(one: Encoding, other: Encoding) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("vector", "token_vectors", "token_ids", "token_spans")
    )


def test_the_bundled_model_is_what_it_says(encoder: Encoder, prepared: PreparedModel) -> None:
    assert encoder.name == "all-MiniLM-L6-v2"
    assert (encoder.dimension, encoder.max_tokens) == (384, 254)
    assert encoder.fingerprint == prepared.fingerprint


def test_the_bundled_model_keeps_close_to_the_original(prepared: PreparedModel) -> None:
    assert prepared.fidelity is not None
    assert prepared.precision == "int8"
    assert prepared.fidelity.cosine >= 0.99
    assert prepared.fidelity.token_cosine >= 0.99
    assert prepared.fidelity.rank_agreement >= 0.95


def test_shapes_types_and_norms(encoder: Encoder) -> None:
    for text, encoding in zip(TEXTS, encoder.encode_documents(TEXTS), strict=True):
        n_tokens = encoder.count_tokens([text])[0]
        assert encoding.vector.shape == (384,)
        assert encoding.token_vectors.shape == (n_tokens, 384)
        assert encoding.token_ids.shape == (n_tokens,)
        assert encoding.token_spans.shape == (n_tokens, 2)
        assert encoding.vector.dtype == encoding.token_vectors.dtype == np.float32
        assert encoding.token_ids.dtype == encoding.token_spans.dtype == np.int32
        assert np.linalg.norm(encoding.vector) == pytest.approx(1, abs=1e-5)
        assert np.linalg.norm(encoding.token_vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_near_in_meaning_is_near_in_vectors(encoder: Encoder) -> None:
    vectors = np.stack([encoding.vector for encoding in encoder.encode_documents(TEXTS)])
    scores = vectors @ encoder.encode_query("Why may trucks no longer cross?").vector
    assert scores.argmax() == 0


def test_a_text_does_not_depend_on_its_neighbours(encoder: Encoder) -> None:
    together = encoder.encode_documents(TEXTS)
    alone = [encoder.encode_documents([text])[0] for text in TEXTS]
    assert all(same(one, other) for one, other in zip(together, alone, strict=True))


def test_a_model_without_prompts_reads_documents_and_queries_alike(encoder: Encoder) -> None:
    assert same(encoder.encode_query(TEXTS[0]), encoder.encode_documents([TEXTS[0]])[0])


def test_nothing_gives_nothing(encoder: Encoder) -> None:
    assert encoder.encode_documents([]) == []
    assert encoder.count_tokens([]) == []


def test_progress_ends_with_every_text_done(encoder: Encoder) -> None:
    calls: list[tuple[str, int, int]] = []
    encoder.encode_documents(TEXTS, progress=lambda *call: calls.append(call))
    assert [done for _, done, _ in calls] == [1, 2, 3, 4, 5]
    assert {total for _, _, total in calls} == {5}


def test_a_text_too_long_is_refused_before_anything_is_encoded(encoder: Encoder) -> None:
    calls: list[tuple[str, int, int]] = []
    with pytest.raises(ModelError, match=r"'rain rain.* has 255 word pieces.* reads 254"):
        encoder.encode_documents(
            ["short", "rain " * 255], progress=lambda *call: calls.append(call)
        )
    assert calls == []


def test_an_endless_question_is_cut(encoder: Encoder) -> None:
    assert same(encoder.encode_query("rain " * 2_000), encoder.encode_query("rain " * 254))


def test_threads_share_an_encoder(encoder: Encoder) -> None:
    expected = [encoder.encode_query(text) for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(encoder.encode_query, TEXTS * 5))
    assert all(same(a, b) for a, b in zip(found, expected * 5, strict=True))


def test_an_error_while_reporting_stops_the_work(encoder: Encoder) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoder.encode_documents(TEXTS * 20, progress=interrupt)


def test_another_version_of_onnxruntime_finds_the_same_vectors(
    encoder: Encoder, prepared: PreparedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_encoder, "optimised_name", lambda: "of-another-version.onnx")
    other = OnnxEncoder(prepared, "portable")
    for text in TEXTS:
        cosine = float(other.encode_query(text).vector @ encoder.encode_query(text).vector)
        assert cosine > 0.999


def test_unreadable_files_are_a_model_error(prepared: PreparedModel, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes((prepared.folder / "tokenizer.json").read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match=f"ONNX Runtime {ort.__version__} cannot open"):
        OnnxEncoder(replace(prepared, folder=tmp_path), "damaged")


@pytest.mark.parametrize(("variable", "cores"), [("1", 1), ("junk", None), ("100000", None)])
def test_cores_can_be_limited(
    variable: str, cores: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    all_cores = onnx_encoder.available_cores()
    monkeypatch.setenv("OMP_NUM_THREADS", variable)
    assert onnx_encoder.available_cores() == (cores or all_cores)


@settings(max_examples=40)
@given(text=st.text(st.characters(exclude_categories=()), max_size=80))
def test_any_text_at_all_can_be_asked(encoder: Encoder, text: str) -> None:
    encoding = encoder.encode_query(text)
    assert np.isfinite(encoding.vector).all()
    assert np.isfinite(encoding.token_vectors).all()
    assert np.linalg.norm(encoding.vector) == pytest.approx(1, abs=1e-5)
    assert (encoding.token_spans <= len(text)).all()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives a thread its own priority")
def test_indexing_yields_to_whoever_asks_meanwhile(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_encoder, "available_cores", lambda: 2)
    seen: list[int] = []

    def look(what: str, done: int, total: int) -> None:
        workers = [t for t in threading.enumerate() if t.name.startswith("encoder")]
        seen.extend(os.getpriority(os.PRIO_PROCESS, t.native_id or 0) for t in workers)

    before = os.getpriority(os.PRIO_PROCESS, 0)
    encoder.encode_documents([f"Text number {n}." for n in range(8)], progress=look)
    assert min(seen) > before
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
