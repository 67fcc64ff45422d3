"""A conversation as HTML: the best sentence first and large, then the others.

The page's script reads what it needs from ``data-`` attributes: where a citation stands
(``data-start``, ``data-end``) and what a copy button copies (``data-copy``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa.answer import NOT_FOUND, Answer, Citation
from qa.page.article_view import readable_date
from qa.page.markup import escape
from qa.sharing.export import quote_as_markdown, quote_as_text

__all__ = ["Turn", "confidence_in_words", "render_conversation"]

CLEAR, LIKELY = 0.5, 0.3
"""Of the bundled questions, answerable or not, the answer to 19 of 20 that are called clear is
right, and to 4 of 5 that are called likely; the probability itself is one among questions of
which half are made to mislead."""
FOLLOWING = "(following “"
"""Where a question was read after those before it, ``interpreted_as`` says so in these words."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and what came back.

    Attributes:
        answer: What came back.
        seconds: How long it took.
    """

    answer: Answer
    seconds: float


def confidence_in_words(confidence: float) -> str:
    """A probability as a reader would say it.

    >>> confidence_in_words(0.7), confidence_in_words(0.4), confidence_in_words(0.2)
    ('Clear answer', 'Likely answer', 'Uncertain answer')
    """
    if confidence >= CLEAR:
        return "Clear answer"
    return "Likely answer" if confidence >= LIKELY else "Uncertain answer"


def render_conversation(
    turns: Sequence[Turn],
    suggestions: Sequence[str] = (),
    *,
    pending: str | None = None,
    notice: str | None = None,
    several: bool = False,
) -> str:
    """The chat pane.

    Args:
        turns: What was asked and answered, oldest first.
        suggestions: Questions to offer next.
        pending: A question that is being answered.
        notice: A line for the reader that is not an answer: what went wrong, and what to do.
        several: Whether more than one article is asked, so that each citation names its own.
    """
    parts = [_turn(number, turn, several) for number, turn in enumerate(turns)]
    if pending is not None:
        parts.append(
            f'<section class="turn pending">{_question(pending)}'
            f'<p class="working">Reading the {"articles" if several else "article"}…</p></section>'
        )
    if notice is not None:
        parts.append(f'<p class="notice" role="alert" dir="auto">{escape(notice)}</p>')
    if not parts:
        parts.append(
            '<div class="welcome"><p class="lead">'
            f"Ask the {'articles' if several else 'article'} a question.</p>"
            "<p>You get the sentences that answer it, each marked in its place."
            " Nothing is generated, so nothing is made up.</p></div>"
        )
    if pending is None and suggestions:
        label = "You might ask next" if turns else "For example"
        options = "".join(
            f'<li><button type="button" class="suggestion" dir="auto">{escape(text)}</button></li>'
            for text in suggestions
        )
        parts.append(
            f'<nav class="suggestions" aria-label="Suggested questions"><p>{label}</p>'
            f"<ul>{options}</ul></nav>"
        )
    return f'<div class="conversation" data-turns="{len(turns)}">{"".join(parts)}</div>'


def _turn(number: int, turn: Turn, several: bool) -> str:
    answer = turn.answer
    body = _found(turn, several) if answer.found else _not_found(turn, several)
    return (
        f'<section class="turn" data-turn="{number}">{_question(answer.question)}{_read_as(answer)}'
        f'<div class="answer">{body}</div></section>'
    )


def _question(question: str) -> str:
    return f'<h2 class="question" dir="auto">{escape(question)}</h2>'


def _read_as(answer: Answer) -> str:
    """What the question was taken to mean; where those before it count, with a way to undo that."""
    if not answer.interpreted_as:
        return ""
    alone = '<button type="button" class="tool alone">Ask it alone</button>'
    return (
        f'<div class="read-as"><p dir="auto">Read as: {escape(answer.interpreted_as)}</p>'
        f"{alone if FOLLOWING in answer.interpreted_as else ''}</div>"
    )


def _found(turn: Turn, several: bool) -> str:
    best, *others = turn.answer.citations
    more = (
        f'<h3 class="more">Also in the {"articles" if several else "article"}</h3>'
        f'<ol class="others">{"".join(_other(citation, several) for citation in others)}</ol>'
        if others
        else ""
    )
    return (
        f'<div class="sure">{_confidence(turn.answer.confidence)}{_place(best, several)}</div>'
        f'<blockquote class="best" dir="auto">{escape(best.quote)} {_number(best)}</blockquote>'
        f"{_foot(turn, _tools(best))}{_why(turn.answer)}{more}"
    )


def _not_found(turn: Turn, several: bool) -> str:
    answer = turn.answer
    nearest = "".join(_other(citation, several) for citation in answer.citations)
    closest = (
        '<details class="closest"><summary>Closest, not an answer</summary>'
        f'<ol class="others">{nearest}</ol></details>'
        if nearest
        else ""
    )
    says = "The articles do not say" if several else NOT_FOUND.removesuffix(".")
    silent = f'<p class="silent">{says}</p>'
    return f"{silent}{_foot(turn)}{_why(answer)}{closest}"


def _why(answer: Answer) -> str:
    """What supported or undermined the answer, behind a fold; open where there is nothing else."""
    reasons = "".join(f'<li dir="auto">{escape(reason)}</li>' for reason in answer.why)
    if not reasons:
        return ""
    unfolded = "" if answer.citations else " open"
    return f'<details class="why"{unfolded}><summary>Why this</summary><ul>{reasons}</ul></details>'


def _other(citation: Citation, several: bool) -> str:
    return (
        f'<li><p dir="auto">{_number(citation)} <q>{escape(citation.quote)}</q></p>'
        f'<div class="under">{_place(citation, several)}{_tools(citation)}</div></li>'
    )


def _number(citation: Citation) -> str:
    passage = citation.passage
    return (
        f'<a class="cite" href="#u{citation.start}" data-article="{escape(citation.article.id)}"'
        f' data-start="{citation.start}" data-end="{citation.end}"'
        f' data-passage="{passage.start}-{passage.end}" data-number="{citation.number}"'
        f' aria-label="Citation {citation.number}, show in the article">{citation.number}</a>'
    )


def _place(citation: Citation, several: bool) -> str:
    """Where a quote stands: its article, where that is not the only one, and the place in it."""
    passage, article = citation.passage, citation.article
    where = passage.heading
    if where is None and passage.paragraph is not None:
        where = f"Paragraph {passage.paragraph + 1}"
    page = f"page {passage.page}" if passage.page else None
    place = escape(" · ".join(part for part in (where, page) if part))
    if several:
        names = [article.title or "Untitled", readable_date(article.published)]
        name = escape(" · ".join(part for part in names if part))
        place = f"<cite>{name}</cite>{' · ' if place else ''}{place}"
    if citation.also_in:
        copies = "; ".join(copy.title or "Untitled" for copy in citation.also_in)
        place += f"{' · ' if place else ''}also in {escape(copies)}"
    return f'<span class="place" dir="auto">{place}</span>' if place else ""


def _tools(citation: Citation) -> str:
    """Copy buttons: the quote with its source, as text, as Markdown and as a link."""
    forms = {"Copy": quote_as_text(citation), "Markdown": quote_as_markdown(citation)}
    if citation.deep_link:
        forms["Link"] = citation.deep_link
    buttons = "".join(
        f'<button type="button" class="tool copy" data-copy="{escape(text)}"'
        f' aria-label="{name}: quote {citation.number}">{name}</button>'
        for name, text in forms.items()
    )
    return f'<span class="tools">{buttons}</span>'


def _confidence(confidence: float) -> str:
    words = confidence_in_words(confidence)
    tip = f"The first three citations hold the answer with probability {confidence:.0%}"
    return (
        f'<span class="confidence" data-level="{words.split()[0].lower()}" tabindex="0"'
        f' data-tip="{tip}">{words}<span class="unseen">. {tip}</span></span>'
    )


def _foot(turn: Turn, tools: str = "") -> str:
    """What can be done with the answer, how long it took, and whether it was right."""
    thumbs = "".join(
        f'<button type="button" class="tool thumb" data-verdict="{verdict}" aria-pressed="false"'
        f' aria-label="{label}">{word}</button>'
        for verdict, word, label in (
            ("right", "Yes", "Yes, this is right"),
            ("wrong", "No", "No, this is wrong"),
        )
    )
    return (
        f'<div class="foot">{tools}<span class="time">{_duration(turn.seconds)}</span>'
        '<span class="verdict" role="group" aria-label="Is this right?">Right?'
        f" {thumbs}</span></div>"
    )


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
