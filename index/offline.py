"""Keep dependencies from calling home; imported before any of them.

What they read of the environment they read when they are imported, and child processes inherit
it. Official builds of onnxruntime count runs and sessions since 1.29, Gradio counts launches,
and huggingface_hub (for transformers and sentence-transformers too) names its callers.
"""

import os
import sys

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["DO_NOT_TRACK"] = "1"

if "onnxruntime" in sys.modules:  # whoever uses us imported it first, with the variable unset
    sys.modules["onnxruntime"].disable_telemetry_events()
