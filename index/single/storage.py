"""An article's index as a folder: saved whole or not at all, opened only if every byte is right.

    DIR/manifest.json            what the folder holds: format, model, segmenter, article, files
    DIR/article-<sha256>.json    the article and where its passages and sentences lie
    DIR/passages-<sha256>.faiss  passage vectors      DIR/sentences-<sha256>.faiss  sentence vectors
    DIR/arrays-<sha256>.npz      token vectors (float16), word pieces, terms, traits

Files are named by their content and never changed. A save writes new files first and
then replaces the manifest in one step, so a save that is interrupted leaves the folder as
it was. Nothing is pickled; names and sizes are checked before a byte is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import faiss
import numpy as np

from index.article import Article
from index.errors import DamagedIndex, IndexFolderError, NewerFormat, NotAnIndex, OtherModel
from index.files import SEVERAL, private_folder, replace_file, sweep_unfinished
from index.scoring.faiss_io import index_of
from index.scoring.terms import TermTable
from index.segmentation.passages import SEGMENTATION, Passage, Sentence
from index.single.article_index import ArticleIndex

__all__ = [
    "FORMAT",
    "MANIFEST",
    "VERSION",
    "is_article_folder",
    "is_index_folder",
    "open_index",
    "replace_file",
    "save_index",
]

FORMAT = "article-qa/index"
VERSION = 3
MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 2**20
MAX_FILE_BYTES = 8 * 2**30
_FILE_NAME = re.compile(r"(article|passages|sentences|arrays)-[0-9a-f]{32}\.(json|faiss|npz)")
_FILES = ("article.json", "passages.faiss", "arrays.npz")


def is_index_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a saved index seems to be there."""
    return os.path.isfile(Path(path) / MANIFEST)  # whatever string: pathlib raises on some


def is_article_folder(source: object) -> bool:
    """Whether a source is a folder of articles or a file of several, rather than an article."""
    if not isinstance(source, (str, os.PathLike)):
        return False
    if os.path.isdir(source):
        return not is_index_folder(source)
    return PurePath(source).suffix.lower() in SEVERAL and os.path.isfile(source)


def save_index(index: ArticleIndex, folder: str | os.PathLike[str]) -> Path:
    """Save an index into a folder, in place of the index that it may hold.

    Raises:
        IndexFolderError: The folder cannot be written; what it held is as it was.
        NotAnIndex: The folder holds something else.
    """
    folder = Path(folder)
    try:
        private_folder(folder)
        if not is_index_folder(folder) and any(map(_is_foreign, folder.iterdir())):
            raise NotAnIndex(
                f"{str(folder)!r} is not empty and holds no index; name a new or an empty folder"
            )
        old = _listed_files(folder)
        files = {name: _write(folder, name, data) for name, data in _parts(index).items()}
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "segmenter": SEGMENTATION,
            "model": {
                "name": index.model,
                "fingerprint": index.fingerprint,
                "dimension": index.dimension,
            },
            "article": {"hash": index.article.hash, "title": index.article.title},
            "files": files,
        }
        replace_file(folder / MANIFEST, json.dumps(manifest, indent=1).encode())
        for name in old - {file["path"] for file in files.values()}:
            # Another process may still read the old file where the system forbids removal.
            with contextlib.suppress(OSError):
                (folder / name).unlink()
        sweep_unfinished(folder)
    except OSError as error:
        raise IndexFolderError(f"cannot save an index in {str(folder)!r}: {error}") from error
    return folder


def open_index(folder: str | os.PathLike[str], *, fingerprint: str | None = None) -> ArticleIndex:
    """Open a saved index; nothing is embedded again.

    Args:
        folder: Where it was saved.
        fingerprint: The model's that will encode questions, where it is known already.

    Raises:
        NotAnIndex: No index is there.
        NewerFormat: A later version wrote it.
        OtherModel: Another model, or another sentence splitter, made it.
        DamagedIndex: Bytes are missing or changed.
    """
    folder = Path(folder)
    for attempt in (1, 2, 3):
        manifest = _read_manifest(folder)
        _check(manifest, folder, fingerprint)
        try:
            parts = {name: _read(folder, name, manifest) for name in _FILES}
            return _assembled(parts, manifest)
        except FileNotFoundError as error:
            # A save that finished since the manifest was read has taken the file away.
            if attempt == 3:
                raise DamagedIndex(_damaged(folder, f"{error.filename} is missing")) from error
        except OSError as error:
            raise IndexFolderError(f"cannot read {str(folder)!r}: {error}") from error
        except (KeyError, TypeError, ValueError, RuntimeError, EOFError) as error:
            raise DamagedIndex(_damaged(folder, str(error))) from error
    raise AssertionError("unreachable")


def _is_foreign(path: Path) -> bool:
    """Whether a file is not what an interrupted first save leaves behind."""
    name = path.name.lstrip(".")
    return not (_FILE_NAME.match(name) or path.name.startswith(f".{MANIFEST}."))


def _damaged(folder: Path, what: str) -> str:
    return f"the index in {str(folder)!r} is damaged ({what}); build it again from its article"


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        with (folder / MANIFEST).open("rb") as file:
            data = file.read(MAX_MANIFEST_BYTES)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotAnIndex(
            f"{str(folder)!r} holds no index; make one with: article-qa build SOURCE -o DIR"
        ) from error
    except OSError as error:
        raise IndexFolderError(f"cannot read {str(folder)!r}: {error}") from error
    try:
        manifest = json.loads(data)
    except ValueError as error:
        raise DamagedIndex(_damaged(folder, f"{MANIFEST} is not JSON")) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise NotAnIndex(f"{str(folder / MANIFEST)!r} does not describe an index of article-qa")
    return manifest


def _check(manifest: Mapping[str, Any], folder: Path, fingerprint: str | None) -> None:
    """Refuse what this version or this model cannot answer from."""
    version, model = manifest.get("version"), manifest.get("model")
    parts = [model.get(key) for key in ("name", "fingerprint")] if isinstance(model, dict) else []
    named = len(parts) == 2 and all(isinstance(part, str) for part in parts)
    if not isinstance(version, int) or not isinstance(model, dict) or not named:
        raise DamagedIndex(_damaged(folder, f"{MANIFEST} lacks its version or model"))
    if version > VERSION:
        raise NewerFormat(
            f"the index in {str(folder)!r} has format {version}, and this version reads up to"
            f" {VERSION}; upgrade article-qa or build the index again"
        )
    if fingerprint is not None and model.get("fingerprint") != fingerprint:
        raise OtherModel(
            f"the index in {str(folder)!r} was made with model {model.get('name')!r} (fingerprint"
            f" {model.get('fingerprint')}), not with the one asked for ({fingerprint}); build it"
            " again or name its model"
        )
    if manifest.get("segmenter") != SEGMENTATION:
        raise OtherModel(
            f"the index in {str(folder)!r} was cut by {manifest.get('segmenter')!r}, this version"
            f" uses {SEGMENTATION!r}; build it again from its article"
        )


def _parts(index: ArticleIndex) -> dict[str, bytes]:
    """The contents of each file, without its place in the folder."""
    article = {
        "article": index.article.to_dict(),
        "passages": [
            [p.start, p.end, p.heading, p.paragraph, p.first, p.last, p.page]
            for p in index.passages
        ],
        "sentences": [[s.start, s.end, s.passage] for s in index.sentences],
        "vocabulary": index.terms.vocabulary,
    }
    arrays = io.BytesIO()
    np.savez(
        arrays,
        token_vectors=index.token_vectors,
        token_ids=index.token_ids,
        token_starts=index.token_starts,
        term_ids=index.terms.ids,
        term_starts=index.terms.starts,
        traits=index.traits,
    )
    return {
        # ASCII, so that lone surrogates survive.
        "article.json": json.dumps(article, ensure_ascii=True).encode("ascii"),
        "passages.faiss": faiss.serialize_index(index.passage_index).tobytes(),
        "arrays.npz": arrays.getvalue(),
    }


def _assembled(parts: Mapping[str, bytes], manifest: Mapping[str, Any]) -> ArticleIndex:
    """The index that ``_parts`` took apart."""
    data = json.loads(parts["article.json"])
    with np.load(io.BytesIO(parts["arrays.npz"]), allow_pickle=False) as arrays:
        return ArticleIndex(
            article=Article.from_dict(data["article"]),
            model=manifest["model"]["name"],
            fingerprint=manifest["model"]["fingerprint"],
            passages=tuple(Passage(*row) for row in data["passages"]),
            sentences=tuple(Sentence(*row) for row in data["sentences"]),
            passage_index=_flat(parts["passages.faiss"]),
            token_vectors=arrays["token_vectors"].astype(np.float16),
            token_ids=arrays["token_ids"],
            token_starts=arrays["token_starts"],
            terms=TermTable(tuple(data["vocabulary"]), arrays["term_ids"], arrays["term_starts"]),
            traits=arrays["traits"],
        )


def _flat(data: bytes) -> faiss.IndexFlat:
    index = index_of(data)
    if not isinstance(index, faiss.IndexFlat):
        raise TypeError(f"a {type(index).__name__} is no index of one article")
    return index


def _listed_files(folder: Path) -> set[str]:
    """Files of the index that the folder holds now, as far as its manifest can be read."""
    try:
        files = _read_manifest(folder)["files"].values()
        return {file["path"] for file in files if _FILE_NAME.fullmatch(file["path"])}
    except (IndexFolderError, KeyError, TypeError, AttributeError):
        return set()


def _write(folder: Path, name: str, data: bytes) -> dict[str, Any]:
    """Write one file under the name of its content; what the manifest says of it."""
    digest = hashlib.sha256(data).hexdigest()
    stem, suffix = name.split(".")
    path = f"{stem}-{digest[:32]}.{suffix}"
    replace_file(folder / path, data)
    return {"path": path, "bytes": len(data), "sha256": digest}


def _read(folder: Path, name: str, manifest: Mapping[str, Any]) -> bytes:
    """The bytes of one file, as long and as the manifest says they are."""
    entry = manifest["files"][name]
    path, size = entry["path"], entry["bytes"]
    if not _FILE_NAME.fullmatch(path) or not 0 <= size <= MAX_FILE_BYTES:
        raise ValueError(f"{MANIFEST} names {path!r}")
    with (folder / path).open("rb") as file:
        # One byte more than announced tells a file that grew, without reading it all.
        data = file.read(size + 1) if os.fstat(file.fileno()).st_size == size else b""
    if len(data) != size or hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise ValueError(f"{path} is not what was saved")
    return data
