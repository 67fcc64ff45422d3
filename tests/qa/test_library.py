"""Asking many articles: the best evidence of all, few from each, copies once, the newest first."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from index import (
    Article,
    LibraryError,
    NotALibrary,
    OtherModel,
    QuestionError,
    SourceError,
    SourceNotFound,
    UnknownArticle,
)
from index.archive.folder.store import FolderStore
from index.models.encoder import Encoder
from index.reading.plaintext import article_from_text
from index.reading.reader import bundled_article, read_article
from qa import Answer, ArticleBot, Library, Where
from qa.citing.cite import CLOSE
from qa.cli import parse
from qa.commands.library import sync_once
from qa.conversation.followup import TURNS
from qa.question.periods import periods
from tests.support.archive import MODEL, make_article

BRIDGE = "The council closed the Orsted bridge because rust had weakened its cables."
COPY = "\n".join(
    [
        BRIDGE,
        "Engineers found the damage during a yearly inspection.",
        "Ferries will carry commuters until the spring.",
    ]
)


def story(text: str, day: str | None, **metadata: object) -> Article:
    return make_article(text, published=day, **metadata)


ARTICLES = [
    story(f"{COPY}\nReporting by the Herald.", "2021-03-02", title="Bridge shut", site="Herald"),
    story(f"{COPY}\nReporting by the Courier.", "2021-03-04", title="Rust", site="Courier"),
    story(
        "The bakery on Mill Lane won the regional bread prize.\n"
        "Its owner, Odile Marchand, has baked rye loaves there since 1998.",
        "2020-11-20",
        title="Bread prize",
        authors=("Ada Quist",),
    ),
    story(
        "The harbour festival drew twelve thousand visitors.\n"
        "Last year the festival was cancelled because of a storm.",
        "2019-08-11",
        title="Festival",
        authors=("Ben Rowe",),
    ),
    story(
        "The harbour festival drew nine thousand visitors.\nIt ended with fireworks.",
        "2021-08-09",
        title="Festival again",
    ),
]


ZOO = story("The Orsted Zoo opened in 1874.\nIts oldest tortoise likes rain.", "2021-01-02")
DAM = story("The Vale Dam opened in 1931.\nIt holds back the river Orst.", "2021-01-03")


@pytest.fixture(scope="module")
def library(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    made = Library.open(tmp_path_factory.mktemp("archive") / "library")
    made.add(ARTICLES[:2], tags=["city"])
    made.add(ARTICLES[2:], tags=["life"])
    yield made
    made.close()


def titles(answer: Answer) -> list[str | None]:
    return [citation.article.title for citation in answer.citations]


def test_the_best_evidence_of_all_articles_comes_first(library: Library) -> None:
    answer = library.ask("Who runs the bakery that won a prize?")
    assert answer.found
    assert "Bread prize" in titles(answer)[:2]
    assert library.ask("Why was the Orsted bridge closed?").citations[0].quote == BRIDGE


@pytest.mark.parametrize("question", ["Who baked rye bread?", "Why was the bridge closed?", "x y"])
def test_every_citation_is_exact_in_its_own_article(library: Library, question: str) -> None:
    answer = library.ask(question, k=20, per_article=10)
    assert answer.citations
    for citation in answer.citations:
        text = library.article(citation.article.id).text
        assert text[citation.start : citation.end] == citation.quote
        passage = citation.passage
        assert text[passage.start : passage.end] == passage.text
        assert passage.start <= citation.start < citation.end <= passage.end
    assert [c.number for c in answer.citations] == list(range(1, len(answer.citations) + 1))


def test_no_article_is_quoted_more_than_twice_unless_asked(library: Library) -> None:
    def most(per_article: int) -> int:
        found = titles(library.ask("bridge rust cables", k=20, per_article=per_article))
        return max(map(found.count, found))

    assert most(1) == 1
    assert most(2) == 2
    assert most(4) > 2


def test_wire_copy_is_quoted_once_from_the_newest_and_says_where_else(library: Library) -> None:
    answer = library.ask("Why was the Orsted bridge closed?", k=10)
    quotes = [citation.quote for citation in answer.citations]
    assert quotes.count(BRIDGE) == 1
    place = quotes.index(BRIDGE)
    assert answer.citations[place].article.title == "Rust"
    assert [other.title for other in answer.citations[place].also_in] == ["Bridge shut"]
    assert 0 < CLOSE < 1


def test_an_answer_from_a_library_is_the_answer_everything_else_takes(library: Library) -> None:
    answer = library.ask("Why was the bridge closed?")
    assert Answer.from_dict(json.loads(json.dumps(answer.to_dict()))) == answer


def test_a_filter_decides_before_the_ranking(library: Library) -> None:
    for where, allowed in (
        (Where(sites=("herald",)), {"Bridge shut"}),
        (Where(tags=("life",)), {"Bread prize", "Festival", "Festival again"}),
        (Where(authors=("ben rowe",)), {"Festival"}),
        (Where(published_until=date(2020, 12, 31)), {"Bread prize", "Festival"}),
    ):
        found = titles(library.ask("Why was the Orsted bridge closed?", where=where, k=20))
        assert set(found) == allowed


def test_a_filter_that_leaves_nothing_gives_no_evidence(library: Library) -> None:
    answer = library.ask("Why was the bridge closed?", where=Where(tags=("absent",)))
    assert (answer.found, answer.citations, answer.confidence) == (False, (), 0.0)
    assert answer.why == ("no article passes the filters",)


def test_an_empty_library_says_that_it_is(tmp_path: Path, encoder: Encoder) -> None:
    with Library.open(tmp_path / "empty") as empty:
        answer = empty.ask("Why was the bridge closed?")
    assert (answer.found, answer.why) == (False, ("the library holds no articles",))


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("How many visitors did the harbour festival draw in August 2021?", "Festival again"),
        ("How many visitors did the harbour festival draw in 2019?", "Festival"),
    ],
)
def test_the_date_in_a_question_chooses_among_likes(
    library: Library, question: str, title: str
) -> None:
    assert titles(library.ask(question))[0] == title


def test_equals_come_newest_first(library: Library) -> None:
    found = titles(library.ask("How many visitors did the harbour festival draw?", k=4))
    assert found.index("Festival again") < found.index("Festival")


def test_periods_are_read_against_a_date() -> None:
    reference = date(2021, 6, 15)

    def spans(text: str) -> list[tuple[str, str]]:
        return [(str(p.first), str(p.last)) for p in periods(text, reference)]

    assert spans("in May 2021") == [("2021-05-01", "2021-05-31")]
    assert spans("on 3 March 2020") == spans("on March 3, 2020") == [("2020-03-03", "2020-03-03")]
    assert spans("in 1998") == [("1998-01-01", "1998-12-31")]
    assert spans("2020-02-29") == [("2020-02-29", "2020-02-29")]
    assert spans("last year") == [("2020-01-01", "2020-12-31")]
    assert spans("last month") == [("2021-05-01", "2021-05-31")]
    assert spans("yesterday") == [("2021-06-14", "2021-06-14")]
    assert spans("on 31 February 2020, in room 20211") == []
    assert periods("last year") == ()


# --- one engine


ONE = [
    "Why did Amazon halt police use?",
    "Who is Nathan Freed Wessler?",
    "Did Microsoft do the same?",
    "What happened in June 2020?",
    "Who wrote this article?",
    "What is the capital of Mongolia?",
    "What did Micorsoft say?",
    "How many days does the recogniton ban last?",
]


@pytest.fixture(scope="module")
def alone(
    encoder: Encoder, article: Article, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    made = Library.open(tmp_path_factory.mktemp("one"))
    made.add([article])
    yield made
    made.close()


ROUNDED = 0.8
"""What rounding may do to a score: stored vectors are rounded, differently on different
processors, and which sentence of a passage matches best is a yes or no that counts 0.7."""


def same_answers(ours: Answer, theirs: Answer) -> None:
    assert (ours.interpreted_as, ours.why) == (theirs.interpreted_as, theirs.why)
    assert ours.confidence == pytest.approx(theirs.confidence, abs=0.02)
    assert [c.score for c in ours.citations] == pytest.approx(
        [c.score for c in theirs.citations], abs=ROUNDED
    )
    # What scores alike may change places, and nothing else may.
    score = {(c.start, c.end): c.score for c in theirs.citations}
    for our, their in zip(ours.citations, theirs.citations, strict=True):
        assert score.get((our.start, our.end), our.score) == pytest.approx(their.score, abs=ROUNDED)
    assert ours.citations[0].quote == theirs.citations[0].quote


@pytest.mark.parametrize("question", ONE)
def test_a_library_of_one_article_answers_as_the_article_does(
    alone: Library, bot: ArticleBot, question: str
) -> None:
    same_answers(alone.ask(question), bot.ask(question))


def test_a_library_of_one_article_reads_follow_ups_as_the_article_does(
    alone: Library, bot: ArticleBot
) -> None:
    first = bot.ask(ONE[0])
    for question in ("Why?", "And Microsoft?", "What did he say about it?", "No, the other one"):
        same_answers(alone.ask(question, history=[first]), bot.ask(question, history=[first]))


# --- conversations, and articles themselves


def test_a_follow_up_stays_with_what_was_cited(library: Library) -> None:
    first = library.ask("Who won the regional bread prize?")
    answer = library.ask("Since when has she baked there?", history=[first])
    assert answer.interpreted_as == (
        "Since when has she baked there? (following \u201cWho won the regional bread prize?\u201d)"
    )
    assert "since 1998" in answer.citations[0].quote
    alone = library.ask("Why was the Orsted bridge closed?", history=[first])
    assert alone == library.ask("Why was the Orsted bridge closed?")


def test_a_follow_up_of_another_archive_is_asked_alone(library: Library, bot: ArticleBot) -> None:
    elsewhere = bot.ask("Why did Amazon halt police use?")
    assert library.ask("Why?", history=[elsewhere]) == library.ask("Why?")


def test_a_history_of_what_is_not_there_is_passed_over(library: Library) -> None:
    first = library.ask("Who won the regional bread prize?")
    best, alone = first.citations[0], library.ask("Why?")
    elsewhere = replace(best, article=replace(best.article, hash="0" * 64))
    for citations in ((), (elsewhere,), (replace(best, score=float("nan")),)):
        assert library.ask("Why?", history=[replace(first, citations=citations)]) == alone


def test_a_history_with_places_that_do_not_exist_quotes_nothing_wrong(library: Library) -> None:
    first = library.ask("Who won the regional bread prize?")
    for start, end in ((-5, 10**9), (first.citations[0].start + 1, first.citations[0].end)):
        moved = replace(first.citations[0], start=start, end=end)
        answer = library.ask("Why?", history=[replace(first, citations=(moved,))])
        for citation in answer.citations:
            text = library.article(citation.article.id).text
            assert text[citation.start : citation.end] == citation.quote


def test_a_long_conversation_is_its_last_turns(library: Library) -> None:
    bread, bridge = (
        library.ask(question)
        for question in ("Who won the regional bread prize?", "Why was the Orsted bridge closed?")
    )
    last = [bread] * (TURNS - 1) + [bridge]
    short = library.ask("Since when?", history=last)
    assert library.ask("Since when?", history=[bread] * 1000 + last) == short


def test_a_correction_asks_the_question_before_with_another_name(library: Library) -> None:
    first = library.ask("What happened to the bridge in Orsted?")
    answer = library.ask("No, I meant the bakery", history=[first])
    assert answer.question == "No, I meant the bakery"
    assert answer.interpreted_as == "What happened to the bridge in the bakery?"


def test_the_other_one_is_neither_the_sentence_before_nor_a_copy_of_it(library: Library) -> None:
    first = library.ask("Why was the Orsted bridge closed?")
    second = library.ask("No, the other one", history=[first])
    third = library.ask("No, the other one", history=[first, second])
    assert first.citations[0].also_in
    assert second.interpreted_as == (
        "Why was the Orsted bridge closed? (another answer than before)"
    )
    assert BRIDGE not in {c.quote for a in (second, third) for c in a.citations}
    assert second.citations[0].quote not in {c.quote for c in third.citations}


def test_a_correction_of_another_archives_answer_is_asked_as_it_stands(
    library: Library, bot: ArticleBot
) -> None:
    elsewhere = bot.ask("What did Amazon do?")
    asked = "No, I meant the bakery"
    assert library.ask(asked, history=[elsewhere]) == library.ask(asked)


def test_a_misspelt_word_is_read_as_the_archive_spells_it(library: Library) -> None:
    answer = library.ask("Why was the Orstde bridge closed?")
    assert answer.interpreted_as == "Why was the orsted bridge closed?"
    assert answer.citations[0].quote == BRIDGE


# --- suggested questions


@pytest.fixture(scope="module")
def news(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    made = Library.open(tmp_path_factory.mktemp("news") / "library")
    made.add([bundled_article(), ZOO, DAM])
    yield made
    made.close()


def test_what_is_suggested_of_a_library_is_answered_by_its_own_sentence(news: Library) -> None:
    offered = news.suggest(6)
    assert {"When did the Orsted Zoo open?", "When did the Vale Dam open?"} < set(offered)
    assert len(set(offered)) == len(offered)
    for question in offered:
        assert news.ask(question).found
    assert news.ask("When did the Orsted Zoo open?").citations[0].article.id == ZOO.id


def test_questions_are_suggested_about_the_newest_articles_or_those_that_are_named(
    news: Library,
) -> None:
    assert news.suggest(1) == ("When did the Vale Dam open?",)
    assert news.suggest(1, about=[ZOO.id]) == ("When did the Orsted Zoo open?",)
    assert news.suggest(1, asked=["WHEN DID THE VALE DAM OPEN?"]) != news.suggest(1)
    assert news.suggest(0) == ()
    with pytest.raises(UnknownArticle):
        news.suggest(about=["0" * 16])


def test_who_wrote_the_article_about_something_is_said_by_its_byline(
    encoder: Encoder, tmp_path: Path
) -> None:
    library = Library.open(tmp_path)
    printed = article_from_text(
        "Council shuts bridge\n\nBy Ada Quist\n\nPublished June 4, 2021\n\n"
        "The council closed the Orsted bridge because rust had weakened its cables."
    )
    library.add([printed, *ARTICLES[2:]])
    answer = library.ask("Who wrote the article about the Orsted bridge?")
    assert answer.found
    assert (answer.citations[0].quote, answer.citations[1].quote) == ("By Ada Quist", BRIDGE)
    assert "the article \u201cCouncil shuts bridge\u201d" in (answer.interpreted_as or "")
    answer = library.ask("When was the story on the Orsted bridge published?")
    assert answer.citations[0].quote == "Published June 4, 2021"
    before = library.ask("Why was the Orsted bridge closed?")
    assert library.ask("Who wrote this?", history=[before]).citations[0].quote == "By Ada Quist"
    named = Where(ids=(printed.id,))
    assert library.ask("Who wrote this?", where=named).citations[0].quote == "By Ada Quist"


@pytest.mark.parametrize(
    "where", [Where(sites=("Courier",)), Where(ids=(ARTICLES[1].id, ARTICLES[3].id))]
)
def test_who_wrote_this_is_not_told_of_what_the_filter_keeps_out(
    library: Library, where: Where
) -> None:
    before = library.ask("Who runs the bakery that won a prize?")
    answer = library.ask("Who wrote this?", history=[before], where=where)
    assert "By Ada Quist" not in {citation.quote for citation in answer.citations}
    assert set(titles(answer)) <= {"Rust", "Festival"}


def test_an_author_that_only_the_metadata_name_is_told_as_such(library: Library) -> None:
    answer = library.ask("Who wrote the article about the bakery and its rye loaves?")
    assert answer.citations[0].article.title == "Bread prize"
    assert answer.why == ("the article's metadata, not its text, say its author: Ada Quist",)


def test_what_counts_as_found_can_be_chosen(library: Library) -> None:
    question = "Why was the Orsted bridge closed?"
    assert library.ask(question, min_confidence=0.0).found
    assert not library.ask(question, min_confidence=1.0).found


@pytest.mark.parametrize(
    "wrong",
    [
        {"question": ""},
        {"question": "why", "k": 0},
        {"question": "why", "per_article": 0},
        {"question": "why", "per_article": True},
        {"question": "why", "where": {"tags": "x"}},
        {"question": "why", "history": "because"},
        {"question": "why", "min_confidence": 2},
    ],
)
def test_bad_questions_are_refused(library: Library, wrong: dict[str, object]) -> None:
    with pytest.raises(QuestionError):
        library.ask(**wrong)  # type: ignore[arg-type]


def test_an_empty_library_says_nothing(encoder: Encoder, tmp_path: Path) -> None:
    answer = Library.open(tmp_path).ask("Why?")
    assert (answer.found, answer.citations, answer.passages) == (False, (), ())


# --- adding and removing


def test_adding_again_costs_nothing_and_metadata_can_change(
    encoder: Encoder, tmp_path: Path
) -> None:
    library = Library.open(tmp_path)
    first = library.add(ARTICLES[:3])
    again = library.add(ARTICLES[:4])
    assert (len(first.added), len(again.added), len(again.unchanged)) == (3, 1, 3)
    corrected = story(ARTICLES[2].text, "2020-11-21", title="Bread, corrected")
    library.add([corrected])
    assert len(library) == 4
    assert library.article(corrected.id).title == "Bread, corrected"


def test_what_was_acknowledged_is_there_after_an_interruption(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qa.library.BATCH_CHARS", 1)
    library = Library.open(tmp_path)

    def interrupt(what: str, done: int, total: int) -> None:
        assert (what, total) == ("adding articles", 5)
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.add(ARTICLES, progress=interrupt)
    assert len(library) == 2
    added = library.add(ARTICLES)
    assert (len(added.added), len(added.unchanged)) == (3, 2)


def test_an_update_takes_the_place_of_the_old_version(encoder: Encoder, tmp_path: Path) -> None:
    library = Library.open(tmp_path)
    library.add(ARTICLES[:2])
    new = story("The bridge is open again since Monday.", "2021-05-01", title="Open")
    library.update(new, replacing=ARTICLES[0].id)
    assert {entry.title for entry in library.articles()} == {"Rust", "Open"}
    with pytest.raises(UnknownArticle):
        library.update(ARTICLES[2], replacing=ARTICLES[0].id)
    assert len(library) == 2


def test_removing_an_article_removes_its_evidence(encoder: Encoder, tmp_path: Path) -> None:
    library = Library.open(tmp_path)
    library.add(ARTICLES)
    library.remove(ARTICLES[0].id, ARTICLES[1].id)
    assert BRIDGE not in [
        c.quote for c in library.ask("Why was the bridge closed?", k=20).citations
    ]
    with pytest.raises(UnknownArticle):
        library.remove("absent")


def test_another_models_library_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    with pytest.raises(OtherModel, match="name its model"):
        Library(FolderStore.create(tmp_path, MODEL), encoder)


def test_one_article_is_not_taken_for_several(encoder: Encoder, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"add\(\[article\]\)"):
        Library.open(tmp_path).add(ARTICLES[0])  # type: ignore[arg-type]


# --- commands


def run(*argv: str) -> int:
    arguments = parse(argv)
    status: int = arguments.command(arguments)
    return status


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    (folder / "deep").mkdir(parents=True)
    for name, article in zip(("a.txt", "b.txt", "deep/c.txt"), ARTICLES[1:4], strict=True):
        (folder / name).write_text(article.text)
    (folder / "notes.bin").write_bytes(b"\0\1")
    return folder


def test_the_commands_add_list_ask_and_remove(
    encoder: Encoder, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = str(tmp_path / "library")
    assert run("add", str(files), "--library", library, "--tag", "city") == 0
    assert capsys.readouterr().out == "3 added, 0 unchanged, 0 refused\n"
    assert run("list", "--library", library, "--json", "--tag", "city") == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [os.path.basename(entry["source"]) for entry in listed] == ["a.txt", "b.txt", "c.txt"]
    assert run("ask", "Why was the bridge closed?", "--library", library) == 0
    assert "rust had weakened" in capsys.readouterr().out
    assert run("remove", listed[0]["id"], "--library", library) == 0
    assert capsys.readouterr().out == "1 removed, 2 left\n"
    assert run("compact", "--library", library) == 0
    assert run("repair", "--library", library) == 0
    assert "whole" in capsys.readouterr().out


def test_a_source_that_cannot_be_read_is_told_and_the_others_are_kept(
    encoder: Encoder, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = str(tmp_path / "library")
    assert run("add", str(files / "absent.txt"), str(files / "a.txt"), "--library", library) == 2
    said = capsys.readouterr()
    assert "absent.txt" in said.err
    assert said.out == "1 added, 0 unchanged, 1 refused\n"


def test_adding_nothing_makes_no_library(tmp_path: Path) -> None:
    library = tmp_path / "library"
    (tmp_path / "empty").mkdir()
    for nothing in ("absent.txt", "empty"):
        with pytest.raises(SourceNotFound, match="no article in"):
            run("add", str(tmp_path / nothing), "--library", str(library))
    assert not library.exists()


def when(condition: Callable[[], bool], act: Callable[[], None]) -> None:
    """Do something beside the test as soon as something holds, within a minute."""

    def wait() -> None:
        for _ in range(6_000):
            if condition():
                break
            time.sleep(0.01)
        act()

    threading.Thread(target=wait, daemon=True).start()


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl+C as in a terminal: what runs in the background of a script starts without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


MANY = 300
"""Articles that take longer to add than an interrupt takes to come."""


@pytest.mark.usefixtures("interruptible")
def test_adding_that_is_interrupted_goes_on_where_it_was(
    encoder: Encoder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("qa.library.BATCH_CHARS", 1)
    for number in range(MANY):
        (tmp_path / f"{number}.txt").write_text(f"Ferry number {number} left the harbour at noon.")
    library = Library.open(tmp_path / "library")
    when(lambda: len(library) > 2, interrupt)
    with pytest.raises(KeyboardInterrupt):
        run("add", str(tmp_path), "--library", str(tmp_path / "library"))
    assert "what was added is kept, run it again" in capsys.readouterr().err
    there = len(library)
    assert 2 < there < MANY
    assert run("add", str(tmp_path), "--library", str(tmp_path / "library")) == 0
    assert capsys.readouterr().out == f"{MANY - there} added, {there} unchanged, 0 refused\n"


def mail(subject: str, text: str) -> str:
    return (
        f"From: Ann Poe <ann@e.org>\nDate: 3 May 2021 10:00 +0000\nSubject: {subject}\n\n{text}\n"
    )


def test_what_is_given_goes_before_what_the_sources_say_and_is_kept(
    encoder: Encoder, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--library", str(tmp_path / "library"))
    given = ("--date", "2021-05-18", "--author", "Ann Poe", "--site", "The Post", "--tag", "city")
    assert run("add", str(files / "a.txt"), *where, *given) == 0
    assert run("add", str(files / "a.txt"), *where) == 0
    assert run("add", str(files / "a.txt"), *where, "--tag", "river") == 0
    assert capsys.readouterr().out.split("\n")[1] == "0 added, 1 unchanged, 0 refused"
    library = Library.open(tmp_path / "library")
    (entry,) = library.articles()
    assert (entry.published, entry.authors, entry.site) == ("2021-05-18", ("Ann Poe",), "The Post")
    assert entry.tags == ("city", "river")
    (declared,) = library.ask("When was this article published?").metadata
    assert (declared.value, declared.where) == ("2021-05-18", "set when it was added")


def test_syncing_keeps_what_was_given_for_the_files_that_change(
    encoder: Encoder, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--library", str(tmp_path / "library"))
    assert run("sync", str(files), *where) == 0
    assert run("sync", str(files), *where, "--date", "2021-05-18", "--tag", "city") == 0
    (files / "a.txt").write_text("The bridge was opened again by the mayor.")
    assert run("sync", str(files), *where) == 0
    entries = Library.open(tmp_path / "library").articles()
    assert {(entry.published, entry.tags) for entry in entries} == {("2021-05-18", ("city",))}


def test_a_date_of_an_article_that_is_none_is_refused(files: Path, tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="write it as"):
        run("add", str(files / "a.txt"), "--library", str(tmp_path / "l"), "--date", "May")


def test_records_and_mails_are_added_one_by_one(
    encoder: Encoder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = tmp_path / "articles.jsonl"
    one = {"text": "The bakery won a prize.", "title": "Bread", "tags": ["food"], "source": "e.org"}
    records.write_text(f"{json.dumps(one)}\n\nnot json\n{json.dumps({'text': BRIDGE})}\n")
    box = tmp_path / "letters.mbox"
    mails = [mail("Bread", "Rye was baked here in 1998."), mail("Ferries", "Ferries sail at noon.")]
    box.write_text("".join(f"From ann@e.org Mon May  3 10:00:00 2021\n{m}\n" for m in mails))
    library = str(tmp_path / "library")
    assert run("add", str(records), str(box), "--library", library) == 2
    said = capsys.readouterr()
    assert said.out == "4 added, 0 unchanged, 1 refused\n"
    assert f"{records}#3: the line is not JSON" in said.err
    entries = Library.open(library).articles()
    assert [(e.title, e.source, e.tags) for e in entries] == [
        ("Bread", "e.org", ("food",)),
        (None, f"{records}#4", ()),
        ("Bread", f"{box}#1", ()),
        ("Ferries", f"{box}#2", ()),
    ]
    assert entries[3].published == "2021-05-03T10:00:00+00:00"
    assert run("ask", "When do ferries sail?", str(box)) == 0
    assert "Ferries sail at noon." in capsys.readouterr().out
    with pytest.raises(SourceError, match="holds several e-mails"):
        read_article(box)


def test_a_filter_by_date_says_how_many_articles_have_none(
    encoder: Encoder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = Library.open(tmp_path)
    library.add([ARTICLES[0], story("Nobody knows when the ferry sank.", None)])
    asked = library.ask("Why was the bridge closed?", where=Where(published_from=date(2021, 1, 1)))
    assert asked.why[-1] == "articles without a date, which a filter by date leaves out: 1"
    assert "without a date" not in " ".join(library.ask("Why was the bridge closed?").why)
    for command in ("list", "ask"):
        question = ("Why was the bridge closed?",) * (command == "ask")
        assert run(command, *question, "--library", str(tmp_path), "--since", "2021-01-01") == 0
        assert "leaves out: 1" in capsys.readouterr().err


def test_asking_makes_no_library(tmp_path: Path) -> None:
    with pytest.raises(NotALibrary):
        run("ask", "Why?", "--library", str(tmp_path / "absent"))
    assert not (tmp_path / "absent").exists()


def test_a_date_that_is_none_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    Library.open(tmp_path)
    with pytest.raises(QuestionError, match="write it as"):
        run("list", "--library", str(tmp_path), "--since", "yesterday")


def test_a_library_follows_a_folder(
    encoder: Encoder, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = Library.open(tmp_path / "library")
    library.add([ARTICLES[4]])  # from elsewhere: stays
    assert run("sync", str(files), "--library", str(tmp_path / "library")) == 0
    assert capsys.readouterr().out == "0 gone; 3 added, 0 unchanged, 0 refused\n"
    (files / "a.txt").write_text("The bridge was opened again by the mayor.")
    (files / "b.txt").unlink()
    assert run("sync", str(files), "--library", str(tmp_path / "library")) == 0
    assert capsys.readouterr().out == "2 gone; 1 added, 1 unchanged, 0 refused\n"
    sources = [entry.source for entry in library.articles()]
    assert [s and os.path.basename(s) for s in sources] == [None, "c.txt", "a.txt"]
    assert run("sync", str(files), "--library", str(tmp_path / "library")) == 0
    assert capsys.readouterr().out == "0 gone; 0 added, 2 unchanged, 0 refused\n"


def test_a_file_that_was_renamed_is_not_lost(encoder: Encoder, files: Path, tmp_path: Path) -> None:
    library = Library.open(tmp_path / "library")
    sync_once(library, files, [str(p) for p in sorted(files.glob("*.txt"))])
    (files / "a.txt").rename(files / "z.txt")
    sync_once(library, files, [str(p) for p in sorted(files.glob("*.txt"))])
    names = {os.path.basename(entry.source or "") for entry in library.articles()}
    assert names == {"b.txt", "z.txt"}


def test_a_file_that_cannot_be_read_for_now_is_not_dropped(
    encoder: Encoder, files: Path, tmp_path: Path
) -> None:
    library = Library.open(tmp_path / "library")
    paths = [str(files / "a.txt"), str(files / "b.txt")]
    sync_once(library, files, paths)
    (files / "a.txt").write_bytes(b"\0" * 50)
    assert sync_once(library, files, paths) == 2
    assert len(library) == 2


@pytest.mark.usefixtures("interruptible")
def test_a_folder_is_watched_until_interrupted(
    encoder: Encoder,
    files: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    library = Library.open(tmp_path / "library")

    def change() -> None:
        (files / "new.txt").write_text("A whale swam into the harbour on Sunday.")
        (files / "a.txt").unlink()
        when(lambda: "whale" in library.ask("What swam into the harbour?").citations[0].quote, stop)

    def stop() -> None:
        files.rename(tmp_path / "away")  # a disk that is not there
        when(lambda: not files.exists(), back)

    def back() -> None:
        time.sleep(1)
        (tmp_path / "away").rename(files)
        time.sleep(1)
        interrupt()

    when(lambda: len(library) == 3, change)
    with pytest.raises(KeyboardInterrupt):
        run("sync", str(files), "--library", str(tmp_path / "library"), "--watch", "--every=0.02")
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == "0 gone; 3 added, 0 unchanged, 0 refused"
    assert said.err.count("trying again") == 1
    names = {os.path.basename(entry.source or "") for entry in library.articles()}
    assert names == {"b.txt", "c.txt", "new.txt"}


def test_a_folder_that_is_empty_does_not_empty_the_library(
    encoder: Encoder, files: Path, tmp_path: Path
) -> None:
    library = Library.open(tmp_path / "library")
    sync_once(library, files, [str(files / "a.txt")])
    with pytest.raises(SourceError, match="nothing was removed"):
        sync_once(library, files, [])
    assert len(library) == 1


def test_an_address_of_this_machine_is_added_only_where_that_is_allowed(
    encoder: Encoder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address, library = "http://127.0.0.1:9/news", str(tmp_path / "library")
    assert run("add", address, "--library", library) == 2
    assert "--allow-private" in capsys.readouterr().err
    assert run("add", address, "--library", library, "--allow-private") == 2
    assert "--allow-private" not in capsys.readouterr().err


def test_syncing_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="is no folder"):
        run("sync", str(tmp_path / "absent"), "--library", str(tmp_path / "library"))


def test_an_articles_language_and_layout_survive(encoder: Encoder, tmp_path: Path) -> None:
    library = Library.open(tmp_path)
    article = article_from_text("A Title\n\nBy Someone\n\nThe mayor opened the bridge. It rained.")
    library.add([article])
    assert library.article(article.id) == article
    assert issubclass(UnknownArticle, LibraryError)


def test_a_library_is_shown_in_one_line_and_awaited(tmp_path: Path, cache: Path) -> None:
    library = Library.open(tmp_path / "news")
    library.add([article_from_text("Cats sleep all day. Dogs bark at night.")])
    assert repr(library).startswith("<Library: 1 articles, ")
    assert asyncio.run(library.aask("Who barks?", k=1)) == library.ask("Who barks?", k=1)
    library.close()
    assert repr(library).startswith("<Library: ")
