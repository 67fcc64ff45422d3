"""An answer is one JSON schema everywhere, and Markdown that cannot be mistaken for markup."""

from __future__ import annotations

import dataclasses
import json
import re
from importlib import resources
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa import Answer, ArticleBot, ArticleRef, Citation, DataError, Declared, Exact, PassageRef
from qa.answer import text_fragment

SCHEMA = json.loads(resources.files("qa").joinpath("answer.schema.json").read_text("utf-8"))

text = st.text(min_size=1, max_size=30)
maybe = st.none() | text
offset = st.integers(0, 10**6)
score = st.floats(allow_nan=False, allow_infinity=False)
article_refs = st.builds(
    ArticleRef,
    st.text("0123456789abcdef", min_size=16, max_size=16),
    st.text("0123456789abcdef", min_size=64, max_size=64),
    maybe,
    st.lists(text, max_size=3).map(tuple),
    maybe,
    maybe,
)
passage_refs = st.builds(
    PassageRef,
    text,
    offset,
    offset,
    maybe,
    st.none() | offset,
    st.none() | st.integers(1, 99),
    score,
    st.none() | article_refs,
)
citations = st.builds(
    Citation,
    st.integers(1, 9),
    text,
    offset,
    offset,
    score,
    passage_refs,
    article_refs,
    st.lists(article_refs, max_size=2).map(tuple),
    st.none() | st.builds(Exact, text, offset, offset),
    st.lists(st.builds(Declared, text, text, text), max_size=2).map(tuple),
)
answers = st.builds(
    Answer,
    text,
    maybe,
    st.booleans(),
    st.floats(0, 1),
    st.lists(citations, max_size=3).map(tuple),
    st.lists(passage_refs, max_size=3).map(tuple),
    st.lists(text, max_size=3).map(tuple),
)


@given(answers)
def test_json_both_ways_is_exact_and_fits_the_schema(answer: Answer) -> None:
    data = json.loads(json.dumps(answer.to_dict()))
    jsonschema.validate(data, SCHEMA)
    assert Answer.from_dict(data) == answer


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "article-qa/answer/9"}, "schema 'article-qa/answer/3', got"),
        ({"question": 7}, "expected str, got 7"),
        ({"citations": [{}]}, "lacks"),
        ({"passages": [{"text": "x"}]}, "malformed"),
        ({"confidence": "high"}, "malformed"),
        ({"why": [7]}, "expected str, got 7"),
        ({"why": "because"}, "expected list, got 'because'"),
        ({"passages": [{"text": "x", "article": {"id": "y"}}]}, "lacks 'authors'"),
    ],
)
def test_what_is_not_an_answer_is_refused(
    bot: ArticleBot, change: dict[str, Any], message: str
) -> None:
    data = bot.ask("Who protested?").to_dict() | change
    with pytest.raises(DataError, match=message):
        Answer.from_dict(data)


def test_an_answer_kept_before_there_were_reasons_has_none(bot: ArticleBot) -> None:
    answer = bot.ask("Who protested?")
    data = answer.to_dict()
    assert tuple(data.pop("why")) == answer.why != ()
    assert Answer.from_dict(data) == dataclasses.replace(answer, why=())


def test_an_answer_of_the_first_schema_is_still_read(bot: ArticleBot) -> None:
    answer = bot.ask("Who protested?")
    data = answer.to_dict() | {"schema": "article-qa/answer/1"}
    for citation in data["citations"]:
        del citation["also_in"], citation["passage"]["article"]
    for passage in data["passages"]:
        del passage["article"]
    older = Answer.from_dict(data)
    assert [c.quote for c in older.citations] == [c.quote for c in answer.citations]
    assert [c.also_in for c in older.citations] == [()] * len(answer.citations)
    assert older.passages[0].article is None
    assert answer.passages[0].article == answer.citations[0].article


@pytest.mark.parametrize("data", [None, [], "answer", {}])
def test_what_is_no_mapping_is_refused(data: Any) -> None:
    with pytest.raises(DataError):
        Answer.from_dict(data)


def sample(quote: str, *, found: bool = True, url: str | None = None) -> Answer:
    article = ArticleRef("0" * 16, "0" * 64, "A *bold* title", ("Ann Poe",), "2021-06-04", url)
    passage = PassageRef(quote, 0, len(quote), None, 0, None, 1.0)
    citation = Citation(1, quote, 0, len(quote), 1.0, passage, article)
    return Answer("Why?", None, found, 0.9, (citation,), (passage,))


def test_markdown_reads_well() -> None:
    assert str(sample("It rained.")) == (
        "> It rained. [1]\n\n— *A \\*bold\\* title*, Ann Poe, 2021-06-04"
    )


def test_markdown_of_several_articles_names_each_and_where_else_it_stands() -> None:
    one = sample("It rained.").citations[0]
    copy = dataclasses.replace(one.article, id="1" * 16, title="Wire", authors=())
    other = dataclasses.replace(one, number=2, article=copy, also_in=(one.article,))
    answer = dataclasses.replace(sample("It rained."), citations=(one, other))
    assert str(answer).splitlines()[2::4] == [
        "— *A \\*bold\\* title*, Ann Poe, 2021-06-04",
        "— *Wire*, 2021-06-04; also in *A \\*bold\\* title*, 2021-06-04",
    ]
    assert str(dataclasses.replace(answer, found=False)).startswith("The articles do not say.")


def test_markdown_tells_metadata_from_quotes() -> None:
    declared = Declared("published", "2021-06-04", "JSON-LD <datePublished>")
    quote = dataclasses.replace(sample("It rained.").citations[0], metadata=(declared,))
    answer = dataclasses.replace(sample("It rained."), citations=(quote,))
    assert answer.metadata == (declared,)
    assert str(answer).startswith(
        "Published: 2021-06-04 (metadata, not a quote: JSON-LD \\<datePublished\\>)\n\n"
        "No line of its text says so; it begins:\n\n> It rained. [1]"
    )


def test_an_answer_kept_before_there_was_metadata_has_none(bot: ArticleBot) -> None:
    data = bot.ask("Who protested?").to_dict()
    del data["metadata"]
    for citation in data["citations"]:
        del citation["metadata"]
    assert Answer.from_dict(data).metadata == ()


def test_markdown_says_when_the_article_does_not() -> None:
    assert str(sample("It rained.", found=False)).startswith(
        "The article does not say.\n\nClosest, not an answer:\n\n> It rained."
    )


def test_markdown_of_a_quote_is_not_markup() -> None:
    shown = str(sample("![x](http://a.example)\n# <b>*y*</b>"))
    assert "\\!" not in shown
    assert "!\\[x\\](http://a.example) \\# \\<b\\>\\*y\\*\\</b\\>" in shown


@pytest.mark.parametrize(
    ("quote", "fragment"),
    [
        ("It rained, he said.", "It%20rained%2C%20he%20said."),
        ("a well-known fact", "a%20well%2Dknown%20fact"),
        ("one two three four five six seven eight nine ten 11 12 13",
         "one%20two%20three%20four%20five,nine%20ten%2011%2012%2013"),
    ],
)  # fmt: skip
def test_a_deep_link_scrolls_to_the_quote(quote: str, fragment: str) -> None:
    link = sample(quote, url="https://a.example/x#top").citations[0].deep_link
    assert link == f"https://a.example/x#:~:text={fragment}"
    assert text_fragment("https://a.example/x", quote) == link


def test_a_quote_with_half_a_character_is_linked_as_far_as_it_goes() -> None:
    link = sample("Dogs \ud83d bark", url="https://a.example/x").citations[0].deep_link
    assert link == "https://a.example/x#:~:text=Dogs%20%3F%20bark"


def test_without_a_url_there_is_no_deep_link() -> None:
    assert sample("It rained.").citations[0].deep_link is None


def test_the_exact_words_are_bold_in_markdown(bot: ArticleBot) -> None:
    answer = bot.ask("When did the ban begin?")
    best = answer.citations[0]
    at = best.quote.index("June 2020")
    start = best.start + at
    exact = Exact("June 2020", start, start + len("June 2020"))
    marked = dataclasses.replace(best, exact=exact)
    assert "**June 2020**" in str(dataclasses.replace(answer, citations=(marked,)))
    assert "".join(text for text, _ in marked.parts) == best.quote


@given(citations)
def test_the_parts_of_a_quote_are_one_line_each_and_mark_what_is_exact(citation: Citation) -> None:
    length = len(citation.quote)
    exact = Exact(citation.quote, citation.start, citation.start + length)
    for cited in (citation, dataclasses.replace(citation, exact=exact)):
        assert not any("\n" in text for text, _ in cited.parts)
    assert [marked for _, marked in dataclasses.replace(citation, exact=None).parts] == [False]


def test_an_answer_of_the_schema_before_has_no_exact_words(bot: ArticleBot) -> None:
    data = bot.ask("Who protested?").to_dict() | {"schema": "article-qa/answer/2"}
    for values in data["citations"]:
        del values["exact"]
    assert all(citation.exact is None for citation in Answer.from_dict(data).citations)


@pytest.mark.parametrize(
    ("found", "confidence", "lead"),
    [
        (True, 0.9, None),
        (True, 0.3, "The article may say:"),
        (False, 0.05, "The article does not say."),
    ],
)
def test_an_answer_says_so_may_say_so_or_says_that_there_is_none(
    bot: ArticleBot, found: bool, confidence: float, lead: str | None
) -> None:
    answer = dataclasses.replace(bot.ask("Who protested?"), found=found, confidence=confidence)
    assert answer.lead == lead
    assert str(answer).startswith(lead or "> ")


@pytest.mark.parametrize("url", ["javascript:alert(1)//", "data:text/html,x", "file:///etc/passwd"])
def test_only_pages_of_the_web_are_linked(url: str) -> None:
    assert sample("It rained.", url=url).citations[0].deep_link is None


def test_an_answer_is_true_where_it_is_found_and_holds_its_citations(bot: ArticleBot) -> None:
    answer = bot.ask("Who is Nathan Freed Wessler?")
    assert answer
    assert len(answer) == 5
    assert list(answer) == list(answer.citations)
    assert answer[0] is answer.citations[0]
    assert not bot.ask("Why is the sky blue?")


def test_each_is_shown_in_one_telling_line(bot: ArticleBot) -> None:
    answer = bot.ask("Who is Nathan Freed Wessler?")
    best = answer[0]
    assert f"{answer.confidence:.2f}: “Nathan Freed Wessler, a deputy" in repr(answer)
    assert repr(answer).endswith(" and 4 more>")
    assert f"{best.start}:{best.end} of {bot.article.title!r}" in repr(best)
    assert "not found" in repr(bot.ask("Why is the sky blue?"))
    assert bot.article.title is not None
    assert bot.article.title in repr(bot)
    assert f"{len(bot.index.sentences)} sentences" in repr(bot)


@given(answers)
def test_a_line_and_markup_hold_whatever_an_article_says(answer: Answer) -> None:
    assert repr(answer).isprintable() or len(repr(answer).splitlines()) == 1
    shown = answer._repr_html_()
    assert re.sub(r"</?(mark|small|p|ol|li)>", "", shown).count("<") == 0


def test_a_notebook_shows_the_quote_with_its_words_marked() -> None:
    article = ArticleRef("0" * 16, "0" * 64, "A & B", (), None, None)
    passage = PassageRef("It costs <5> euros.", 0, 19, None, 0, None, 1.0, article)
    exact = Exact("<5> euros", 9, 18)
    citation = Citation(1, passage.text, 0, 19, 1.0, passage, article, exact=exact)
    answer = Answer("How much?", None, True, 0.9, (citation,), (passage,))
    assert "It costs <mark>&lt;5&gt; euros</mark>. <small>A &amp; B</small>" in answer._repr_html_()
    assert answer._repr_markdown_() == str(answer)
