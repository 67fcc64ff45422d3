"""Readers for data that comes in one file: SQuAD, conversations, ClapNQ and our own questions.

Our own form is a JSON Lines file, one question a line:

    {"id": "who", "question": "Who wrote it?", "gold": ["Sayujya S"], "kind": "metadata"}
    {"question": "How many?", "gold": [[120, 134]], "article": "report.txt"}
    {"question": "Who is Ann?", "answerable": false}
    {"question": "Who is Bob?", "answer": "the cook"}

``gold`` (or ``answer``, or ``answers``) holds quotes or ``[start, end]`` offsets, any of which
answers; a quote counts wherever the text has it. ``article`` is a path beside the file; without
it the bundled article is asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from index.article import Article
from index.errors import DataError, SourceError
from index.reading.reader import bundled_article, read_article
from qa.evaluation.collections import read_folder
from qa.evaluation.datasets import (
    Builder,
    Dataset,
    Document,
    Question,
    Span,
    digest_of,
    paragraphs_of,
)
from qa.evaluation.records import Record, json_lines, json_value, text_of
from qa.sharing.feedback import judged_article

__all__ = ["read_dataset"]

MISPLACED = "gold span not in its text"
UNANSWERED = "CANNOTANSWER"
"""What CoQA and QuAC put where evidence would be."""


def read_dataset(path: str | Path) -> Dataset:
    """Read questions and what they are about, in any form this package knows.

    Raises:
        DataError: The path, a record or a field is not as its form has it.
    """
    path = Path(path)
    if os.path.isdir(path):
        return read_folder(path)
    text = text_of(path)
    read = _reader_of_lines(path, text) or _reader_of_value(path, text)
    return read(path, text)


def _reader_of_lines(path: Path, text: str) -> Callable[[Path, str], Dataset] | None:
    """The reader for a JSON Lines file by its first line; None for any other file."""
    first = text.lstrip().split("\n", 1)[0].strip()
    if not first:
        raise DataError(f"{path}: is empty; there is nothing to evaluate")
    try:
        record = next(json_lines(path, first))
    except DataError:
        return None
    if {"input", "output"} <= record.values.keys():
        return _read_clapnq
    if "data" in record.values or "turns" in record.values:
        return None
    if "question" in record.values:
        return _read_questions
    raise DataError(
        f"{path}: line 1: the fields {', '.join(record.values) or '(none)'} are of no known form;"
        " a line of questions has 'question', one of ClapNQ 'input' and 'output'"
    )


def _reader_of_value(path: Path, text: str) -> Callable[[Path, str], Dataset]:
    value = json_value(path, text)
    if isinstance(value, dict) and "data" in value:
        return _read_squad
    if isinstance(value, list):
        return _read_conversations
    raise DataError(
        f"{path}: of no known form; SQuAD is an object with 'data', conversations a list of"
        " objects with 'turns', questions one object a line with 'question'"
    )


def _read_squad(path: Path, text: str) -> Dataset:
    """SQuAD 1.1 and 2.0: an article is its paragraphs, joined by a blank line.

    https://rajpurkar.github.io/SQuAD-explorer/
    """
    builder = Builder(str(path))
    root = Record.of(str(path), "", json_value(path, text))
    for article in root.children("data"):
        paragraphs = list(article.children("paragraphs"))
        contexts: list[str] = [paragraph.get("context", str) for paragraph in paragraphs]
        starts = [0]
        for context in contexts:
            starts.append(starts[-1] + len(context) + 2)
        title = article.get("title", str, default=article.where)
        name = builder.text_document(
            title,
            "\n\n".join(contexts),
            title.replace("_", " "),
            [(at, at + len(c)) for at, c in zip(starts, contexts, strict=False) if c.strip()],
        )
        asked = len(builder.questions)
        for paragraph, context, start in zip(paragraphs, contexts, starts, strict=False):
            for number, qa in enumerate(paragraph.children("qas")):
                identity = qa.get("id", str, int, default=f"{name}/{start}/{number}")
                _squad_question(builder, qa, str(identity), name, context, start)
        if len(builder.questions) == asked:
            builder.problem("article without questions", article.where, repr(title))
    return builder.dataset(path.name, "squad", "spans", digest_of(path))


def _squad_question(
    builder: Builder, qa: Record, identity: str, document: str, context: str, start: int
) -> None:
    question = qa.get("question", str)
    # Version 1.1 has no is_impossible, and every question an answer.
    impossible = bool(qa.get("is_impossible", bool, default=False))
    gold: list[Span] = []
    for answer in () if impossible else qa.children("answers"):
        quote, at = answer.get("text", str), answer.get("answer_start", int)
        if quote and at >= 0 and context.startswith(quote, at):
            gold.append((start + at, start + at + len(quote)))
        else:
            builder.problem(MISPLACED, answer.where, f"{quote[:60]!r} is not at {at}")
    builder.question(
        Question(identity, question, document, not impossible, tuple(dict.fromkeys(gold))), qa.where
    )


def _read_conversations(path: Path, text: str) -> Dataset:
    """Dialogues over one text each (CoQA, QuAC): a question is to be read after those before it.

    Gold is the one character in the middle of the evidence: people mark evidence of very
    different lengths, and nobody disputes its middle.
    """
    builder = Builder(str(path))
    for number, value in enumerate(json_value(path, text)):
        dialogue = Record.of(str(path), f"[{number}]", value)
        context = dialogue.get("context", str)
        title = dialogue.get("title", str, type(None), default=None)
        name = builder.text_document(
            str(dialogue.get("id", str, int, default=number)),
            context,
            # Both number the parts of a page at the end of its title: "Toronto.txt0".
            re.sub(r"(\.\w{1,5})?\d+$", "", title) if title else None,
            list(paragraphs_of(context)),
        )
        turns = list(dialogue.children("turns"))
        if not turns:
            builder.problem("conversation without turns", dialogue.where)
        for turn, record in enumerate(turns):
            evidence = record.get("evidence", str, type(None), default=None) or ""
            start = record.get("evidence_start", int, type(None), default=None)
            declared = record.get("unanswerable", bool, type(None), default=None)
            answerable = not declared and evidence != UNANSWERED
            gold: tuple[Span, ...] = ()
            if answerable and evidence and start is not None:
                middle = start + len(evidence) // 2
                if start >= 0 and context.startswith(evidence, start):
                    gold = ((middle, middle + 1),)
                else:
                    builder.problem(MISPLACED, record.where, f"{evidence[:60]!r} is not at {start}")
            builder.question(
                Question(
                    f"{name}/{turn}", record.get("question", str), name, answerable, gold, turn=turn
                ),
                record.where,
            )
    return builder.dataset(path.name, "conversations", "turns", digest_of(path))


def _read_clapnq(path: Path, text: str) -> Dataset:
    """ClapNQ: one passage a question, and the sentences of it that support the answer.

    A sentence supports the answer if any of the annotators selected it
    (Rosenthal et al., 2024, https://arxiv.org/abs/2404.02103).
    """
    builder = Builder(str(path))
    for record in json_lines(path, text):
        question = record.get("input", str)
        passages = list(record.children("passages"))
        if len(passages) != 1:
            raise record.error("passages", f"must hold one passage, not {len(passages)}")
        passage = passages[0]
        body = passage.get("text", str)
        sentences: list[Span] = []
        for sentence in passage.texts("sentences"):
            at = body.find(sentence, sentences[-1][1] if sentences else 0)
            if at >= 0 and sentence:
                sentences.append((at, at + len(sentence)))
            else:
                builder.problem("sentence not in its passage", passage.where, repr(sentence[:60]))
        identity = str(record.get("id", str, int, default=record.where))
        name = builder.passage_document(
            identity, body, passage.get("title", str, type(None), default=None), sentences
        )
        by_text = {body[start:end]: (start, end) for start, end in reversed(sentences)}
        selected: list[str] = []
        answered = False
        for output in record.children("output"):
            chosen = output.texts("selected_sentences")
            answered |= bool(chosen) or bool(output.get("answer", str, default="").strip())
            selected += chosen
        for sentence in selected:
            if sentence not in by_text:
                builder.problem(MISPLACED, record.where, repr(sentence[:60]))
        gold = sorted({by_text[sentence] for sentence in selected if sentence in by_text})
        builder.question(Question(identity, question, name, answered, tuple(gold)), record.where)
    return builder.dataset(path.name, "clapnq", "sentences", digest_of(path))


def _read_questions(path: Path, text: str) -> Dataset:
    """Our own form; see the module's docstring."""
    builder = Builder(str(path))
    questions: list[tuple[Question, str]] = []
    for number, record in enumerate(json_lines(path, text)):
        source = record.get("article", str, type(None), default=None)
        document = _article_document(builder, path, record, source)
        if document is None:
            continue
        answerable = record.get("answerable", bool, type(None), default=True)
        if answerable is None:  # a reader who said that an answer is wrong, and no more
            builder.problem("not known whether there is an answer", record.where, "is not asked")
            continue
        question = Question(
            id=str(record.get("id", str, int, default=number)),
            text=record.get("question", str),
            document=document.id,
            answerable=answerable,
            gold=_gold_of(builder, record, document.article.text, answerable),
            kind=record.get("kind", str, type(None), default=None),
        )
        questions.append((question, record.where))
    order = {name: number for number, name in enumerate(builder.documents)}
    for question, where in sorted(questions, key=lambda pair: order[pair[0].document or ""]):
        builder.question(question, where)
    return builder.dataset(path.name, "questions", "spans", digest_of(path))


def _article_document(
    builder: Builder, path: Path, record: Record, source: str | None
) -> Document | None:
    name = "bundled" if source in (None, bundled_article().hash) else str(source)
    if name not in builder.documents:
        try:
            article = _article_of(path, source)
        except SourceError as error:
            raise record.error("article", f"cannot be used: {error}") from error
        if article is None:
            builder.problem(
                "article known by its hash alone", record.where, "is not asked; name its file"
            )
            return None
        builder.documents[name] = Document(name, article, tuple(paragraphs_of(article.text)))
    return builder.documents[name]


def _article_of(path: Path, source: str | None) -> Article | None:
    """The article that a question names: by nothing, by its hash or by its file."""
    if source is None or source == bundled_article().hash:
        return bundled_article()
    if not source:  # a verdict where nothing was cited
        return None
    if re.fullmatch(r"[0-9a-f]{64}", source):  # as the page keeps it
        return judged_article(path, source)
    return read_article(path.parent / source)


def _gold_of(builder: Builder, record: Record, text: str, answerable: bool) -> tuple[Span, ...]:
    gold: list[Span] = []
    answers = record.get("answers", list, str, default=record.get("answer", str, default=[]))
    answers = [answers] if isinstance(answers, str) else answers
    for value in record.get("gold", list, default=answers):
        if isinstance(value, str):
            found = [(m.start(), m.end()) for m in re.finditer(re.escape(value), text) if value]
        elif (
            isinstance(value, list)
            and len(value) == 2
            and all(isinstance(at, int) and not isinstance(at, bool) for at in value)
        ):
            found = [(value[0], value[1])] if 0 <= value[0] < value[1] <= len(text) else []
        else:
            raise record.error("gold", f"must hold quotes or [start, end] pairs, not {value!r}")
        if not found:
            builder.problem(MISPLACED, record.where, repr(value)[:60])
        gold += found
    if gold and not answerable:
        builder.problem("gold of an unanswerable question", record.where, "is passed over")
        return ()
    return tuple(dict.fromkeys(gold))
