"""One conversation, asked of a bot, of a library in a folder and of one on Milvus: one answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index.reading.plaintext import article_from_text
from qa import Answer, ArticleBot, Library
from tests.support.milvus import give_back, temporary_uri

TEXT = """Two mills on the Arn change hands
By Una Fell

The upper mill on the Arn belongs to Greta Holt. She bought it in 1994 from a bank. The lower mill
belongs to Paul Siring. He inherited it in 2008 from an aunt.

The sale was approved by the Regional Water Authority in May. Holt grinds rye because the soil is
poor. Siring grinds spelt.
"""
Ask = Callable[..., Answer]

CONVERSATIONS = [
    ["Who owns the upper mill?", "Since when?"],
    ["Who owns the upper mill?", "No, I meant the lower mill", "Since when?"],
    ["What does Holt grind?", "Why?"],
    ["Who aproved the sale?"],
    ["What did the RWA do?"],
    ["Who wrote this?"],
    ["thanks"],
    ["What is the capital of Mongolia?"],
    ["What happened in June?"],
]


@pytest.fixture(scope="module", params=["folder", "milvus"])
def library(
    request: pytest.FixtureRequest, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("engine")
    place = str(folder / "library") if request.param == "folder" else temporary_uri()
    with Library.open(place) as library:
        library.add([article_from_text(TEXT)])
        yield library
        if request.param == "milvus":
            give_back(library.store)  # type: ignore[arg-type]


def asked(ask: Ask, questions: list[str]) -> list[tuple[object, ...]]:
    history: list[Answer] = []
    for question in questions:
        history.append(ask(question, history=history))
    return [
        (a.found, a.interpreted_as, a.citations[0].quote if a.citations else a.reply)
        for a in history
    ]


@pytest.mark.parametrize("questions", CONVERSATIONS, ids=lambda questions: questions[-1])
def test_what_a_bot_answers_a_library_does(library: Library, questions: list[str]) -> None:
    bot = ArticleBot.from_text(TEXT)
    assert asked(library.ask, questions) == asked(bot.ask, questions)
