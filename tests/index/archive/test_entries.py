"""What a store keeps of an article: checked metadata, and a text that says when it is damaged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from index.archive.entries import UNDATED, days_of, entry_json, entry_of
from index.archive.records.passage import pack_body, unpack_body
from tests.support.archive import make_article, prepare

ARTICLE = make_article("A lone \ud800 surrogate.", title="\ud801", published="2021-05")


def test_metadata_survives() -> None:
    entry = entry_of(entry_json(prepare(ARTICLE, ("a", "b"), "x.txt"), added="then"))
    assert (entry.id, entry.title, entry.tags) == (ARTICLE.id, "\ud801", ("a", "b"))
    assert (entry.source, entry.added, entry.n_passages) == ("x.txt", "then", 1)


@pytest.mark.parametrize(
    "forged",
    [
        {"id": 3},
        {"title": ["x"]},
        {"authors": [1]},
        {"tags": None},
        {"n_passages": -1},
        {"n_characters": "9"},
        {"more": 1},
    ],
)
def test_forged_metadata_is_refused(forged: dict[str, Any]) -> None:
    text = json.dumps(json.loads(entry_json(prepare(ARTICLE))) | forged)
    with pytest.raises((ValueError, KeyError, TypeError)):
        entry_of(text)


def test_a_text_survives_and_damage_to_it_is_noticed() -> None:
    data = pack_body(7, ARTICLE)
    assert unpack_body(7, data, ARTICLE.id) == ARTICLE
    for number, damaged, key in (
        (8, data, ARTICLE.id),
        (7, data[:-1], ARTICLE.id),
        (7, b"", ARTICLE.id),
        (7, data, "another"),
    ):
        with pytest.raises(ValueError, match="the text of article"):
            unpack_body(number, damaged, key)


@pytest.mark.parametrize(
    ("published", "n_days"),
    [("2021-05-18T10:00:00Z", 1), ("2021-02", 28), ("2020", 366), ("2021-12", 31)],
)
def test_a_date_is_known_to_the_day_the_month_or_the_year(published: str, n_days: int) -> None:
    first, last = days_of(published)
    assert last - first + 1 == n_days


@pytest.mark.parametrize("published", [None, "", "May 2021", "2021-13", "99999"])
def test_what_is_no_date_is_no_day(published: str | None) -> None:
    assert days_of(published) == UNDATED
