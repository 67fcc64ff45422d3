"""An article in a few of its own sentences: the title, the lead, and something of each section."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.reading.plaintext import article_from_text
from qa import Answer, ArticleBot, Library, QuestionError
from qa.cli import main
from qa.question.overviews import asks_for_overview

QUARRY = """Old quarry at Senn becomes a lake
By Pia Lund

The old slate quarry at Senn will be flooded next spring and opened to swimmers. It was closed in
1998 after a rockfall. The council voted for the lake in March.

Nature
The cliffs of the quarry are home to a pair of eagle owls. Who counts them? Biologist Dan Roth
counts the owls every winter. Bats sleep in the tunnels of the quarry.

Money
The lake costs four million crowns, and the region pays half of the sum. A ticket for swimmers
will cost thirty crowns. The quarry firm gave the land for nothing.
"""


@pytest.fixture(scope="module")
def quarry(bot: ArticleBot) -> ArticleBot:
    return ArticleBot.from_text(QUARRY)


def quotes(answer: Answer) -> list[str]:
    return [" ".join(citation.quote.split()) for citation in answer.citations]


@pytest.mark.parametrize(
    "line",
    ["Summarise", "TL;DR", "What is this about?", "Can you give me a short summary?",
     "What are the main points?", "In a nutshell", "Worum geht es hier?", "Zusammenfassung bitte"],
)  # fmt: skip
def test_an_overview_begins_with_title_and_lead_and_keeps_the_order(
    quarry: ArticleBot, line: str
) -> None:
    answer = quarry.ask(line)
    assert (answer.kind, answer.found) == ("overview", True)
    assert quotes(answer)[0] == "Old quarry at Senn becomes a lake"
    assert quotes(answer)[1].startswith("The old slate quarry")
    starts = [citation.start for citation in answer.citations]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    "question",
    ["What is the main point of the council?", "Who summarised it?", "What is the lake about?",
     "Resume the work when?", "What does it cost?"],
)  # fmt: skip
def test_a_question_about_something_in_it_is_none(question: str) -> None:
    assert not asks_for_overview(question)


def test_every_section_is_told_of(quarry: ArticleBot) -> None:
    answer = quarry.overview(k=4)
    assert [c.passage.heading for c in answer.citations] == [None, None, "Nature", "Money"]
    assert not any(quote.endswith("?") for quote in quotes(quarry.overview(k=100)))
    assert Answer.from_dict(answer.to_dict()) == answer


def test_it_is_as_long_as_is_wanted(quarry: ArticleBot) -> None:
    assert len(quarry.overview(k=1).citations) == 1
    with pytest.raises(QuestionError, match="k must be"):
        quarry.overview(k=0)


def test_a_library_tells_one_of_its_articles(quarry: ArticleBot, tmp_path: Path) -> None:
    other = article_from_text("Rye\n\nRye bread is baked from rye. It keeps for a week or two.")
    with Library.open(tmp_path / "library") as library:
        library.add([quarry.article, other])
        told = library.overview(quarry.article.id)
        assert quotes(told) == quotes(quarry.overview())
        before = library.ask("Who counts owls?")
        assert quotes(library.ask("Summarise it", history=[before])) == quotes(told)


def test_the_shell_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "quarry.txt"
    path.write_text(QUARRY)
    assert main(["overview", str(path), "-k", "2"]) == 0
    assert "The old slate quarry" in capsys.readouterr().out
