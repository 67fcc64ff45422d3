"""The reader names the words that answer, inside one sentence, and says how sure it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from index.errors import ModelError
from qa.reading.reader import Reader, Span, Window, default_reader, reads

TEXT = (
    "Amazon halted the sale of Rekognition to the police for one year in June 2020."
    " Critics had said that the software misread dark faces.\n\n"
    "Nathan Freed Wessler, a deputy project director at the ACLU, praised the pause (a “big win”)."
)
SENTENCES = ((0, 78), (79, 134), (136, 229))


def window(*rows: int) -> Window:
    sentences = tuple(SENTENCES[row] for row in rows)
    start, end = sentences[0][0], sentences[-1][1]
    return Window(TEXT[start:end], start, sentences)


def best(question: str, *rows: int) -> Span:
    (spans,) = default_reader().read(question, [window(*rows)])
    return max(filter(None, spans), key=lambda span: span.margin)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("When did Amazon halt the sale?", "June 2020"),
        ("For how long was the sale halted?", "one year"),
        ("Who praised the pause?", "Freed Wessler"),
        ("What did critics say the software misread?", "dark faces"),
    ],
)
def test_it_names_the_words_that_answer(question: str, words: str) -> None:
    span = best(question, 0, 1, 2)
    assert words in TEXT[span.start : span.end]
    assert span.end - span.start < len(words) + 30
    assert span.margin > 0


@pytest.mark.parametrize(
    "question", ["How much does Rekognition cost?", "Who is the chief executive of Amazon?"]
)
def test_what_the_text_does_not_say_has_a_lower_margin_than_what_it_does(question: str) -> None:
    assert best(question, 0, 1, 2).margin < best("When did Amazon halt the sale?", 0, 1, 2).margin


def test_offsets_are_the_articles_wherever_the_window_begins() -> None:
    late = best("Who praised the pause?", 2)
    assert "Wessler" in TEXT[late.start : late.end]


def test_every_sentence_has_its_own_span_and_none_leaves_it() -> None:
    (spans,) = default_reader().read("Who said what?", [window(0, 1, 2)])
    for span, (start, end) in zip(spans, SENTENCES, strict=True):
        assert span is None or start <= span.start < span.end <= end
        words = "" if span is None else TEXT[span.start : span.end]
        assert words == words.strip(" .,;“”")


def test_windows_are_read_each_by_itself() -> None:
    reader, question = default_reader(), "Who praised the pause?"
    alone = [reader.read(question, [window(row)])[0] for row in (0, 1, 2)]
    assert reader.read(question, [window(row) for row in (0, 1, 2)]) == alone


def test_threads_share_it() -> None:
    reader = default_reader()
    questions = ["Who praised the pause?", "When did Amazon halt the sale?"] * 4
    alone = [reader.read(question, [window(0, 1, 2)]) for question in questions]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda q: reader.read(q, [window(0, 1, 2)]), questions)) == alone


@pytest.mark.parametrize("question", ["?", "why " * 500, "\ud800 who?", "谁 said", "\0"])
def test_it_reads_any_question(question: str) -> None:
    (spans,) = default_reader().read(question, [window(0, 1, 2)])
    assert len(spans) == 3


def test_what_is_too_long_is_read_from_its_beginning() -> None:
    text = "He said yes. " + "word " * 900
    long = Window(text, 0, ((0, 12), (13, len(text)), (len(text), len(text))))
    (spans,) = default_reader().read("What did he say?", [long])
    assert spans[0] is not None
    assert spans[2] is None


def test_it_reads_english() -> None:
    assert reads("en-GB")
    assert reads(None)
    assert not reads("de")


def test_a_folder_without_a_reader_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no reader\.onnx"):
        Reader(tmp_path)


def test_it_says_what_it_was_trained_on() -> None:
    provenance = default_reader().provenance
    assert {"data", "command", "tokens_seen", "held_out_figures"} <= set(provenance)
