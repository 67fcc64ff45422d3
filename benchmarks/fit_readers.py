"""Fit the weights that decide which blocks of a page are its article.

    python -m benchmarks.fit_readers DATA_DIR [--write]

``DATA_DIR`` holds ``ground-truth.json`` (``{page: {"articleBody": …}}``) and
``html/PAGE.html.gz``. A block is the article's when half of its 4-word shingles stand in
the gold text. Weighted logistic regression with an L1 penalty, pages weighing the same;
six-fold cross-validation by page says what to expect of other pages. ``--write`` puts
weights fitted on all pages into ``index/reading/html/page_blocks.json``.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.extraction import f1_of, load_pages, shingle_counts, string_scores
from index.reading.html import main_content as body
from index.reading.html.blocks import leaves_of
from index.reading.html.page import parse_page, trafilatura_text

ROOT = Path(__file__).resolve().parent.parent

WEIGHTS = ROOT / "index" / "reading" / "html" / "page_blocks.json"
PENALTY = 0.01
FOLDS = 6


def main() -> int:
    """Cross-validate, and write the weights where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, metavar="DATA_DIR")
    parser.add_argument("--write", action="store_true", help="replace the weights that ship")
    arguments = parser.parse_args()

    pages = []
    for name, data, gold in load_pages(arguments.data):
        root = parse_page(data)
        leaves, verdict = leaves_of(root), trafilatura_text(root)
        shingles = [body._shingles(body._WORD.findall(leaf.text)) for leaf in leaves]
        features = body.block_clues(leaves, shingles, verdict)
        labels, sizes = _labels([leaf.text for leaf in leaves], gold)
        pages.append((name, leaves, verdict, features, labels, sizes, gold))
    for seed in range(3):
        print(f"seed {seed}: " + _cross_validated(pages, seed))
    weights, bias = _fit(pages)
    for name, weight in sorted(weights.items(), key=lambda item: -abs(item[1])):
        print(f"{name:20s} {weight:+.3f}")
    if arguments.write:
        data = {"weights": weights, "bias": bias}
        WEIGHTS.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return 0


def _labels(texts: list[str], gold: str) -> tuple[list[bool], list[int]]:
    """Whether each block is the article's, and how much it weighs in words."""
    counts = shingle_counts(gold)
    lines = {tuple(body._WORD.findall(line)) for line in gold.split("\n")}
    labels, sizes = [], []
    for text in texts:
        words = tuple(body._WORD.findall(text))
        shingles = shingle_counts(text)
        common = sum((shingles & counts).values())
        is_gold = words in lines if len(words) < 4 else common >= sum(shingles.values()) / 2
        labels.append(bool(words) and is_gold)
        sizes.append(min(max(1, len(words)), 60))
    return labels, sizes


def _fit(pages: list[Any]) -> tuple[dict[str, float], float]:
    names = list(next(page[3][0] for page in pages if page[3]))
    rows, labels, weights = [], [], []
    for _, _, _, features, page_labels, sizes, _ in pages:
        total = sum(size for size, label in zip(sizes, page_labels, strict=True) if label)
        for row, label, size in zip(features, page_labels, sizes, strict=True):
            rows.append([float(row[name]) for name in names])
            labels.append(label)
            weights.append(size / total if total else 0.0)
    matrix = np.array(rows)
    weight = np.array(weights)
    scaler = StandardScaler().fit(matrix)
    model = LogisticRegression(C=PENALTY, l1_ratio=1, solver="liblinear", max_iter=3000)
    model.fit(scaler.transform(matrix), labels, sample_weight=weight / weight.mean() + 0.15)
    slopes = model.coef_[0] / scaler.scale_
    bias = float(model.intercept_[0] - (slopes * scaler.mean_).sum())
    kept = {
        name: round(float(slope), 4)
        for name, slope in zip(names, slopes, strict=True)
        if abs(slope) > 1e-6
    }
    return kept, round(bias, 4)


def _cross_validated(pages: list[Any], seed: int) -> str:
    order = list(range(len(pages)))
    random.Random(seed).shuffle(order)  # noqa: S311
    scores = []
    for fold in range(FOLDS):
        held = set(order[fold::FOLDS])
        model = _fit([page for row, page in enumerate(pages) if row not in held])
        body._model = lambda model=model: model
        for row in held:
            _, leaves, verdict, _, _, _, gold = pages[row]
            keep = body.is_article(leaves, verdict)
            text = "\n\n".join(leaf.text for leaf, kept in zip(leaves, keep, strict=True) if kept)
            scores.append(string_scores(gold, text))
    return "F1 {:.4f} precision {:.4f} recall {:.4f}".format(*f1_of(scores))


if __name__ == "__main__":
    sys.exit(main())
