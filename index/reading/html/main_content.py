"""Which blocks of a page are the article: a linear model over what each block looks like.

Trafilatura's verdict is the strongest of some thirty clues. The others say where it errs:
blocks built like the article's other blocks belong to it even where trafilatura stopped
early, and linked headlines, sign-up lines and dates within the article do not. Judging
block by block from such features goes back to Kohlschütter et al., Boilerplate Detection
using Shallow Text Features, WSDM 2010, https://doi.org/10.1145/1718487.1718542; the weights
are fitted by ``benchmarks/fit_readers.py``.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import resources
from itertools import groupby
from math import log
from typing import TypeAlias

from index.reading.html.blocks import Leaf, Place

__all__ = ["block_clues", "is_article", "is_prose", "with_tables_and_code"]

Shingle: TypeAlias = "tuple[str, ...]"

MIN_PROBABILITY = 0.6
_SHINGLE = 4
MIN_PROSE = 80
"""Characters; a quarter of it on pages that have nothing longer."""
REPEATED = 0.95
"""Share of a block's word sequences that stood before it, from which on it is a repeat."""
MAX_COUNTED = 600
"""Characters of a block that count as evidence of where the article is."""
_WORD = re.compile(r"\w+")
_TERMINAL = re.compile(r"[.!?…。！？؟।:;][\"'”’»)\]]*$")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")

_GOOD_NAMES = re.compile(
    r"article[-_ ]?(?:body|content|text|copy)|story[-_ ]?(?:body|content|text)"
    r"|entry[-_ ]?content|post[-_ ]?(?:content|body|text)|content[-_ ]?body"
    r"|body[-_ ]?(?:content|text|copy)|blog[-_ ]?content|main[-_ ]?content|page[-_ ]?content"
    r"|rich[-_ ]?text|\bprose\b"
)
_NAMES = {
    "comments": re.compile(r"comment|disqus|replies|respond\b|discussion"),
    "quoted": re.compile(r"embed|tweet|pull-?quote|quote"),
    "labels": re.compile(r"title|headline|\bhed\b|heading"),
}
_FOREIGN = re.compile(
    r"comment|disqus|related|recommend|share|social|newsletter|promo|advert|sponsor|navbox|breadcrumb"
    r"|\bmeta|byline|author|tags|widget|sidebar(?!.*infobox)|references|reflist|toc\b"
)
_BOILERPLATE = re.compile(
    r"(?i)\b(?:subscribe|newsletter|sign up|follow (?:us|me|him|her|them|@)|@\w+|copyright|©"
    r"|all rights reserved|click here|read more|cookies?|terms of (?:use|service)|privacy policy"
    r"|e-?mail|contributed to this|inbox|download (?:the|our) app|like (?:us|this)"
    r"|share (?:this|your)|leave a|comments?|commission|affiliate|tweet|facebook|twitter"
    r"|contact (?:us|the)|reach(?:ed)? (?:me|him|her|at)|reporter|writer|editor|author|updated?"
    r"|published|posted)\b"
)
_LEAD_IN = re.compile(
    r"(?i)^\W*(?:read|see|also|related|more|watch|listen|don.?t miss|photos?|video|gallery|click"
    r"|tags?|topics?|source|by|share|follow|subscribe|sign|image|credit|via|filed|updated?"
    r"|published|posted|get|download|advertisement|leggi|lire|lesen|ver|lea)\b"
)


def is_article(leaves: Sequence[Leaf], verdict: str) -> list[bool]:
    """Whether each block of a page belongs to its article.

    Args:
        leaves: The page's blocks, in order.
        verdict: The text that trafilatura takes for the article.
    """
    shingles = [_shingles(_WORD.findall(leaf.text)) for leaf in leaves]
    clues = block_clues(leaves, shingles, verdict)
    weights, bias = _model()
    limit = log(MIN_PROBABILITY / (1 - MIN_PROBABILITY)) - bias
    keep = [
        sum(weight * features[name] for name, weight in weights.items()) > limit
        for features in clues
    ]
    keep = _unless_too_few(leaves, clues, keep)
    return _without_repeats(shingles, keep)


def is_prose(leaf: Leaf, size: int = MIN_PROSE // 4) -> bool:
    """Whether a block reads as sentences rather than as a label or links."""
    return (
        len(leaf.text) > size
        and leaf.linked < 0.4 * len(leaf.text)
        and _TERMINAL.search(leaf.text[-8:]) is not None
    )


def with_tables_and_code(leaves: Sequence[Leaf], keep: list[bool]) -> list[bool]:
    """Tables, definitions, code and formulas that stand in the article's own element are its own.

    The model judges by how prose looks, and these do not look like it.
    """
    votes = [len(leaf.text) * kept for leaf, kept in zip(leaves, keep, strict=True)]
    main = _main_place(leaves, votes)
    rows = [row for row, kept in enumerate(keep) if kept]
    if main is None:
        return keep
    within = range(rows[0], rows[-1] + 1) if main.tag in ("body", "html", "") else range(len(keep))
    structured = [
        leaf.linked < 0.5 * len(leaf.text)
        and (leaf.in_table or leaf.preformatted or leaf.formula or "caption" in leaf.place.within)
        for leaf in leaves
    ]
    for defined, group in groupby(range(len(leaves)), key=lambda row: _is_defined(leaves[row])):
        terms = list(group)
        if defined and sum("dt" in leaves[row].place.within for row in terms) > 1:
            for row in terms:  # a single term is rather a label: "Photo: J. Doe"
                structured[row] = True
    return [
        kept or (row in within and structured[row] and _belongs(leaf.place, main))
        for row, (leaf, kept) in enumerate(zip(leaves, keep, strict=True))
    ]


def _is_defined(leaf: Leaf) -> bool:
    within = leaf.place.within
    return ("dt" in within or "dd" in within) and "figcaption" not in within


def _belongs(place: Place, main: Place) -> bool:
    """Whether a place is below the main one, with nothing between that is named as another's."""
    inner: Place | None = place
    while inner is not None and inner is not main:
        aside = inner.tag in ("aside", "footer", "form") and "infobox" not in inner.names
        if aside or _FOREIGN.search(inner.names):
            return False
        inner = inner.parent
    return inner is main


def _unless_too_few(
    leaves: Sequence[Leaf], clues: Sequence[dict[str, float]], keep: list[bool]
) -> list[bool]:
    """Trafilatura's own verdict where the model leaves next to nothing of it."""
    sizes = [
        features["verdict"] * len(leaf.text) * (leaf.linked < len(leaf.text) / 2)
        for leaf, features in zip(leaves, clues, strict=True)
    ]
    if sum(size for size, kept in zip(sizes, keep, strict=True) if kept) >= 0.3 * sum(sizes):
        return keep
    return [size > 0.5 * len(leaf.text) for size, leaf in zip(sizes, leaves, strict=True)]


def _without_repeats(shingles: Sequence[set[Shingle]], keep: Sequence[bool]) -> list[bool]:
    """Longer blocks whose words all stood before are a second copy: a teaser, a print version."""
    seen: set[Shingle] = set()
    first = []
    for own, kept in zip(shingles, keep, strict=True):
        if kept:
            kept = len(own) < 7 or len(own & seen) < REPEATED * len(own)
            seen |= own
        first.append(kept)
    return first


@cache
def _model() -> tuple[dict[str, float], float]:
    """Weights by name of clue, and the bias."""
    data = json.loads(resources.files(__package__).joinpath("page_blocks.json").read_text("utf-8"))
    return data["weights"], data["bias"]


def block_clues(
    leaves: Sequence[Leaf], shingles: Sequence[set[Shingle]], verdict: str
) -> list[dict[str, float]]:
    """The clues of each block by name, each about 0 to 1."""
    count = len(leaves)
    linked = [leaf.linked / len(leaf.text) for leaf in leaves]
    prose = [is_prose(leaf, MIN_PROSE) for leaf in leaves]
    if not any(prose):
        prose = [is_prose(leaf) for leaf in leaves]
    shares = _shares(shingles, verdict)
    _spread(shares, leaves, prose, linked)
    votes = [
        min(len(leaf.text), MAX_COUNTED) * (0.15 + share) if is_prose else 0.0
        for leaf, share, is_prose in zip(leaves, shares, prose, strict=True)
    ]
    total = sum(votes) or 1.0
    main = _main_place(leaves, votes)
    shape_votes: dict[str, float] = defaultdict(float)
    around: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for leaf, vote, share in zip(leaves, votes, shares, strict=True):
        shape_votes[leaf.place.shape] += vote
        inside = around[id(leaf.place.parent)]
        inside[0] += share * len(leaf.text)
        inside[1] += len(leaf.text)
    sure = [row for row in range(count) if prose[row] and shares[row] > 0.5]
    first, last = (sure[0], sure[-1]) if sure else (0, count - 1)
    read = 0.0
    nearly_all = 0.9 * sum(s * len(leaf.text) for s, leaf in zip(shares, leaves, strict=True))

    def near(row: int, step: int) -> float:
        # A page may end with its article: what lies beyond is taken to be as what lies before.
        return shares[row + step] if 0 <= row + step < count else shares[row]

    def prose_at(row: int) -> bool:
        return 0 <= row < count and prose[row]

    below: dict[Place, frozenset[str] | None] = {}
    clues: list[dict[str, float]] = []
    for row, leaf in enumerate(leaves):
        place, text, size = leaf.place, leaf.text, len(shingles[row])
        kept, link = shares[row], linked[row]
        read += kept * len(text)
        subjects = _subjects_below(place, main, below)
        shape = shape_votes[place.shape] / total
        mates = around[id(place.parent)]
        siblings = mates[0] / mates[1]
        clues.append(
            {
                "verdict": kept,
                "no_verdict": kept < 0.1,
                "verdict_linked": kept * link,
                "verdict_before": kept * (row < first),
                "verdict_after": kept * (row > last),
                "after": row > last,
                "siblings_in_main": siblings * (subjects is not None),
                "siblings_linked": siblings * link,
                "shape": shape,
                "shape_of_most": shape > 0.4,
                "shape_linked": shape * link,
                "two_before": near(row, -2),
                "one_after": near(row, 1),
                "two_after": near(row, 2),
                "prose_before": prose_at(row - 1),
                "prose_after": prose_at(row + 1),
                "long": size > 22,
                "long_linked": link * (size > 9),
                "paragraph": place.tag == "p",
                "list_item_verdict": kept * (place.tag == "li"),
                "in_article": "article" in place.within,
                "good_names": place.says(_has_good_name),
                "comments": subjects is not None and "comments" in subjects,
                "quoted": subjects is not None and "quoted" in subjects,
                "labels": subjects is not None and "labels" in subjects,
                "posted": place.posted,
                "year": size < 11 and _YEAR.search(text) is not None,
                "lead_in": _LEAD_IN.match(text) is not None,
                "boilerplate_last": read > nearly_all and _BOILERPLATE.search(text) is not None,
            }
        )
    return clues


def _shingles(words: Sequence[str]) -> set[Shingle]:
    """The runs of four words; a shorter text is one run."""
    if len(words) < _SHINGLE:
        return {tuple(words)} if words else set()
    return set(zip(words, words[1:], words[2:], words[3:], strict=False))


def _shares(shingles: Sequence[set[Shingle]], text: str) -> list[float]:
    """The share of each block's word sequences that occur in a text."""
    known: set[Shingle] = set()
    for line in text.split("\n"):
        known |= _shingles(_WORD.findall(line))
    return [len(own & known) / len(own) if own else 0.0 for own in shingles]


def _spread(
    shares: list[float], leaves: Sequence[Leaf], prose: Sequence[bool], linked: Sequence[float]
) -> None:
    """Carry the verdict to blocks of the shape that the article's prose has."""
    kept: dict[str, float] = defaultdict(float)
    every: dict[str, float] = defaultdict(float)
    for share, leaf, is_prose in zip(shares, leaves, prose, strict=True):
        if is_prose:
            kept[leaf.place.shape] += min(len(leaf.text), MAX_COUNTED) * (share > 0.5)
            every[leaf.place.shape] += min(len(leaf.text), MAX_COUNTED)
    total = sum(kept.values())
    trusted = {
        shape
        for shape in every
        if kept[shape] >= max(0.25 * every[shape], 0.3 * total)
        and any(map(str.isalpha, shape.replace("div.", "").replace("p.", "")))
    }
    for row, leaf in enumerate(leaves):
        if linked[row] < 0.4 and leaf.place.shape in trusted:
            shares[row] = max(shares[row], 0.9)


def _main_place(leaves: Sequence[Leaf], votes: Sequence[float]) -> Place | None:
    """The innermost element that holds four fifths of the article's prose."""
    inside: dict[int, float] = defaultdict(float)
    places: dict[int, Place] = {}
    for leaf, vote in zip(leaves, votes, strict=True):
        place: Place | None = leaf.place if vote else None
        while place is not None:
            inside[id(place)] += vote
            places[id(place)] = place
            place = place.parent
    enough = 0.8 * sum(votes)
    holding = [place for key, place in places.items() if inside[key] >= enough]
    return max(holding, key=lambda place: place.depth, default=None)


def _subjects_below(
    place: Place, main: Place | None, known: dict[Place, frozenset[str] | None]
) -> frozenset[str] | None:
    """What the names of the elements below the main one speak of; None outside it."""
    unknown: list[Place] = []
    inner: Place | None = place
    while inner is not None and inner is not main and inner not in known:
        unknown.append(inner)
        inner = inner.parent
    found: frozenset[str] | None = None
    if inner is not None:
        found = frozenset() if inner is main else known[inner]
    for inner in reversed(unknown):
        found = None if found is None else found | _subjects(inner.names)
        known[inner] = found
    return found


@lru_cache(maxsize=4096)
def _subjects(names: str) -> frozenset[str]:
    return frozenset(subject for subject, pattern in _NAMES.items() if pattern.search(names))


@lru_cache(maxsize=4096)
def _has_good_name(names: str) -> bool:
    return _GOOD_NAMES.search(names) is not None
