"""A quote's source as reference lists want it: APA 7 and BibTeX."""

from __future__ import annotations

import re

from qa.answer import ArticleRef, Citation
from qa.text import one_line

__all__ = ["quote_as_apa", "quote_as_bibtex"]


def quote_as_apa(citation: Citation) -> str:
    """A quote and its source as APA 7 has them: an author's given names become initials."""
    article = citation.article
    authors = " & ".join(map(_inverted, article.authors))
    year = (article.published or "n.d.")[:4]
    parts = [
        f"{authors} ({year})." if authors else "",
        f"{one_line(article.title or 'Untitled')}.",
        "" if authors else f"({year}).",
        article.url or "",
    ]
    return f"“{one_line(citation.quote)}”\n{' '.join(part for part in parts if part)}"


def quote_as_bibtex(citation: Citation) -> str:
    """The source as a BibTeX entry, the quote in its note."""
    article = citation.article
    fields = {
        "title": article.title,
        "author": " and ".join(article.authors),
        "year": (article.published or "")[:4],
        "url": article.url,
        "note": f"“{citation.quote}”",
    }
    lines = [f"  {name} = {{{_tex(value)}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{_key(article)},", *lines, "}"])


def _inverted(name: str) -> str:
    """``Ada M. Brook`` as ``Brook, A. M.``."""
    *given, family = name.split() or [""]
    return ", ".join(part for part in (family, " ".join(f"{g[0]}." for g in given)) if part)


def _key(article: ArticleRef) -> str:
    names = " ".join(article.authors[:1]).split() or [""]
    family = re.sub(r"\W", "", names[-1])
    return f"{family or 'article'}{(article.published or '')[:4] or article.id[:6]}".lower()


def _tex(text: str) -> str:
    """Text with what TeX would take for its own escaped; braces, which BibTeX counts, as well."""
    named = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}"}
    named |= {"^": r"\textasciicircum{}"} | {sign: f"\\{sign}" for sign in "&%$#_"}
    return "".join(named.get(character, character) for character in one_line(text))
