"""Text into HTML that can only ever be text."""

from __future__ import annotations

import html
import re

__all__ = ["escape", "transferable"]

_SURROGATE = re.compile("[\ud800-\udfff]")


def transferable(text: str) -> str:
    """Text that every encoding can carry, as long as it was: lone surrogates become U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def escape(text: str) -> str:
    """Text for an element or a quoted attribute.

    NUL, which HTML cannot hold, becomes U+FFFD; a carriage return stays one.

    >>> escape('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return (
        html.escape(transferable(text), quote=True).replace("\0", "\ufffd").replace("\r", "&#13;")
    )
