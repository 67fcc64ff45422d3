"""Text that can only ever be text."""

from __future__ import annotations

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.page.markup import escape, safe_url, transferable


@given(st.text())
def test_an_escaped_text_has_no_markup_and_reads_back(text: str) -> None:
    escaped = escape(text)
    assert not set("<>\"'\0\r") & set(escaped)
    assert unescape(escaped) == transferable(text).replace("\0", "\ufffd")


@given(st.text(st.characters()))
def test_what_can_be_sent_is_as_long_as_it_was(text: str) -> None:
    assert len(transferable(text)) == len(text)
    transferable(text).encode("utf-8")


@pytest.mark.parametrize("url", ["https://e.org/", "HTTP://e.org", "http://e.org/?a=<b>"])
def test_web_addresses_may_be_linked(url: str) -> None:
    assert safe_url(url) == url


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
    assert safe_url(url) is None
