"""``article-qa prepare`` and ``article-qa doctor``: the embedding model, ahead and in view."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from index.cache_dir import cache_root
from index.models.cache import PreparedModel
from index.models.loading import describe, prepare
from qa.commands.options import MODEL_HELP, Command, add_library
from qa.commands.terminal import terminal_progress
from qa.reading.reader import default_reader

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
    parser.add_argument("model", nargs="?", metavar="MODEL", help=MODEL_HELP)
    add_library(parser, "check a library: a folder or an address")


def run_doctor(arguments: argparse.Namespace) -> int:
    """Show which model, which runtime and which folders are used, and why; or check a library."""
    if arguments.library:
        from qa.commands.store import doctor_library

        return doctor_library(arguments.library)
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
