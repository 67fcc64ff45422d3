"""What the reader is trained on: questions, windows of text, and where in them the answer stands.

| kind | what is read | answer |
| --- | --- | --- |
| positive | the sentence that answers and what stands around it | its span |
| qamr | a single sentence | its span |
| hard | another window of the article that shares the question's words | none |
| cut | what is left around an answer whose sentence was taken out | none |
| written | SQuAD 2.0's questions that have no answer, at what seems to be one | none |
| swapped | the gold window, the question about another name or year | none |
| templated | any window, a usual question that nothing in it has the words for | none |
"""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.held_out import articles, even_titles
from index.segmentation.sentences import split_sentences
from qa.reading.windows import WINDOW, around

__all__ = ["Example", "examples", "held_out"]

PARAGRAPHS = 20
"""Reviews and comments that count as one article: they are single paragraphs."""


Span: TypeAlias = tuple[int, int]

_ABSENT = (
    (
        r"\d|free|cheap|price|cost|pay|paid",
        "How much does {} cost?",
        "What is the price of {}?",
        "How much did {} pay?",
    ),
    (
        r"found|establish|creat|form|start|begin|began|open|built|launch|since|born|introduc|set up"
        r"|origin",
        "When was {} founded?",
        "When was {} created?",
        "Who founded {}?",
        "When did {} begin?",
    ),
    (
        r"chief|head|president|director|lead|chair|boss|manag|own|king|rul|minister",
        "Who is the chief executive of {}?",
        "Who is the head of {}?",
        "Who leads {}?",
        "Who owns {}?",
    ),
    (
        r"\d|hundred|thousand|million|many|several|one|two|three",
        "How many people work for {}?",
        "How many members does {} have?",
        "What is the population of {}?",
        "How old is {}?",
        "How large is {}?",
        "What percentage of people support {}?",
    ),
    (
        r"locat|lie|headquarter|base|situat| in [A-Z]| at [A-Z]| of [A-Z]",
        "Where is {} located?",
        "Where is {} based?",
        "In which city is {}?",
    ),
    (
        r"because|since|due|cause|reason|result|lead|led|so |as |to ",
        "Why was {} criticised?",
        "Why did {} fail?",
        "What caused the end of {}?",
    ),
    (
        r"married|wife|husband|son|daughter|child|famil|father|mother",
        "Who is {} married to?",
        "How many children does {} have?",
    ),
    (r"die|death|kill|dead|end|clos", "When did {} die?", "When did {} end?"),
    (r"colou?r|red|blue|green|white|black", "What colour is {}?"),
    (r"win|won|award|prize", "Which award did {} win?", "Who won {}?"),
)
"""Words that may answer, and questions for which a window that lacks them has no answer."""

_NAME = re.compile(r"(?<=[a-z,] )(?:the )?[A-Z][a-z]{2,}(?: [A-Z][a-z]+){0,2}\b")
_YEAR = re.compile(r"\b1[0-9]{3}\b|\b20[0-2][0-9]\b")
_WORD = re.compile(r"\w+")
_STOP = frozenset(
    "the a an of in on at to for and or is are was were did do does what which who whom when where"
    " why how many much by with from that this it its as be been has have had".split()
)


@dataclass(frozen=True, slots=True)
class Example:
    """A question, what is read, and where in it the answer stands; None where it does not."""

    question: str
    text: str
    answer: tuple[int, int] | None
    kind: str
    gold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its answers' spans in the article, and where to look if it has none."""

    question: str
    answers: tuple[tuple[int, int], ...]
    near: tuple[int, int]


class Document:
    """An article: its text, its sentences and the questions asked of it."""

    def __init__(self, paragraphs: Sequence[dict[str, Any]]) -> None:
        self.text = "\n\n".join(paragraph["context"] for paragraph in paragraphs)
        self.sentences = split_sentences(self.text, 0, len(self.text), "en")
        self.words = [frozenset(_words(self.text[start:end])) for start, end in self.sentences]
        self.rarity = Counter(word for words in self.words for word in words)
        self.names = sorted(set(_NAME.findall(self.text)))
        self.questions: list[Asked] = []
        begin = 0
        for paragraph in paragraphs:
            end = begin + len(paragraph["context"])
            for question in paragraph["qas"]:
                spans = [
                    (
                        begin + answer["answer_start"],
                        begin + answer["answer_start"] + len(answer["text"]),
                    )
                    for answer in question["answers"] or question.get("plausible_answers", [])
                    if answer["text"].strip()
                ]
                near = spans[0] if spans else self._nearest(question["question"], begin, end)
                # What most annotators marked comes first: it is what is trained on.
                common = tuple(span for span, _ in Counter(spans).most_common())
                answers = common if question["answers"] else ()
                if answers or not question["answers"]:
                    self.questions.append(Asked(question["question"].strip(), answers, near))
            begin = end + 2

    def at(self, span: tuple[int, int]) -> int:
        """Which sentence a span begins in."""
        return max(
            i
            for i, (start, _) in enumerate(self.sentences)
            if start <= max(span[0], self.sentences[0][0])
        )

    def ranked(self, question: str) -> list[int]:
        """The sentences by the rare words that they share with a question."""
        asked = _words(question)
        n = len(self.sentences)
        scores = [
            sum(math.log(1 + n / self.rarity[word]) for word in asked & words) / (12 + len(words))
            for words in self.words
        ]
        return sorted(range(n), key=lambda i: -scores[i])

    def _nearest(self, question: str, begin: int, end: int) -> tuple[int, int]:
        for i in self.ranked(question):
            if begin <= self.sentences[i][0] < end:
                return self.sentences[i]
        return self.sentences[self.at((begin, begin))]

    def window(self, centre: int, size: int) -> tuple[int, int]:
        return self.span(around(self.sentences, centre, size))

    def span(self, rows: range) -> tuple[int, int]:
        return self.sentences[rows[0]][0], self.sentences[rows[-1]][1]


def positive(
    document: Document, asked: Asked, random_: random.Random, size: int | None = None
) -> Example:
    """The answer's sentence and what stands around it, not always in the middle."""
    size = size or random_.randint(160, 560)
    centre = document.at(asked.answers[0])
    for shift in random_.sample((0, 0, -1, 1), 4) if size > 160 else (0,):
        moved = min(max(centre + shift, 0), len(document.sentences) - 1)
        start, end = document.window(moved, size)
        if start <= asked.answers[0][0] and asked.answers[0][1] <= end:
            break
    spans = [(a, b) for a, b in asked.answers if start <= a and b <= end]
    return Example(
        asked.question,
        document.text[start:end],
        (spans[0][0] - start, spans[0][1] - start) if spans else None,
        "positive",
        tuple(document.text[a:b] for a, b in asked.answers),
    )


def hard(document: Document, asked: Asked, random_: random.Random) -> Example | None:
    """A window of the same article that shares the question's words and lacks the answer."""
    answers = [document.text[a:b].lower() for a, b in asked.answers]
    found: list[str] = []
    for i in document.ranked(asked.question)[:8]:
        start, end = document.window(i, random_.randint(160, 520))
        text = document.text[start:end]
        if not any(answer in text.lower() for answer in answers):
            found.append(text)
    if not found:
        return None
    text = found[0] if random_.random() < 0.7 else random_.choice(found)
    return Example(asked.question, text, None, "hard")


def cut(
    document: Document, asked: Asked, random_: random.Random, size: int | None = None
) -> Example | None:
    """What is left where the answer stood, its sentence gone."""
    centre = document.at(asked.answers[0])
    if any(document.at(span) != centre for span in asked.answers):
        return None
    first, last = max(0, centre - 6), min(len(document.sentences), centre + 7)
    left = [document.sentences[i] for i in range(first, last) if i != centre]
    if len(left) < 2:
        return None
    text, spans = "", []
    for i, (start, end) in enumerate(left):
        gap = document.text[left[i - 1][1] : start] if i else ""
        text += ("\n\n" if "\n\n" in gap else " ") if i else ""
        spans.append((len(text), len(text) + end - start))
        text += document.text[start:end]
    near = min(max(centre - first - random_.randint(0, 1), 0), len(spans) - 1)
    rows = around(spans, near, size or random_.randint(160, 520))
    start, end = spans[rows[0]][0], spans[rows[-1]][1]
    answers = [document.text[a:b].lower() for a, b in asked.answers]
    if any(answer in text[start:end].lower() for answer in answers):
        return None
    return Example(asked.question, text[start:end], None, "cut")


def swapped(document: Document, asked: Asked, random_: random.Random) -> Example | None:
    """The question with a name or year of the article in the place of its own."""
    shown = positive(document, asked, random_)
    names = [n for n in _NAME.findall(asked.question) if n in shown.text] or [
        n for n in _YEAR.findall(asked.question) if n in shown.text
    ]
    if not names or shown.answer is None:
        return None
    name = random_.choice(names)
    pool = _YEAR.findall(document.text) if name.isdigit() else document.names
    others = [
        o
        for o in pool
        if o not in shown.text
        and o not in asked.question
        and (o.count(" ") > 0) == (name.count(" ") > 0)
    ]
    if not others:
        return None
    return Example(
        asked.question.replace(name, random_.choice(others)), shown.text, None, "swapped"
    )


def templated(document: Document, random_: random.Random) -> Example | None:
    """A question of a common form about a name in a window that holds nothing of the kind."""
    start, end = document.window(
        random_.randrange(len(document.sentences)), random_.randint(160, 480)
    )
    text = document.text[start:end]
    names = _NAME.findall(text)
    forms = [
        form for absent, *forms in _ABSENT if not re.search(absent, text, re.I) for form in forms
    ]
    if not names or not forms:
        return None
    return Example(random_.choice(forms).format(random_.choice(names)), text, None, "templated")


def _words(text: str) -> frozenset[str]:
    return frozenset(w[:6] for w in _WORD.findall(text.lower()) if w not in _STOP)


Late: TypeAlias = tuple[float, float, Callable[[], "Example | None"]]
"""The part of the training in which an example comes, and how it is made."""


def examples(data: Path, seed: int) -> list[tuple[float, Example]]:
    """All examples, each with how late in training it comes, from 0 to 1.

    Odd short sentences come first, reviews and comments in the first three quarters, and
    articles of an encyclopaedia, which read most like what is asked about, all the way.
    """
    random_ = random.Random(seed)  # noqa: S311 - nobody gains by guessing it
    kinds = (_qamr, _encyclopaedia, _written, _paragraphs)
    made = [
        (earliest + (latest - earliest) * random_.random(), make())
        for kind in kinds
        for earliest, latest, make in kind(data, random_)
    ]
    return [(when, e) for when, e in made if e and (e.answer or e.kind != "positive")]


def _encyclopaedia(data: Path, random_: random.Random) -> Iterator[Late]:
    even = even_titles(data)
    squad = [a for a in articles(data, "squad1.json") if a["title"] in even]
    for article in (*squad, *articles(data, "reading/new_wiki.json")):
        document = Document(article["paragraphs"])
        for asked in document.questions:
            for make, share in ((positive, 2.5), (hard, 1.1), (cut, 1.4), (swapped, 0.5)):
                for _ in range(_times(share, random_) if asked.answers else 0):
                    yield 0.08, 1, partial(make, document, asked, random_)
        for _ in range(len(document.questions) // 3):
            yield 0.1, 1, partial(templated, document, random_)


def _written(data: Path, random_: random.Random) -> Iterator[Late]:
    even = even_titles(data)
    for article in articles(data, "squad2.json"):
        document = Document(article["paragraphs"] if article["title"] in even else ())
        for asked in document.questions:
            for _ in range(0 if asked.answers else 3):
                size = random_.randint(200, 560)
                yield 0.15, 1, partial(written, document, asked, size)


def _paragraphs(data: Path, random_: random.Random) -> Iterator[Late]:
    for name in ("amazon", "reddit"):
        every = [p for a in articles(data, f"reading/{name}.json") for p in a["paragraphs"]]
        for i in range(0, len(every), PARAGRAPHS):
            document = Document(every[i : i + PARAGRAPHS])
            for asked in document.questions:
                for make, share in ((positive, 0.75), (hard, 0.15), (cut, 0.25)):
                    if asked.answers and random_.random() < share:
                        yield 0, 0.75, partial(make, document, asked, random_)


def _qamr(data: Path, random_: random.Random) -> Iterator[Late]:
    with (data / "reading/qamr.jsonl").open(encoding="utf-8") as file:
        for line in file:
            sentence = json.loads(line)
            questions = sentence["questions"]
            for asked in random_.sample(questions, min(7, len(questions))):
                (start, end), _ = Counter(map(tuple, asked["answers"])).most_common(1)[0]
                text, span = sentence["text"], (start, end)
                yield 0, 0.3, partial(Example, asked["question"], text, span, "qamr")


def _times(share: float, random_: random.Random) -> int:
    return int(share) + (random_.random() < share % 1)


def written(document: Document, asked: Asked, size: int) -> Example:
    """A question that somebody wrote to have no answer, at what looks like one."""
    start, end = document.window(document.at(asked.near), size)
    return Example(asked.question, document.text[start:end], None, "written")


def held_out(data: Path, n: int) -> list[Example]:
    """Examples of titles that are never trained on: answered, cut out and written ones.

    Args:
        data: The folder.
        n: Of each kind.
    """
    random_ = random.Random(1)  # noqa: S311
    even = even_titles(data)
    found: dict[str, list[Example]] = {"positive": [], "cut": [], "written": []}
    for name in ("squad1.json", "squad2.json"):
        for article in articles(data, name):
            document = Document(article["paragraphs"] if article["title"] not in even else ())
            for asked in document.questions:
                if not asked.answers:
                    found["written"].append(written(document, asked, WINDOW))
                elif name == "squad1.json":
                    found["positive"].append(positive(document, asked, random_, WINDOW))
                    if lost := cut(document, asked, random_, WINDOW):
                        found["cut"].append(lost)
    return [e for kind in found.values() for e in random_.sample(kind, min(n, len(kind)))]
