"""Data flows one way, and what is heavy is imported only where it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import index
import qa

ROOT = Path(index.__file__).parent.parent


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]


def offenders(paths: list[Path], *forbidden: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in imports(path)
        if name.split(".")[0] in forbidden
    ]


def test_the_index_knows_nothing_of_questions_or_the_page() -> None:
    assert offenders(modules("index"), "qa", "app") == []


def test_neither_half_knows_the_page_and_gradio_is_the_pages_alone() -> None:
    assert offenders(modules("index", "qa"), "app", "gradio") == []


def test_nothing_is_unpickled() -> None:
    assert offenders(modules("index", "qa"), "pickle", "joblib", "dill", "shelve") == []


@pytest.mark.parametrize("package", [index, qa])
def test_the_public_names_are_those_listed(package: object) -> None:
    listed = package.__all__  # type: ignore[attr-defined]
    assert listed == sorted(listed)
    assert all(hasattr(package, name) for name in listed)
    assert set(listed) <= set(dir(package))
    assert set(index.errors.__all__) <= set(listed)


PREPARES = {"torch", "transformers", "sentence_transformers"}
HEAVY = PREPARES | {"gradio", "scipy", "sklearn", "bm25s", "pandas", "matplotlib"}
HEAVY |= {"fsspec", "pyarrow", "pymilvus", "ray"}


def imported(code: str, among: set[str]) -> set[str]:
    """Which of some packages a program of its own imports."""
    code = f"import sys; {code}; print('imported:', *({among!r} & set(sys.modules)))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_the_command_is_there_before_anything_that_takes_time() -> None:
    assert imported("import qa.cli", {"index", "numpy", "faiss", "onnxruntime"}) == set()


def test_asking_imports_nothing_heavy(cache: Path) -> None:
    assert imported("from qa.cli import main; main(['ask', 'Who protested?'])", HEAVY) == set()


def test_building_imports_nothing_heavy(cache: Path, tmp_path: Path) -> None:
    arguments = ["build", "-o", str(tmp_path / "index")]
    assert imported(f"from qa.cli import main; main({arguments!r})", HEAVY) == set()


def test_evaluating_imports_no_torch(cache: Path) -> None:
    data = str(Path(__file__).parent / "data" / "bundled_questions.jsonl")
    arguments = ["evaluate", data, "--limit", "5"]
    assert imported(f"from qa.cli import main; main({arguments!r})", PREPARES) == set()


def test_the_page_imports_no_torch(cache: Path) -> None:
    code = "import app; from qa import ArticleBot; ArticleBot.open().ask('Who protested?')"
    assert imported(code, PREPARES) == set()
