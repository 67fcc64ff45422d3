"""A conversation as JSON that can be checked later: each article and passage in it once.

    {"schema": "article-qa/conversation/2",
     "articles": {id: article}, "passages": {"id:start-end": passage},
     "answers": [an ``Answer.to_dict`` whose articles and passages are keys of those]}

Two of these are joined by joining their parts, as the page does with one for each answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from index.errors import DataError
from qa.answer import Answer

__all__ = ["SCHEMA", "answers_of", "as_comment", "conversation_as_dict", "conversation_in"]

SCHEMA = "article-qa/conversation/2"
_WHOLE = "article-qa/conversation/1"
"""The form before, which repeated every article and passage."""

Json = dict[str, Any]

_COMMENT = re.compile(r"<!-- article-qa (\{.*\}) -->")


def conversation_as_dict(answers: Sequence[Answer], *, asked: str | None = None) -> Json:
    """The conversation as JSON-ready values: the form that ``verify`` reads.

    Args:
        answers: In the order in which they were given.
        asked: When they were asked, as ISO 8601.
    """
    articles: Json = {}
    passages: Json = {}

    def article(values: Json) -> str:
        articles.setdefault(values["id"], values)
        return str(values["id"])

    def passage(values: Json, home: str) -> Json:
        key = f"{home}:{values['start']}-{values['end']}"
        passages.setdefault(key, {**values, "article": home, "score": 0.0})
        return {"passage": key, "score": values["score"]}

    def packed(answer: Answer) -> Json:
        data = answer.to_dict()
        for citation in data["citations"]:
            citation["article"] = article(citation["article"])
            citation["passage"] = passage(citation["passage"], citation["article"])
            citation["also_in"] = [article(copy) for copy in citation["also_in"]]
        data["passages"] = [
            passage(values, article(values["article"]) if values["article"] else "")
            for values in data["passages"]
        ]
        return data | ({"asked": asked} if asked else {})

    packed_answers = [packed(answer) for answer in answers]
    return {
        "schema": SCHEMA, "articles": articles, "passages": passages, "answers": packed_answers
    }  # fmt: skip


def answers_of(export: Mapping[str, Any]) -> list[Answer]:
    """The answers of what ``conversation_as_dict`` gave, now or in an older version, or of one.

    Raises:
        DataError: The mapping is neither, or is not whole.
    """
    schema = export.get("schema") if isinstance(export, Mapping) else None
    if schema not in (SCHEMA, _WHOLE):
        return [Answer.from_dict(export)]
    answers = export.get("answers")
    if not isinstance(answers, list):
        raise DataError("the export lacks its list of answers; export the conversation again")
    if schema == _WHOLE:
        return [Answer.from_dict(answer) for answer in answers]
    try:
        return [Answer.from_dict(_unpacked(answer, export)) for answer in answers]
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"the export lacks {error}; export the conversation again") from error


def _unpacked(answer: Mapping[str, Any], export: Mapping[str, Any]) -> Json:
    articles, passages = export["articles"], export["passages"]

    def passage(values: Mapping[str, Any]) -> Json:
        known = passages[values["passage"]]
        home = articles[known["article"]] if known["article"] else None
        return {**known, "article": home, "score": values["score"]}

    citations = [
        {
            **citation,
            "article": articles[citation["article"]],
            "passage": passage(citation["passage"]),
            "also_in": [articles[copy] for copy in citation["also_in"]],
        }
        for citation in answer["citations"]
    ]
    return {**answer, "citations": citations, "passages": [*map(passage, answer["passages"])]}


def as_comment(conversation: Json) -> str:
    """A conversation as a comment that Markdown and HTML may hold and no reader shows."""
    text = json.dumps(conversation, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f"<!-- article-qa {text} -->\n"


def conversation_in(data: bytes) -> Any:  # noqa: ANN401 - JSON
    """What a saved conversation says, whether it is JSON, Markdown or HTML.

    Raises:
        ValueError: It is none.
    """
    text = data.decode("utf-8")
    found = _COMMENT.findall(text)
    return json.loads(found[-1] if found and not text.lstrip().startswith("{") else text)
