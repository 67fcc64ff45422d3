"""The reader: a small model that reads a question and a few sentences together.

It points at the first and the last word piece of an answer, or at the first token of all where
there is none (Devlin et al., BERT, 2019, https://arxiv.org/abs/1810.04805, section 4.3).
`benchmarks/train_reader.py` has trained it; ``model/provenance.json`` says on what.

Of each sentence it tells the words that would answer, and how much better they are than
none: a span never crosses the end of a sentence, for a citation quotes one.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError
from index.models.encoder import Float32
from index.models.loading import resolve
from index.models.onnx_encoder import available_cores, session_for
from index.models.tokenizer import without_surrogates

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Encoding, Tokenizer

__all__ = ["Reader", "Span", "Window", "asks_for_words", "default_reader", "reader_if", "reads"]

LONGEST: Final = 256
"""Word pieces of a question and a window together; what is beyond is not read."""
LONGEST_ANSWER: Final = 30
"""Word pieces of an answer."""
_LANGUAGE: Final = "en"
_WORDLESS: Final = re.compile(
    r"\W*(?:why|is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)\b",
    re.IGNORECASE,
)
_MARKS: Final = " \t\n\r\u00a0,;:!?\"'“”‘’«»–—-"


@dataclass(frozen=True, slots=True)
class Window:
    """A few sentences that follow on each other.

    Attributes:
        text: Of all of them, as it stands in the article.
        start: Where it stands there, in code points.
        sentences: Half-open spans in the article, in order.
    """

    text: str
    start: int
    sentences: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Span:
    """The words of a sentence that answer best.

    Attributes:
        start: In the article, in code points.
        end: One past the last.
        margin: How much better they are than no answer in the window, in log-odds.
    """

    start: int
    end: int
    margin: float


def reads(language: str | None) -> bool:
    """Whether the reader knows a language; one that is not known is taken for its own."""
    return language is None or language.lower().split("-")[0] == _LANGUAGE


def asks_for_words(question: str) -> bool:
    """Whether a few words can answer; a yes, a no or a why takes the whole sentence.

    >>> asks_for_words("Who objected?"), asks_for_words("Did anybody object?")
    (True, False)
    """
    return not _WORDLESS.match(question)


class Reader:
    """Answers out of windows. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        """Take a folder with ``reader.onnx`` and ``provenance.json``; opened when first asked.

        Raises:
            ModelError: It holds no reader.
        """
        self.folder = folder
        self._opening = threading.Lock()
        if not (folder / "reader.onnx").is_file():
            raise ModelError(f"{folder} holds no reader.onnx; install article-qa again")

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """What it was trained on, how long, and what it reaches."""
        found: dict[str, Any] = json.loads(
            (self.folder / "provenance.json").read_text(encoding="utf-8")
        )
        return found

    def read(self, question: str, windows: Sequence[Window]) -> list[list[Span | None]]:
        """For each sentence of each window the words that answer best.

        Args:
            question: As it is read.
            windows: What is read, each by itself and on all cores.

        Returns:
            As many lists as windows, each with one span or None a sentence; None where no word
            was read.
        """
        with self._opening:
            session, tokenizer = self._opened
        asked = without_surrogates(question)

        def answers(window: Window) -> list[Span | None]:
            encoding = tokenizer.encode(asked, without_surrogates(window.text))
            given = {
                "input_ids": encoding.ids,
                "attention_mask": encoding.attention_mask,
                "token_type_ids": encoding.type_ids,
            }
            feed = {name: np.asarray([row], dtype=np.int64) for name, row in given.items()}
            (logits,) = session.run(None, feed)
            return _spans(logits[0], encoding, window)

        if len(windows) < 2 or available_cores() < 2:
            return [answers(window) for window in windows]
        return list(_threads().map(answers, windows))

    @cached_property
    def _opened(self) -> tuple[onnxruntime.InferenceSession, Tokenizer]:
        from tokenizers import Tokenizer

        base = resolve().folder
        try:
            tokenizer = Tokenizer.from_file(f"{base}/tokenizer.json")
            tokenizer.no_padding()
            tokenizer.enable_truncation(LONGEST, strategy="longest_first")
            return session_for(self.folder / "reader.onnx", optimise=True), tokenizer
        except Exception as error:  # neither package has exceptions of its own
            raise ModelError(f"the reader in {self.folder} cannot be opened: {error}") from error


def _spans(logits: Float32, encoding: Encoding, window: Window) -> list[Span | None]:
    """The best span of each sentence of a window."""
    none = float(logits[0].sum())
    in_window = np.asarray(encoding.type_ids) == 1
    in_window &= np.asarray(encoding.special_tokens_mask) == 0
    rows = np.flatnonzero(in_window)
    places = np.asarray(encoding.offsets, dtype=np.int64)[rows] + window.start
    bounds = np.searchsorted(places[:, 0], np.asarray(window.sentences))
    return [
        _best(logits[rows[first:last]], places[first:last], none, window, end)
        for (first, last), (_, end) in zip(bounds.tolist(), window.sentences, strict=True)
    ]


def _best(
    logits: Float32, places: NDArray[np.int64], none: float, window: Window, end: int
) -> Span | None:
    """The best span among the word pieces of a sentence that ends at ``end``."""
    n = len(logits)
    if not n:
        return None
    scores = logits[:, None, 0] + logits[None, :, 1]
    length = np.arange(n)[None, :] - np.arange(n)[:, None]
    scores = np.where((length >= 0) & (length < LONGEST_ANSWER), scores, -np.inf)
    first, last = divmod(int(scores.argmax()), n)
    start, stop = _trimmed(window, int(places[first, 0]), int(places[last, 1]), end)
    return Span(start, stop, float(scores[first, last]) - none) if start < stop else None


def _trimmed(window: Window, start: int, stop: int, end: int) -> tuple[int, int]:
    """A span without the marks around it: the sentence's full stop, half a pair of brackets."""
    words = window.text[start - window.start : stop - window.start]
    left = window.text[stop - window.start : end - window.start].strip(_MARKS)
    marks = _MARKS + "." * (not left) + "()" * (words.count("(") != words.count(")"))
    return start + len(words) - len(words.lstrip(marks)), stop - len(words) + len(
        words.rstrip(marks)
    )


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(available_cores(), thread_name_prefix="reader")


def reader_if(wanted: bool) -> Reader | None:
    """The reader that comes with the package, where it is wanted."""
    return default_reader() if wanted else None


@lru_cache(maxsize=1)
def default_reader() -> Reader:
    """The reader that comes with the package."""
    return Reader(Path(str(resources.files(__package__).joinpath("model"))))
