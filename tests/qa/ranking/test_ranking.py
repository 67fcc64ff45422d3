"""Of a long article the passages that promise most are read, and rank as if all were."""

from __future__ import annotations

import numpy as np
import pytest

from index.models.encoder import Encoder
from index.single.snapshot import ArticleSnapshot
from qa import ArticleBot
from qa.ranking.candidates import POOL_OF_ONE, parse_question
from qa.ranking.ranking import rank

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
    assert len(bot.index.passages) > 2 * POOL_OF_ONE
    return bot


def asked(trade: str, town: str) -> str:
    return f"When was the guild of the {trade} of {town} founded?"


@pytest.mark.parametrize("town", TOWNS)
@pytest.mark.parametrize("trade", TRADES[:2])
def test_what_is_read_ranks_as_if_all_were(
    guilds: ArticleBot, encoder: Encoder, trade: str, town: str
) -> None:
    snapshot, question = ArticleSnapshot(guilds.index), asked(trade, town)
    parsed = parse_question(snapshot, question, encoder.encode_query(question))
    (whole,) = rank(snapshot, [parsed], n_passages=len(guilds.index.passages))
    (read,) = rank(snapshot, [parsed], n_passages=POOL_OF_ONE)
    assert len(whole.rows) == len(guilds.index.passages)
    assert len(read.rows) < 2 * POOL_OF_ONE
    assert read.rows[read.ranking.passages.argmax()] == whole.ranking.passages.argmax()
    best, first = (each.ranking.quoted.argmax() for each in (whole, read))
    spans = whole.pool.sentence_spans[best], read.pool.sentence_spans[first]
    assert spans[0].tolist() == spans[1].tolist()


def test_the_faiss_search_finds_what_comparing_with_every_vector_would(
    guilds: ArticleBot, encoder: Encoder
) -> None:
    index = guilds.index
    vector = encoder.encode_query(asked("millers", "Biel")).vector
    exact = index.passage_index.reconstruct_n(0, len(index.passages)) @ vector
    hits = ArticleSnapshot(index).dense(vector, 10)
    assert hits.rows.tolist() == np.argsort(-exact)[:10].tolist()
    assert hits.scores == pytest.approx(np.sort(exact)[::-1][:10], abs=1e-6)


def test_the_right_one_of_many_alike_is_quoted(guilds: ArticleBot) -> None:
    best = guilds.ask(asked("printers", "Davos")).citations[0]
    assert best.quote == "The guild of the printers of Davos was founded in 1661."


def test_whoever_wants_more_is_read_more(guilds: ArticleBot) -> None:
    answer = guilds.ask(asked("millers", "Chur"), k=40)
    assert len(answer.citations) == len(answer.passages) == 40
    scores = [passage.score for passage in answer.passages]
    assert np.isfinite(scores).all()
    assert scores == sorted(scores, reverse=True)
