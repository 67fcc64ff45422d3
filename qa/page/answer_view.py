"""An answer as HTML: the best sentence first and large, then the others.

The page's script reads what it needs from ``data-`` attributes: where a citation stands
(``data-start``, ``data-end``) and what a copy button copies (``data-copy``).
"""

from __future__ import annotations

from collections.abc import Sequence

from qa.answer import Answer, Citation
from qa.page.markup import escape
from qa.question.lists import listing
from qa.question.parts import parts_of
from qa.sharing.export import (
    place_of,
    quote_as_markdown,
    quote_as_text,
    readable_date,
    said_in_words,
)
from qa.sharing.reference import quote_as_apa, quote_as_bibtex

__all__ = ["render_suggestions", "render_turn", "render_welcome"]

NEAR = 0.6
"""A citation after the first is shown from this share of its score on: what scores lower has
little to do with the question."""
FOLLOWING = "(following “"
"""Where a question was read after those before it, ``interpreted_as`` says so in these words."""


_THUMB = (
    '<svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"><path fill="none"'
    ' stroke="currentColor" stroke-width="1.8" stroke-linejoin="round" d="M7 11l4-8a2 2 0 0 1 2.5'
    ' 2.5L12.5 9H19a2 2 0 0 1 2 2.4l-1.3 7A2 2 0 0 1 17.7 20H7zM7 11H3v9h4"/></svg>'
)


def render_welcome(suggestions: Sequence[str], *, several: bool = False) -> str:
    """What stands where nothing was asked yet."""
    what = "these articles" if several else "this article"
    return (
        f'<div class="welcome"><p class="lead">Ask {what}, or drop your own</p>'
        "<p>A web address, a PDF, a Word file, text. You get the sentences that answer, each"
        " marked in its place. Nothing is generated, so nothing is made up.</p></div>"
        f"{render_suggestions(suggestions)}"
    )


def render_suggestions(suggestions: Sequence[str], *, asked: bool = False) -> str:
    """Questions to ask with a click: to begin with, or after others were ``asked``."""
    if not suggestions:
        return ""
    options = "".join(
        f'<li><button type="button" class="suggestion" dir="auto">{escape(text)}</button></li>'
        for text in suggestions
    )
    return (
        '<nav class="suggestions" aria-label="Suggested questions">'
        f"<p>{'You might ask next' if asked else 'For example'}</p><ul>{options}</ul></nav>"
    )


def render_turn(answer: Answer, *, several: bool = False) -> str:
    """One question and its answer.

    Args:
        answer: What came of the question.
        several: Whether more than one article was asked, so that each citation names its own.
    """
    if answer.reply:
        body = f'<p class="silent reply">{escape(answer.reply)}</p>'
    else:
        body = _found(answer, several) if answer.found else _not_found(answer, several)
    return (
        f'<h2 class="question" dir="auto">{escape(answer.question)}</h2>{_read_as(answer)}'
        f'<div class="answer">{body}</div>'
    )


def _read_as(answer: Answer) -> str:
    """What the question was taken to mean; where those before it count, with a way to undo that."""
    if not answer.interpreted_as:
        return ""
    alone = '<button type="button" class="tool alone">Ask it alone</button>'
    return (
        f'<div class="read-as"><p dir="auto">Read as: {escape(answer.interpreted_as)}</p>'
        f"{alone if FOLLOWING in answer.interpreted_as else ''}</div>"
    )


def _found(answer: Answer, several: bool) -> str:
    if answer.metadata:
        return _declared(answer, several)
    if answer.kind == "overview":
        return _overview(answer, several)
    best, *others = answer.citations
    # Of a list all was wanted, and of several questions put as one an answer to each.
    listed, parts = listing(answer.question) is not None, len(parts_of(answer.question))
    near = [
        citation
        for citation in others
        if listed
        or citation.number <= parts
        or citation.exact
        or citation.score >= NEAR * best.score
    ]
    more = (
        f'<details class="also"{" open" if listed or parts > 1 else ""}><summary>'
        f"Also in the {'articles' if several else 'article'}</summary>"
        f'<ol class="others">{"".join(_other(citation, several) for citation in near)}</ol>'
        "</details>"
        if near
        else ""
    )
    state = "says" if answer.sure else "may"
    return (
        f'<blockquote class="best {state}" dir="auto">{_quote(best)} {_number(best)}</blockquote>'
        f'<p class="sure"><span class="confidence" data-state="{state}">'
        f"{said_in_words(answer, several=several)}</span>"
        f"{_place(best, several)}</p>{_foot(best)}{_why(answer)}{more}"
    )


def _overview(answer: Answer, several: bool) -> str:
    """The article told in some of its own sentences, each with its place."""
    told = "".join(_other(citation, several) for citation in answer.citations)
    return (
        f'<ol class="best overview others">{told}</ol>'
        f'<p class="sure">{said_in_words(answer, several=several)}</p>{_foot()}{_why(answer)}'
    )


def _declared(answer: Answer, several: bool) -> str:
    """What the source declares, told from a quote, and how its text begins."""
    facts = f'<p class="silent" dir="auto">{escape(answer.lead or "")}</p>'
    begins = "".join(_other(citation, several) for citation in answer.citations)
    return (
        f'{facts}{_foot()}{_why(answer)}<details class="closest"><summary>'
        f"{escape((answer.label or '').removesuffix(':'))}</summary>"
        f'<ol class="others">{begins}</ol></details>'
    )


def _not_found(answer: Answer, several: bool) -> str:
    nearest = "".join(_other(citation, several) for citation in answer.citations)
    closest = (
        '<details class="closest"><summary>Closest, not an answer</summary>'
        f'<ol class="others">{nearest}</ol></details>'
        if nearest
        else ""
    )
    says = said_in_words(answer, several=several)
    return f'<p class="silent">{says}</p>{_foot()}{_why(answer)}{closest}'


def _why(answer: Answer) -> str:
    """What supported or undermined the answer, behind a fold; open where there is nothing else."""
    reasons = "".join(f'<li dir="auto">{escape(reason)}</li>' for reason in answer.why)
    if not reasons:
        return ""
    unfolded = "" if answer.citations else " open"
    return f'<details class="why"{unfolded}><summary>Why this</summary><ul>{reasons}</ul></details>'


def _other(citation: Citation, several: bool) -> str:
    return (
        f'<li><p dir="auto">{_number(citation)} <q>{_quote(citation)}</q></p>'
        f'<div class="under">{_place(citation, several)}{_copy(citation)}</div></li>'
    )


def _quote(citation: Citation) -> str:
    """The sentence, its exact words marked."""
    if not citation.exact:
        return escape(citation.quote)
    start, end = citation.exact.start - citation.start, citation.exact.end - citation.start
    exact, after = citation.quote[start:end], citation.quote[end:]
    return f"{escape(citation.quote[:start])}<mark>{escape(exact)}</mark>{escape(after)}"


def _number(citation: Citation) -> str:
    passage, exact = citation.passage, citation.exact
    words = f' data-exact="{exact.start}-{exact.end}"' if exact else ""
    return (
        f'<a class="cite" href="#cite={citation.start}-{citation.end}"'
        f' data-article="{escape(citation.article.id)}"'
        f' data-start="{citation.start}" data-end="{citation.end}"{words}'
        f' data-passage="{passage.start}-{passage.end}" data-number="{citation.number}"'
        f' aria-label="Citation {citation.number}, show in the article">{citation.number}</a>'
    )


def _place(citation: Citation, several: bool) -> str:
    """Where a quote stands: its article, where that is not the only one, and the place in it."""
    article = citation.article
    place = escape(place_of(citation))
    if several:
        names = [article.title or "Untitled", readable_date(article.published)]
        name = escape(" · ".join(part for part in names if part))
        place = f"<cite>{name}</cite>{' · ' if place else ''}{place}"
    if citation.also_in:
        copies = "; ".join(copy.title or "Untitled" for copy in citation.also_in)
        place += f"{' · ' if place else ''}also in {escape(copies)}"
    return f'<span class="place" dir="auto">{place}</span>' if place else ""


def _copy(citation: Citation, name: str = "Copy", text: str | None = None) -> str:
    """A button that copies a quote with its source, as plain text unless told otherwise."""
    return (
        f'<button type="button" class="tool copy" aria-label="{name}: quote {citation.number}"'
        f' data-copy="{escape(quote_as_text(citation) if text is None else text)}">{name}</button>'
    )


def _foot(best: Citation | None = None) -> str:
    """What can be done with the answer, and whether it was right."""
    forms = ""
    if best:
        copies = {
            "Markdown": quote_as_markdown(best),
            "APA": quote_as_apa(best),
            "BibTeX": quote_as_bibtex(best),
            "Link": best.deep_link,
        }
        forms = "".join(_copy(best, name, text) for name, text in copies.items() if text)
    thumbs = "".join(
        f'<button type="button" class="tool thumb" data-verdict="{verdict}" aria-pressed="false"'
        f' aria-label="{label}" title="{label}">{_THUMB}</button>'
        for verdict, label in (("right", "Yes, this is right"), ("wrong", "No, this is wrong"))
    )
    return (
        f'<div class="foot">{_copy(best) if best else ""}'
        '<details class="more"><summary aria-label="More: copy as, ask again, delete">…</summary>'
        f'<div class="menu">{forms}<button type="button" class="tool again">Edit and ask again'
        '</button><button type="button" class="tool delete">Delete</button></div></details>'
        '<span class="verdict" role="group" aria-label="Is this right?">'
        f'<span class="thanks"></span>{thumbs}</span></div>'
    )
