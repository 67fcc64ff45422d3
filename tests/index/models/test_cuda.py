from __future__ import annotations

import ctypes
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from index.models import cuda
from index.models.cuda import CPU, CUDA, cuda_works
from index.models.loading import describe, load_encoder
from index.models.onnx_encoder import OnnxEncoder
from qa import ArticleBot


@pytest.fixture(autouse=True)
def untried() -> Iterator[None]:
    cuda_works.cache_clear()
    yield
    cuda_works.cache_clear()


@pytest.fixture
def built_for_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, CPU])


def test_no_card_is_looked_for_by_a_build_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CPU])
    monkeypatch.setattr(ctypes, "CDLL", lambda name: pytest.fail("looked for"))
    assert not cuda_works()


@pytest.mark.usefixtures("built_for_cuda")
@pytest.mark.parametrize("driver", ["no-such-driver.so", None])
def test_without_a_driver_the_processor_is_used_and_nothing_is_said(
    driver: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Loading None is loading the program itself, which is a library without the driver's names.
    monkeypatch.setattr(cuda, "DRIVER", driver)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not cuda_works()


class Driver:
    """A graphics driver with one card."""

    asked = 0

    def __init__(self, name: str) -> None:
        Driver.asked += 1

    def cuInit(self, flags: int) -> int:  # noqa: N802
        return 0

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802
        count._obj.value = 1
        return 0


@pytest.fixture
def one_card(built_for_cuda: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", Driver)
    monkeypatch.setattr(Driver, "asked", 0)


@pytest.mark.usefixtures("one_card")
def test_a_card_that_cannot_be_used_is_said_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with CUDA's libraries missing: the graph opens, on the processor."""
    monkeypatch.setattr(ort, "preload_dlls", lambda: print("libcublas.so.13 is missing"))
    with pytest.warns(UserWarning, match=r"cannot use it.*processor.*libcublas.so.13 is missing"):
        assert not cuda_works()


@pytest.mark.usefixtures("one_card")
def test_libraries_that_cannot_be_loaded_at_all_are_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> None:
        raise RuntimeError("too old for this card")

    monkeypatch.setattr(ort, "preload_dlls", refuse)
    with pytest.warns(UserWarning, match="too old for this card"):
        assert not cuda_works()


@pytest.mark.usefixtures("one_card")
def test_it_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "preload_dlls", lambda: None)
    with pytest.warns(UserWarning, match="cannot use it"):
        assert [cuda_works(), cuda_works()] == [False, False]
    assert Driver.asked == 1


@pytest.mark.cuda
@pytest.mark.usefixtures("cache")
def test_on_a_card_a_model_is_what_it_is_on_the_processor() -> None:
    assert cuda_works()
    card = load_encoder()
    prepared = describe().prepared
    assert prepared is not None
    processor = OnnxEncoder(prepared, "processor")
    assert isinstance(card, OnnxEncoder)
    assert (card.providers[0], card.precision) == (CUDA, "float32")
    assert processor.providers == (CPU,)

    texts = ["The old bridge was closed. It had cracked in the frost. " * n for n in range(1, 9)]
    starts = [[m * 28 for m in range(2 * n)] for n in range(1, 9)]
    ours = card.encode_documents(texts * 20, starts=starts * 20)
    theirs = processor.encode_documents(texts, starts=starts) * 20
    for one, other in zip(ours, theirs, strict=True):
        assert one.vector @ other.vector > 0.999
        assert np.min((one.token_vectors * other.token_vectors).sum(axis=1)) > 0.99
    question = "Why did Amazon halt police use of Rekognition?"
    assert card.encode_query(question).vector @ processor.encode_query(question).vector > 0.999

    bot = ArticleBot.open()
    alike = ArticleBot(bot.index, processor)
    cited = [[c.quote for c in b.ask(question).citations] for b in (bot, alike)]
    assert cited[0] == cited[1]
