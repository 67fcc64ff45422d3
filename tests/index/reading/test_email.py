"""E-mails: recognised whatever header comes first, and read with every text they hold."""

from __future__ import annotations

from index import read_article

HEAD = b"From: Ann <ann@example.org>\r\nSubject: Re: The ferry\r\nMIME-Version: 1.0\r\n"


def part(kind: bytes, text: bytes) -> bytes:
    return b"--X\r\nContent-Type: " + kind + b"\r\n\r\n" + text + b"\r\n"


def mail(subtype: bytes, *parts: bytes) -> bytes:
    head = HEAD + b"Content-Type: multipart/" + subtype + b"; boundary=X\r\n\r\n"
    return head + b"".join(parts) + b"--X--\r\n"


def test_any_header_may_come_first() -> None:
    article = read_article(b"ARC-Seal: i=1\r\nStatus: RO\r\n" + HEAD + b"\r\nThe ferry sails.\r\n")
    assert (article.title, article.text.strip()) == ("The ferry", "The ferry sails.")


def test_all_texts_that_are_no_alternatives_are_read_and_what_is_not_is_told() -> None:
    article = read_article(
        mail(
            b"mixed",
            part(b"text/plain", b"It sails at nine."),
            part(b"image/png; name=a.png", b"PNG"),
            part(b"text/plain", b"It returns at noon."),
        )
    )
    assert article.text == "It sails at nine.\n\nIt returns at noon."
    assert article.omitted == ("an attachment: a.png",)


def test_a_forwarded_message_is_read_under_its_subject() -> None:
    inner = b"Subject: Timetable\r\n\r\nIt sails at ten."
    article = read_article(
        mail(b"mixed", part(b"text/plain", b"See below."), part(b"message/rfc822", inner))
    )
    assert article.text == "See below.\n\nTimetable\n\nIt sails at ten."


def test_a_declared_seven_bit_charset_is_not_taken_for_utf8() -> None:
    text = "船は九時に出ます。"
    head = HEAD + b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n"
    assert read_article(head + text.encode("iso-2022-jp")).text == text
