"""Export a conversation: Markdown and HTML to read, JSON to check later.

Each quote carries its offsets and the hash of the text it was taken from, so that
`qa.sharing.verification` can say which still stand.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any

from qa.answer import Answer, ArticleRef, Citation
from qa.text import markdown_line, one_line

__all__ = [
    "SCHEMA",
    "conversation_as_dict",
    "conversation_as_html",
    "conversation_as_markdown",
    "name_of",
    "place_of",
    "quote_as_markdown",
    "quote_as_text",
    "said_in_words",
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


def quote_as_text(citation: Citation) -> str:
    """A quote and its source on two lines."""
    return f"“{one_line(citation.quote)}”\n— {_source(citation.article)}"


def quote_as_markdown(citation: Citation) -> str:
    """A quote and its source as a Markdown block quote, linked to its place where it has one."""
    source = markdown_line(_source(citation.article))
    link = citation.deep_link
    # Angle brackets keep parentheses inside the address from ending the link.
    source = f"[{source}](<{link}>)" if link else source
    return f"> {citation.as_markdown}\n>\n> — {source}"


def said_in_words(answer: Answer, *, several: bool = False) -> str:
    """Whether the article says what was asked, as a reader would put it of the first citation.

    Args:
        answer: What came of the question.
        several: Whether more than one article was asked.
    """
    article, verb = ("The articles", "say") if several else ("The article", "says")
    if answer.sure:
        return f"{article} {verb} so"
    if answer.found:
        return f"{article} may say so: read it in its place"
    return f"{article} {'do' if several else 'does'} not say"


def place_of(citation: Citation) -> str:
    """Under which heading or in which paragraph a quote stands, and on which page."""
    passage = citation.passage
    where = passage.heading
    if where is None and passage.paragraph is not None:
        # A passage may begin some paragraphs before its sentence.
        before = passage.text[: citation.start - passage.start].count("\n\n")
        where = f"Paragraph {passage.paragraph + before + 1}"
    page = f"page {passage.page}" if passage.page else None
    return " · ".join(part for part in (where, page) if part)


def conversation_as_dict(answers: Sequence[Answer]) -> dict[str, Any]:
    """The conversation as JSON-ready values: the form that ``verify`` reads."""
    return {"schema": SCHEMA, "answers": [answer.to_dict() for answer in answers]}


def conversation_as_markdown(answers: Sequence[Answer]) -> str:
    """The conversation as Markdown."""
    lines: list[str] = []
    for answer in answers:
        lines += [f"## {markdown_line(answer.question)}", ""]
        lines += [answer.lead, ""] if answer.lead else []
        lines += [] if answer.found else [CLOSEST, ""]
        for citation in answer.citations:
            lines += [
                f"{citation.number}. “{citation.as_markdown}”"
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
            f"<li><q>{_quote(citation)}</q> <small>{_html(_place(citation, answers))}</small></li>"
            for citation in answer.citations
        )
        lead = f"<p>{answer.lead}</p>" if answer.lead else ""
        lead += "" if answer.found else f"<p>{CLOSEST}</p>"
        parts.append(f"<h2>{_html(answer.question)}</h2>{lead}<ol>{items}</ol>")
    parts += [f"<p>— {_html(line)}</p>" for line in _sources(answers)]
    return _HTML_PAGE.replace("BODY", "".join(parts))


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
        place += f" of {name_of(citation.article)}"
    if citation.also_in:
        place += f"; also in {'; '.join(map(name_of, citation.also_in))}"
    return place


def name_of(article: ArticleRef) -> str:
    """An article's title, or its id where it has none."""
    return article.title or f"article {article.id}"


def _quote(citation: Citation) -> str:
    return "".join(
        f"<mark>{html.escape(text)}</mark>" if exact else html.escape(text)
        for text, exact in citation.parts
    )


def _html(text: str) -> str:
    return html.escape(one_line(text))
