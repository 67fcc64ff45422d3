"""What the lines over a text say of it: whose it is, what it is called, when it appeared."""

from __future__ import annotations

from typing import Any

import pytest

from index import Article, read_article
from index.reading.plaintext import article_from_text

PROSE = "The bridge was closed because of the flood. It will open again in summer, they say."


def read(*lines: str) -> Article:
    return article_from_text("\n".join(lines) + f"\n\n{PROSE}\n")


@pytest.mark.parametrize(
    "line",
    [
        "Published: 2021-02-08",
        "Date: 8 Feb 2021",
        "DATE: February 8, 2021",
        "8 February 2021",
        "February 8th, 2021",
        "Monday, 8 February 2021",
        "Mon 8 Feb 2021 10:30 GMT",
        "2021-02-08",
        "2021/02/08 | 5 min read",
        "08.02.2021",
        "Posted on Feb 8, 2021 at 9:00 am",
        "First published on 8 February 2021",
        "London, 8 February 2021",
        "Publication date: 8 February 2021",
        "Released: 2021-02-08T10:00:00Z",
        "Veröffentlicht am 8. Februar 2021",
        "Publié le 8 février 2021",
        "[8 February 2021]",
        "Publish date: 2021-02-08",
        "8th of February, 2021",
        "The Harbour Post, 8 February 2021",
    ],
)
def test_a_date_of_publication_is_read_in_the_forms_that_people_write(line: str) -> None:
    article = read("The bridge", line)
    assert (article.title, article.published, article.modified) == (
        "The bridge",
        "2021-02-08",
        None,
    )


@pytest.mark.parametrize(
    "line",
    [
        "Updated: 2021-02-08",
        "Last modified on 8 February 2021",
        "Last edited: Feb 8, 2021",
        "Stand: 8. Februar 2021",
    ],
)
def test_the_day_of_a_change_is_told_apart(line: str) -> None:
    article = read("The bridge", line)
    assert (article.published, article.modified) == (None, "2021-02-08")


@pytest.mark.parametrize(
    ("line", "authors", "published"),
    [
        ("By Jane Doe", ("Jane Doe",), None),
        ("by Jane Doe and John Roe", ("Jane Doe", "John Roe"), None),
        ("Author: Jane Doe", ("Jane Doe",), None),
        ("Authors: Jane Doe; John Roe", ("Jane Doe", "John Roe"), None),
        ("Written by Jane Doe, 8 February 2021", ("Jane Doe",), "2021-02-08"),
        ("By Jane Doe on February 8, 2021", ("Jane Doe",), "2021-02-08"),
        ("By Jane Doe | Published 8 February 2021", ("Jane Doe",), "2021-02-08"),
        ("By JANE DOE – Monday, 8 February 2021", ("JANE DOE",), "2021-02-08"),
        ("Published 8 February 2021 by Jane Doe", ("Jane Doe",), "2021-02-08"),
        ("Autor: Jane Doe", ("Jane Doe",), None),
        ("By Jane Doe in London", ("Jane Doe",), None),
        ("By Jane Doe and John Roe, The Post", ("Jane Doe", "John Roe"), None),
        ("By Jane Doe (Reuters)", ("Jane Doe",), None),
        ("By Jane Doe Jr.", ("Jane Doe Jr.",), None),
        ("Posted by Jane Doe on 8 February 2021", ("Jane Doe",), "2021-02-08"),
    ],
)
def test_a_byline_may_have_the_date_in_it(
    line: str, authors: tuple[str, ...], published: str | None
) -> None:
    article = read("The bridge", line)
    assert (article.authors, article.published) == (authors, published)


def test_a_head_of_labelled_lines_is_read_whole_and_stays_text() -> None:
    article = read(
        "Title: The bridge reopens",
        "Author: Jane Doe",
        "Source: The Harbour Post",
        "Date: 3/4/2021 (updated 5 May 2021)",
    )
    assert (article.title, article.authors) == ("The bridge reopens", ("Jane Doe",))
    assert (article.site, article.modified) == ("The Harbour Post", "2021-05-05")
    assert "Source: The Harbour Post" in article.text
    assert article.declared == ()


def test_a_month_is_read_where_it_is_said_to_be_that_of_publication() -> None:
    assert read("The bridge", "Published: February 2021").published == "2021-02"
    assert read("The bridge", "February 2021").published is None


def test_who_published_it_is_no_author() -> None:
    article = read("The bridge", "Published by The Harbour Post on 8 February 2021")
    assert (article.site, article.authors) == ("The Harbour Post", ())
    assert article.published == "2021-02-08"


def test_a_date_above_the_title_is_read_and_the_title_found() -> None:
    article = read("8 February 2021", "The bridge reopens")
    assert (article.title, article.published) == ("The bridge reopens", "2021-02-08")


@pytest.mark.parametrize(
    "line",
    [
        "What happened on 8 February 2021",
        "8 February 2021 was a cold day",
        "Date palms grow 20 metres high",
        "Engineering bridges since 2003",
        "Copyright 2021 The Harbour Post",
        "The Battle of 3 May 1815 revisited",
        "Updated figures show 300 more cases",
    ],
)
def test_a_line_that_only_mentions_a_day_dates_nothing(line: str) -> None:
    article = read("The bridge", line)
    assert (article.published, article.modified, article.authors) == (None, None, ())


def test_what_may_be_april_or_march_is_left_open_but_for_the_language() -> None:
    assert read("The bridge", "Date: 03/04/2021").published is None
    german = "Die Brücke ist wegen der Flut nicht mehr auf. " * 4
    assert article_from_text(f"Die Brücke\n03/04/2021\n\n{german}").published == "2021-04-03"


@pytest.mark.parametrize(
    "head",
    [
        "# The bridge\n\n*By Jane Doe, 8 February 2021*\n\n",
        "# The bridge\n\n**Author:** Jane Doe\n\n**Date:** 2021-02-08\n\n",
        "Title: The bridge\nAuthor: Jane Doe\nDate: 8 February 2021\n\n",
        "---\ntitle: The bridge\nauthor: Jane Doe\ndate: 8 Feb 2021\n---\n\n",
        "% The bridge\n% Jane Doe\n% 8 February 2021\n\n",
    ],
)
def test_markdown_says_it_in_its_own_ways(head: str, tmp_path: Any) -> None:
    path = tmp_path / "bridge.md"
    path.write_text(f"{head}{PROSE}\n\n## Costs\n\nIt costs much.\n", "utf-8")
    article = read_article(path)
    assert (article.title, article.authors) == ("The bridge", ("Jane Doe",))
    assert article.published == "2021-02-08"


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("2021-02-08-bridge.md", "2021-02-08"),
        ("20210208_bridge.txt", "2021-02-08"),
        ("bridge 2021_02_08.txt", "2021-02-08"),
        ("bridge-2021.txt", None),
        ("bridge-20210299.txt", None),
        ("order-120210208.txt", None),
    ],
)
def test_the_name_of_a_file_may_say_the_day(
    name: str, published: str | None, tmp_path: Any
) -> None:
    (tmp_path / name).write_text(f"The bridge\n\n{PROSE}\n", "utf-8")
    article = read_article(tmp_path / name)
    assert article.published == published
    assert dict(article.declared).get("published") == ("file name" if published else None)
    (tmp_path / name).write_text(f"The bridge\n\n3 May 2020\n\n{PROSE}\n", "utf-8")
    assert read_article(tmp_path / name).published == "2020-05-03"
