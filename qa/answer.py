"""What comes back from a question: the sentences that answer it, each in its place.

Values only. ``to_dict`` and ``from_dict`` are exact inverses under the JSON schema
``qa/answer.schema.json``, the one form that Python, the shell and every API share.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from textwrap import shorten
from typing import Any
from urllib.parse import quote as percent_encode

from index.errors import DataError
from qa.text import markdown_line, markdown_text, one_line, web_url

__all__ = [
    "SCHEMA",
    "SURE",
    "Answer",
    "ArticleRef",
    "Citation",
    "Declared",
    "Exact",
    "PassageRef",
]

SCHEMA = "article-qa/answer/3"
OLDER = frozenset({"article-qa/answer/1", "article-qa/answer/2"})
"""Schemas that are still read: they lack what came since, and contradict nothing."""

NOT_FOUND = "The article does not say."
NONE_FOUND = "The articles do not say."
UNSURE = "The article may say:"
NONE_SURE = "The articles may say:"
CLOSEST = "Closest, not an answer:"
BEGINS = "No line of its text says so; it begins:"
SURE = 0.5
"""Confidence from which an answer that is found is given without a "may"."""


@dataclass(frozen=True, slots=True)
class ArticleRef:
    """Which article a citation is from.

    Attributes:
        id: First 16 hex digits of ``hash``.
        hash: SHA-256 of the article's text, in hex.
        title: As printed, or None.
        authors: Names, in the order of the byline.
        published: ISO 8601, or None.
        url: Where it can be read, or None.
    """

    id: str
    hash: str
    title: str | None
    authors: tuple[str, ...]
    published: str | None
    url: str | None

    @property
    def name(self) -> str:
        """Its title, or its id where it has none."""
        return self.title or f"article {self.id}"


@dataclass(frozen=True, slots=True)
class PassageRef:
    """The passage around a citation: ``article.text[start:end] == text``.

    Attributes:
        text: The passage, as it stands in the article.
        start: First code point.
        end: One past the last code point.
        heading: The heading it stands under, or None.
        paragraph: Number of its paragraph, from 0; None for a title or a byline.
        page: Page it stands on, from 1, where the source has pages.
        score: Higher is better; comparable within one answer only.
        article: The article it is from; None in an answer that was kept by an older version.
    """

    text: str
    start: int
    end: int
    heading: str | None
    paragraph: int | None
    page: int | None
    score: float
    article: ArticleRef | None = None


@dataclass(frozen=True, slots=True)
class Exact:
    """The words of a quote that answer: ``article.text[start:end] == text``.

    Attributes:
        text: The words, as they stand in the article.
        start: First code point, in the quote.
        end: One past the last code point.
    """

    text: str
    start: int
    end: int


_LABELS = {
    "title": "Title",
    "authors": "Author",
    "published": "Published",
    "modified": "Updated",
    "site": "Publisher",
}


@dataclass(frozen=True, slots=True)
class Declared:
    """What a source declares of itself outside its text: metadata, never a quote.

    Attributes:
        name: Which attribute of ``Article`` it is: ``"published"``.
        value: Its value; of authors, all of them in one line.
        where: Where it is declared: ``"JSON-LD datePublished"``.
    """

    name: str
    value: str
    where: str

    def __str__(self) -> str:
        """On one line, told from a quote."""
        label = _LABELS.get(self.name, self.name)
        return f"{label}: {one_line(self.value)} (metadata, not a quote: {one_line(self.where)})"


@dataclass(frozen=True, slots=True)
class Citation:
    """One sentence of the article: ``article.text[start:end] == quote``, always.

    Attributes:
        number: 1 for the best.
        quote: The sentence, as it stands in the article.
        start: First code point.
        end: One past the last code point.
        score: Higher is better; comparable within one answer only.
        passage: The passage it stands in.
        article: The article it is from.
        also_in: Other articles that say the same, newest first: copies of one dispatch.
        exact: The words of it that answer; None where the reader is not sure, or off.
        metadata: What is asked about the article, where its source declares that and no line of
            its text says it: the quote then only shows which article is meant.
    """

    number: int
    quote: str
    start: int
    end: int
    score: float
    passage: PassageRef
    article: ArticleRef
    also_in: tuple[ArticleRef, ...] = ()
    exact: Exact | None = None
    metadata: tuple[Declared, ...] = ()

    @property
    def parts(self) -> tuple[tuple[str, bool], ...]:
        """The quote on one line, cut up; each part with whether it is the exact words."""
        if not self.exact:
            return ((one_line(self.quote), False),)
        start, end = self.exact.start - self.start, self.exact.end - self.start
        parts = (
            (one_line(self.quote[:start], keep_ends=True).lstrip(), False),
            (one_line(self.quote[start:end]), True),
            (one_line(self.quote[end:], keep_ends=True).rstrip(), False),
        )
        return tuple(part for part in parts if part[0])

    @property
    def as_markdown(self) -> str:
        """The quote on one line, its exact words bold."""
        return "".join(
            f"**{markdown_text(text)}**" if exact else markdown_text(text)
            for text, exact in self.parts
        )

    @property
    def as_html(self) -> str:
        """The quote on one line, escaped, its exact words in a ``<mark>``."""
        return "".join(
            f"<mark>{html.escape(text)}</mark>" if exact else html.escape(text)
            for text, exact in self.parts
        )

    def __repr__(self) -> str:
        place = f"{self.start}:{self.end} of {self.article.name!r}"
        return f"<Citation {self.number}: {_begin(self.quote)}, {place}>"

    @property
    def deep_link(self) -> str | None:
        """The article's URL with a text fragment that scrolls to the quote, or None.

        https://wicg.github.io/scroll-to-text-fragment/
        """
        url = web_url(self.article.url)
        return text_fragment(url, self.quote) if url else None


@dataclass(frozen=True, slots=True)
class Answer:
    """The evidence for one question: true where it is ``found``, a sequence of its citations.

    Attributes:
        question: As it was asked.
        interpreted_as: What a follow-up was read as; None where it was read as it stands.
        found: Whether the article answers it, by ``confidence``.
        confidence: Probability in [0, 1] that the first citation answers.
        citations: Best first. When not ``found``: the nearest sentences, not an answer.
        passages: Distinct passages, best first.
        why: What undermined or supported the answer, in plain words that may quote the question.
        reply: What to say to small talk ("thanks"), which asks the article nothing; else None.
        kind: ``"answer"``, ``"overview"`` where the article is told in short, ``"small talk"``
            where there is a ``reply``.
    """

    question: str
    interpreted_as: str | None
    found: bool
    confidence: float
    citations: tuple[Citation, ...]
    passages: tuple[PassageRef, ...]
    why: tuple[str, ...] = ()
    reply: str | None = None
    kind: str = "answer"

    @property
    def articles(self) -> tuple[ArticleRef, ...]:
        """The articles that are quoted, each once, in the order of the citations."""
        return tuple(dict.fromkeys(citation.article for citation in self.citations))

    @property
    def metadata(self) -> tuple[Declared, ...]:
        """What answers, where the source declares it and no line of its text says so."""
        return tuple(declared for citation in self.citations for declared in citation.metadata)

    @property
    def silence(self) -> str:
        """What to say when it is not ``found``: of one article, or of several."""
        if self.reply:
            return self.reply
        return NOT_FOUND if len(self.articles) == 1 else NONE_FOUND

    @property
    def sure(self) -> bool:
        """Whether the article says so; it may say so where this is not and ``found`` is."""
        return self.found and self.confidence >= SURE

    @property
    def lead(self) -> str | None:
        """What to say before the citations: metadata, that there is no answer, or may be one."""
        if not self.found:
            return self.silence
        if self.metadata:
            return "; ".join(map(str, self.metadata))
        return None if self.sure else UNSURE if len(self.articles) == 1 else NONE_SURE

    @property
    def label(self) -> str | None:
        """What to say over citations that do not answer; None where they do."""
        if not self.citations or (self.found and not self.metadata):
            return None
        return BEGINS if self.found else CLOSEST

    def __bool__(self) -> bool:
        return self.found

    def __len__(self) -> int:
        return len(self.citations)

    def __iter__(self) -> Iterator[Citation]:
        return iter(self.citations)

    def __getitem__(self, place: int) -> Citation:
        return self.citations[place]

    def __repr__(self) -> str:
        quotes = self.reply or "".join(_begin(citation.quote) for citation in self.citations[:1])
        more = f" and {len(self) - 1} more" if len(self) > 1 else ""
        found = "" if self.found else "not found, "
        return f"<Answer {found}confidence {self.confidence:.2f}: {quotes or 'no citation'}{more}>"

    def _repr_markdown_(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        items = "".join(
            f"<li>{citation.as_html} <small>{html.escape(citation.article.name)}</small></li>"
            for citation in self.citations
        )
        return f"<p>{html.escape(self.lead or '')}</p><ol>{items}</ol>"

    def __str__(self) -> str:
        """The answer as Markdown."""
        lines = [markdown_line(self.lead), ""] if self.lead else []
        lines += [self.label, ""] if self.label else []
        several = len(self.articles) > 1
        for citation in self.citations:
            lines += [f"> {citation.as_markdown} [{citation.number}]", ""]
            if several:
                lines += [f"— {_source(citation.article)}{_copies(citation)}", ""]
            elif citation.also_in:
                lines += [_copies(citation).removeprefix("; "), ""]
        if self.citations and not several:
            lines += [f"— {_source(self.citations[0].article)}"]
        return "\n".join(lines).strip()

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON-ready values, under ``answer.schema.json``."""
        data: dict[str, Any] = _jsonable({"schema": SCHEMA, **asdict(self)})
        data["metadata"] = [asdict(declared) for declared in self.metadata]
        for citation, values in zip(self.citations, data["citations"], strict=True):
            values["deep_link"] = citation.deep_link
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Answer:
        """The answer that ``to_dict`` gave, in this version or an older one.

        Raises:
            DataError: The mapping is of another schema, or not whole.
        """
        schema = data.get("schema") if isinstance(data, Mapping) else None
        if schema != SCHEMA and schema not in OLDER:
            raise DataError(f"expected an answer of schema {SCHEMA!r}, got {schema!r}")
        try:
            return cls(
                question=_typed(data["question"], str),
                interpreted_as=_typed(data["interpreted_as"], str, type(None)),
                found=_typed(data["found"], bool),
                confidence=float(data["confidence"]),
                citations=tuple(_citation(values) for values in data["citations"]),
                passages=tuple(map(_passage, data["passages"])),
                # Answers that were kept before there were reasons have none.
                why=tuple(_typed(reason, str) for reason in _typed(data.get("why", []), list)),
                reply=_typed(data.get("reply"), str, type(None)),
                kind=_typed(data.get("kind", "small talk" if data.get("reply") else "answer"), str),
            )
        except KeyError as error:
            raise DataError(f"the answer lacks {error}") from error
        except (TypeError, ValueError, AttributeError) as error:
            raise DataError(f"the answer is malformed: {error}") from error


def text_fragment(url: str, quote: str) -> str:
    """A URL that opens a page at a quote: ``url#:~:text=start,end``."""
    words = quote.split()
    whole = len(words) <= 12
    ends = [" ".join(words)] if whole else [" ".join(words[:5]), " ".join(words[-5:])]
    # A dash would be read as the fragment's own syntax, and percent_encode keeps it.
    encoded = (percent_encode(end, safe="", errors="replace").replace("-", "%2D") for end in ends)
    return f"{url.split('#')[0]}#:~:text={','.join(encoded)}"


def _begin(text: str) -> str:
    return f"“{shorten(one_line(text), 72, placeholder=' …')}”"


def _source(article: ArticleRef) -> str:
    parts = [_name(article), *map(markdown_line, article.authors), article.published, article.url]
    return ", ".join(part for part in parts if part)


def _name(article: ArticleRef) -> str:
    return f"*{markdown_line(article.title)}*" if article.title else f"article {article.id}"


def _copies(citation: Citation) -> str:
    """Where else a quote stands: "; also in *Title*, 2021-03-02"."""
    names = (
        ", ".join(part for part in (_name(copy), copy.published) if part)
        for copy in citation.also_in
    )
    return f"; also in {'; '.join(names)}" if citation.also_in else ""


def _typed(value: Any, *types: type) -> Any:  # noqa: ANN401 - the type is the argument
    if not isinstance(value, types):
        raise TypeError(f"expected {types[0].__name__}, got {value!r}")
    return value


def _citation(values: Mapping[str, Any]) -> Citation:
    return Citation(
        number=_typed(values["number"], int),
        quote=_typed(values["quote"], str),
        start=_typed(values["start"], int),
        end=_typed(values["end"], int),
        score=float(values["score"]),
        passage=_passage(values["passage"]),
        article=_article(values["article"]),
        also_in=tuple(map(_article, _typed(values.get("also_in", []), list))),
        exact=Exact(**exact) if (exact := values.get("exact")) else None,
        metadata=tuple(Declared(**declared) for declared in values.get("metadata", ())),
    )


def _passage(values: Mapping[str, Any]) -> PassageRef:
    article = values.get("article")
    return PassageRef(**{**values, "article": _article(article) if article else None})


def _article(values: Mapping[str, Any]) -> ArticleRef:
    return ArticleRef(**{**values, "authors": tuple(values["authors"])})


def _jsonable(value: Any) -> Any:  # noqa: ANN401 - whatever an answer is made of
    """Tuples as lists, all the way down, as JSON will have them."""
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_jsonable(item) for item in value]
    return value
