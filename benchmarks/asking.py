"""A question beside its candidates, taken apart, for whatever fits weights to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from index.archive.store import Snapshot
from index.models.encoder import Encoding, Float32
from index.scoring.pool import Pool
from qa.ranking.candidates import candidates_of, find_rows, parse_question, query_of
from qa.ranking.content_words import Wording, wording
from qa.ranking.features import Candidates, Interaction, Query, interact
from qa.ranking.fusion import Coefficients, Fused, coefficients, fuse, with_reading
from qa.ranking.ranking import as_quoted, places_of
from qa.reading.candidates import Places

__all__ = ["EVERY", "Compared", "compare"]

EVERY = 1_000_000
"""More passages than there are."""


@dataclass(frozen=True)
class Compared:
    """All that `qa.ranking.ranking.score` scores, and the scores without a reader."""

    pool: Pool
    query: Query
    candidates: Candidates
    interaction: Interaction
    wording: Wording
    places: Places
    fused: Fused

    def read(self, margins: Float32 | None, fitted: Coefficients | None = None) -> Fused:
        """The scores in the light of what was read, where something was."""
        if margins is None:
            return self.fused
        starts = self.candidates.sentence_starts
        return with_reading(self.fused, margins, fitted or coefficients(), starts)

    def quoted(self, fused: Fused) -> Float32:
        """The scores of sentences as they are quoted, float32 ``(n_sentences,)``."""
        return as_quoted(fused, self.candidates, self.wording)


def compare(snapshot: Snapshot, question: str, encoding: Encoding, n_passages: int) -> Compared:
    """Put a question beside its candidates, as `qa.ranking.ranking.rank` does.

    Args:
        snapshot: What is asked.
        question: As it is read.
        encoding: Made of it by the model that made the snapshot.
        n_passages: Passages to compare; `EVERY` for all.
    """
    parsed = parse_question(snapshot, question, encoding)
    rows = find_rows(snapshot, [parsed], [None], n_passages)
    pool = snapshot.pool(rows, parsed.known)
    query = query_of(snapshot, parsed)
    columns = np.arange(len(parsed.known)).tolist()
    candidates = candidates_of(pool, columns, snapshot.statistics, parsed)
    interaction = interact(candidates)
    return Compared(
        pool,
        query,
        candidates,
        interaction,
        wording(question, encoding, parsed.known, parsed.language),
        places_of(snapshot, pool),
        fuse(query, candidates, coefficients(), interaction=interaction),
    )
