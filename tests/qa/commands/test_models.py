"""``prepare`` and ``doctor``: what a user is told about the model that answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.models.encoder import Encoder
from qa.cli import main


def said(out: str) -> dict[str, str]:
    """The lines that begin with a name and what stands behind it."""
    return {line[:12].strip(): line[12:] for line in out.splitlines()}


def test_doctor_says_what_is_used_and_why(
    encoder: Encoder, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor"]) == 0
    told = said(capsys.readouterr().out)
    assert told["model"] == encoder.name
    assert told["fingerprint"] == encoder.fingerprint
    assert told["backend"].startswith("onnx, ")
    assert told["because"]
    assert "of the nearest neighbours agree" in told["fidelity"]
    assert told["cache"] == str(cache)
    assert Path(told["stored in"]).is_dir()


def test_doctor_says_that_nothing_is_prepared_and_prepares_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARTICLE_QA_CACHE", str(tmp_path / "empty"))
    assert main(["doctor"]) == 0
    assert "the first use does it" in said(capsys.readouterr().out)["prepared"]
    assert not list(tmp_path.rglob("*.onnx"))


def test_preparing_twice_is_preparing_once(
    encoder: Encoder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare"]) == 0
    assert encoder.fingerprint in capsys.readouterr().out


@pytest.mark.parametrize("command", ["doctor", "prepare"])
def test_a_model_that_is_not_there_is_named(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(tmp_path / "none")]) == 2
    assert "none" in capsys.readouterr().err


def test_doctor_says_how_an_article_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    prose = "".join(f"<p>The ferry number {n} sailed to the island at noon.</p>" for n in range(9))
    page.write_text(
        "<title>Ferries</title><meta name='author' content='Ann Poe'><article><h1>Ferries</h1>"
        f"{prose}</article><div class='comments'><p>I took the ferry myself last year.</p></div>"
    )
    assert main(["doctor", str(page)]) == 0
    said = capsys.readouterr().out
    assert "authors     Ann Poe (meta tag author)" in said
    assert "paragraph: 9, title: 1" in said
    assert "left out    blocks of comments: 1" in said
