"""An archive at 1e3 to 1e6 passages: time, memory, disk and recall, and how they grow.

    python benchmarks/library.py --squad squad1.json --sizes 1000 10000 100000 [-o library.md]

The passages are made from those of a SQuAD file. Of each generated one the text is four real
sentences drawn at random and one made-up word, the word pieces and their vectors are a real
passage's, and the vector is synthetic: a random mixture of two real passages' vectors and
noise with the real ones' covariance. Questions are the file's own and are encoded as usual.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from index import Article, Block, BlockKind, folder_changes
from index.encoder import Encoder, Float32, Int32
from index.folder_store import FolderStore
from index.folder_view import read_vectors
from index.models import load_encoder
from index.plaintext import article_from_text
from index.preparation import prepare_articles
from index.sqlite_schema import write_state
from index.store import ModelRef, PreparedArticle, PreparedPassage
from index.token_codec import TokenCodec
from qa.archive_ranking import rank_archive
from qa.library import Library

PASSAGES_AN_ARTICLE = 20
ARTICLES_A_COMMIT = 50
QUESTIONS = 150


class Remembered:
    """A codec that gives the codes it gave for the same vectors before."""

    def __init__(self, codec: TokenCodec) -> None:
        self._codec = codec
        self._codes: dict[int, bytes] = {}

    def encode(self, vector: Float32, token_vectors: Float32, token_ids: Int32) -> bytes:
        """As the codec does, the first time."""
        key = id(token_vectors)
        if key not in self._codes:
            self._codes[key] = self._codec.encode(vector, token_vectors, token_ids)
        return self._codes[key]


class Generator:
    """Passages without end out of real ones."""

    def __init__(self, real: Sequence[PreparedArticle]) -> None:
        self._rng = np.random.default_rng(0)
        self._passages = [p for article in real for p in article.passages]
        self._sentences = [
            (article.article.text[a:b], terms)
            for article in real
            for p in article.passages
            for (a, b), terms in zip(p.sentence_spans.tolist(), p.terms, strict=True)
            if b - a < 400
        ]
        self._vectors = np.stack([p.vector for p in self._passages])
        self._spread = np.linalg.cholesky(np.cov(self._vectors.T) + 1e-6 * np.eye(self.dim))

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return self._vectors.shape[1]

    def vectors(self, n: int) -> Float32:
        """Vectors spread as the real ones are."""
        rng = self._rng
        one, other = rng.integers(len(self._vectors), size=(2, n))
        share = rng.uniform(0.2, 0.8, (n, 1))
        mixed = share * self._vectors[one] + (1 - share) * self._vectors[other]
        mixed += 0.7 * rng.standard_normal((n, self.dim)) @ self._spread.T
        return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)

    def article(self, number: int) -> PreparedArticle:
        """An article of ``PASSAGES_AN_ARTICLE`` passages."""
        rng, text, blocks, passages = self._rng, "", [], []
        vectors = self.vectors(PASSAGES_AN_ARTICLE)
        for row in range(PASSAGES_AN_ARTICLE):
            start, spans, terms = len(text), [], []
            for n, pick in enumerate(rng.integers(len(self._sentences), size=4)):
                sentence, words = self._sentences[pick]
                extra = f" x{rng.zipf(1.2) % 10**9}x" if n == 3 else ""
                begin = len(text)
                text += sentence + extra
                spans.append((begin, len(text)))
                terms.append(words + ((extra.strip(),) if extra else ()))
                text += " "
            like: PreparedPassage = self._passages[rng.integers(len(self._passages))]
            n_tokens = len(like.token_ids)
            passages.append(
                PreparedPassage(
                    start=start,
                    end=len(text) - 1,
                    paragraph=row,
                    page=None,
                    vector=vectors[row],
                    token_vectors=like.token_vectors,
                    token_ids=like.token_ids,
                    sentence_spans=np.asarray(spans, dtype=np.int32),
                    token_starts=np.linspace(0, n_tokens, 5).astype(np.int32),
                    traits=np.zeros((4, like.traits.shape[1]), dtype=np.uint8),
                    terms=tuple(terms),
                )
            )
            blocks.append(Block(BlockKind.PARAGRAPH, start, len(text) - 1))
            text += "\n"
        day = f"20{10 + number % 15}-{1 + number % 12:02}-{1 + number % 28:02}"
        article = Article(text, tuple(blocks), title=f"Generated {number}", published=day)
        return PreparedArticle(article, tuple(passages), tags=(f"t{number % 100}",))


def commits(generator: Generator, n_articles: int) -> Iterator[list[PreparedArticle]]:
    """Articles, in the batches in which they are added."""
    for start in range(0, n_articles, ARTICLES_A_COMMIT):
        end = min(n_articles, start + ARTICLES_A_COMMIT)
        yield [generator.article(number) for number in range(start, end)]


def build(folder: Path, size: int, encoder: Encoder, real: list[PreparedArticle]) -> dict[str, Any]:
    """Make an archive of a size, and say what that took."""
    store = FolderStore.create(
        folder, ModelRef(encoder.name, encoder.fingerprint, encoder.dimension)
    )
    began, characters, remembered = time.perf_counter(), 0, {}
    deriving = 0.0
    for batch in commits(Generator(real), max(1, size // PASSAGES_AN_ARTICLE)):
        with store._change() as (connection, state):
            codecs = store._codecs(connection, state)
            if state.codec not in remembered:
                remembered[state.codec] = Remembered(codecs[state.codec])
            changed = folder_changes.add(connection, state, remembered, batch)
            write_state(connection, replace(changed, generation=state.generation + 1))
        characters += sum(len(prepared.article.text) for prepared in batch)
        at = time.perf_counter()
        store.flush()
        deriving += time.perf_counter() - at
    loading = time.perf_counter() - began - deriving
    at = time.perf_counter()
    store.compact()
    compacting = time.perf_counter() - at
    with store.read():
        view = store._view
    store.close()
    on_disk = sum(path.stat().st_size for path in folder.iterdir())
    return {
        "kind": view.base.kind.spec,
        "recall, stored": view.base.manifest["recall"],
        "rows a second": size / loading,
        "deriving s": deriving,
        "compact s": compacting,
        "disk B": (on_disk - characters) / size,
    }


def resident() -> float:
    """Memory of this process, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def serve(folder: Path, questions: Sequence[str]) -> dict[str, Any]:
    """What a process that only asks sees; printed as JSON by ``--serve``."""
    encoder = load_encoder()
    encoder.encode_query("warm")
    at = time.perf_counter()
    store = FolderStore(folder)
    opened = time.perf_counter() - at
    library = Library(store, encoder)
    library.ask(questions[0])
    took = []
    for question in questions:
        at = time.perf_counter()
        library.ask(question)
        took.append((time.perf_counter() - at) * 1000)
    memory = resident()
    encoding = []
    for question in questions[:50]:
        at = time.perf_counter()
        encoder.encode_query(question)
        encoding.append((time.perf_counter() - at) * 1000)
    hits = total = 0
    with store.read() as snapshot:
        queries = np.stack([encoder.encode_query(q).vector for q in questions[:50]])
        found = [set(snapshot.dense(query, 10).rows.tolist()) for query in queries]
        best: list[list[tuple[float, int]]] = [[] for _ in queries]
        for start in range(0, store._view.state.next_row, 50_000):
            rows, vectors = read_vectors(
                snapshot._connection, start, start + 50_000, queries.shape[1]
            )
            scores = queries @ vectors.T
            for i, row in enumerate(scores):
                top = np.argpartition(-row, min(10, len(row) - 1))[:10]
                best[i] = sorted(
                    best[i] + [(float(row[j]), int(rows[j])) for j in top], reverse=True
                )[:10]
        for have, want in zip(found, best, strict=True):
            hits += len(have & {row for _, row in want})
            total += len(want)
    article = article_from_text(
        f"Nightingale Yprzk of Grimblethorpe repaired the tower clock at {time.time()}."
    )
    at = time.perf_counter()
    library.add([article])
    assert (  # noqa: S101
        "Grimblethorpe" in library.ask("Who repaired the Grimblethorpe clock?").citations[0].quote
    )
    adding = time.perf_counter() - at
    library.remove(article.id)
    return {
        "open s": opened,
        "question ms": statistics.median(took),
        "p95 ms": sorted(took)[int(0.95 * len(took))],
        "encode ms": statistics.median(encoding),
        "resident MB": memory,
        "recall, questions": hits / total,
        "add and ask s": adding,
    }


def quality(folder: Path, data: Sequence[Any], limit: int) -> dict[str, float]:
    """R@k over passages when all the articles are one library, beside the plain recipe."""
    library = Library.open(folder)
    questions = []
    for entry in data:
        text, base = "\n\n".join(p["context"] for p in entry["paragraphs"]), 0
        article = article_from_text(text)
        library.add([article])
        for paragraph in entry["paragraphs"]:
            # The article keeps the paragraphs' text; what precedes one may be shorter by spaces.
            at = article.text.find(paragraph["context"][:80], max(0, base - 2_000))
            base = at + len(paragraph["context"]) if at >= 0 else base
            for q in paragraph["qas"] if at >= 0 else ():
                spans = {
                    (at + a["answer_start"], at + a["answer_start"] + len(a["text"]))
                    for a in q["answers"]
                }
                questions.append((article.id, q["question"], spans))
    library.compact()
    order = np.random.default_rng(0).permutation(len(questions))[:limit]
    hits = dict.fromkeys(("plain R@1", "plain R@3", "R@1", "R@3"), 0)
    for number in order:
        key, question, spans = questions[number]
        encoding = library._encoder.encode_query(question)
        with library.store.read() as snapshot:
            plain = snapshot.pool(snapshot.dense(encoding.vector, 3).rows, ())
            ranked = rank_archive(snapshot, question, encoding, [None])
        for name, pool, best in (
            ("plain R", plain, np.arange(len(plain))),
            ("R", ranked.pool, np.argsort(-ranked.passages, kind="stable")[:3]),
        ):
            right = [
                pool.articles[pool.article_of[row]] == key
                and any(
                    pool.passage_spans[row][0] <= a and b <= pool.passage_spans[row][1]
                    for a, b in spans
                )
                for row in best
            ]
            hits[f"{name}@1"] += right[0]
            hits[f"{name}@3"] += any(right)
    return {name: n / len(order) for name, n in hits.items()}


def table(results: dict[int, dict[str, Any]]) -> str:
    """Markdown, a size a column, and the exponent of the growth."""
    names = list(next(iter(results.values())))
    sizes = sorted(results)
    lines = ["| | " + " | ".join(f"{size:,}" for size in sizes) + " | exponent |"]
    lines.append("| --- |" + " --- |" * (len(sizes) + 1))
    for name in names:
        values = [results[size][name] for size in sizes]
        cells = [v if isinstance(v, str) else f"{v:.3g}" for v in values]
        slope = ""
        if len(sizes) > 1 and not isinstance(values[0], str):
            logs = np.log(np.maximum(np.asarray(values, dtype=float), 1e-9))
            slope = f"{np.polyfit(np.log(sizes), logs, 1)[0]:.2f}"
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {slope} |")
    return "\n".join(lines)


def main() -> None:
    """Build, serve and measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--squad", required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--keep", help="build libraries here, and use those that are there")
    parser.add_argument("--quality", type=int, metavar="N", help="ask N of the file's questions")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("-o", "--output")
    arguments = parser.parse_args()
    data = json.loads(Path(arguments.squad).read_text())["data"]
    asked = [q["question"] for a in data for p in a["paragraphs"] for q in p["qas"]]
    questions = [asked[i] for i in np.random.default_rng(1).permutation(len(asked))[:QUESTIONS]]
    if arguments.serve:
        print(json.dumps(serve(Path(arguments.serve), questions)))
        return
    place = Path(arguments.keep or tempfile.mkdtemp())
    if arguments.quality:
        print(json.dumps(quality(place / "quality", data, arguments.quality)))
        return
    results = {}
    real = None
    for size in arguments.sizes:
        folder = place / f"library-{size}"
        notes = place / f"library-{size}.json"
        if not notes.exists():
            encoder = load_encoder()
            if real is None:
                texts = ["\n\n".join(p["context"] for p in a["paragraphs"]) for a in data]
                articles = [article_from_text(text) for text in texts]
                real = list(prepare_articles(articles, encoder))
            shutil.rmtree(folder, ignore_errors=True)
            notes.write_text(json.dumps(build(folder, size, encoder, real)))
        served = subprocess.run(
            [sys.executable, __file__, "--squad", arguments.squad, "--serve", str(folder)],
            check=True,
            capture_output=True,
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
        )
        results[size] = json.loads(notes.read_text()) | json.loads(served.stdout.splitlines()[-1])
        print(table(results), flush=True)
    if not arguments.keep:
        shutil.rmtree(place)
    if arguments.output:
        Path(arguments.output).write_text(f"{table(results)}\n")


if __name__ == "__main__":
    main()
