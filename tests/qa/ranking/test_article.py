"""Of a long article the passages that promise most are read, and rank as if all were."""

from __future__ import annotations

import numpy as np
import pytest

from index.models.encoder import Encoder
from qa import ArticleBot
from qa.ranking.article import READ, best_candidates, candidates_of, query_terms, rank

TOWNS = ("Arlesheim", "Biel", "Chur", "Davos", "Engelberg", "Frauenfeld", "Genf", "Herisau")
TRADES = ("bakers", "weavers", "clockmakers", "millers", "printers", "vintners")


@pytest.fixture(scope="module")
def guilds(encoder: Encoder) -> ArticleBot:
    """An article of 48 passages that differ in little."""
    paragraphs = [
        f"The guild of the {trade} of {town} was founded in {1400 + 7 * n + 60 * m}. Its members"
        f" met in a house beside the gate, and no one else could sell in the market of {town}."
        f" A fire took the house, and the {trade} built it again within {n + m + 2} years, for"
        " which they borrowed from the abbey. The charter that they were given hangs in the town"
        " hall to this day, and their song is sung when the new mayor enters it in May. In later"
        " years the guild kept a school, where the children of its members learnt to write."
        for n, town in enumerate(TOWNS)
        for m, trade in enumerate(TRADES)
    ]
    bot = ArticleBot.from_text("\n\n".join(paragraphs))
    assert len(bot.index.passages) > 2 * READ
    return bot


def asked(trade: str, town: str) -> str:
    return f"When was the guild of the {trade} of {town} founded?"


@pytest.mark.parametrize("town", TOWNS)
@pytest.mark.parametrize("trade", TRADES[:2])
def test_what_is_read_ranks_as_if_all_were(
    guilds: ArticleBot, encoder: Encoder, trade: str, town: str
) -> None:
    question = asked(trade, town)
    encoding = encoder.encode_query(question)
    whole = rank(guilds.index, question, encoding)
    read = rank(guilds.index, question, encoding, wanted=5)
    assert np.isfinite(whole.sentences).all()
    there = np.isfinite(read.passages)
    assert there.sum() == READ
    assert read.passages[there] == pytest.approx(whole.passages[there], abs=1e-4)
    assert read.passages.argmax() == whole.passages.argmax()
    assert read.quoted.argmax() == whole.quoted.argmax()


def test_the_right_one_of_many_alike_is_quoted(guilds: ArticleBot) -> None:
    best = guilds.ask(asked("printers", "Davos")).citations[0]
    assert best.quote == "The guild of the printers of Davos was founded in 1661."


def test_whoever_wants_more_is_read_more(guilds: ArticleBot) -> None:
    answer = guilds.ask(asked("millers", "Chur"), k=40)
    assert len(answer.citations) == len(answer.passages) == 40
    scores = [passage.score for passage in answer.passages]
    assert np.isfinite(scores).all()
    assert scores == sorted(scores, reverse=True)


def test_candidates_are_rows_of_the_article(guilds: ArticleBot, encoder: Encoder) -> None:
    question = asked("weavers", "Genf")
    encoding, (known, _) = encoder.encode_query(question), query_terms(guilds.index, question)
    whole = candidates_of(guilds.index, encoding, known)
    some, passages, sentences = best_candidates(guilds.index, encoding, known, READ)
    assert passages.tolist() == sorted({*passages.tolist()})
    assert len(passages) == READ
    for name in ("passage_cosines", "passage_bm25"):
        assert getattr(some, name) == pytest.approx(getattr(whole, name)[passages])
    for name in ("sentence_cosines", "sentence_bm25", "lengths", "traits", "matches"):
        assert getattr(some, name) == pytest.approx(getattr(whole, name)[sentences])
    for row, sentence in enumerate(sentences.tolist()):
        here = slice(*some.token_starts[row : row + 2])
        there = slice(*whole.token_starts[sentence : sentence + 2])
        assert np.array_equal(some.token_cosines[:, here], whole.token_cosines[:, there])
