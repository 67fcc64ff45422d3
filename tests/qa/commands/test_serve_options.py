"""Options of the server, from a command line and from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.commands.serve_options import (
    parse_serve_options,
    read_accounts,
    read_keys,
)


def test_without_options_only_this_machine_is_served() -> None:
    options = parse_serve_options([], {})
    assert options.host == "127.0.0.1"
    assert (options.source, options.port, options.auth, options.mcp) == (None, None, None, False)
    assert options.max_upload == 10 * 2**20


def test_each_option_can_be_given_in_the_environment() -> None:
    environment = {
        "ARTICLE_QA_HOST": "::1",
        "ARTICLE_QA_PORT": "8000",
        "ARTICLE_QA_AUTH": "accounts",
        "ARTICLE_QA_ROOT_PATH": "/qa",
        "ARTICLE_QA_CONCURRENCY": "7",
        "ARTICLE_QA_MAX_UPLOAD": "500kb",
        "ARTICLE_QA_FEEDBACK": "f.jsonl",
        "ARTICLE_QA_MODEL": "some/model",
        "ARTICLE_QA_MCP": "0",
        "ARTICLE_QA_CACHE": "not an option of the server",
    }
    options = parse_serve_options([], environment)
    assert (options.host, options.port, options.auth) == ("::1", 8000, Path("accounts"))
    assert (options.root_path, options.concurrency) == ("/qa", 7)
    assert (options.max_upload, options.feedback) == (512_000, Path("f.jsonl"))
    assert (options.model, options.mcp) == ("some/model", False)


def test_the_command_line_goes_before_the_environment() -> None:
    assert parse_serve_options(["--port", "1"], {"ARTICLE_QA_PORT": "2"}).port == 1


@pytest.mark.parametrize(
    ("argv", "environment", "words"),
    [
        (["--port", "0"], {}, "from 1 to 65535"),
        (["--concurrency", "none"], {}, "from 1 to 256"),
        (["--max-upload", "much"], {}, "write 500kb or 10mb"),
        (["--max-upload", "0"], {}, "write 500kb or 10mb"),
        ([], {"ARTICLE_QA_PORT": "x"}, "from 1 to 65535"),
        ([], {"ARTICLE_QA_MCP": "perhaps"}, "give 1 or 0"),
        (["--api-key", "keys"], {}, "give --auth too"),
        (["--prot", "80"], {}, "did you mean --port?"),
        (["one.txt", "two.txt"], {}, "too many words: two.txt"),
        (["--allow-private", "--host", "192.0.2.1"], {}, "this machine's network"),
    ],
)
def test_a_wrong_option_is_refused_with_the_way_out(
    argv: list[str],
    environment: dict[str, str],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as refused:
        parse_serve_options(argv, environment)
    assert refused.value.code == 2
    assert words in capsys.readouterr().err


def test_accounts_are_read_with_colons_in_their_passwords(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("# readers\n\nann:one:two\n ben :three\n", encoding="utf-8")
    assert read_accounts(tmp_path / "a") == [("ann", "one:two"), ("ben", "three")]


@pytest.mark.parametrize("text", ["", "# none\n", "ann\n", ":secret\n", "ann:\n"])
def test_a_file_without_good_accounts_is_refused_and_not_quoted(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_text(text)
    with pytest.raises(ValueError, match=r"account|name:password") as refused:
        read_accounts(tmp_path / "a")
    assert "secret" not in str(refused.value)


def test_keys_are_read_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# of the crawler\none two\n\n three \n")
    assert read_keys(tmp_path / "keys") == ["one two", "three"]
    assert read_keys(None) == []
    (tmp_path / "none").write_text("# none\n")
    with pytest.raises(ValueError, match="holds no key"):
        read_keys(tmp_path / "none")
