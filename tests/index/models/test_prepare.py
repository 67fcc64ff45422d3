from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.hub import serving

if sys.platform == "darwin":
    pytest.skip("torch and faiss crash each other in one process", allow_module_level=True)

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # raised inside torch's exporter
    pytest.mark.filterwarnings("ignore::UserWarning:torch"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

torch = pytest.importorskip("torch")

from sentence_transformers import SentenceTransformer  # noqa: E402
from sentence_transformers.sentence_transformer.modules import (  # noqa: E402
    LSTM,
    Dense,
    Normalize,
    Pooling,
    Transformer,
)
from tokenizers import (  # noqa: E402
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (  # noqa: E402
    BertConfig,
    BertModel,
    ModernBertConfig,
    ModernBertModel,
    MPNetConfig,
    MPNetModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2Model,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from index.errors import ModelError  # noqa: E402
from index.models import prepare  # noqa: E402
from index.models.cache import Fidelity, PreparedModel, open_prepared  # noqa: E402
from index.models.encoder import Encoder  # noqa: E402
from index.models.loading import load_encoder, resolve  # noqa: E402
from index.models.onnx_encoder import OnnxEncoder  # noqa: E402
from index.models.prepare import faithful, prepare_model  # noqa: E402
from index.models.torch_encoder import TorchEncoder, load_original  # noqa: E402
from qa import ArticleBot  # noqa: E402

WIDTH = 24
TEXTS = ["The bridge is closed.", "Rain fell on the old bridge for three days, they say.", "Why?"]

MANY_LANGUAGES = [
    "The old bridge was closed on Monday, and two ferries took its place.",
    "Die alte Brücke wurde am Montag gesperrt; zwei Fähren fuhren an ihrer Stelle.",
    "El puente antiguo se cerró el lunes y dos transbordadores ocuparon su lugar.",
    "Старый мост закрыли в понедельник, и его заменили два парома.",
    "أُغلق الجسر القديم يوم الاثنين وحلت محله عبارتان.",
    "पुराना पुल सोमवार को बंद हुआ और दो नावें चलीं।",
    "旧桥在星期一关闭，由两艘渡轮代替。",
]

MakeModel = Callable[..., Path]


@pytest.fixture(scope="module")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> MakeModel:
    """Saves a small untrained model of the shape asked for, and returns its folder."""
    base = tmp_path_factory.mktemp("transformer")
    bundled = resolve().folder
    assert bundled is not None
    torch.manual_seed(1)
    config = BertConfig(
        hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=2, intermediate_size=48,
        initializer_range=0.3,
    )  # fmt: skip
    BertModel(config).save_pretrained(base)
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(bundled / "tokenizer.json"),
        unk_token="[UNK]",  # noqa: S106 - a word piece, not a password
        sep_token="[SEP]",  # noqa: S106
        pad_token="[PAD]",  # noqa: S106
        cls_token="[CLS]",  # noqa: S106
        mask_token="[MASK]",  # noqa: S106
    )
    tokenizer.save_pretrained(base)

    def make(
        *after: Dense | Normalize,
        pooling: str | tuple[str, ...] = "mean",
        prompts: dict[str, str] | None = None,
        include_prompt: bool = True,
        max_length: int = 40,
        transformer: Any = None,
    ) -> Path:
        source = base
        if transformer is not None:
            source = tmp_path_factory.mktemp("transformer")
            transformer.save_pretrained(source)
            tokenizer.save_pretrained(source)
        read = Transformer(str(source), max_seq_length=max_length)
        pool = Pooling(WIDTH, pooling_mode=pooling, include_prompt=include_prompt)
        model = SentenceTransformer(modules=[read, pool, *after], prompts=prompts, device="cpu")
        folder = tmp_path_factory.mktemp("model")
        model.save_pretrained(str(folder), create_model_card=False)
        return folder

    return make


@pytest.fixture(scope="module")
def multilingual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Saves a small untrained model of the kind of XLM-R, and returns its folder."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    named = {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>", "pad": "<pad>"}
    named |= {"unk": "<unk>", "mask": "<mask>"}
    trainer = trainers.UnigramTrainer(
        vocab_size=200,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        unk_token=named["unk"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(MANY_LANGUAGES * 20, trainer)
    ends = [("<s>", 0), ("</s>", 2)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ends
    )
    base = tmp_path_factory.mktemp("transformer")
    torch.manual_seed(1)
    config = XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=WIDTH, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=48, max_position_embeddings=70, pad_token_id=1,
        type_vocab_size=1, initializer_range=0.3,
    )  # fmt: skip
    XLMRobertaModel(config).save_pretrained(base)
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        **{f"{name}_token": piece for name, piece in named.items()},
    ).save_pretrained(base)
    model = SentenceTransformer(
        modules=[Transformer(str(base), max_seq_length=60), Pooling(WIDTH)], device="cpu"
    )
    folder = tmp_path_factory.mktemp("multilingual")
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


def prepared_from(folder: Path, root: Path, **options: Any) -> PreparedModel:
    options.setdefault("precision", "float32")
    return prepare_model(str(folder), root, folder=folder, **options)


def reference_for(folder: Path) -> TorchEncoder:
    return TorchEncoder(load_original(str(folder)), "original", "")


def assert_alike(ours: Encoder, theirs: Encoder, texts: Sequence[str] = TEXTS) -> None:
    assert (ours.dimension, ours.max_tokens) == (theirs.dimension, theirs.max_tokens)
    pairs = list(zip(ours.encode_documents(texts), theirs.encode_documents(texts), strict=True))
    pairs += [(ours.encode_query(text), theirs.encode_query(text)) for text in texts]
    starts = [[0, len(text) // 2] for text in texts]
    pairs += zip(
        ours.encode_documents(texts, starts=starts),
        theirs.encode_documents(texts, starts=starts),
        strict=True,
    )
    for mine, other in pairs:
        assert mine.vector == pytest.approx(other.vector, abs=1e-4)
        assert mine.token_vectors == pytest.approx(other.token_vectors, abs=1e-4)
        assert mine.token_ids.tolist() == other.token_ids.tolist()
        assert mine.token_spans.tolist() == other.token_spans.tolist()


SHAPES: dict[str, dict[str, Any]] = {
    "mean": {},
    "cls": {"pooling": "cls"},
    "max": {"pooling": "max"},
    "last": {"pooling": "lasttoken"},
    "weighted": {"pooling": "weightedmean"},
    "cls and mean": {"pooling": ("cls", "mean")},
    "prompts": {"prompts": {"query": "query: ", "passage": "the passage says: "}},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_whatever_a_model_defines_is_honoured(
    shape: dict[str, Any], make_model: MakeModel, tmp_path: Path
) -> None:
    folder = make_model(**shape)
    model = prepared_from(folder, tmp_path)
    assert (model.backend, model.precision, model.reason) == ("onnx", "float32", "")
    assert_alike(OnnxEncoder(model, "ours"), reference_for(folder))


def test_projections_and_normalisation_apply_to_word_pieces_too(
    make_model: MakeModel, tmp_path: Path
) -> None:
    folder = make_model(Dense(WIDTH, 16), Normalize())
    ours = OnnxEncoder(prepared_from(folder, tmp_path), "ours")
    assert ours.encode_query("rain").token_vectors.shape == (1, 16)
    assert_alike(ours, reference_for(folder))


def test_a_multilingual_model_reads_every_script_it_knows(
    multilingual: Path, tmp_path: Path
) -> None:
    """As XLM-R does: by SentencePiece, without segments, counting positions from the padding."""
    ours = OnnxEncoder(prepared_from(multilingual, tmp_path), "multilingual")
    theirs = reference_for(multilingual)
    assert_alike(ours, theirs, MANY_LANGUAGES)
    original = SentenceTransformer(str(multilingual), device="cpu")
    wanted = original.encode(MANY_LANGUAGES, normalize_embeddings=True)
    found = np.stack([encoding.vector for encoding in ours.encode_documents(MANY_LANGUAGES)])
    assert found == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("text", MANY_LANGUAGES)
def test_an_article_in_any_language_is_asked_with_a_multilingual_model(
    multilingual: Path, text: str
) -> None:
    bot = ArticleBot.from_text(f"{text}\n\n{text[::-1]}", model=str(multilingual))
    answer = bot.ask(text[: len(text) // 2])
    first = answer.citations[0]
    assert first.quote == bot.article.text[first.start : first.end]
    assert first.start < len(text)


SMALL: dict[str, Any] = {
    "vocab_size": 30522, "hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 48, "max_position_embeddings": 70, "initializer_range": 0.3,
}  # fmt: skip
OTHERS: dict[str, tuple[Callable[[], Any], bool]] = {
    "positions as a bias of their own": (lambda: MPNetModel(MPNetConfig(**SMALL)), True),
    "each reads what is before it": (
        lambda: Qwen2Model(Qwen2Config(num_key_value_heads=2, **SMALL)),
        False,
    ),
    "each reads a window around it": (
        lambda: ModernBertModel(
            ModernBertConfig(
                local_attention=8, global_attn_every_n_layers=2, pad_token_id=0, **SMALL
            )
        ),
        False,
    ),
}
"""Models whose attention is of another make, and whether it can be told of sentences."""


@pytest.mark.parametrize("kind", OTHERS)
def test_attention_is_told_of_sentences_only_where_all_else_stays(
    kind: str, make_model: MakeModel, tmp_path: Path
) -> None:
    make, told = OTHERS[kind]
    folder = make_model(transformer=make(), max_length=66)
    reference = reference_for(folder)
    assert reference.takes_bias is told
    text = "The old bridge is closed. " * 3
    starts = [[0, 26, 52]]
    untold = reference.encode_documents([text])[0].token_vectors
    if told:
        changed = reference.encode_documents([text], starts=starts)[0].token_vectors
        assert not np.allclose(changed, untold, atol=1e-3)
    else:
        same = reference.encode_documents([text], starts=starts)[0].token_vectors
        assert same == pytest.approx(untold, abs=1e-5)
    model = prepared_from(folder, tmp_path)
    assert model.backend == "onnx", model.reason
    assert_alike(OnnxEncoder(model, "ours"), reference)


def test_batches_change_nothing_but_rounding(make_model: MakeModel, tmp_path: Path) -> None:
    model = prepared_from(make_model(), tmp_path)
    one, many = OnnxEncoder(model, "one"), OnnxEncoder(model, "many", batch_size=3)
    assert_alike(many, one)


def test_the_reference_is_what_sentence_transformers_returns(make_model: MakeModel) -> None:
    folder = make_model(prompts=SHAPES["prompts"]["prompts"])
    plain = SentenceTransformer(str(folder), device="cpu")
    ours = reference_for(folder)
    documents = plain.encode_document(TEXTS, normalize_embeddings=True)
    query = plain.encode_query(TEXTS[2], normalize_embeddings=True)
    found = [encoding.vector for encoding in ours.encode_documents(TEXTS)]
    assert np.stack(found) == pytest.approx(documents, abs=1e-5)
    assert ours.encode_query(TEXTS[2]).vector == pytest.approx(query, abs=1e-5)
    assert not np.allclose(ours.encode_query(TEXTS[0]).vector, found[0])


def test_a_repeated_preparation_keeps_the_first(make_model: MakeModel, tmp_path: Path) -> None:
    folder = make_model()
    first = prepared_from(folder, tmp_path)
    written = (first.folder / "model.onnx").stat().st_ino
    assert prepared_from(folder, tmp_path) == first
    assert (first.folder / "model.onnx").stat().st_ino == written
    again = prepared_from(folder, tmp_path, replace=True)
    assert (again.folder / "model.onnx").stat().st_ino != written
    assert [path.name for path in (tmp_path / "models").iterdir()] == [first.folder.name]


def test_progress_counts_the_steps(make_model: MakeModel, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    prepared_from(make_model(), tmp_path, progress=lambda *call: calls.append(call))
    assert [done for _, done, _ in calls] == [0, 1, 2, 3, 4, 5]
    assert {total for _, _, total in calls} == {5}
    assert "once" in calls[0][0]


def test_int8_is_used_where_it_is_faithful(make_model: MakeModel, tmp_path: Path) -> None:
    model = prepared_from(make_model(), tmp_path, precision="int8")
    assert (model.precision, model.reason) == ("int8", "")
    assert model.fidelity is not None
    assert model.fidelity.cosine > 0.98


def test_int8_that_strays_is_replaced_by_float32(
    make_model: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impossible = {**prepare.LEAST_FAITHFUL, "int8": Fidelity(1.1, 0, 0)}
    monkeypatch.setattr(prepare, "LEAST_FAITHFUL", impossible)
    folder = make_model()
    model = prepared_from(folder, tmp_path, precision="int8")
    assert (model.backend, model.precision) == ("onnx", "float32")
    assert "int8 strays too far" in model.reason
    assert model.fingerprint == prepared_from(folder, tmp_path / "other").fingerprint
    assert_alike(OnnxEncoder(model, "ours"), reference_for(folder))


def test_float32_that_strays_leaves_the_model_to_torch(
    make_model: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impossible = {**prepare.LEAST_FAITHFUL, "float32": Fidelity(1.1, 0, 0)}
    monkeypatch.setattr(prepare, "LEAST_FAITHFUL", impossible)
    model = prepared_from(make_model(), tmp_path)
    assert (model.backend, model.precision) == ("torch", "float32")
    assert "float32 strays too far" in model.reason
    assert [path.name for path in model.folder.iterdir()] == ["settings.json"]


def test_pooling_that_leaves_the_prompt_out_stays_on_torch(
    make_model: MakeModel, tmp_path: Path
) -> None:
    folder = make_model(include_prompt=False, prompts={"query": "query: "})
    model = prepared_from(folder, tmp_path)
    assert (model.backend, model.reason) == ("torch", "its pooling leaves the prompt out")


def test_a_part_that_is_not_known_stays_on_torch(make_model: MakeModel) -> None:
    original = load_original(str(make_model()))
    original.insert(1, LSTM(WIDTH, WIDTH))
    with pytest.raises(prepare.UnexportableError, match="LSTM"):
        prepare.refuse_unexportable(original)


def test_a_model_that_reads_next_to_nothing_stays_on_torch(
    make_model: MakeModel, tmp_path: Path
) -> None:
    model = prepared_from(make_model(max_length=6), tmp_path)
    assert (model.backend, model.reason) == ("torch", "it reads only 4 word pieces at a time")


def test_what_stays_on_torch_is_loaded_with_a_warning(
    make_model: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTICLE_QA_CACHE", str(tmp_path))
    folder = make_model(include_prompt=False, prompts={"query": "query: "})
    kept = prepared_from(folder, tmp_path, precision="int8")
    with pytest.warns(UserWarning, match=r"runs on torch, .* leaves the prompt out"):
        encoder = load_encoder(str(folder))
    assert isinstance(encoder, TorchEncoder)
    assert encoder.fingerprint == kept.fingerprint
    assert load_encoder(str(folder), backend="torch").fingerprint == kept.fingerprint


def test_a_model_that_is_damaged_is_refused(make_model: MakeModel, tmp_path: Path) -> None:
    folder = make_model()
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="sentence-transformers cannot load the model"):
        prepared_from(folder, tmp_path)
    assert list((tmp_path / "models").iterdir()) == []


def test_the_original_refuses_long_documents_and_cuts_long_queries(make_model: MakeModel) -> None:
    ours = reference_for(make_model())
    with pytest.raises(ModelError, match="has 39 word pieces, the model reads 38"):
        ours.encode_documents(["rain " * 39])
    assert len(ours.encode_query("rain " * 99).token_ids) == 38
    assert len(ours.encode_query("lone \ud800 surrogate").token_ids) > 1


def test_not_a_number_is_not_faithful() -> None:
    assert not faithful(Fidelity(float("nan"), 1, 1), "int8")
    assert faithful(Fidelity(1, 1, 1), "float32")


def test_the_other_process_answers_in_lines_of_json(
    make_model: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = io.StringIO()
    said.close = lambda: None  # type: ignore[method-assign]
    monkeypatch.setattr(prepare, "own_channel", lambda: said)
    folder = str(make_model())
    request = {"source": folder, "folder": folder, "root": str(tmp_path),
               "precision": "float32", "local": False, "replace": False}  # fmt: skip
    assert prepare.main([json.dumps(request)]) == 0
    messages = [json.loads(line) for line in said.getvalue().splitlines()]
    assert [list(message) for message in messages] == [["progress"]] * 6 + [["prepared"]]
    assert open_prepared(Path(messages[-1]["prepared"])) is not None
    (tmp_path / "file").touch()
    assert prepare.main([json.dumps({**request, "root": str(tmp_path / "file")})]) == 1
    assert prepare.main([json.dumps({**request, "source": str(tmp_path / "nowhere")})]) == 1
    last = [next(iter(json.loads(line))) for line in said.getvalue().splitlines()]
    assert "unwritable" in last
    assert last[-1] == "refused"


def run_cli(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, which may ask the hub."""
    environment = {name: value for name, value in os.environ.items() if name[:3] != "HF_"}
    environment |= {"PYTHONUTF8": "1", "HF_HUB_DISABLE_TELEMETRY": "1"} | variables
    return subprocess.run(
        [sys.executable, "-m", "qa.cli", *arguments],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_a_model_of_the_hub_is_fetched_once(make_model: MakeModel, tmp_path: Path) -> None:
    own = {"HF_HOME": str(tmp_path / "hub"), "ARTICLE_QA_CACHE": str(tmp_path / "cache")}
    with serving("tester/tiny", make_model()) as hub:
        prepared = run_cli("prepare", "tester/tiny", HF_ENDPOINT=hub, **own)
    assert prepared.returncode == 0, prepared.stderr
    # The hub is gone now, and nobody is asked for it.
    asked = run_cli("ask", "Who objected?", "--model", "tester/tiny", HF_ENDPOINT=hub, **own)
    assert asked.returncode in {0, 1}, asked.stderr
    assert asked.stdout.startswith(("[1]", "The article does not say"))
    # What was fetched is enough to prepare it anew.
    own["ARTICLE_QA_CACHE"] = str(tmp_path / "another")
    again = run_cli("prepare", "tester/tiny", HF_ENDPOINT=hub, **own)
    assert again.returncode == 0, again.stderr
    assert again.stdout.split("stored in")[0] == prepared.stdout.split("stored in")[0]
    other = run_cli("prepare", "tester/other", HF_ENDPOINT=hub, **own)
    assert other.returncode == 2
    assert "cannot load the model 'tester/other': the hub cannot be reached" in other.stderr
    assert "Traceback" not in other.stderr
