"""Readers' verdicts on answers, kept as an evaluation set: one JSON object a line.

    feedback.jsonl                   a verdict a line
    feedback.articles/<hash>.json    the articles that they are about, as ``Article.to_dict``

A line has the fields of an evaluation question (``id``, ``question``, ``answerable``, ``gold``,
``kind``) and the evidence behind them (``verdict``, ``cited``, ``article``, the hash).
"""

from __future__ import annotations

import json
import os
import threading
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import uuid4

from index.article import Article
from index.errors import UnreadableSource
from index.files import replace_file
from qa.answer import Answer

__all__ = ["FeedbackFile", "Verdict", "feedback_record", "judged_article"]

_LOCK = threading.Lock()


class Verdict(str, Enum):
    """What a reader said of an answer."""

    RIGHT = "right"
    WRONG = "wrong"
    CORRECTED = "corrected"


def feedback_record(
    answer: Answer, verdict: Verdict, *, article_hash: str, right: str | None = None
) -> dict[str, Any]:
    """One line of feedback.

    Args:
        answer: What was judged.
        verdict: What was said of it.
        article_hash: SHA-256 of the article's text; "" where no article was cited.
        right: The sentence that answers, as the article has it, where the reader named one.

    Returns:
        JSON-ready values. ``gold`` holds the answering sentence where it is known, and
        ``answerable`` is None where it is not known whether there is one; an evaluation
        counts such a question and does not ask it.
    """
    cited = [citation.quote for citation in answer.citations]
    gold: list[str] = []
    answerable: bool | None = None
    if right is not None:
        gold, answerable = [right], True
    elif verdict is Verdict.RIGHT:
        gold, answerable = cited[:1] if answer.found else [], answer.found
    return {
        "id": f"feedback-{uuid4().hex[:12]}",
        "question": answer.question,
        "answerable": answerable,
        "gold": gold,
        "kind": "feedback",
        "verdict": verdict.value,
        "found": answer.found,
        "cited": cited,
        "article": article_hash,
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


class FeedbackFile:
    """A JSONL that grows by whole lines; the folder and the file are made when first needed."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Append to the file at a path."""
        self.path = Path(path)

    def append(self, record: dict[str, Any], article: Article | None = None) -> None:
        """Add a ``feedback_record``, and the article it is about unless that is kept already.

        Raises:
            OSError: The file cannot be written.
        """
        # ASCII keeps a lone surrogate writable; one write keeps two lines from mixing.
        line = json.dumps(record, ensure_ascii=True) + "\n"
        with _LOCK:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if article is not None:
                self._keep(article)
            with self.path.open("a", encoding="ascii") as file:
                file.write(line)

    def _keep(self, article: Article) -> None:
        kept = _kept(self.path, article.hash)
        if not kept.is_file():
            kept.parent.mkdir(exist_ok=True)
            replace_file(kept, json.dumps(article.to_dict(), ensure_ascii=True).encode("ascii"))


def judged_article(feedback: Path, article_hash: str) -> Article | None:
    """An article that verdicts of a file are about; None where it was not kept.

    Raises:
        UnreadableSource: What was kept is not that article.
    """
    kept = _kept(feedback, article_hash)
    if not kept.is_file():
        return None
    try:
        article = Article.from_dict(json.loads(kept.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableSource(f"cannot read {str(kept)!r}: {error}") from error
    if article.hash != article_hash:
        raise UnreadableSource(f"{str(kept)!r} holds another article than its name says")
    return article


def _kept(feedback: Path, article_hash: str) -> Path:
    return feedback.with_suffix(".articles") / f"{article_hash}.json"
