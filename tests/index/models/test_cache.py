from __future__ import annotations

import json
import os
import stat
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from index.models.cache import (
    Fidelity,
    PreparedModel,
    fingerprint_of,
    open_prepared,
    publish,
    source_digest,
    staging_folder,
)


def staged(root: Path, weights: bytes = b"weights") -> PreparedModel:
    folder = Path(tempfile.mkdtemp(dir=root))
    (folder / "model.onnx").write_bytes(weights)
    return PreparedModel(
        folder=folder,
        backend="onnx",
        precision="int8",
        fingerprint="f00d",
        dimension=3,
        max_length=5,
        max_tokens=3,
        document_prompt="",
        query_prompt="query: ",
        fidelity=Fidelity(1.0, 0.8, 0.7),
        reason="",
        versions={"onnxruntime": "1"},
    )


@pytest.fixture
def kept(tmp_path: Path) -> PreparedModel:
    return publish(staged(tmp_path), tmp_path / "kept")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "1_Pooling" / "config.json").write_text("{}")
    return folder


def test_what_is_published_can_be_opened(kept: PreparedModel, tmp_path: Path) -> None:
    assert open_prepared(kept.folder) == kept
    assert (kept.folder, kept.query_prompt) == (tmp_path / "kept", "query: ")


def test_the_first_to_finish_wins(kept: PreparedModel, tmp_path: Path) -> None:
    loser = publish(staged(tmp_path, b"later"), kept.folder)
    assert loser == kept
    assert (kept.folder / "model.onnx").read_bytes() == b"weights"


def test_a_whole_one_is_replaced_on_request(kept: PreparedModel, tmp_path: Path) -> None:
    publish(staged(tmp_path, b"later"), kept.folder, replace=True)
    assert (kept.folder / "model.onnx").read_bytes() == b"later"


def test_a_damaged_one_is_replaced(kept: PreparedModel, tmp_path: Path) -> None:
    (kept.folder / "model.onnx").write_bytes(b"wei")
    publish(staged(tmp_path, b"later"), kept.folder)
    assert (kept.folder / "model.onnx").read_bytes() == b"later"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]


@pytest.mark.parametrize("damage", [b"wei", b"WEIGHTS", b""])
def test_damaged_bytes_are_noticed(kept: PreparedModel, damage: bytes) -> None:
    (kept.folder / "model.onnx").write_bytes(damage)
    assert open_prepared(kept.folder) is None


@pytest.mark.parametrize("name", ["model.onnx", "settings.json"])
def test_missing_files_are_noticed(kept: PreparedModel, name: str) -> None:
    (kept.folder / name).unlink()
    assert open_prepared(kept.folder) is None


@pytest.mark.parametrize("settings", ["", "[]", "{}", '{"files": []}', '{"files": {"a": 1}}'])
def test_damaged_settings_are_noticed(kept: PreparedModel, settings: str) -> None:
    (kept.folder / "settings.json").write_text(settings)
    assert open_prepared(kept.folder) is None


def test_settings_of_another_shape_are_noticed(kept: PreparedModel) -> None:
    path = kept.folder / "settings.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "unheard_of": 1}))
    assert open_prepared(kept.folder) is None


def test_one_whose_graph_takes_in_something_else_is_prepared_again(kept: PreparedModel) -> None:
    settings = json.loads((kept.folder / "settings.json").read_text("utf-8"))
    older = settings | {"graph": settings["graph"] - 1}
    oldest = {name: value for name, value in settings.items() if name != "graph"}
    for changed in (older, oldest):
        (kept.folder / "settings.json").write_text(json.dumps(changed), "utf-8")
        assert open_prepared(kept.folder) is None


def test_a_copied_cache_is_accepted(kept: PreparedModel) -> None:
    os.utime(kept.folder / "model.onnx", (1, 1))
    assert open_prepared(kept.folder) == kept


def test_publishing_where_nothing_can_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="could not be written"):
        publish(staged(tmp_path), tmp_path / "file" / "target")


def test_staging_leaves_nothing_behind_and_clears_what_a_crash_left(tmp_path: Path) -> None:
    left = tmp_path / "models" / ".staging-crashed"
    recent = tmp_path / "models" / ".staging-recent"
    left.mkdir(parents=True)
    recent.mkdir()
    os.utime(left, (time.time() - 1e6,) * 2)

    def crash() -> None:
        with staging_folder(tmp_path) as staging:
            (staging / "half").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        crash()
    assert list((tmp_path / "models").iterdir()) == [recent]


@pytest.mark.parametrize(
    "changed", ["model.safetensors", "1_Pooling/config.json", "tokenizer.json"]
)
def test_whatever_changes_vectors_changes_the_digest(
    source: Path, tmp_path: Path, changed: str
) -> None:
    before = source_digest(source, tmp_path)
    (source / changed).write_bytes(b"changed")
    assert source_digest(source, tmp_path) != before


@pytest.mark.parametrize("added", ["README.md", ".gitattributes", "onnx/model.onnx"])
def test_what_changes_no_vector_leaves_the_digest(source: Path, tmp_path: Path, added: str) -> None:
    before = source_digest(source, tmp_path)
    (source / added).parent.mkdir(exist_ok=True)
    (source / added).write_bytes(b"added")
    assert source_digest(source, tmp_path) == before


def test_a_copy_elsewhere_has_the_same_digest(source: Path, tmp_path: Path) -> None:
    before = source_digest(source, tmp_path)
    assert source_digest(source.rename(tmp_path / "elsewhere"), tmp_path) == before


def test_the_digest_is_found_without_reading_the_weights_again(
    source: Path, tmp_path: Path
) -> None:
    before = source_digest(source, tmp_path)
    weights = source / "model.safetensors"
    status = weights.stat()
    weights.write_bytes(b"WEIGHTS")
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert source_digest(source, tmp_path) == before


def test_a_digest_that_cannot_be_remembered_is_found_all_the_same(
    source: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert source_digest(source, tmp_path / "file") == source_digest(source, tmp_path)


def test_fingerprints_tell_apart_what_is_not_interchangeable() -> None:
    kinds = [("a", "int8"), ("b", "int8"), ("a", "float32")]
    assert len({fingerprint_of(*kind) for kind in kinds}) == len(kinds)


def test_a_model_that_needs_a_reason_keeps_it(tmp_path: Path) -> None:
    model = replace(staged(tmp_path), backend="torch", fidelity=None, reason="it has an LSTM")
    kept = publish(model, tmp_path / "kept")
    assert (kept.reason, kept.fidelity) == ("it has an LSTM", None)


def test_what_a_cache_holds_is_the_users_alone(source: Path, tmp_path: Path) -> None:
    root = tmp_path / "cache"
    source_digest(source, root)
    with staging_folder(root):
        pass
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (root, *root.iterdir())}
    assert set(modes.values()) == {0o700}, modes


def test_one_whose_fidelity_says_more_is_opened(kept: PreparedModel) -> None:
    path = kept.folder / "settings.json"
    settings = json.loads(path.read_text("utf-8"))
    settings["fidelity"]["worst_cosine"] = 0.6
    path.write_text(json.dumps(settings), "utf-8")
    assert open_prepared(kept.folder) == kept
