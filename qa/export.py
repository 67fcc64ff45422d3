"""A conversation to take away, and to check later against the article it quotes.

Markdown and HTML are for reading, JSON is for checking: each quote carries its offsets and
the hash of the text it was taken from, so that ``verify`` can say which quotes still stand.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from index.article import Article
from index.errors import DataError
from qa.answer import Answer, ArticleRef, Citation
from qa.one_line import markdown_line, one_line

__all__ = [
    "SCHEMA",
    "Check",
    "Standing",
    "conversation_as_dict",
    "conversation_as_html",
    "conversation_as_markdown",
    "quote_as_markdown",
    "quote_as_text",
    "verify",
]

SCHEMA = "article-qa/conversation/1"

CLOSEST = "Closest, not an answer:"

_HTML_PAGE = """\
<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Questions and answers</title>
<style>
body { font: 1.1rem/1.6 Georgia, serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; }
li { margin: .6rem 0; }
small { color: #666; }
</style>
</head>
<body>BODY</body>
</html>
"""


class Standing(str, Enum):
    """How a quote fares in an article."""

    STANDS = "stands"
    MOVED = "moved"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Check:
    """One quote of an export, looked up in an article.

    Attributes:
        question: What was asked.
        quote: What was quoted in reply.
        standing: ``STANDS`` where it was, ``MOVED`` to another place, or ``GONE``.
        start: Its first code point in the article now; None where it is gone.
    """

    question: str
    quote: str
    standing: Standing
    start: int | None


def quote_as_text(citation: Citation) -> str:
    """A quote and its source on two lines."""
    return f"“{one_line(citation.quote)}”\n— {_source(citation.article)}"


def quote_as_markdown(citation: Citation) -> str:
    """A quote and its source as a Markdown block quote, linked to its place where it has one."""
    source = markdown_line(_source(citation.article))
    link = citation.deep_link
    # Angle brackets keep parentheses inside the address from ending the link.
    source = f"[{source}](<{link}>)" if link else source
    return f"> {markdown_line(citation.quote)}\n>\n> — {source}"


def conversation_as_dict(answers: Sequence[Answer]) -> dict[str, Any]:
    """The conversation as JSON-ready values: the form that ``verify`` reads."""
    return {"schema": SCHEMA, "answers": [answer.to_dict() for answer in answers]}


def conversation_as_markdown(answers: Sequence[Answer]) -> str:
    """The conversation as Markdown."""
    lines: list[str] = []
    for answer in answers:
        lines += [f"## {markdown_line(answer.question)}", ""]
        lines += [] if answer.found else [answer.silence, "", CLOSEST, ""]
        for citation in answer.citations:
            lines += [
                f"{citation.number}. “{markdown_line(citation.quote)}”"
                f" ({markdown_line(_place(citation, answers))})"
            ]
        lines += [""]
    lines += [f"— {markdown_line(line)}" for line in _sources(answers)]
    return "\n".join(lines) + "\n"


def conversation_as_html(answers: Sequence[Answer]) -> str:
    """The conversation as a page of its own that loads nothing."""
    parts = []
    for answer in answers:
        items = "".join(
            f"<li><q>{_html(citation.quote)}</q>"
            f" <small>{_html(_place(citation, answers))}</small></li>"
            for citation in answer.citations
        )
        silent = "" if answer.found else f"<p>{answer.silence}</p><p>{CLOSEST}</p>"
        parts.append(f"<h2>{_html(answer.question)}</h2>{silent}<ol>{items}</ol>")
    parts += [f"<p>— {_html(line)}</p>" for line in _sources(answers)]
    return _HTML_PAGE.replace("BODY", "".join(parts))


def verify(export: Mapping[str, Any], article: Article) -> tuple[Check, ...]:
    """Which quotes of an exported conversation still stand in an article.

    Args:
        export: What ``conversation_as_dict`` gave, or one answer's ``to_dict``.
        article: The article as it is now.

    Returns:
        One check for each quote, in the order of the export.

    Raises:
        DataError: The mapping is neither, or is not whole.
    """
    if isinstance(export, Mapping) and export.get("schema") == SCHEMA:
        answers = export.get("answers")
        if not isinstance(answers, list):
            raise DataError("the export lacks its list of answers; export the conversation again")
    else:
        answers = [export]
    return tuple(
        _check(answer.question, citation, article.text)
        for answer in map(Answer.from_dict, answers)
        for citation in answer.citations
    )


def _check(question: str, citation: Citation, text: str) -> Check:
    quote, start, end = citation.quote, citation.start, citation.end
    # A quote that is not as long as its span was edited after it was exported.
    if quote and len(quote) == end - start and text[start:end] == quote:
        return Check(question, quote, Standing.STANDS, start)
    found = text.find(quote) if quote else -1
    if found < 0:
        return Check(question, quote, Standing.GONE, None)
    return Check(question, quote, Standing.MOVED, found)


def _sources(answers: Sequence[Answer]) -> Iterator[str]:
    """Each article quoted, once, with the hash of the text that the offsets count in."""
    articles = dict.fromkeys(c.article for answer in answers for c in answer.citations)
    for article in articles:
        yield f"{_source(article)} (SHA-256 of the text: {article.hash})"


def _source(article: ArticleRef) -> str:
    parts = (article.title, ", ".join(article.authors), article.published, article.url)
    return one_line(", ".join(part for part in parts if part)) or f"article {article.id}"


def _place(citation: Citation, answers: Sequence[Answer]) -> str:
    """Where a quote stands; in which article, where the conversation quotes several."""
    place = f"characters {citation.start}–{citation.end}"
    if len({c.article for answer in answers for c in answer.citations}) > 1:
        place += f" of {_name(citation.article)}"
    if citation.also_in:
        place += f"; also in {'; '.join(map(_name, citation.also_in))}"
    return place


def _name(article: ArticleRef) -> str:
    return article.title or f"article {article.id}"


def _html(text: str) -> str:
    return html.escape(one_line(text))
