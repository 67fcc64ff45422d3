"""Whether ONNX Runtime can use a graphics card here.

A build for CUDA says little: a driver, a card and CUDA's own libraries must be there too, and
what is missing shows only when a graph is opened. So a tiny one is opened.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
import warnings
from functools import lru_cache
from typing import Final

import onnxruntime as ort

from index.models.int8_product import PRODUCT

__all__ = ["CPU", "CUDA", "cuda_works"]

CUDA: Final = "CUDAExecutionProvider"
CPU: Final = "CPUExecutionProvider"
DRIVER: Final = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
NO_LOG: Final = 4
USUAL_LOG: Final = 2


@lru_cache(maxsize=1)
def cuda_works() -> bool:
    """Whether graphs run on a graphics card; tried once a process.

    Where there is a card and it cannot be used, a warning says so.
    """
    if CUDA not in ort.get_available_providers() or not _cards():
        return False
    said = io.StringIO()
    # It would log a missing library in red, once for each graph; the warning below is plainer.
    ort.set_default_logger_severity(NO_LOG)
    try:
        with contextlib.redirect_stdout(said), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # The system does not look for CUDA's libraries where packages put them.
            if hasattr(ort, "preload_dlls"):  # from 1.21 on
                ort.preload_dlls()
            session = ort.InferenceSession(PRODUCT, providers=[CUDA, CPU])
        if CUDA in session.get_providers():
            return True
        reason = (said.getvalue().strip().splitlines() or ["a library of CUDA is missing"])[0]
    except Exception as error:  # ONNX Runtime's exceptions share no base of their own
        reason = str(error)
    finally:
        ort.set_default_logger_severity(USUAL_LOG)
    warnings.warn(
        "there is a graphics card, but ONNX Runtime cannot use it; running on the processor: "
        f"{reason}; pip install 'onnxruntime-gpu[cuda,cudnn]' brings what it needs",
        stacklevel=2,
    )
    return False


def _cards() -> int:
    """Graphics cards that the driver offers; 0 without a driver."""
    n_cards = ctypes.c_int(0)
    try:
        driver = ctypes.CDLL(DRIVER)
        if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(n_cards)):
            return 0
    except (OSError, AttributeError):
        return 0
    return n_cards.value
