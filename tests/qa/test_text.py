"""Text for one line, and addresses for links."""

from __future__ import annotations

import pytest

from qa.text import web_url


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://e.org/?a=1&b=%20#c", "https://e.org/?a=1&b=%20#c"),
        ("HTTP://e.org", "HTTP://e.org"),
        ("http://e.org/)<img src=x>", "http://e.org/%29%3Cimg%20src=x%3E"),
        ("http://e.org/`$'\"\\", "http://e.org/%60$%27%22%5C"),
    ],
)
def test_web_addresses_are_linked_without_what_a_reader_would_take_for_markup(
    url: str, linked: str
) -> None:
    assert web_url(url) == linked


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//e.org",
        "http://[",
        "",
        None,
    ],
)
def test_nothing_else_may(url: str | None) -> None:
    assert web_url(url) is None
