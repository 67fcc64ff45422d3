"""The best candidates are read with their neighbours, within their article, and no others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from index.reading.plaintext import article_from_text
from index.segmentation.sentences import split_sentences
from qa.reading.candidates import Places, read_best
from qa.reading.reader import default_reader

FIRST = article_from_text(
    "The bridge over the Tay was opened in 1887. William Barlow had designed it."
    " Rust made it unsafe, and it was shut in March 2021."
)
SECOND = article_from_text("The harbour froze in 1740. Fishermen crossed it on foot.")
ARTICLES = (FIRST, SECOND)
SPANS = [split_sentences(article.text, 0, len(article.text)) for article in ARTICLES]
PLACES = Places(
    spans=np.asarray([span for spans in SPANS for span in spans], dtype=np.int32),
    owners=np.repeat([0, 1], [len(spans) for spans in SPANS]).astype(np.int32),
    articles=ARTICLES,
)


def test_a_window_around_the_best_holds_its_neighbours_and_ends_with_its_article() -> None:
    scores = np.asarray([1, 9, 1, 1, 1], dtype=np.float32)
    readings = read_best(default_reader(), "Who designed the bridge?", scores, PLACES, 1)
    assert readings is not None
    assert {1, 2} <= set(readings.spans) <= {0, 1, 2}
    assert np.isnan(readings.margins[3:]).all()
    span = readings.spans[1]
    assert FIRST.text[span.start : span.end] == "William Barlow"
    assert readings.margins[1] == np.float32(span.margin) == np.nanmax(readings.margins)


def test_the_next_window_is_around_the_best_that_was_not_read() -> None:
    scores = np.asarray([7, 9, 8, 1, 2], dtype=np.float32)
    readings = read_best(default_reader(), "When did the harbour freeze?", scores, PLACES, 2)
    assert readings is not None
    assert {0, 1, 2} & set(readings.spans)
    span = readings.spans[int(np.nanargmax(readings.margins))]
    assert SECOND.text[span.start : span.end] == "1740"


def test_what_is_not_english_is_not_read() -> None:
    german = tuple(replace(article, language="de") for article in ARTICLES)
    places = replace(PLACES, articles=german)
    scores = np.ones(5, dtype=np.float32)
    assert read_best(default_reader(), "Who designed the bridge?", scores, places) is None


def test_candidates_with_something_between_them_are_read_apart() -> None:
    """Passages that were not found leave a gap, over which no sentence leads to the next."""
    apart = replace(PLACES, spans=PLACES.spans[[0, 2]], owners=PLACES.owners[[0, 2]])
    readings = read_best(default_reader(), "When?", np.asarray([2.0, 1.0], np.float32), apart, 1)
    assert readings is not None
    assert set(readings.spans) == {0}
