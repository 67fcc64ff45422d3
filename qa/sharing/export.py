"""Export a conversation: Markdown and HTML to read, with a part that can be checked later.

Each is a head, a section for every answer, and the sources. The page gets those parts with each
answer and joins them itself, so that a conversation can be saved with the server away.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from qa.answer import Answer, ArticleRef, Citation
from qa.sharing.conversation import as_comment, conversation_as_dict
from qa.text import markdown_line, one_line

__all__ = [
    "Parts",
    "conversation_as_html",
    "conversation_as_markdown",
    "html_parts",
    "markdown_parts",
    "place_of",
    "quote_as_markdown",
    "quote_as_text",
    "readable_date",
    "said_in_words",
]

SEVERAL = "Questions and answers"

_HTML_HEAD = """\
<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>TITLE</title>
<style>
body { font: 1.1rem/1.6 Georgia, serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; }
li { margin: .6rem 0; }
small { color: #666; }
</style>
</head>
<body>
<h1>TITLE</h1>
"""


@dataclass(frozen=True, slots=True)
class Parts:
    """An exported conversation before it is joined.

    Attributes:
        head: What it begins with.
        sections: One for each answer.
        sources: One for each article that is quoted.
        tail: What it ends with, after the part that can be checked.
    """

    head: str
    sections: tuple[str, ...]
    sources: tuple[str, ...]
    tail: str

    def joined(self, answers: Sequence[Answer]) -> str:
        """The whole of it."""
        checked = as_comment(conversation_as_dict(answers))
        return "".join([self.head, *self.sections, *self.sources, "\n", checked, self.tail])


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
    if answer.kind == "overview":
        return "In short, in sentences of its own: no summary, and not all it says"
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


def readable_date(published: str | None) -> str:
    """A day as a reader writes it, or the date as it was given.

    >>> readable_date("2021-05-18T15:00:00Z"), readable_date("2021-05")
    ('18 May 2021', '2021-05')
    """
    try:
        day = datetime.fromisoformat((published or "").replace("Z", "+00:00"))
    except ValueError:
        return published or ""
    return f"{day.day} {day:%B %Y}"


def conversation_as_markdown(answers: Sequence[Answer]) -> str:
    """The conversation as Markdown, which ``article-qa verify`` takes."""
    return markdown_parts(answers).joined(answers)


def conversation_as_html(answers: Sequence[Answer]) -> str:
    """The conversation as a page of its own that loads nothing; ``article-qa verify`` takes it."""
    return html_parts(answers).joined(answers)


def markdown_parts(
    answers: Sequence[Answer], *, title: str | None = None, asked: str | None = None
) -> Parts:
    """The parts of a conversation as Markdown.

    Args:
        answers: In the order in which they were given.
        title: What it is about; None for the title of the one article that is quoted.
        asked: When they were asked, as ISO 8601.
    """
    sections = []
    for answer in answers:
        lines = [f"## {markdown_line(answer.question)}", ""]
        lines += [f"*{markdown_line(said)}*  " for said in _asked(answer, asked)]
        lines += [f"**{markdown_line(_said(answer))}**", ""]
        lines += [answer.label, ""] if answer.label else []
        lines += [
            f"{citation.number}. “{citation.as_markdown}”"
            f" — {markdown_line(_place(citation, answers))}"
            for citation in answer.citations
        ]
        sections.append("\n".join([*lines, "", ""]))
    sources = tuple(f"— {markdown_line(line)}\n" for line in _sources(answers))
    head = f"# {markdown_line(title or _title(answers))}\n\n"
    return Parts(head, tuple(sections), sources, "")


def html_parts(
    answers: Sequence[Answer], *, title: str | None = None, asked: str | None = None
) -> Parts:
    """The parts of a conversation as HTML; arguments as for ``markdown_parts``."""
    sections = []
    for answer in answers:
        items = "".join(
            f"<li><q>{citation.as_html}</q> <small>{_html(_place(citation, answers))}</small></li>"
            for citation in answer.citations
        )
        about = "".join(f"<p><small>{_html(said)}</small></p>" for said in _asked(answer, asked))
        closest = f"<p>{_html(answer.label)}</p>" if answer.label else ""
        sections.append(
            f"<h2>{_html(answer.question)}</h2>{about}<p><b>{_html(_said(answer))}</b></p>"
            f"{closest}<ol>{items}</ol>\n"
        )
    sources = tuple(f"<p>— {_html(line)}</p>\n" for line in _sources(answers))
    head = _HTML_HEAD.replace("TITLE", _html(title or _title(answers)))
    return Parts(head, tuple(sections), sources, "</body>\n</html>\n")


def _title(answers: Sequence[Answer]) -> str:
    quoted = {article for answer in answers for article in answer.articles}
    return quoted.pop().name if len(quoted) == 1 else SEVERAL


def _asked(answer: Answer, asked: str | None) -> list[str]:
    """When a question was asked, and what it was read as."""
    lines = [f"Asked on {readable_date(asked)}"] if asked else []
    return lines + ([f"Read as: {answer.interpreted_as}"] if answer.interpreted_as else [])


def _said(answer: Answer) -> str:
    if answer.reply or answer.metadata:
        return answer.lead or ""
    return said_in_words(answer, several=len(answer.articles) > 1)


def _sources(answers: Sequence[Answer]) -> list[str]:
    """Each article quoted, once, with the hash of the text that the offsets count in."""
    articles = dict.fromkeys(c.article for answer in answers for c in answer.citations)
    return [f"{_source(article)} (SHA-256 of the text: {article.hash})" for article in articles]


def _source(article: ArticleRef) -> str:
    parts = (article.title, ", ".join(article.authors), article.published, article.url)
    return one_line(", ".join(part for part in parts if part)) or article.name


def _place(citation: Citation, answers: Sequence[Answer]) -> str:
    """Where a quote stands; in which article, where the conversation quotes several."""
    place = f"characters {citation.start}–{citation.end}"
    if known := place_of(citation):
        place = f"{known}, {place}"
    if len({c.article for answer in answers for c in answer.citations}) > 1:
        place += f" of {citation.article.name}"
    if citation.also_in:
        place += f"; also in {'; '.join(copy.name for copy in citation.also_in)}"
    return place


def _html(text: str) -> str:
    return html.escape(one_line(text))
