"""An archive at 1e3 to 1e6 passages: time, memory, disk and recall, and how they grow.

    python -m benchmarks.library --squad squad1.json -o benchmarks/results/library.md

`library_material` says what the passages are made of. Questions are the file's own and are
encoded as usual; each archive is asked by a process that does nothing else. The quality is
that of the file's articles as one archive, beside the plain recipe: the nearest vectors.

A thousand passages take seconds, 100,000 one to three minutes and 1,000,000 twenty to thirty;
10,000, where another process writes meanwhile, five to ten.
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
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.library_material import (
    ARTICLES_A_COMMIT,
    PASSAGES_AN_ARTICLE,
    Generator,
    Remembered,
    commits,
    prepared,
)
from index.archive.folder import changes as folder_changes
from index.archive.folder import maintenance
from index.archive.folder.database import write_state
from index.archive.folder.store import FolderStore, Tuning
from index.archive.folder.view import read_codecs, read_vectors
from index.archive.store import ModelRef, PreparedArticle
from index.models.encoder import Encoder
from index.models.loading import load_encoder
from index.reading.plaintext import article_from_text
from qa.library import Library
from qa.ranking.candidates import POOL, parse_question
from qa.ranking.ranking import rank

SIZES = [1_000, 10_000, 100_000, 1_000_000]
QUESTIONS = 150
ADDED = 2_000
"""Articles that another process adds while questions are asked."""
WRITING_AT = 10_000
"""Size of the archive that is asked meanwhile."""
ABOUT = (
    "Passages are generated from a SQuAD 1.1 file (see `benchmarks/library_material.py`): real"
    " sentences and word pieces, synthetic vectors with the real ones' spread. Questions are real."
    f" {PASSAGES_AN_ARTICLE} passages an article, {PASSAGES_AN_ARTICLE * ARTICLES_A_COMMIT:,} a"
    " commit. The exponent e is fitted: a figure grows as the number of passages to the power e."
)


def build(folder: Path, size: int, encoder: Encoder, real: list[PreparedArticle]) -> dict[str, Any]:
    """Make an archive of a size, and say what that took."""
    store = FolderStore.create(
        folder, ModelRef(encoder.name, encoder.fingerprint, encoder.dimension)
    )
    began, characters, remembered = time.perf_counter(), 0, {}
    deriving = 0.0
    for batch in commits(Generator(real), max(1, size // PASSAGES_AN_ARTICLE)):
        with maintenance.changing(folder, Tuning()) as (connection, state):
            if state.codec not in remembered:
                remembered[state.codec] = Remembered(read_codecs(connection, state)[state.codec])
            changed = folder_changes.add(connection, state, remembered, batch)
            write_state(connection, replace(changed, generation=state.generation + 1))
        characters += sum(len(prepared.article.text) for prepared in batch)
        at = time.perf_counter()
        store.flush()
        deriving += time.perf_counter() - at
    loading = time.perf_counter() - began - deriving  # encoding is not part of it
    at = time.perf_counter()
    store.compact()
    compacting = time.perf_counter() - at
    with store.read():
        view = store._view
    store.close()
    on_disk = sum(path.stat().st_size for path in folder.iterdir())
    return {
        "FAISS": view.base.manifest.kind.spec,
        "recall@10 against exact, stored vectors as queries": view.base.manifest.recall,
        "passages stored a second, encoding not counted": size / loading,
        "keeping the indexes up to date meanwhile (s)": deriving,
        "compact, everything rebuilt (s)": compacting,
        "disk per passage beyond its text (B)": (on_disk - characters) / size,
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
        "question, median, whole pipeline (ms)": statistics.median(took),
        "question, 95th percentile (ms)": sorted(took)[int(0.95 * len(took))],
        "of it, encoding the question (ms)": statistics.median(encoding),
        "recall@10 against exact, questions as queries": hits / total,
        "resident memory while serving (MB)": memory,
        "open (s)": opened,
        "add one article and ask it (s)": adding,
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
            (ranked,) = rank(
                snapshot, [parse_question(snapshot, question, encoding)], n_passages=POOL
            )
        for name, pool, best in (
            ("plain R", plain, np.arange(len(plain))),
            ("R", ranked.pool, np.argsort(-ranked.ranking.passages, kind="stable")[:3]),
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
    shares = {name: n / len(order) for name, n in hits.items()}
    return shares | {"R@1 less the plain recipe's": shares["R@1"] - shares["plain R@1"]}


def asked_while_writing(folder: Path, squad: str, questions: Sequence[str]) -> dict[str, float]:
    """Latency of questions alone, and while another process adds articles to the archive."""
    library = Library(FolderStore(folder), load_encoder())

    def median(while_running: subprocess.Popen[bytes] | None) -> tuple[float, float]:
        took: list[float] = []
        while len(took) < QUESTIONS or (while_running and while_running.poll() is None):
            at = time.perf_counter()
            library.ask(questions[len(took) % len(questions)], k=5, min_confidence=0.0)
            took.append((time.perf_counter() - at) * 1000)
        return statistics.median(took), sorted(took)[int(0.95 * len(took))]

    median(None)
    alone = median(None)
    before = len(library)
    writer = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.library", "--squad", squad, "--write", str(folder)],
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )
    writing = median(writer)
    if writer.returncode or len(library) != before + ADDED:
        raise SystemExit("the writer failed")
    return {
        "median alone (ms)": alone[0],
        f"median while {ADDED:,} articles are encoded and added (ms)": writing[0],
        "ratio of the medians": writing[0] / alone[0],
        "ratio of the 95th percentiles": writing[1] / alone[1],
    }


def write(folder: Path, data: Sequence[dict[str, Any]]) -> None:
    """Add `ADDED` short articles as anybody would: read, encoded, stored."""
    paragraphs = [p["context"] for entry in data for p in entry["paragraphs"]]
    Library.open(folder).add(
        article_from_text(f"Story {number}.\n\n{paragraphs[number % len(paragraphs)]}")
        for number in range(ADDED)
    )


def table(results: dict[int, dict[str, Any]]) -> str:
    """Markdown, a size a column, and the exponent of the growth."""
    sizes = sorted(results)
    lines = ["| | " + " | ".join(f"{size:,}" for size in sizes) + " | exponent |"]
    lines.append("| --- |" + " --- |" * (len(sizes) + 1))
    for name in next(iter(results.values())):
        values = [results[size][name] for size in sizes]
        cells = [v if isinstance(v, str) else f"{v:,.3g}" for v in values]
        slope = ""
        if len(sizes) > 1 and not isinstance(values[0], str) and "recall" not in name:
            logs = np.log(np.maximum(np.asarray(values, dtype=float), 1e-9))
            slope = f"{np.polyfit(np.log(sizes), logs, 1)[0]:.2f}"
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {slope} |")
    return "\n".join(lines)


def report(results: dict[int, dict[str, Any]], others: dict[str, dict[str, float]]) -> str:
    """The whole result file."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    parts = [
        "# An archive at several sizes",
        f"    {' '.join(['python', *sys.argv])}",
        ABOUT,
        f"{os.cpu_count()} cores; load average at the end {load}.",
        table(results),
    ]
    for title, figures in others.items():
        rows = [f"| {name} | {value:.3g} |" for name, value in figures.items()]
        parts += [f"## {title}", "\n".join(["| | |", "| --- | --- |", *rows])]
    return "\n\n".join(parts) + "\n"


def measured(arguments: argparse.Namespace, data: Sequence[Any], place: Path) -> str:
    """Build, ask and take away, size by size; the result file."""
    asked = [q["question"] for a in data for p in a["paragraphs"] for q in p["qas"]]
    questions = [asked[i] for i in np.random.default_rng(1).permutation(len(asked))[:QUESTIONS]]
    (place / "questions.json").write_text(json.dumps(questions))
    encoder = load_encoder()
    real = prepared(data, encoder)
    results: dict[int, dict[str, Any]] = {}
    others: dict[str, dict[str, float]] = {}
    for size in arguments.sizes:
        began, folder = time.perf_counter(), place / f"library-{size}"
        built = build(folder, size, encoder, real)
        served = subprocess.run(
            [
                sys.executable,
                "-m",
                "benchmarks.library",
                "--squad",
                arguments.squad,
                "--serve",
                str(folder),
            ],
            check=True,
            capture_output=True,
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
        )
        results[size] = json.loads(served.stdout.splitlines()[-1]) | built
        if size == WRITING_AT:
            title = f"Asked while another process writes, {size:,} passages"
            others[title] = asked_while_writing(folder, arguments.squad, questions)
        shutil.rmtree(folder)
        sys.stderr.write(f"{size:,} passages: {time.perf_counter() - began:.0f} s\n")
    if arguments.quality:
        title = f"Quality: {len(data)} articles as one library, {arguments.quality:,} questions"
        others[title] = quality(place / "quality", data, arguments.quality)
    return report(results, others)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--squad", required=True, metavar="FILE", help="SQuAD 1.1, as JSON")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="passages")
    parser.add_argument("--quality", type=int, default=1_500, metavar="N", help="questions; 0: no")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the tables here")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--write", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    data = json.loads(Path(arguments.squad).read_text())["data"]
    if arguments.serve:
        folder = Path(arguments.serve)
        questions = json.loads((folder.parent / "questions.json").read_text())
        print(json.dumps(serve(folder, questions)))
    elif arguments.write:
        write(Path(arguments.write), data)
    else:
        with tempfile.TemporaryDirectory() as place:
            text = measured(arguments, data, Path(place))
        print(text)
        if arguments.output:
            Path(arguments.output).write_text(text)


if __name__ == "__main__":
    main()
