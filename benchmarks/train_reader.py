"""Train the reader that ships in ``qa/reading/model``.

    python -m benchmarks.train_reader DATA [--minutes 84 | --tokens 6000000] [--folder FOLDER]
                                           [--start qa/reading/model]

All layers of the bundled MiniLM are fine-tuned to point at the first and the last word piece
of an answer, and at the first token of all where there is none (Devlin et al., BERT, 2019,
https://arxiv.org/abs/1810.04805, section 4.3). What it reads are windows of sentences, cut by
the function that cuts them when a question is asked; `benchmarks.reader_examples` makes them.

Started again with the same folder it goes on from its last checkpoint. With ``--tokens`` the
result follows from the seed, on one kind of machine; with ``--minutes`` the learning rate
falls with the clock, so that training ends on time on a machine that others use. With
``--start`` the weights are those of a reader trained before, out of its 8 bits, and what ships is
between both: a second look at the same questions learns them by heart, and the mean of the weights
does not (Wortsman et al., Model soups, 2022, https://arxiv.org/abs/2203.05482).

At the end FOLDER holds ``reader.onnx`` and ``provenance.json``, which belong into
``qa/reading/model``, and what is measured on titles that are never trained on.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

from benchmarks.reader_examples import Example, examples, held_out
from index.models.loading import resolve
from index.models.prepare import OPSET
from index.models.quantize import quantize
from index.segmentation.sentences import split_sentences
from qa.evaluation.measures import auroc, exact_match, word_f1
from qa.reading.reader import Reader, Span, Window

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LONGEST = 192
"""Word pieces of a question and a window together; hardly any has as many."""
BUCKET = 1500
"""Examples out of which batches of like lengths are made."""
WARM_UP = 80
"""Steps until the learning rate is reached."""
N_HELD_OUT = 700
N_FEEDS = 60
NOTHING = Span(0, 0, -99.0)
"""Of a window that is cut off before its first word ends."""
CHECKPOINT = "checkpoint.pt"

OF_ALL = {"about", "model", "data", "held_out"}
"""What a provenance says that holds for every stretch of a training."""

DATA = {
    "squad1.json": "SQuAD 1.1, development set, titles at even places, CC BY-SA 4.0",
    "squad2.json": "SQuAD 2.0, the same titles' questions without an answer, CC BY-SA 4.0",
    "reading/new_wiki.json": "SQuADShifts, newer Wikipedia, CC BY 4.0",
    "reading/amazon.json": "SQuADShifts, Amazon reviews, CC BY 4.0",
    "reading/reddit.json": "SQuADShifts, Reddit comments, CC BY 4.0",
    "reading/qamr.jsonl": "QAMR, MIT",
}


@dataclass(frozen=True, slots=True)
class Encoded:
    """An example as the model takes it; ``first`` and ``last`` are 0 where there is no answer."""

    ids: list[int]
    types: list[int]
    first: int
    last: int


@dataclass(slots=True)
class State:
    """How far training has come."""

    step: int = 0
    n_tokens: int = 0
    seconds: float = 0.0
    loss: float = 0.0


class SpanModel(nn.Module):
    """The encoder and two logits for each word piece: an answer begins, an answer ends."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(width, 2)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor,
    ) -> torch.Tensor:
        """Logits, float32 ``(n_texts, n_tokens, 2)``."""
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        logits: torch.Tensor = self.head(hidden.float())
        return logits


def encode(tokenizer: Tokenizer, example: Example) -> Encoded | None:
    """Word pieces of an example; None where its answer was cut off."""
    encoding = tokenizer.encode(example.question, example.text)
    first = last = 0
    if example.answer:
        start, end = example.answer
        pieces = enumerate(zip(encoding.offsets, encoding.type_ids, strict=True))
        inside = [i for i, ((a, b), kind) in pieces if kind == 1 and a < end and start < b]
        if not inside:
            return None
        first, last = inside[0], inside[-1]
    return Encoded(encoding.ids, encoding.type_ids, first, last)


def batches(
    timed: Sequence[tuple[float, Encoded]], n_tokens: int, seed: int
) -> list[list[Encoded]]:
    """Batches of like lengths, in the order in which the examples are to come."""
    random_ = random.Random(seed)  # noqa: S311 - nobody gains by guessing it
    ordered = [example for _, example in sorted(timed, key=lambda item: item[0])]
    plan: list[list[Encoded]] = []
    for i in range(0, len(ordered), BUCKET):
        some: list[list[Encoded]] = [[]]
        for example in sorted(ordered[i : i + BUCKET], key=lambda e: len(e.ids)):
            if some[-1] and len(example.ids) * (len(some[-1]) + 1) > n_tokens:
                some.append([])
            some[-1].append(example)
        random_.shuffle(some)
        plan += some
    return plan


def load_model(base: Path, attention: str = "sdpa") -> SpanModel:
    """The bundled model with new last logits."""
    from transformers import AutoModel

    dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    encoder = AutoModel.from_pretrained(base, attn_implementation=attention, **dropout)
    encoder.pooler = None
    return SpanModel(encoder, encoder.config.hidden_size)


def exported_weights(path: Path) -> dict[str, torch.Tensor]:
    """The weights of a graph with 8-bit weights, by the names of a `SpanModel`'s state.

    A matrix has no name in the graph: it is known by the bias that is added to its product.
    """
    graph = onnx.load(path).graph
    array = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    made_by = {name: node for node in graph.node for name in node.output}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    found = {name: values for name, values in array.items() if values.dtype == np.float32}
    for name in [name for name in array if name.endswith("_quantized")]:
        base = name.removesuffix("_quantized")
        scale, zero = array[f"{base}_scale"], array[f"{base}_zero_point"]
        values = (array[name].astype(np.float32) - zero.astype(np.float32)) * scale
        if base.endswith(".weight"):
            found[base] = values
            continue
        (product,) = readers[name]
        # The channels of what is multiplied were evened out; see `index.models.quantize`.
        even = made_by[made_by[product.input[0]].input[0]]
        values = values * array[even.input[1]][:, np.newaxis]
        node = product
        while node.op_type != "Add":
            (node,) = readers[node.output[0]]
        (bias,) = [n for n in node.input if n in array]
        found[f"{bias.removesuffix('.bias')}.weight"] = np.ascontiguousarray(values.T)
    return {name: torch.tensor(values) for name, values in found.items()}


def load_tokenizer(base: Path) -> Tokenizer:
    """The bundled model's tokenizer, for a question and a window."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST, strategy="only_second")
    return tokenizer


def padded(batch: Sequence[Encoded], device: str) -> dict[str, torch.Tensor]:
    """A batch as tensors."""
    n = max(len(example.ids) for example in batch)
    rows = {
        "input_ids": [e.ids + [0] * (n - len(e.ids)) for e in batch],
        "attention_mask": [[1] * len(e.ids) + [0] * (n - len(e.ids)) for e in batch],
        "token_type_ids": [e.types + [0] * (n - len(e.ids)) for e in batch],
    }
    return {name: torch.tensor(row, device=device) for name, row in rows.items()}


def loss_of(
    model: SpanModel, batch: Sequence[Encoded], device: str, *, bfloat16: bool
) -> torch.Tensor:
    """How badly both ends are told, among the word pieces of the window and the first token."""
    given = padded(batch, device)
    with torch.autocast(device, dtype=torch.bfloat16, enabled=bfloat16):
        logits = model(**given).float()
    separator = batch[0].ids[-1]
    allowed = (given["token_type_ids"] == 1) & (given["input_ids"] != separator)
    allowed[:, 0] = True
    logits = logits.masked_fill(~allowed[..., None], -1e4)
    ends = ([e.first for e in batch], [e.last for e in batch])
    losses = [
        functional.cross_entropy(logits[..., column], torch.tensor(end, device=device))
        for column, end in enumerate(ends)
    ]
    return losses[0] + losses[1]


def has_fast_bfloat16(device: str) -> bool:
    """Whether bfloat16 is quicker than float32: emulated it is twenty times slower."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def train(
    model: SpanModel, plan: Sequence[Sequence[Encoded]], settings: argparse.Namespace, device: str
) -> State:
    """Train over the plan, or until the tokens or minutes are spent."""
    bfloat16 = has_fast_bfloat16(device)
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.01},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ],
        fused=True,
    )
    checkpoint = settings.folder / CHECKPOINT
    state = resume(checkpoint, model, optimizer) if checkpoint.exists() else State()
    total = sum(len(example.ids) for batch in plan for example in batch)
    limit = min(total, settings.tokens or total)
    before, began = state.seconds, time.monotonic()
    saved = state.seconds
    for batch in plan[state.step :]:
        done = state.n_tokens / limit
        if settings.minutes:
            done = max(done, state.seconds / (60 * settings.minutes))
        if done >= 1:
            break
        for group in optimizer.param_groups:
            warm = min(1.0, (state.step + 1) / WARM_UP)
            group["lr"] = settings.learning_rate * warm * (1 - done)
        loss = loss_of(model, batch, device, bfloat16=bfloat16)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        state.loss = 0.98 * state.loss + 0.02 * loss.item() if state.step else loss.item()
        state.n_tokens += sum(len(example.ids) for example in batch)
        state.step += 1
        state.seconds = before + time.monotonic() - began
        if state.step % 25 == 0:
            print(
                f"{done:6.1%}  step {state.step}/{len(plan)}  loss {state.loss:.3f}  "
                f"{state.n_tokens:,} tokens, {state.n_tokens / state.seconds:,.0f} a second",
                flush=True,
            )
        if state.seconds - saved > 60 * settings.save_every:
            save(checkpoint, model, optimizer, state)
            saved = state.seconds
    save(checkpoint, model, optimizer, state)
    return state


def resume(path: Path, model: SpanModel, optimizer: torch.optim.Optimizer | None = None) -> State:
    """Take up a checkpoint."""
    kept = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(kept["model"])
    if optimizer:
        optimizer.load_state_dict(kept["optimizer"])
    torch.set_rng_state(kept["random"])
    state = State(**kept["state"])
    print(f"goes on at step {state.step}", flush=True)
    return state


def save(path: Path, model: SpanModel, optimizer: torch.optim.Optimizer, state: State) -> None:
    """Write a checkpoint in one step, so that a kill leaves the last one whole."""
    written = path.with_suffix(".new")
    torch.save(
        {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "state": asdict(state),
        },
        written,
    )
    written.replace(path)


def export(model: SpanModel, sample: Sequence[Encoded], full: Path, small: Path) -> None:
    """Write the graph in full precision and with 8-bit weights."""
    batch = torch.export.Dim("batch", min=1, max=512)
    length = torch.export.Dim("length", min=2, max=512)
    given = padded([sample[0], sample[0]], "cpu")  # an axis of one would be taken for a constant
    with torch.no_grad():
        program = torch.onnx.export(
            model.cpu().eval(),
            tuple(given.values()),
            dynamo=True,
            input_names=list(given),
            output_names=["logits"],
            dynamic_shapes=tuple({0: batch, 1: length} for _ in given),
            opset_version=OPSET,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch exported nothing")
    program.save(full)
    feeds = [{name: v.numpy() for name, v in padded([e], "cpu").items()} for e in sample]
    quantize(full, small, feeds)


def measure(reader: Reader, asked: Sequence[Example]) -> dict[str, float]:
    """Exact match and F1 of the answers, and how well answerable ones are told apart."""
    margins: dict[str, list[float]] = {"positive": [], "cut": [], "written": []}
    exact, overlap = [], []
    for example in asked:
        best = max(_spans(reader, example), key=lambda span: span.margin, default=NOTHING)
        margins[example.kind].append(best.margin)
        if example.kind == "positive":
            said = example.text[best.start : best.end]
            exact.append(any(exact_match(said, gold) for gold in example.gold))
            overlap.append(max(word_f1(said, gold) for gold in example.gold))
    figures = {"exact_match": np.mean(exact), "f1": np.mean(overlap)}
    for kind in ("cut", "written"):
        both = np.asarray(margins["positive"] + margins[kind])
        figures[f"auroc_{kind}"] = auroc(both, np.arange(len(both)) < len(margins["positive"]))
    return {name: round(float(figure), 4) for name, figure in figures.items()}


def _spans(reader: Reader, example: Example) -> Iterator[Span]:
    sentences = split_sentences(example.text, 0, len(example.text), "en")
    window = Window(example.text, 0, tuple(sentences))
    yield from filter(None, reader.read(example.question, [window])[0])


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--folder", type=Path, default=Path("reader-training"))
    parser.add_argument("--tokens", type=int, default=0, help="by default all examples, once")
    parser.add_argument("--minutes", type=float, default=0, help="at most this long")
    parser.add_argument("--batch", type=int, default=2600, help="tokens of a batch")
    parser.add_argument("--learning-rate", type=float, default=1.6e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=float, default=4, help="minutes")
    parser.add_argument("--start", type=Path, help="folder of a reader to go on from")
    parser.add_argument("--share", type=float, default=0.4, help="of the new weights beside those")
    parser.add_argument("--export-only", action="store_true", help="of the last checkpoint")
    settings = parser.parse_args()
    settings.folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    base = resolve().folder
    if base is None:
        parser.error("the bundled model is not installed")
    torch.manual_seed(settings.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = load_tokenizer(base)
    made = examples(settings.data, settings.seed)
    timed = [(when, encoded) for when, e in made if (encoded := encode(tokenizer, e))]
    n_tokens = sum(len(example.ids) for _, example in timed)
    kinds = dict(Counter(example.kind for _, example in made))
    plan = batches(timed, settings.batch, settings.seed)
    print(f"{len(timed):,} examples, {n_tokens:,} tokens, {len(plan):,} batches", flush=True)
    model = load_model(base)
    if settings.export_only:
        state = resume(settings.folder / CHECKPOINT, model)
    else:
        # On a processor, fused attention is slow to go back through in bfloat16.
        trained = load_model(base, "eager" if device == "cpu" else "sdpa")
        if settings.start:
            # What the graph does not hold, such as numbers of places, is the same for all.
            weights = exported_weights(settings.start / "reader.onnx")
            missing, _ = trained.load_state_dict(weights, strict=False)
            if missing:
                parser.error(f"{settings.start} lacks {', '.join(missing)}")
        before = {name: weight.clone() for name, weight in trained.state_dict().items()}
        state = train(trained.to(device), plan, settings, device)
        share = settings.share if settings.start else 1.0
        model.load_state_dict(
            {
                name: torch.lerp(before[name], weight.cpu(), share)
                if weight.is_floating_point()
                else weight
                for name, weight in trained.state_dict().items()
            }
        )

    full, small = settings.folder / "float32" / "reader.onnx", settings.folder / "reader.onnx"
    full.parent.mkdir(exist_ok=True)
    asked = held_out(settings.data, N_HELD_OUT)
    feeds = [e for example in asked[:N_FEEDS] if (e := encode(tokenizer, example))]
    export(model, feeds, full, small)
    spent = f"--minutes {settings.minutes:g}" if settings.minutes else f"--tokens {settings.tokens}"
    spent += f" --seed {settings.seed} --batch {settings.batch}"
    spent += f" --learning-rate {settings.learning_rate:g}"
    spent += f" --start qa/reading/model --share {settings.share:g}" if settings.start else ""
    provenance: dict[str, Any] = {
        "about": "Names the exact words of an answer; see qa/reading/reader.py. Trained.",
        "model": "all-MiniLM-L6-v2 (Apache-2.0) and two logits, all layers fine-tuned",
        "data": DATA,
        "held_out": "SQuAD's titles at odd places of the sorted list",
        "command": f"python -m benchmarks.train_reader DATA {spent}",
        "examples": kinds,
        "tokens_seen": state.n_tokens,
        "steps": state.step,
        "minutes": round(state.seconds / 60, 1),
        "device": f"{device}, {torch.get_num_threads()} threads, {platform.machine()}",
        "torch": torch.__version__,
        "held_out_figures": {
            name: measure(Reader(path.parent), asked)
            for name, path in (("float32", full), ("int8", small))
        },
    }
    if settings.start:
        first = json.loads((settings.start / "provenance.json").read_text("utf-8"))
        provenance["before"] = {
            key: first[key] for key in (provenance.keys() & first.keys()) - OF_ALL
        }
    text = json.dumps(provenance, indent=1) + "\n"
    (settings.folder / "provenance.json").write_text(text, encoding="utf-8")
    print(text, flush=True)


if __name__ == "__main__":
    main()
