"""E-mails and saved pages in MIME form (.eml, .mhtml): all their texts, under their headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parseaddr
from typing import Any

from index.article import Article, BlockKind
from index.errors import EmptyArticle, UnreadableSource
from index.reading.assembly import Metadata, Piece, article_from_pieces
from index.reading.dates import iso_date
from index.reading.encodings import decode_html
from index.reading.html.page import read_html
from index.reading.plaintext import article_from_text

__all__ = ["read_email"]

MAX_DEPTH = 20
"""Messages and parts within each other; the parser itself has no bound."""
_REPLY = re.compile(r"(?i)^(?:\s*(?:re|fwd?|aw|wg|tr|rv)\s*:\s*)+")
_NEXT_MAIL = re.compile(rb"\n\r?\nFrom [^\r\n]{1,200}\r?\n[!-9;-~]{2,60}:")
_SAVED_BY = re.compile(r"(?i)saved by|blink|internet explorer|webkit")


def read_email(data: bytes, *, name: str = "the e-mail", url: str | None = None) -> Article:
    """Read an e-mail, with those it forwards, or a page saved as one file.

    Attachments are not read. The subject is the title, the sender the author.

    Raises:
        UnreadableSource: It is a mailbox with several.
        EmptyArticle: It holds no text that could be cited.
    """
    if data.startswith(b"From ") and _NEXT_MAIL.search(data, 5):
        raise UnreadableSource(
            f"{name} holds several e-mails; name it letters.mbox, which is asked and added to a"
            " library as a folder of articles is"
        )
    message = message_from_bytes(data, policy=policy.default)
    location = _header(message, "Snapshot-Content-Location") or _header(message, "Content-Location")
    saved = bool(_SAVED_BY.search(_header(message, "From")))
    known = Metadata(url=location or None) if saved or location else _known(message)
    omitted: list[str] = []
    found = list(_texts(message, known, location or url, omitted))
    if len(found) == 1 and isinstance(found[0], Article):
        article = found[0]
    else:
        pieces = [piece for part in found for piece in _pieces(part)]
        if not any(piece.kind.citable for piece in pieces):
            raise EmptyArticle(f"{name} holds no text; forward the article itself")
        article = article_from_pieces(pieces, known)
    return replace(article, omitted=(*article.omitted, *omitted))


def _known(message: EmailMessage) -> Metadata:
    sender, address = parseaddr(_header(message, "From"))
    subject = _REPLY.sub("", _header(message, "Subject")).strip()
    return Metadata.of(
        {
            "title": (subject, "mail header Subject"),
            "authors": ((sender or address,) if sender or address else (), "mail header From"),
            "published": (iso_date(_header(message, "Date")), "mail header Date"),
        }
    )


def _header(message: Message, name: str) -> str:
    """A header as text."""
    return " ".join(str(_tried(lambda: message.get(name, "")) or "").split())


def _tried(get: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the header holds
    """What its sender broke is as good as missing."""
    try:
        return get()
    except Exception:  # the standard library raises all sorts here
        return None


def _texts(
    part: Message, known: Metadata, url: str | None, omitted: list[str], depth: int = 0
) -> Iterator[Article | Piece]:
    """The texts of a part and of those in it, and the subjects of the messages it forwards."""
    kind = part.get_content_type()
    within = [child for child in part.get_payload() if isinstance(child, Message)] if (
        part.is_multipart()
    ) else []  # fmt: skip
    if depth > MAX_DEPTH:
        omitted.append("parts nested too deeply")
    elif kind == "message/rfc822":
        for message in within:
            yield Piece(BlockKind.HEADING, _header(message, "Subject"), 1)
            yield from _texts(message, known, url, omitted, depth + 1)
    elif kind == "multipart/alternative":
        yield from _best(within, known, url, omitted, depth)
    elif within:
        # What is related to a page, its pictures and styles, is no text of its own.
        for child in within[:1] if kind == "multipart/related" else within:
            yield from _texts(child, known, url, omitted, depth + 1)
    elif kind in ("text/plain", "text/html") and part.get_content_disposition() != "attachment":
        yield from _own_text(part, known, url, omitted)
    else:
        omitted.append(f"an attachment: {_tried(part.get_filename) or kind}")


def _own_text(
    part: Message, known: Metadata, url: str | None, omitted: list[str]
) -> Iterator[Article]:
    payload = part.get_payload(decode=True)
    text = decode_html(
        payload if isinstance(payload, bytes) else b"", _tried(part.get_content_charset)
    )
    try:
        if part.get_content_subtype() == "html":
            yield read_html(text, url=url, known=known)
        else:
            yield known.over(article_from_text(text))
    except EmptyArticle:
        if text.strip():
            omitted.append(f"a part ({part.get_content_type()}) without text to cite")


def _best(
    parts: list[Message], known: Metadata, url: str | None, omitted: list[str], depth: int
) -> Iterator[Article | Piece]:
    """The richest of several versions of the same text; the last one is, by RFC 2046."""
    for part in reversed(parts):
        notes: list[str] = []
        found = list(_texts(part, known, url, notes, depth + 1))
        if any(isinstance(text, Article) for text in found):
            omitted.extend(notes)
            yield from found
            return


def _pieces(part: Article | Piece) -> Iterator[Piece]:
    if isinstance(part, Piece):
        yield part
        return
    for block in part.blocks:
        yield Piece(block.kind, part.text[block.start : block.end], block.level)
