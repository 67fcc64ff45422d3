"""The contract between an archive and where it is kept: a folder here, a cluster elsewhere.

A store offers a dense search, a lexical search, filters, and the stored passages; fusion,
late interaction and confidence happen above it, so every store ranks alike. Scores are
computed from statistics of the archive's own, never a shard's.

    PreparedArticle ─▶ Store.add ─▶ committed ─▶ Store.read() ─▶ Snapshot ─▶ Pool
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass, field
from datetime import date
from operator import add, sub
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.article import Article
from index.errors import QuestionError
from index.models.encoder import Float32, Int32, Progress

if TYPE_CHECKING:
    # Preparing a model imports this package beside torch, whose OpenMP is not FAISS's.
    from index.scoring.pool import Pool

__all__ = [
    "Entry",
    "Hits",
    "Int64",
    "ModelRef",
    "PreparedArticle",
    "PreparedPassage",
    "Snapshot",
    "Statistics",
    "Store",
    "StoredSnapshot",
    "Where",
]

Int64: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ModelRef:
    """The embedding model that made an archive's vectors.

    Attributes:
        name: What the user called it.
        fingerprint: Equal fingerprints mean interchangeable vectors.
        dimension: Width of every vector.
    """

    name: str
    fingerprint: str
    dimension: int


@dataclass(frozen=True, slots=True)
class Where:
    """Which articles are asked. Every condition that is given must hold.

    Names are compared whole, upper and lower case alike.

    Attributes:
        published_from: First day of publication. An article known only by its year or month
            counts if any day of it does; one without a date never does.
        published_until: Last day of publication, included.
        authors: Any of these.
        sites: Any of these publications.
        tags: Any of these.
        ids: Any of these article ids.
    """

    published_from: date | None = None
    published_until: date | None = None
    authors: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what would silently match nothing, or everything."""
        for name in ("published_from", "published_until"):
            day = getattr(self, name)
            if day is not None and type(day) is not date:
                raise QuestionError(f"{name} must be a datetime.date, not {day!r}")
        first, last = self.published_from, self.published_until
        if first and last and first > last:
            raise QuestionError(f"no day is both from {first} and until {last}; swap them")
        for name in ("authors", "sites", "tags", "ids"):
            values = getattr(self, name)
            if not isinstance(values, tuple) or not all(isinstance(v, str) and v for v in values):
                raise QuestionError(f"{name} must be a tuple of names, not {values!r}")

    def __bool__(self) -> bool:
        """Whether any condition is given."""
        return self != Where()


@dataclass(frozen=True, slots=True)
class Entry:
    """What an archive knows of an article without opening it.

    Attributes:
        id: The article's.
        hash: The article's.
        title: The article's; so are the next six.
        authors: Names, in the order of the byline.
        published: ISO 8601, or None.
        modified: The same for the last change.
        site: Name of the publication, or None.
        url: Where it can be read, or None.
        language: ISO 639-1, or None.
        tags: Given when it was added, in their order.
        source: Where it was read from, as the caller named it, or None.
        added: When, ISO 8601 in UTC.
        n_passages: How many it has.
        n_characters: Length of its text in code points.
    """

    id: str
    hash: str
    title: str | None
    authors: tuple[str, ...]
    published: str | None
    modified: str | None
    site: str | None
    url: str | None
    language: str | None
    tags: tuple[str, ...] = ()
    source: str | None = None
    added: str = ""
    n_passages: int = 0
    n_characters: int = 0


@dataclass(frozen=True, slots=True)
class PreparedPassage:
    """One passage with all that is computed once for it.

    Attributes:
        start: First code point in the article.
        end: One past the last.
        paragraph: Number of its paragraph, from 0.
        page: Page it stands on, from 1, or None.
        vector: float32 ``(dim,)``, L2-normalised.
        token_vectors: float32 ``(n_tokens, dim)``, each L2-normalised.
        token_ids: int32 ``(n_tokens,)``.
        sentence_spans: int32 ``(n_sentences, 2)``, code points in the article.
        token_starts: int32 ``(n_sentences + 1,)`` into the passage's own tokens.
        traits: uint8 ``(n_sentences, len(TRAITS))``.
        terms: The stemmed content words of each sentence.
    """

    start: int
    end: int
    paragraph: int
    page: int | None
    vector: Float32
    token_vectors: Float32
    token_ids: Int32
    sentence_spans: Int32
    token_starts: Int32
    traits: NDArray[np.uint8]
    terms: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class PreparedArticle:
    """An article cut, encoded and ready to be stored.

    Attributes:
        article: The article.
        passages: In the order of the text, one or more.
        tags: For filters.
        source: Where it was read from, for ``sync``.
    """

    article: Article
    passages: tuple[PreparedPassage, ...]
    tags: tuple[str, ...] = ()
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the lexical scores of an archive are computed from.

    Attributes:
        n_articles: Articles that can be asked.
        n_passages: Their passages.
        n_sentences: Their sentences.
        n_terms: Occurrences of terms in them.
    """

    n_articles: int = 0
    n_passages: int = 0
    n_sentences: int = 0
    n_terms: int = 0

    def __add__(self, other: Statistics) -> Statistics:
        return Statistics(*map(add, astuple(self), astuple(other)))

    def __sub__(self, other: Statistics) -> Statistics:
        return Statistics(*map(sub, astuple(self), astuple(other)))

    @property
    def passage_length(self) -> float:
        """Mean number of terms of a passage."""
        return self.n_terms / max(1, self.n_passages)

    @property
    def sentence_length(self) -> float:
        """Mean number of terms of a sentence."""
        return self.n_terms / max(1, self.n_sentences)


@dataclass(frozen=True, slots=True)
class Hits:
    """Passages found, best first, ties by row.

    Attributes:
        rows: int64 ``(n,)``: how the store names them.
        scores: float32 ``(n,)``, higher is better.
    """

    rows: Int64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    scores: Float32 = field(default_factory=lambda: np.zeros(0, dtype=np.float32))


class Snapshot(Protocol):
    """An archive, or one article, as it was at one moment: what one question is answered from."""

    @property
    def statistics(self) -> Statistics:
        """Of the whole archive, whatever the filter."""

    def document_frequencies(self, terms: Sequence[str]) -> Int32:
        """How many passages hold each term; 0 for one that none does."""

    def piece_frequencies(self, token_ids: Int32) -> Int32:
        """How many passages hold each word piece."""

    def dense(self, vector: Float32, k: int, where: Where | None = None) -> Hits:
        """The ``k`` passages whose vectors are nearest, by cosine."""

    def lexical(self, terms: Sequence[str], k: int, where: Where | None = None) -> Hits:
        """The ``k`` passages with the highest positive BM25, repeated terms counting again."""

    def pool(self, rows: Int64, terms: Sequence[str]) -> Pool:
        """The stored passages, side by side in the order asked for."""

    def article(self, article_id: str) -> Article:
        """An article, exactly as it was added.

        Raises:
            UnknownArticle: It is not there.
        """

    def entries(
        self, where: Where | None = None, *, limit: int | None = None, offset: int = 0
    ) -> tuple[Entry, ...]:
        """Articles in the order in which they were added."""


class StoredSnapshot(Snapshot, Protocol):
    """A snapshot of what a store keeps, which can be copied to another store."""

    def prepared(self, article_id: str) -> PreparedArticle:
        """An article with all that was computed for it, for another store.

        Raises:
            UnknownArticle: It is not there.
        """


class Store(Protocol):
    """Where an archive is kept. Safe to share between threads; one writer at a time."""

    @property
    def model(self) -> ModelRef:
        """The model whose vectors it holds."""

    def read(self) -> AbstractContextManager[StoredSnapshot]:
        """A consistent view: later changes do not show in it."""

    def add(self, articles: Sequence[PreparedArticle], *, replacing: Sequence[str] = ()) -> None:
        """Store articles, all or none; on return they survive a crash and can be asked.

        An article that is there already is replaced: its metadata may have changed.

        Args:
            articles: What to add.
            replacing: Ids of articles that they take the place of, in the same step.
        """

    def remove(self, article_ids: Sequence[str]) -> None:
        """Take articles away, all or none.

        Raises:
            UnknownArticle: One is not there; nothing was removed.
        """

    def flush(self, progress: Progress | None = None) -> None:
        """Bring the derived indexes up to date where that pays."""

    def compact(self, progress: Progress | None = None) -> None:
        """Rebuild the derived indexes and give back the space of what was removed."""

    def index_state(self) -> str:
        """In words: the kind of the dense index, and how much of the archive it covers."""

    def close(self) -> None:
        """Let go of files and connections."""
