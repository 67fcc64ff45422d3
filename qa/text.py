"""Make foreign text safe for one line of a terminal, of Markdown or of a file."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit

__all__ = ["markdown_line", "markdown_text", "one_line", "web_url"]


def one_line(text: str, *, keep_ends: bool = False) -> str:
    """Text on one line without control characters, escape sequences included.

    Lone surrogates, which no file can hold, go too. ``keep_ends`` keeps a space where the text
    begins or ends with white space.
    """
    visible = "".join(
        " " if character.isspace() or unicodedata.category(character) in ("Cc", "Cs") else character
        for character in text
    )
    line = " ".join(visible.split())
    if keep_ends and line:
        line = f"{' ' * visible[0].isspace()}{line}{' ' * visible[-1].isspace()}"
    return line


def markdown_line(text: str) -> str:
    """Text on one line that no Markdown reader takes for markup."""
    return markdown_text(one_line(text))


def markdown_text(line: str) -> str:
    """A line, or part of one, in which no Markdown reader finds markup."""
    return re.sub(r"([\\`*_\[\]<>#|~&])", r"\\\1", line)


def web_url(url: str | None) -> str | None:
    """An http(s) URL so that no reader takes any of it for markup; None for all else.

    >>> web_url("https://e.org/a_(b)?q=<img>"), web_url("javascript:alert(1)")
    ('https://e.org/a_%28b%29?q=%3Cimg%3E', None)
    """
    try:
        if not url or urlsplit(url.strip()).scheme.lower() not in ("http", "https"):
            return None
    except ValueError:
        return None
    return quote(url.strip(), safe="%/:?#[]@!$&*+,;=~", errors="replace")
