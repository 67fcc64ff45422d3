"""The folders are a table of contents, and what they import flows one way."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import index

ROOT = Path(index.__file__).parent.parent
MOST_MODULES = 15

Graph = Mapping[str, Iterable[str]]

IMPORTS: dict[str, str] = {
    "index.reading": "",
    "index.segmentation": "",
    "index.models": "",
    "index.scoring": "models",
    "index.single": "archive models scoring segmentation",
    "index.archive": "models reading scoring segmentation single",
}
"""Which folders of `index` each folder may import; the modules beside them import no folder."""

KNOWN: dict[str, set[str]] = {}
"""Circles that are still to be broken: for each folder, its members in one."""


def modules() -> dict[str, Path]:
    """Every module of the product, by its dotted name."""
    paths = [*(ROOT / "index").rglob("*.py"), *(ROOT / "qa").rglob("*.py"), ROOT / "app.py"]
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}
    return {name.removesuffix(".__init__"): path for name, path in names.items()}


def imported(path: Path, known: Iterable[str]) -> set[str]:
    """What a module imports of ours, inside functions and for type checkers too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= whole & set(known) or {node.module}
    return found & set(known)


@lru_cache
def import_graph() -> dict[str, set[str]]:
    paths = modules()
    return {name: imported(path, paths) - {name} for name, path in paths.items()}


def circles(graph: Graph) -> list[set[str]]:
    """The sets of nodes that reach each other (Tarjan's strongly connected components)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in order:
                visit(other)
                lowest[node] = min(lowest[node], lowest[other])
            elif other in stack:
                lowest[node] = min(lowest[node], order[other])
        if lowest[node] == order[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                found.append(set(stack[at:]))
            del stack[at:]

    for node in graph:
        if node not in order:
            visit(node)
    return found


def members_graph(folder: str) -> dict[str, set[str]]:
    """Which members of a folder, modules and subfolders, import which others.

    The folder's own ``__init__`` is a shop window, not a member; nothing in the folder imports it.
    """
    inside = f"{folder}."

    def member(module: str) -> str | None:
        return module.removeprefix(inside).split(".")[0] if module.startswith(inside) else None

    graph: dict[str, set[str]] = defaultdict(set)
    for module, others in import_graph().items():
        if here := member(module):
            graph[here] |= {there for other in others if (there := member(other))} - {here}
    return dict(graph)


def folders() -> list[str]:
    return sorted(name for name, path in modules().items() if path.name == "__init__.py")


def test_no_folder_holds_more_than_a_table_of_contents() -> None:
    counts = {
        folder: len(list((ROOT / folder.replace(".", "/")).glob("[!_]*.py")))
        for folder in folders()
    }
    assert {folder: n for folder, n in counts.items() if n > MOST_MODULES} == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = {f"{folder}.{name}" for folder, names in KNOWN.items() for name in names}
    assert [circle for circle in circles(import_graph()) if not circle <= known] == []


def test_inside_each_folder_imports_flow_one_way() -> None:
    found = {folder: circles(members_graph(folder)) for folder in folders()}
    unknown = {
        folder: [circle for circle in these if not circle <= KNOWN.get(folder, set())]
        for folder, these in found.items()
    }
    assert {folder: these for folder, these in unknown.items() if these} == {}


def test_nothing_imports_the_shop_window_of_a_folder_it_is_in() -> None:
    offenders = [
        f"{name} imports {other}"
        for name, others in import_graph().items()
        for other in others
        if name.startswith(f"{other}.")
    ]
    assert offenders == []


def test_the_folders_of_the_index_import_only_what_the_table_says() -> None:
    graph = members_graph("index")
    allowed = {folder.removeprefix("index."): names.split() for folder, names in IMPORTS.items()}
    offenders = [
        f"index.{folder} imports index.{other}"
        for folder, names in allowed.items()
        for other in sorted(graph[folder] & allowed.keys() - {*names})
    ]
    single = [
        f"index.{module} imports index.{other}"
        for module in sorted(graph.keys() - allowed.keys() - {"plaintext"})  # an old address
        for other in sorted(graph[module] & allowed.keys())
    ]
    assert offenders + single == []


def test_a_circle_would_be_seen() -> None:
    assert circles({"a": ["b"], "b": ["c", "d"], "c": ["a"], "d": []}) == [{"a", "b", "c"}]
