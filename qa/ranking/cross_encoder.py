"""Cross-encoders of sentence-transformers, as a `Reranker`. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np
import torch
from sentence_transformers import CrossEncoder
from transformers import AutoConfig
from transformers.utils import logging

from index.errors import ModelError
from index.models import hub
from index.models.encoder import Float32
from index.models.tokenizer import without_surrogates

__all__ = ["CrossEncoderReranker"]

_EXAMPLE = "name one such as 'cross-encoder/ms-marco-MiniLM-L6-v2', or a folder that holds one"
_BATCH_SIZE = 16
_HEADS = ("ForSequenceClassification", "ForCausalLM")
"""How the architectures end that score a pair: by a head, or by the odds of a yes."""


class CrossEncoderReranker:
    """Scores question and text in one pass of a cross-encoder."""

    def __init__(self, name: str) -> None:
        """Load the model.

        Args:
            name: A folder or a hub name.

        Raises:
            ModelError: There is no such model, it cannot be loaded, or it is no cross-encoder
                that gives one score to a pair.
        """
        self.name = name
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # as it ships
        offline = not hub.answers(name)
        try:
            config = AutoConfig.from_pretrained(name, local_files_only=offline)
            made_as = (config.architectures or ["of no known kind"])[0]
            # Asked before it is loaded: an embedding model would be given a head of noise.
            if made_as.endswith(_HEADS):
                self._model = CrossEncoder(name, local_files_only=offline)
        except Exception as error:  # whatever the hub, the network or the files raise
            raise ModelError(
                f"the reranker {name!r} cannot be loaded: {hub.why(error, offline)}; {_EXAMPLE}"
            ) from error
        if not made_as.endswith(_HEADS):
            raise ModelError(f"the reranker {name!r} is no cross-encoder but {made_as}; {_EXAMPLE}")
        if self._model.num_labels != 1:
            raise ModelError(
                f"the reranker {name!r} gives {self._model.num_labels} scores to a question and"
                f" a text, and a ranking needs one; {_EXAMPLE}"
            )
        self._lock = Lock()  # its tokenizer must not be used by two threads at once

    def scores(self, question: str, texts: Sequence[str]) -> Float32:
        """See `Reranker`; the model's logits, which its activation would flatten."""
        question = without_surrogates(question)
        pairs = [(question, without_surrogates(text)) for text in texts]
        with self._lock:
            scores = self._model.predict(
                pairs,
                batch_size=_BATCH_SIZE,
                activation_fn=torch.nn.Identity(),
                show_progress_bar=False,
            )
        return np.asarray(scores, dtype=np.float32)
