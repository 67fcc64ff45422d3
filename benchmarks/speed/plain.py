"""The plain recipe in a process of its own, measured there and told what to do line by line.

In one process with ours, torch's threads would go on spinning on the cores that ours needs
next, and its OpenMP would meet that of FAISS, which macOS does not survive.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np

from benchmarks.speed.timing import Cost, own_environment, timed
from index.errors import ArticleQAError
from index.models.encoder import Float32

__all__ = ["PlainProcess"]

K = 5


class PlainProcess:
    """sentence-transformers over paragraphs, FAISS over their vectors."""

    def __init__(self, reference: str, paragraphs: Sequence[str]) -> None:
        """Start the process and have it encode the paragraphs.

        Args:
            reference: What sentence-transformers loads: a folder or a hub name.
            paragraphs: What is searched, one or more.

        Raises:
            ArticleQAError: The process ended.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.speed.plain"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=own_environment(),
            encoding="utf-8",
        )
        self._tell({"reference": reference, "paragraphs": list(paragraphs)})

    def __enter__(self) -> PlainProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def encode(self) -> Cost:
        """What encoding the paragraphs costs."""
        return Cost(*self._tell({"encode": True}))

    def search(self, question: str) -> Cost:
        """What encoding a question and searching the paragraphs costs."""
        return Cost(*self._tell({"question": question}))

    def _tell(self, request: dict[str, Any]) -> list[float]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise AssertionError("both were asked for")
        try:
            stdin.write(f"{json.dumps(request)}\n")
            stdin.flush()
            answer: list[float] = json.loads(stdout.readline())
        except (OSError, ValueError) as error:
            self._close()
            raise ArticleQAError(
                "the benchmark's plain recipe ended early; see whether this runs:"
                ' python -c "import sentence_transformers, faiss"'
            ) from error
        return answer

    def _close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with contextlib.suppress(OSError):  # what was not read is not missed
                    stream.close()


def main() -> None:
    """Do what standard input asks, and answer with wall and processor seconds."""
    from index.models.torch_encoder import load_original
    from index.single.article_index import flat_index

    given = json.loads(sys.stdin.readline())
    model = load_original(given["reference"])
    paragraphs: list[str] = given["paragraphs"]

    def encoded(texts: list[str]) -> Float32:
        vectors = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    index = flat_index(encoded(paragraphs))

    def search(question: str) -> None:
        index.search(encoded([question]), min(K, len(paragraphs)))

    _answer(Cost(0.0, 0.0))
    for line in sys.stdin:
        request = json.loads(line)
        question = request.get("question")
        if question is None:
            _answer(timed(lambda: encoded(paragraphs)))
        else:
            _answer(timed(lambda asked=question: search(asked)))  # type: ignore[misc]


def _answer(cost: Cost) -> None:
    sys.stdout.write(f"{json.dumps([cost.wall, cost.processor])}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
