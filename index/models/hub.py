"""Whether the hub of models answers, asked once before a model is loaded by its name.

Without an answer the libraries that load it go on asking for one file after the other, with
pauses, for more than a minute, although what was fetched before would do.
"""

from __future__ import annotations

import os
from typing import Final

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

__all__ = ["answers", "why"]

_SECONDS: Final = 10


def answers(name: str) -> bool:
    """Whether a model may be looked for on the hub.

    Args:
        name: Of a model, or its folder, for which nobody is asked.

    Returns:
        False where the hub cannot be reached, or is not to be asked (``HF_HUB_OFFLINE``).
    """
    if os.path.isdir(name):
        return True
    try:
        HfApi().model_info(name, timeout=_SECONDS)
    except (HfHubHTTPError, HFValidationError):
        return True  # that it has no such model is an answer, or that no model is called so
    except Exception:  # whatever the network raises
        return False
    return True


def why(error: Exception, offline: bool) -> str:
    """Why a model cannot be loaded, in a line.

    Args:
        error: What was raised.
        offline: Whether the hub was left out.
    """
    what = " ".join(str(error).split())
    return f"the hub cannot be reached, and of what was fetched before: {what}" if offline else what
