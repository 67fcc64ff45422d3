"""What was quoted is looked up in the articles as they are now."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from index import Article
from index.errors import DataError
from index.reading.plaintext import article_from_text
from qa import Answer, ArticleBot, Library, open_folder
from qa.cli import main
from qa.sharing.conversation import conversation_as_dict
from qa.sharing.export import conversation_as_html, conversation_as_markdown
from qa.sharing.verification import Standing, among, verify


@pytest.fixture(scope="module")
def answers(bot: ArticleBot) -> list[Answer]:
    return [
        replace(bot.ask("Did Microsoft do the same?", k=2), found=True),
        replace(bot.ask("What is the capital of Mongolia?", k=1), found=False),
    ]


def through_json(answers: list[Answer]) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(json.dumps(conversation_as_dict(answers)))
    return values


def test_every_quote_stands_in_the_article_it_is_from(
    answers: list[Answer], article: Article
) -> None:
    checks = verify(through_json(answers), article)
    assert [check.standing for check in checks] == [Standing.STANDS] * 3
    assert [check.question for check in checks] == [answers[0].question] * 2 + [answers[1].question]


def test_a_quote_that_moved_is_found_again(answers: list[Answer], article: Article) -> None:
    later = article_from_text(f"Corrected.\n\n{article.text}")
    checks = verify(through_json(answers), later)
    assert {check.standing for check in checks} == {Standing.MOVED}
    for check in checks:
        assert check.start is not None
        assert later.text[check.start :].startswith(check.quote)


def test_a_quote_that_was_changed_is_gone(answers: list[Answer], article: Article) -> None:
    export = through_json(answers)
    quote = export["answers"][0]["citations"][0]["quote"]
    export["answers"][0]["citations"][0]["quote"] = quote.replace("Microsoft", "Nobody").replace(
        "Amazon", "Nobody"
    )
    first, *others = verify(export, article)
    assert (first.standing, first.start) == (Standing.GONE, None)
    assert {check.standing for check in others} == {Standing.STANDS}


def test_a_quote_cut_short_after_export_does_not_stand_where_it_was(
    answers: list[Answer], article: Article
) -> None:
    export = through_json(answers[:1])
    citation = export["answers"][0]["citations"][0]
    citation["quote"] = citation["quote"][:-5]
    assert verify(export, article)[0].standing is Standing.MOVED


def test_one_answer_can_be_verified_alone(answers: list[Answer], article: Article) -> None:
    assert {c.standing for c in verify(answers[0].to_dict(), article)} == {Standing.STANDS}


@pytest.mark.parametrize(
    "export", [{}, {"schema": "article-qa/conversation/1"}, {"schema": "other"}, []]
)
def test_what_is_no_export_is_refused(export: dict[str, Any], article: Article) -> None:
    with pytest.raises(DataError):
        verify(export, article)


# ---- several articles ----


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "lamps.txt").write_text("The lamp of the lighthouse shines for twenty miles.")
    (folder / "tides.txt").write_text("The keeper of the lighthouse writes down the tides.")
    return folder


@pytest.fixture
def export(folder: Path, tmp_path: Path) -> Path:
    """A question that both articles of the folder answer, to a file."""
    answer = open_folder(folder).ask("What happens in the lighthouse?")
    assert len({citation.article.id for citation in answer.citations}) == 2
    path = tmp_path / "c.json"
    path.write_text(json.dumps(conversation_as_dict([answer])))
    return path


def standings(out: str) -> dict[str, str]:
    """How each article's quote fares, as the command prints it."""
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    return {rest.rpartition(" \u2014 ")[2]: standing for standing, rest in lines}


def test_each_quote_is_looked_up_in_its_own_article(
    export: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(export), str(folder)]) == 0
    assert standings(capsys.readouterr().out) == {"lamps.txt": "stands", "tides.txt": "stands"}


def test_an_article_that_was_changed_is_known_by_its_name(
    export: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folder / "lamps.txt").read_text()
    (folder / "lamps.txt").write_text(f"Corrected on Monday. {text}")
    (folder / "tides.txt").unlink()
    assert main(["verify", str(export), str(folder)]) == 1
    assert standings(capsys.readouterr().out) == {"lamps.txt": "moved", "tides.txt": "absent"}


def test_the_quotes_of_a_library_are_looked_up_in_it(
    export: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = str(tmp_path / "library")
    assert main(["sync", str(folder), "--library", where]) == 0
    capsys.readouterr()
    assert main(["verify", str(export), "--library", where]) == 0
    assert standings(capsys.readouterr().out) == {"lamps.txt": "stands", "tides.txt": "stands"}
    with Library.open(where) as library:
        gone = next(e.id for e in library.articles() if e.title == "tides.txt")
        library.remove(gone)
    assert main(["verify", str(export), where]) == 1
    assert standings(capsys.readouterr().out) == {"lamps.txt": "stands", "tides.txt": "absent"}


def test_one_of_several_articles_says_nothing_of_the_others(
    export: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(export), str(folder / "lamps.txt")]) == 1
    assert standings(capsys.readouterr().out) == {"lamps.txt": "stands", "tides.txt": "absent"}


def test_two_articles_of_one_title_are_not_taken_for_each_other() -> None:
    bot = ArticleBot.from_text("Cats sleep all day.", title="Pets")
    export = conversation_as_dict([bot.ask("Who sleeps?")])
    others = [article_from_text(f"Cats sleep. Dogs {what}.", title="Pets") for what in ("b", "c")]
    (check,) = verify(export, among(others, {other.id: other for other in others}.__getitem__))
    assert check.standing is Standing.ABSENT
    (check,) = verify(export, among(others[:1], lambda _: others[0]))
    assert check.standing is Standing.GONE


# ---- the command ----


def test_what_quotes_another_article_is_not_held_against_the_bundled_one(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(export)]) == 2
    assert "not the bundled article; give what was asked" in capsys.readouterr().err


def test_the_bundled_article_needs_not_be_named(
    answers: list[Answer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(answers[0].to_dict()))
    assert main(["verify", str(path)]) == 0
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {"stands"}


@pytest.mark.parametrize(
    ("name", "write"), [("c.md", conversation_as_markdown), ("c.html", conversation_as_html)]
)
def test_what_is_saved_to_read_can_be_verified_too(
    answers: list[Answer],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    write: Callable[[Sequence[Answer]], str],
) -> None:
    path = tmp_path / name
    path.write_text(write(answers), encoding="utf-8")
    assert main(["verify", str(path)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["stands"] * 3


def test_a_saved_index_is_an_article(tmp_path: Path) -> None:
    bot = ArticleBot.from_text("Cats sleep all day. Dogs bark at night.")
    bot.save(tmp_path / "pets.index")
    path = tmp_path / "c.json"
    path.write_text(json.dumps(bot.ask("Who barks?").to_dict()))
    assert main(["verify", str(path), str(tmp_path / "pets.index")]) == 0


@pytest.mark.parametrize("data", [b"", b"[]", b'{"schema": "other"}', b"\xff"])
def test_a_file_that_is_no_export_is_refused(
    data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(data)
    assert main(["verify", str(path)]) == 2
    assert capsys.readouterr().err.startswith("article-qa: ")
