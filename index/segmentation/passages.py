"""An article cut into sentences and passages, by offsets alone.

A sentence is what a citation quotes; a passage is what the encoder reads in one pass:
whole sentences under one heading. Short paragraphs, as news articles and lists have them,
are read together with their neighbours, for they speak of "the company" and "the practice"
that those name. A paragraph that does not fit becomes several passages of about equal
length rather than a full one and a stub.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from index.article import Article, Block, BlockKind
from index.errors import EmptyArticle
from index.segmentation.sentences import SEGMENTER, split_sentences

__all__ = ["SEGMENTATION", "Passage", "Sentence", "begins", "segment"]

SEGMENTATION = f"{SEGMENTER} passages/5"
"""Name and version of where sentences and passages are cut; an index records it."""

SHORT_PASSAGE = 96
"""Word pieces under which a passage takes in the next paragraph, if it can,"""
LONG_PASSAGE = 192
"""without growing beyond this: about the paragraphs of an encyclopedia."""
MAX_SENTENCE_CHARS = 1000
"""A longer "sentence" is a list or a table that lost its line ends, and no quote to read."""

Span: TypeAlias = tuple[int, int]
TokenCounter: TypeAlias = Callable[[Sequence[str]], list[int]]

_SENTENCE_END = re.compile(r"[.!?…。！？؟।][\"'”’»)\]]*$")
_CLAUSE_ENDS = ",;:—–)"
_JOINERS = frozenset("\u200d\ufe0f")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A quotable stretch ``article.text[start:end]`` and the passage it stands in.

    Attributes:
        start: First code point.
        end: One past the last code point.
        passage: Row of its passage.
    """

    start: int
    end: int
    passage: int


@dataclass(frozen=True, slots=True)
class Passage:
    """Whole sentences under one heading, read together by the encoder.

    Attributes:
        start: First code point of its first sentence.
        end: One past the last code point of its last sentence.
        heading: The heading it stands under, or None.
        paragraph: Number of its first paragraph among the citable ones, from 0.
        first: Row of its first sentence.
        last: One past the row of its last sentence.
        page: Page it stands on, from 1, where the source has pages.
    """

    start: int
    end: int
    heading: str | None
    paragraph: int
    first: int
    last: int
    page: int | None = None


def begins(passage: Passage, sentences: Sequence[Sentence]) -> list[int]:
    """Where the sentences of a passage begin, in code points from its own start.

    Args:
        passage: The passage.
        sentences: All of its article.
    """
    return [s.start - passage.start for s in sentences[passage.first : passage.last]]


def segment(
    article: Article, count_tokens: TokenCounter, max_tokens: int
) -> tuple[tuple[Passage, ...], tuple[Sentence, ...]]:
    """Cut an article into passages that fit an encoder, and their sentences.

    Args:
        article: What to cut.
        count_tokens: The encoder's own count of the word pieces in each text.
        max_tokens: Word pieces that fit into one pass.

    Returns:
        Passages and sentences, both in the order of the text. Every citable character
        that is not white space lies in exactly one of each, captions that are mere labels
        aside.

    Raises:
        EmptyArticle: There is not one sentence.
    """
    text = article.text
    passages: list[Passage] = []
    sentences: list[Sentence] = []
    for run in _runs(article, count_tokens, max_tokens):
        for first, last in _packed(text, run.spans, run.counts, count_tokens, max_tokens):
            row = len(sentences)
            spans = run.spans[first:last]
            sentences.extend(Sentence(*span, len(passages)) for span in spans)
            passages.append(
                Passage(
                    start=spans[0][0],
                    end=spans[-1][1],
                    heading=run.heading,
                    paragraph=run.paragraph,
                    first=row,
                    last=len(sentences),
                    page=run.page,
                )
            )
    if not passages:
        raise EmptyArticle("the article holds no sentence; give one with at least one")
    return tuple(passages), tuple(sentences)


@dataclass(slots=True)
class _Run:
    """Sentences that are to be read together, as far as they fit."""

    heading: str | None
    paragraph: int
    page: int | None
    spans: list[Span]
    counts: list[int]

    def takes(self, heading: str | None, page: int | None, counts: list[int]) -> bool:
        """Whether it is still short, and the next paragraph belongs to it and fits."""
        filled = sum(self.counts)
        return (
            filled < SHORT_PASSAGE
            and filled + sum(counts) <= LONG_PASSAGE
            and (heading, page) == (self.heading, self.page)
        )


def _runs(article: Article, count_tokens: TokenCounter, max_tokens: int) -> Iterator[_Run]:
    """Paragraphs in order, short neighbours together."""
    heading: str | None = None
    paragraph = 0
    run: _Run | None = None
    for block in article.blocks:
        if block.kind is BlockKind.HEADING:
            heading = " ".join(article.text[block.start : block.end].split())
        if not block.kind.citable or _is_label(article, block):
            # What stands between would otherwise be read and shown as part of the passage.
            if run:
                yield run
            run = None
            continue
        spans, counts = _quotable(article, block, count_tokens, max_tokens)
        if run and run.takes(heading, block.page, counts):
            run.spans += spans
            run.counts += counts
        else:
            if run:
                yield run
            run = _Run(heading, paragraph, block.page, spans, counts)
        paragraph += 1
    if run:
        yield run


def _is_label(article: Article, block: Block) -> bool:
    """Whether a block is a caption that says nothing: "Representational Image"."""
    text = article.text[block.start : block.end]
    return block.kind is BlockKind.CAPTION and not _SENTENCE_END.search(text)


def _quotable(
    article: Article, block: Block, count_tokens: TokenCounter, max_tokens: int
) -> tuple[list[Span], list[int]]:
    """The block's sentences and their word pieces; one that is too long comes in parts."""
    text = article.text
    spans = [
        part
        for span in split_sentences(text, block.start, block.end, article.language)
        for part in _readable(text, *span)
    ]
    counts = count_tokens([text[start:end] for start, end in spans])
    while max(counts, default=0) > max_tokens:
        halved = [
            part
            for (start, end), count in zip(spans, counts, strict=True)
            for part in (
                _halves(text, start, end)
                if count > max_tokens and end - start > 1
                else [(start, end)]
            )
        ]
        if len(halved) == len(spans):
            break
        spans, counts = halved, count_tokens([text[start:end] for start, end in halved])
    return spans, counts


def _readable(text: str, start: int, end: int) -> Iterator[Span]:
    """The span, in parts of at most ``MAX_SENTENCE_CHARS``."""
    while end - start > MAX_SENTENCE_CHARS:
        cut = _best_cut(text, start + MAX_SENTENCE_CHARS // 2, start + MAX_SENTENCE_CHARS)
        yield from _trimmed(text, start, cut)
        start = cut
    yield from _trimmed(text, start, end)


def _halves(text: str, start: int, end: int) -> Iterator[Span]:
    """The span in two, cut near its middle."""
    quarter = (end - start) // 4
    cut = _best_cut(text, start + max(1, quarter), max(start + 2, end - quarter))
    yield from _trimmed(text, start, cut)
    yield from _trimmed(text, cut, end)


def _best_cut(text: str, low: int, high: int) -> int:
    """Where to cut in ``low <= cut < high``: after a clause, else between words, else anywhere."""
    for after in (_CLAUSE_ENDS, None):
        for at in range(high - 1, low - 1, -1):
            if text[at].isspace() and (after is None or text[at - 1] in after):
                return at
    for at in range(high - 1, low - 1, -1):
        # Never between a letter and its accent, nor inside a joined emoji.
        if not unicodedata.combining(text[at]) and not {text[at - 1], text[at]} & _JOINERS:
            return at
    return high - 1


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    """The span without white space at its ends; nothing where there is only that."""
    stripped = text[start:end].strip()
    if stripped:
        start = text.index(stripped[0], start, end)
        yield start, start + len(stripped)


def _packed(
    text: str, spans: list[Span], counts: list[int], count_tokens: TokenCounter, max_tokens: int
) -> Iterator[Span]:
    """Runs ``first, last`` of sentences that fit into one pass together, evenly filled."""
    if not spans:
        return
    total = sum(counts)
    target = total / max(1, math.ceil(total / max_tokens))
    first, filled = 0, 0
    for row, count in enumerate(counts):
        if row > first and (filled + count > max_tokens or filled + count / 2 > target):
            yield from _checked(text, spans, first, row, count_tokens, max_tokens)
            first, filled = row, 0
        filled += count
    yield from _checked(text, spans, first, len(spans), count_tokens, max_tokens)


def _checked(
    text: str,
    spans: list[Span],
    first: int,
    last: int,
    count_tokens: TokenCounter,
    max_tokens: int,
) -> Iterator[Span]:
    """The run itself, or halves of it: some tokenizers count a whole as more than its parts."""
    if last - first > 1:
        (count,) = count_tokens([text[spans[first][0] : spans[last - 1][1]]])
        if count > max_tokens:
            middle = (first + last) // 2
            yield from _checked(text, spans, first, middle, count_tokens, max_tokens)
            yield from _checked(text, spans, middle, last, count_tokens, max_tokens)
            return
    yield first, last
