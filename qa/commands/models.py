"""``article-qa prepare`` and ``article-qa doctor``: the embedding model, ahead and in view."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from index.article import Article
from index.cache_dir import cache_root
from index.models.cache import PreparedModel
from index.models.loading import describe, prepare
from index.reading.reader import is_address, read_article
from qa.commands.options import MODEL_HELP, Command, add_allow_private, add_library
from qa.commands.terminal import terminal_progress
from qa.reading.reader import default_reader
from qa.text import one_line

__all__ = ["COMMANDS"]

_PACKAGES = ("article-qa", "onnxruntime", "faiss-cpu", "sentence-transformers", "torch", "gradio")


def _prepare_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--force", action="store_true", help="prepare it again")


def run_prepare(arguments: argparse.Namespace) -> int:
    """Prepare an embedding model now rather than at its first use."""
    with terminal_progress() as progress:
        prepared = prepare(arguments.model, force=arguments.force, progress=progress)
    sys.stdout.writelines(f"{line}\n" for line in _prepared_lines(prepared))
    return 0


def _doctor_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        nargs="?",
        metavar="MODEL|SOURCE",
        help=f"an article's file or address, to see how it is read; or {MODEL_HELP}",
    )
    add_allow_private(parser)
    add_library(parser, "check a library: a folder or an address")


def run_doctor(arguments: argparse.Namespace) -> int:
    """Show what is used, and why; how an article is read; or check a library."""
    if arguments.library:
        from qa.commands.store import doctor_library

        return doctor_library(arguments.library)
    given = arguments.model or ""
    if is_address(given) or os.path.isfile(given):
        article = read_article(given, allow_private=arguments.allow_private)
        sys.stdout.writelines(f"{line}\n" for line in _reading_lines(article))
        return 0
    model = describe(arguments.model)
    lines = [
        f"python      {platform.python_version()} on {platform.platform()}",
        *(f"{name:<22}{_version(name)}" for name in _PACKAGES),
        f"cache       {cache_root()}",
        f"model       {model.name}",
        f"from        {model.source}",
        f"providers   {', '.join(model.providers)}",
    ]
    if model.prepared is None:
        lines.append("prepared    not yet; the first use does it, or: article-qa prepare")
    else:
        lines += _prepared_lines(model.prepared)
    lines += _reader_lines()
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def _reading_lines(article: Article) -> Iterator[str]:
    """What an article's source says of itself, and what of it was read and left out."""
    declared = dict(article.declared)
    for name in ("title", "authors", "published", "modified", "site", "url", "language"):
        value = getattr(article, name)
        if value:
            shown = value if isinstance(value, str) else ", ".join(value)
            place = f" ({declared[name]})" if name in declared else ""
            yield f"{name:<12}{one_line(shown + place)}"
    kinds = Counter(block.kind.value.replace("_", " ") for block in article.blocks)
    yield f"read        {', '.join(f'{kind}: {n}' for kind, n in kinds.most_common())}"
    yield f"left out    {one_line(', '.join(article.omitted)) or 'nothing'}"


def _reader_lines() -> Iterator[str]:
    reader = default_reader()
    trained = reader.provenance
    yield f"reader      int8, English, {trained['tokens_seen']:,} word pieces of training"
    figures = trained["held_out_figures"]["int8"]
    yield (
        f"            held out: EM {figures['exact_match']:.2f}, F1 {figures['f1']:.2f};"
        f" no answer told apart: AUROC {figures['auroc_cut']:.2f}"
    )
    yield f"            in {reader.folder}"


def _prepared_lines(prepared: PreparedModel) -> Iterator[str]:
    yield f"backend     {prepared.backend}, {prepared.precision}"
    faithful = "the fastest form, and as faithful as asked for"
    yield f"because     {prepared.reason or faithful}"
    if prepared.fidelity:
        fidelity = prepared.fidelity
        yield (
            f"fidelity    mean cosine {fidelity.cosine:.4f} to the original,"
            f" {fidelity.rank_agreement:.0%} of the nearest neighbours agree"
        )
    yield f"fingerprint {prepared.fingerprint}"
    yield f"stored in   {prepared.folder}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


COMMANDS = {
    "prepare": Command(run_prepare, _prepare_options),
    "doctor": Command(run_doctor, _doctor_options),
}
