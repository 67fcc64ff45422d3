"""The smallest graph that ONNX Runtime runs here: a product of matrices in eight bits."""

from __future__ import annotations

from typing import Final

__all__ = ["PRODUCT"]

PRODUCT: Final = bytes.fromhex(
    "08083a780a1e0a01610a01620a047a65726f120179220d4d61744d756c496e746567657212047363616e2a0b"
    "100242047a65726f4a01805a150a016112100a0e0802120a0a0312016e0a031201645a150a016212100a0e08"
    "03120a0a031201640a0312017162150a017912100a0e0806120a0a0312016e0a0312017142040a00100d"
)
"""``y = (a - 128) @ b`` for uint8 a and int8 b, as ONNX; a test makes it again from that."""
