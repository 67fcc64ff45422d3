"""Nothing is composed: every character of an article's text stands in its source, in order."""

from __future__ import annotations

import html
import io
import zipfile
from email.message import EmailMessage
from xml.sax.saxutils import escape

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index import EmptyArticle
from index.reading.formats import Format
from index.reading.sandbox import read_here

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
words = st.text(
    st.sampled_from("abcdeXYZ 0123äß東.,;:!?'\"()-–&<>|*_#[]/=+~`$%@"), min_size=1, max_size=60
)
sentence = words.map(lambda text: f"The {text} was closed in March of that year.")
texts = st.lists(st.one_of(words, sentence), min_size=1, max_size=8)
often = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def check(kind: Format, data: bytes, source: str) -> None:
    """Find each character in what is left of the source; ours are white space and column marks."""
    try:
        text = read_here(kind, data, name="it").text
    except EmptyArticle:
        return
    at = 0
    for character in text:
        if not character.isspace() and character != "|":
            found = source.find(character, at)
            assert found >= 0, (text, source[at - 20 : at + 20])
            at = found + 1


@often
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["p", "h1", "h2", "li", "blockquote", "div", "pre", "td", "time"]),
            st.sampled_from(["", " class='byline'", " class='date'", " hidden"]),
            st.one_of(words, sentence, st.just("By Jane Doe"), st.just("Published 3 May 2024")),
        ),
        min_size=1,
        max_size=10,
    )
)
def test_of_a_page(blocks: list[tuple[str, str, str]]) -> None:
    body = "\n".join(f"<{tag}{marks}>{html.escape(text)}</{tag}>" for tag, marks, text in blocks)
    head = "<title>A title</title><meta name='author' content='Jane Doe'>"
    head += "<meta property='article:published_time' content='2024-05-03'>"
    page = f"<!doctype html><html><head>{head}</head><body><article>{body}</article></body></html>"
    check(Format.HTML, page.encode(), html.unescape(body))


@often
@given(texts, st.sampled_from(["", "# ", "- ", "> ", "1. ", "| a | ", "```\n"]))
def test_of_markdown(paragraphs: list[str], mark: str) -> None:
    text = "---\ntitle: Over it\nauthor: Jane Doe\n---\n" + "\n\n".join(
        mark + paragraph for paragraph in paragraphs
    )
    check(Format.MARKDOWN, text.encode(), text)


@often
@given(texts, st.booleans())
def test_of_a_mail(paragraphs: list[str], with_html: bool) -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "Jane Doe <jane@example.org>", "The bridge"
    message["Date"] = "Fri, 03 May 2024 10:00:00 +0000"
    body = "\n\n".join(paragraphs)
    message.set_content(body)
    if with_html:
        page = "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs)
        message.add_alternative(f"<html><body>{page}</body></html>", subtype="html")
    check(Format.EMAIL, message.as_bytes(), body)


@often
@given(texts, st.sampled_from(["p", "table", "box", "control"]))
def test_of_a_word_document(paragraphs: list[str], around: str) -> None:
    body = "".join(_word(paragraph, around) for paragraph in paragraphs)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            "word/document.xml",
            f'<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>',
        )
    doubled = paragraphs if around != "box" else [text for p in paragraphs for text in (p, p)]
    check(Format.DOCX, file.getvalue(), "".join(doubled))


def _word(text: str, around: str) -> str:
    line = f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
    match around:
        case "table":
            cell = f"<w:tc><w:p>{line}</w:p></w:tc>"
            return f"<w:tbl><w:tr>{cell}</w:tr></w:tbl>"
        case "box":
            box = f"<w:r><w:txbxContent><w:p>{line}</w:p></w:txbxContent></w:r>"
            return f"<w:p>{box}{line}</w:p>"
        case "control":
            return f"<w:sdt><w:sdtContent><w:p>{line}</w:p></w:sdtContent></w:sdt>"
    return f"<w:p>{line}</w:p>"
