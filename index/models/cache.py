"""The cache of prepared models, and how a damaged one is noticed.

    <cache>/models/<fingerprint>/    settings.json beside the files it lists
    <cache>/sources/<path hash>.json what a model folder last hashed to

A prepared model is written to a folder of its own and renamed into place, so a reader
sees all of it or nothing, and of several processes that prepare the same model the
first to finish wins. Hashing the weights takes longer than loading the prepared
model, so a digest is remembered until sizes or modification times change.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from index.cache_dir import cache_folder

__all__ = [
    "FORMAT",
    "SETTINGS",
    "Fidelity",
    "PreparedModel",
    "fingerprint_of",
    "open_prepared",
    "publish",
    "source_digest",
    "staging_folder",
]

FORMAT = 2
"""Version of how models are exported, quantized and stored; part of every fingerprint."""

GRAPH = 2
"""Version of a prepared model's inputs; one of another version is prepared again, to the same
vectors."""

SETTINGS = "settings.json"
STALE_AFTER_SECONDS = 24 * 3600

_ALTERNATIVES = frozenset({"onnx", "openvino"})  # the same weights again, for other runtimes
_DOCUMENTATION = frozenset({".md", ".png", ".jpg", ".jpeg", ".svg", ".gif", ".pdf"})


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How close a prepared model's vectors are to the original's, on built-in sentences.

    Attributes:
        cosine: Mean cosine between the two vectors of a sentence.
        token_cosine: Mean cosine between the two vectors of a word piece.
        rank_agreement: Mean share of a sentence's three nearest neighbours that stay.
    """

    cosine: float
    token_cosine: float
    rank_agreement: float


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """A prepared model.

    Attributes:
        folder: Where its files are.
        backend: ``"onnx"``, or ``"torch"`` for a model that cannot be exported.
        precision: ``"int8"`` or ``"float32"``.
        fingerprint: Equal fingerprints mean interchangeable vectors.
        dimension: Width of every vector.
        max_length: Word pieces of one pass, special tokens and prompt included.
        max_tokens: Word pieces of a document that fit into one pass.
        document_prompt: Put before documents.
        query_prompt: Put before queries.
        fidelity: How close to the original, None where the original itself is used.
        reason: Why it is not the form that was asked for; empty where it is.
        versions: The packages it was prepared with.
        graph: Version of its graph's inputs.
    """

    folder: Path
    backend: str
    precision: str
    fingerprint: str
    dimension: int
    max_length: int
    max_tokens: int
    document_prompt: str
    query_prompt: str
    fidelity: Fidelity | None
    reason: str
    versions: Mapping[str, str] = field(default_factory=dict)
    graph: int = GRAPH


def fingerprint_of(digest: str, precision: str) -> str:
    """The fingerprint of vectors made from the model with this source digest."""
    identity = f"article-qa encoder {FORMAT}|{digest}|{precision}|full"
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def source_digest(source: Path, root: Path) -> str:
    """Hex digest of everything in a model folder that can change its vectors.

    Args:
        source: The folder of a sentence-transformers model.
        root: The cache in which the digest is remembered.

    Raises:
        OSError: A file of the model cannot be read.
    """
    source = source.resolve()
    files = _weights_and_settings(source)
    listing = [[name, status.st_size, status.st_mtime_ns] for name, status in files]
    where = hashlib.sha256(os.fsencode(source)).hexdigest()[:32]
    record = root / "sources" / f"{where}.json"
    remembered = _read_json(record)
    if remembered.get("files") == listing and isinstance(remembered.get("digest"), str):
        return str(remembered["digest"])
    whole = hashlib.sha256()
    for name, _ in files:
        whole.update(f"{name}\0{_file_hash(source / name)}\n".encode())
    digest = whole.hexdigest()
    with contextlib.suppress(OSError):  # remembered only to save time
        _write_json(record, {"source": str(source), "files": listing, "digest": digest})
    return digest


def open_prepared(folder: Path) -> PreparedModel | None:
    """The prepared model in a folder, None where it is missing, damaged or outdated.

    A file whose modification time is not the recorded one is hashed again, so that a
    copied cache is accepted and a damaged one is not.
    """
    settings = _read_json(folder / SETTINGS)
    if settings.get("graph") != GRAPH:
        return None
    try:
        for name, (size, mtime_ns, digest) in settings.pop("files").items():
            status = (folder / name).stat()
            if status.st_size != size:
                return None
            if status.st_mtime_ns != mtime_ns and _file_hash(folder / name) != digest:
                return None
        fidelity = settings.pop("fidelity")
        if fidelity:  # an earlier version recorded more of it
            fidelity = Fidelity(**{name: fidelity[name] for name in Fidelity.__slots__})
        return PreparedModel(folder=folder, fidelity=fidelity, **settings)
    except (KeyError, TypeError, ValueError, AttributeError, OSError):
        return None


@contextlib.contextmanager
def staging_folder(root: Path) -> Iterator[Path]:
    """A new folder inside the cache to prepare a model in; gone when the block ends.

    Raises:
        OSError: The cache takes no writes.
    """
    models = cache_folder(root / "models")
    for left in models.glob(".staging-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_AFTER_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=models))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def publish(model: PreparedModel, target: Path, *, replace: bool = False) -> PreparedModel:
    """Move a staged model into place, or return the one that is already there.

    Args:
        model: The model; ``model.folder`` holds its files and nothing else.
        target: The folder it is to become.
        replace: Use this model even where another is already there.

    Raises:
        OSError: The cache takes no writes.
    """
    settings = asdict(model)
    del settings["folder"]
    settings["files"] = {
        path.name: (path.stat().st_size, path.stat().st_mtime_ns, _file_hash(path))
        for path in sorted(model.folder.iterdir())
    }
    _write_json(model.folder / SETTINGS, settings)
    for _ in range(3):  # another process may publish between our two renames
        if not replace and (winner := open_prepared(target)):
            return winner
        if target.exists():
            aside = Path(tempfile.mkdtemp(prefix=".staging-", dir=target.parent)) / "replaced"
            with contextlib.suppress(OSError):
                target.rename(aside)
            shutil.rmtree(aside.parent, ignore_errors=True)
        with contextlib.suppress(OSError):
            model.folder.rename(target)
            break
    published = open_prepared(target)
    if published is None:
        raise OSError(f"{target} could not be written")
    return published


def _weights_and_settings(source: Path) -> list[tuple[str, os.stat_result]]:
    """The files of a model that can change its vectors: (relative name, status), sorted."""
    found = []
    for folder, subfolders, names in os.walk(source):
        subfolders[:] = [
            name for name in subfolders if name not in _ALTERNATIVES and not name.startswith(".")
        ]
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() not in _DOCUMENTATION:
                path = Path(folder, name)
                found.append((path.relative_to(source).as_posix(), path.stat()))
    return sorted(found)


def _file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is none or it is damaged."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    cache_folder(path.parent)
    handle, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(value, stream, indent=1)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
