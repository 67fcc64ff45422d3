"""Check once whether the Hugging Face hub answers, before a model is loaded by its name.

Where it does not, the libraries would ask for one file after another, with pauses, for more
than a minute, even for a model that was fetched before.
"""

from __future__ import annotations

import os
from typing import Final

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

__all__ = ["answers", "why"]

_SECONDS: Final = 10


def answers(name: str) -> bool:
    """Whether a model may be looked for on the hub, which is not asked about a folder.

    False where the hub cannot be reached, or must not be asked (``HF_HUB_OFFLINE``).
    """
    if os.path.isdir(name):
        return True
    try:
        HfApi().model_info(name, timeout=_SECONDS)
    except (HfHubHTTPError, HFValidationError):
        return True  # "no such model" is an answer too, and so is "no model can be called that"
    except Exception:  # whatever the network raises
        return False
    return True


def why(error: Exception, offline: bool) -> str:
    """Why a model cannot be loaded, in one line."""
    what = " ".join(str(error).split())
    return f"the hub cannot be reached, and the model is not kept here: {what}" if offline else what
