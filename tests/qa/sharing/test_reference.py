"""References to a quote's source."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa import ArticleBot
from qa.answer import Citation
from qa.sharing.reference import quote_as_apa, quote_as_bibtex


@pytest.fixture(scope="module")
def citation(bot: ArticleBot) -> Citation:
    first = bot.ask("Who wrote this article?").citations[0]
    article = replace(
        first.article,
        title="Tides & {men}",
        authors=("Ada M. Brook", "Ida Stone"),
        published="2021-05-18",
        url="https://e.org/t",
    )
    return replace(first, quote="The sea\nrises.", article=article)


def test_apa_inverts_the_names(citation: Citation) -> None:
    assert quote_as_apa(citation) == (
        "“The sea rises.”\nBrook, A. M. & Stone, I. (2021). Tides & {men}. https://e.org/t"
    )


def test_bibtex_escapes_what_tex_would_read(citation: Citation) -> None:
    entry = quote_as_bibtex(citation)
    assert entry.startswith("@misc{brook2021,\n")
    assert r"title = {Tides \& \{men\}}" in entry
    assert "author = {Ada M. Brook and Ida Stone}" in entry


def test_what_is_not_known_is_left_out(citation: Citation) -> None:
    bare = replace(citation.article, title=None, authors=(), published=None, url=None)
    plain = replace(citation, article=bare)
    assert quote_as_apa(plain) == "“The sea rises.”\nUntitled. (n.d.)."
    assert quote_as_bibtex(plain).startswith(f"@misc{{article{bare.id[:6]},\n  note")
