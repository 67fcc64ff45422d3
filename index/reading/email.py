"""E-mails and saved pages in MIME form (.eml, .mhtml): the best part, under its headers."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from email.utils import parseaddr

from index.article import Article
from index.errors import EmptyArticle
from index.reading.assembly import Metadata, Piece, article_from_pieces
from index.reading.dates import iso_date
from index.reading.encodings import decode_html
from index.reading.html.page import read_html
from index.reading.plaintext import article_from_text

__all__ = ["read_email"]

_REPLY = re.compile(r"(?i)^(?:\s*(?:re|fwd?|aw|wg|tr|rv)\s*:\s*)+")
_SAVED_BY = re.compile(r"(?i)saved by|blink|internet explorer|webkit")


def read_email(data: bytes, *, name: str = "the e-mail") -> Article:
    """Read an e-mail newsletter, or a page saved as one file.

    Attachments are not read. The subject is the title, the sender the author.

    Raises:
        EmptyArticle: It holds no text that could be cited.
    """
    message = message_from_bytes(data, policy=policy.default)
    location = _header(message, "Snapshot-Content-Location") or _header(message, "Content-Location")
    saved = bool(_SAVED_BY.search(_header(message, "From")))
    known = Metadata(url=location or None) if saved or location else _known(message)
    html, plain = _part(message, "html"), _part(message, "plain")
    if html is not None:
        try:
            return read_html(_text(html), url=location or None, known=known)
        except EmptyArticle:
            if plain is None:
                raise
    if plain is None:
        raise EmptyArticle(f"{name} holds no text; forward the article itself")
    article = article_from_text(_text(plain))
    pieces = [
        Piece(block.kind, article.text[block.start : block.end], block.level)
        for block in article.blocks
    ]
    return article_from_pieces(pieces, known)


def _known(message: EmailMessage) -> Metadata:
    sender, address = parseaddr(_header(message, "From"))
    return Metadata(
        title=_REPLY.sub("", _header(message, "Subject")).strip() or None,
        authors=(sender or address,) if sender or address else (),
        published=iso_date(_header(message, "Date")),
    )


def _header(message: EmailMessage, name: str) -> str:
    """A header as text; what its sender broke is as good as missing."""
    try:
        return " ".join(str(message.get(name, "")).split())
    except Exception:  # the standard library raises all sorts here
        return ""


def _part(message: EmailMessage, kind: str) -> MIMEPart | None:
    """The first part of a kind that is no attachment and holds something."""
    for part in message.walk():
        if part.get_content_type() == f"text/{kind}" and not part.is_attachment():
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes) and payload.strip():
                return part
    return None


def _text(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    return decode_html(payload if isinstance(payload, bytes) else b"", part.get_content_charset())
