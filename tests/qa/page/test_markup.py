"""Text that can only ever be text."""

from __future__ import annotations

from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from qa.page.markup import escape, transferable


@given(st.text())
def test_an_escaped_text_has_no_markup_and_reads_back(text: str) -> None:
    escaped = escape(text)
    assert not set("<>\"'\0\r") & set(escaped)
    assert unescape(escaped) == transferable(text).replace("\0", "\ufffd")


@given(st.text(st.characters()))
def test_what_can_be_sent_is_as_long_as_it_was(text: str) -> None:
    assert len(transferable(text)) == len(text)
    transferable(text).encode("utf-8")
