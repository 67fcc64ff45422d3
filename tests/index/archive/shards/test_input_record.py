"""Records with named fields: what is given counts, what is wrong is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from index import Article, EmptyArticle, SourceError
from index.archive.shards.input_record import article_of_record

TEXT = "The harbour reopens\n\nThe harbour reopened on Monday. The ferry left at noon."


def test_a_text_is_enough() -> None:
    article, tags, source = article_of_record({"text": TEXT, "id": 7, "score": [1.5]})
    assert (article.text, article.title) == (TEXT, "The harbour reopens")
    assert (tags, source) == ((), None)


def test_what_is_given_goes_before_what_the_text_shows() -> None:
    given = {
        "title": "Ferries",
        "authors": ["Ann Lee", "Bo"],
        "published": "2021-05-18",
        "modified": "2021-05-19T10:00:00+00:00",
        "site": "Herald",
        "url": "https://a.example/ferries",
        "language": "en",
    }
    record = {"text": TEXT, **given, "tags": ["sea"], "source": "wire"}
    article, tags, source = article_of_record(record)
    assert {name: article.to_dict()[name] for name in given} == given
    assert (tags, source) == (("sea",), "wire")
    assert article_of_record({"text": TEXT, "authors": "Ann Lee"})[0].authors == ("Ann Lee",)


def test_an_article_with_its_structure_is_that_article(article: Article) -> None:
    record = json.loads(json.dumps(article.to_dict()))
    assert article_of_record(record)[0] == article


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({}, "text must be the article's text, not nothing"),
        ({"text": 3}, "text must be .* not 3"),
        ({"text": TEXT, "title": ["x"]}, "title must be a string"),
        ({"text": TEXT, "authors": 7}, "authors must be a list of names, not 7"),
        ({"text": TEXT, "authors": [""]}, "authors must be a list of names"),
        ({"text": TEXT, "tags": {"a": 1}}, "tags must be a list of names"),
        ({"text": TEXT, "published": "May 2021"}, "published must be a date .* 'May 2021'"),
        ({"text": TEXT, "blocks": 3}, "blocks do not fit the text"),
        ({"text": TEXT, "blocks": [["paragraph", 0, 10**6, 0, None]]}, "blocks do not fit"),
        ({"text": TEXT, "blocks": [["paragraph", 0, "9", 0, None]]}, "blocks do not fit"),
        ({"text": TEXT, "blocks": [["poem", 0, 9, 0, None]]}, "blocks do not fit"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(record: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        article_of_record(record)


def test_an_article_with_nothing_to_cite_is_refused_as_such() -> None:
    with pytest.raises(EmptyArticle):
        article_of_record({"text": "  \n "})
    with pytest.raises(EmptyArticle):
        article_of_record({"text": TEXT, "blocks": []})
