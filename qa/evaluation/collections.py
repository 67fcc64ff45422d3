"""Readers for test collections in a folder: many documents, queries, graded judgements.

    BEIR   corpus.jsonl, queries.jsonl, qrels/*.tsv      https://github.com/beir-cellar/beir
    TREC   <doc><docno>…</doc>, <top><num>…</top>, and a file of `query 0 document grade`

Every question is asked of all documents together, and a document is found with its passage.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from index.errors import DataError
from qa.evaluation.datasets import Builder, Dataset, Question, digest_of
from qa.evaluation.records import json_lines, text_of

__all__ = ["read_folder"]

_JUDGEMENT: Final = re.compile(r"\s*(?:\S+[ \t]+){3}-?\d+[ \t]*(?:\r?\n|\Z)")


def read_folder(folder: Path) -> Dataset:
    """Read a BEIR or a TREC folder.

    Raises:
        DataError: It is neither, or a record in it is malformed.
    """
    if (folder / "corpus.jsonl").is_file():
        return _read_beir(folder)
    texts = {path: text_of(path) for path in sorted(folder.iterdir()) if _is_trec(path)}
    documents = [path for path, text in texts.items() if re.search(r"<docno>", text, re.I)]
    topics = [path for path, text in texts.items() if re.search(r"<top>", text, re.I)]
    qrels = [path for path, text in texts.items() if _JUDGEMENT.match(text)]
    if documents and len(topics) == 1 and len(qrels) == 1:
        return _read_trec(folder, {path: texts[path] for path in documents}, topics[0], qrels[0])
    raise DataError(
        f"{folder}: no known collection; BEIR has corpus.jsonl, queries.jsonl and qrels/*.tsv, TREC"
        f" has documents with <docno> (found {len(documents)} such files), one file of topics with"
        f" <top> (found {len(topics)}) and one of judgements (found {len(qrels)})"
    )


def _is_trec(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in {".xml", ".txt", ".trec", ".qrels", ".sgml"}


def _read_beir(folder: Path) -> Dataset:
    corpus, queries = folder / "corpus.jsonl", folder / "queries.jsonl"
    splits = sorted((folder / "qrels").glob("*.tsv"))
    # Where several are there, the one that results are reported on.
    qrels = next((path for path in splits if path.stem == "test"), splits[0] if splits else None)
    if qrels is None:
        raise DataError(f"{folder}: no judgements; a BEIR folder has qrels/*.tsv")
    builder = Builder(str(folder))
    for record in json_lines(corpus, text_of(corpus)):
        name = str(record.get("_id", str, int))
        title = record.get("title", str, type(None), default=None) or ""
        _collect(builder, name, f"{title}\n{record.get('text', str)}", f"{corpus}: {record.where}")
    texts: dict[str, str] = {}
    for record in json_lines(queries, text_of(queries)):
        _add_query(
            texts,
            str(record.get("_id", str, int)),
            record.get("text", str),
            f"{queries}: {record.where}",
        )
    grades = _judgements(builder, qrels, columns=(0, 1, 2), header=True)
    _ask(builder, texts, grades, str(qrels))
    digest = digest_of(corpus, queries, qrels)
    return builder.dataset(folder.name, "beir", "documents", digest)


def _read_trec(folder: Path, documents: Mapping[Path, str], topics: Path, qrels: Path) -> Dataset:
    builder = Builder(str(folder))
    for path, text in documents.items():
        for number, body in enumerate(_elements(text, "doc")):
            name = next(_elements(body, "docno"), "").strip()
            if not name:
                raise DataError(f"{path}: document {number}: field 'docno' is missing")
            whole = "\n".join(_elements(body, "text")) or "\n".join(_elements(body, "title"))
            _collect(builder, name, html.unescape(whole), f"{path}: document {name}")
    texts: dict[str, str] = {}
    for number, body in enumerate(_elements(text_of(topics), "top")):
        name = _field(body, "num").removeprefix("Number:").strip()
        if not name:
            raise DataError(f"{topics}: topic {number}: field 'num' is missing")
        _add_query(texts, name, _field(body, "title"), f"{topics}: topic {number}")
    grades = _judgements(builder, qrels, columns=(0, 2, 3), header=False)
    positions = [str(number) for number in range(1, len(texts) + 1)]
    if not set(grades) <= set(texts) and set(grades) <= set(positions):
        # Cranfield's judgements count its topics from 1, whatever number these bear themselves.
        builder.problem(
            "topics numbered by position",
            str(qrels),
            "the judgements name topics by place in the file, not by their own number",
        )
        texts = dict(zip(positions, texts.values(), strict=True))
    _ask(builder, texts, grades, str(qrels))
    return builder.dataset(folder.name, "trec", "documents", digest_of(*documents, topics, qrels))


def _collect(builder: Builder, name: str, text: str, where: str) -> None:
    if name in builder.documents:
        raise DataError(f"{where}: the id {name!r} is used twice")
    # Wrapped lines say nothing in a collection whose documents are passages.
    builder.passage_document(name, " ".join(text.split()), None)


def _ask(
    builder: Builder, texts: Mapping[str, str], grades: Mapping[str, dict[str, int]], qrels: str
) -> None:
    for name, text in texts.items():
        judged = grades.get(name)
        if judged is None:
            continue  # a query of another split
        unknown = [document for document in judged if document not in builder.documents]
        for document in unknown:
            if judged[document] > 0:
                builder.problem("relevant document not in the corpus", f"query {name}", document)
        builder.question(Question(name, text, None, True, relevant=tuple(judged.items())), name)
    unasked = len(texts) - len(builder.questions)
    if unasked:
        builder.problem("queries without judgements", qrels, f"{unasked} are not asked")
    for name in grades.keys() - texts.keys():
        builder.problem("judgements of an unknown query", f"{qrels}: query {name}")


def _add_query(texts: dict[str, str], name: str, text: str, where: str) -> None:
    if name in texts:
        raise DataError(f"{where}: query {name!r} is there twice")
    texts[name] = text


def _judgements(
    builder: Builder, path: Path, *, columns: tuple[int, int, int], header: bool
) -> dict[str, dict[str, int]]:
    """Grades by query and document.

    Raises:
        DataError: A line has other columns, or a grade that is no whole number.
    """
    grades: dict[str, dict[str, int]] = {}
    for number, line in enumerate(text_of(path).splitlines(), 1):
        parts = line.split("\t") if header else line.split()
        if not line.strip() or (header and number == 1 and parts[-1].strip() == "score"):
            continue
        if len(parts) != columns[-1] + 1:
            raise DataError(
                f"{path}: line {number}: expected {columns[-1] + 1} columns, found {len(parts)}"
            )
        query, document, grade = (parts[column].strip() for column in columns)
        if document in grades.get(query, {}):
            builder.problem("judged twice", f"line {number}", f"query {query}, {document}")
        try:
            grades.setdefault(query, {})[document] = int(grade)
        except ValueError as error:
            raise DataError(
                f"{path}: line {number}: field 'score' must be a whole number, not {grade!r}"
            ) from error
    return grades


def _field(topic: str, name: str) -> str:
    """A field of a topic, in one line; TREC's own topics never close theirs."""
    ends = rf"</{name}>|<(?:num|title|desc|narr|smry|con|fac)>|\Z"
    match = re.search(rf"<{name}>(.*?)(?:{ends})", topic, re.DOTALL | re.IGNORECASE)
    return " ".join(html.unescape(match[1]).split()) if match else ""


def _elements(text: str, name: str) -> Iterator[str]:
    """The contents of each ``<name>…</name>``; TREC's files are seldom well-formed XML."""
    for match in re.finditer(rf"<{name}>(.*?)</{name}>", text, re.DOTALL | re.IGNORECASE):
        yield match[1]
