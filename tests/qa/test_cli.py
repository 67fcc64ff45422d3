"""The shell command: what it prints, and what its exit status says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from qa import Answer, ArticleBot
from qa.cli import main

FOUND, NOT_FOUND, BAD_INPUT = 0, 1, 2
ANSWERED = "What did Microsoft say it would await?"
FAR = "Why is the sky blue?"


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command as a user's shell runs it."""
    command = [sys.executable, "-m", "qa.cli", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=300)


def test_an_answer_is_plain_text_in_a_pipe(cache: Path) -> None:
    done = run("ask", ANSWERED)
    assert done.returncode == FOUND, done.stderr
    printed = done.stdout.decode()
    lines = printed.removeprefix("The article may say:\n").splitlines()
    assert lines[0].startswith("[1] ")
    assert "await US federal regulation" in lines[0]
    assert "Rekognition" in lines[1]
    assert "Sayujya S" in lines[-1]
    assert "\x1b" not in printed
    assert done.stderr == b""


def test_a_pipe_whose_encoding_lacks_a_character_gets_its_escape(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")  # as of every pipe on Windows
    source = tmp_path / "city.txt"
    source.write_text("Tokyo (\u6771\u4eac) has fourteen million inhabitants.", encoding="utf-8")
    done = run("ask", "How many inhabitants has Tokyo?", str(source))
    assert done.returncode == FOUND, done.stderr
    assert rb"Tokyo (\u6771\u4eac) has fourteen" in done.stdout


def test_an_article_and_a_library_are_not_asked_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "Why?", "article.txt", "--library", str(tmp_path)]) == BAD_INPUT
    assert "not both" in capsys.readouterr().err


def test_what_the_article_does_not_say_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", FAR]) == NOT_FOUND
    assert capsys.readouterr().out.startswith("The article does not say.\nClosest, not an answer:")


def test_json_is_the_answer(capsys: pytest.CaptureFixture[str], bot: ArticleBot) -> None:
    assert main(["ask", ANSWERED, "--json", "-k", "2"]) == FOUND
    answer = Answer.from_dict(json.loads(capsys.readouterr().out))
    assert answer == bot.ask(ANSWERED, k=2)


def test_build_then_ask_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "pets.txt"
    source.write_text("Cats sleep all day. Dogs bark at night.", encoding="utf-8")
    index = str(tmp_path / "pets index")
    assert main(["build", str(source), "-o", index]) == FOUND
    assert capsys.readouterr().out == f"{index}: 1 passages, 2 sentences\n"
    main(["ask", "What do cats do?", index, "-k", "1"])
    assert "Cats sleep all day." in capsys.readouterr().out


def test_standard_input_is_an_article(cache: Path) -> None:
    done = run("ask", "What do cats do?", "-", "-k1", stdin=b"Cats sleep all day. Dogs bark.")
    assert b"Cats sleep all day." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ask", ""], "the question is empty"),
        (["ask", "x" * 2001], "shorten it"),
        (["ask", "why?", "-k", "0"], "from 1 to 100"),
        (["ask", "why?", "no/such/file.txt"], "there is no file"),
        (["ask", "why?", "--model", "./no/such-model"], "no/such-model"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == BAD_INPUT
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("article-qa: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["dance"], ["ask", "why?", "-k", "many"]])
def test_bad_usage_is_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == BAD_INPUT


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["lst"], "did you mean 'list'?"),
        (["who", "wrote", "this?"], 'article-qa ask "who wrote this?"'),
        (["ask", "who", "wrote", "this?"], "put the question in quotes"),
        (["ask", "why?", "--jsn"], "did you mean --json?"),
        (["evaluate", "data", "--gates=x"], "did you mean --gate?"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == BAD_INPUT
    assert hint in capsys.readouterr().err


def test_an_article_in_place_of_a_question_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.txt").write_text("Cats sleep all day.")
    assert main(["ask", str(tmp_path / "report.txt")]) == BAD_INPUT
    assert "is an article, not a question" in capsys.readouterr().err
    for mistaken in ("report.pdf", "https://a.example/news"):  # whether or not it is there
        assert main(["ask", mistaken]) == BAD_INPUT
        assert f'"What is it about?" {mistaken}' in capsys.readouterr().err
    assert main(["ask", "Who", "protested?"]) == BAD_INPUT
    assert 'article-qa ask "Who protested?"' in capsys.readouterr().err


def test_filters_are_for_a_library_and_stand_in_the_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["ask", "Why?", "--since", "2021-01-01"]) == BAD_INPUT
    assert "for several articles" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["ask", "--help"])
    shown = capsys.readouterr().out
    for option in ("--since", "--until", "--author", "--site", "--tag", "--only", "--library"):
        assert option in shown


def test_questions_from_a_pipe_follow_one_another(cache: Path) -> None:
    lines = b"Who is Nathan Freed Wessler?\n\nWhat did he support?\n"
    done = run("ask", "--json", "-k", "1", stdin=lines)
    answers = [Answer.from_dict(json.loads(line)) for line in done.stdout.splitlines()]
    assert done.returncode == FOUND, done.stderr
    assert len(answers) == 2
    assert "Wessler" in (answers[1].interpreted_as or "")


@pytest.mark.skipif(os.name != "posix", reason="this system has no such terminals")
def test_at_a_terminal_questions_follow_one_another_too(cache: Path) -> None:
    import pty

    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "qa", "ask", "-k", "1"]
    typed = [b"?\n", b"Who is Nathan Freed Wessler?\n", b"What did he support?\n", b"\x04"]
    with subprocess.Popen(command, stdin=end, stdout=end, stderr=end) as process:
        os.close(end)
        shown = b""
        with suppress(OSError):  # what a terminal gives once its other end is closed
            while part := os.read(terminal, 4096):
                shown += part
                if shown.endswith(b"> ") and typed:
                    os.write(terminal, typed.pop(0))
    os.close(terminal)
    assert process.returncode == FOUND
    assert b"? for suggestions" in shown
    assert b"  Who wrote this article?" in shown
    assert shown.count(b"[1]") == 2
    assert b"\x1b[1m" in shown  # the exact words


def test_suggested_questions_are_answered(
    capsys: pytest.CaptureFixture[str], bot: ArticleBot
) -> None:
    assert main(["suggest", "-n", "2"]) == FOUND
    questions = capsys.readouterr().out.splitlines()
    assert len(questions) == 2
    assert all(bot.ask(question).found for question in questions)


def test_an_index_is_not_built_over_something_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    assert main(["build", "-o", str(tmp_path)]) == BAD_INPUT
    assert "name a new or an empty folder" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["letter.txt"]


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--version"], ["--help"], ["ask", "--help"]):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert "article-qa 0." in printed
    assert "exit status: 0 answered, 1 the article does not say, 2 bad usage" in printed


def test_a_reader_that_stops_reading_is_no_error(cache: Path) -> None:
    command = f'"{sys.executable}" -m qa.cli ask "{ANSWERED}" -k 100 --json | head -c 10'
    done = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert done.stderr == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")
def test_a_disk_that_is_full_is_said_in_a_line(cache: Path) -> None:
    command = [sys.executable, "-m", "qa", "ask", ANSWERED]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == BAD_INPUT
    assert done.stderr == b"article-qa: No space left on device\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "missing"],
        ["evaluate", "missing"],
        ["evaluate", "data", "--gate", "missing"],
        ["serve", "--auth", "missing"],
        ["build", "-o", "/proc/missing/index"],
        ["add", __file__, "--library", "/proc/missing"],
    ],
)
def test_what_the_system_says_of_a_file_is_shown_without_its_number(
    arguments: list[str], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == BAD_INPUT
    shown = capsys.readouterr().err
    assert "missing" in shown
    assert "Errno" not in shown


def test_ctrl_c_while_the_command_starts_leaves_no_traceback(cache: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "qa", "ask", ANSWERED]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.endswith(" numpy\n"):
                break
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in process.stderr.read()
    assert process.returncode == 128 + signal.SIGINT


def test_serve_reads_its_own_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    assert capsys.readouterr().out.startswith("usage: article-qa serve [-h]")
    with pytest.raises(SystemExit):
        main(["serve", "--port", "many"])
    assert "article-qa serve: error: argument --port" in capsys.readouterr().err
    feedback, missing = str(tmp_path / "f.jsonl"), str(tmp_path / "none.txt")
    assert main(["serve", "--feedback", feedback, missing]) == BAD_INPUT
    assert "none.txt" in capsys.readouterr().err
