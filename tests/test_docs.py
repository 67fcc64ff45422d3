"""What the documentation shows is so: examples run, commands exist, the reference is new."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from benchmarks.api_reference import PAGE, reference
from index.reading.reader import bundled_article
from qa.cli import main

ROOT = PAGE.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SERVED = ("gradio_client", "fastapi", "curl", "--library", "http://", "questions.jsonl")
"""What tests/app/ runs, with a server, and tests/qa/test_library.py, with a library."""


def examples(language: str) -> list[object]:
    """The blocks of a language, but those that need a server."""
    return [
        pytest.param(block, id=f"{page.name}-{number}")
        for page in PAGES
        for number, block in enumerate(
            re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL), 1
        )
        if not any(word in block for word in SERVED)
    ]


@pytest.mark.parametrize("code", examples("python"))
def test_every_example_in_python_runs(
    code: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HAYSTACK_TELEMETRY_ENABLED", "False")
    for extra, package in (("langchain", "langchain_core"), ("haystack", "haystack")):
        if f"from {extra}" in code or f"adapters.{extra}" in code:
            pytest.importorskip(package, reason=f"pip install 'article-qa[{extra}]'")
    Path("article.pdf").write_text(bundled_article().text, encoding="utf-8")
    exec(code, {})  # noqa: S102 - our own documentation


@pytest.mark.parametrize("block", examples("console"))
def test_every_example_in_the_shell_prints_what_it_shows(
    block: str, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, _, printed = block.removeprefix("$ article-qa ").partition("\n")
    main(shlex.split(command))
    assert capsys.readouterr().out == printed


def test_the_shell_page_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = re.findall(r"^    (\S+) {2,}\S", capsys.readouterr().out, re.MULTILINE)
    assert "ask" in commands
    described = (ROOT / "docs/shell.md").read_text("utf-8")
    assert set(commands) - set(re.findall(r"`(?:article-qa )?([a-z-]+)", described)) == set()


def test_the_reference_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == reference(), "run: python -m benchmarks.api_reference"


def test_links_between_pages_lead_somewhere() -> None:
    dead = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert dead == []
