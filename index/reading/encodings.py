"""Bytes to text: by mark, by what the source declares, as UTF-8, or by their looks."""

from __future__ import annotations

import codecs
import re
import unicodedata

from index.errors import UnreadableSource

__all__ = ["decode_html", "decode_text", "mark_of"]

# A byte-order mark settles the encoding; UTF-32 first, for its mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What pages declare is read as browsers read it: https://encoding.spec.whatwg.org/#names-and-labels
_AS_BROWSERS_DO = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "tis-620": "cp874",
}
_CHARSET = re.compile(rb"""(?i)<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]{2,40})""")
_XML_ENCODING = re.compile(rb"""(?i)^\s*<\?xml[^>]{0,100}encoding\s*=\s*["']([\w.:-]{2,40})""")
_WESTERN = frozenset(
    "áàâäãåæçéèêëíìîïñóòôöõøúùûüßÁÀÂÄÅÆÇÉÈÊËÍÎÏÑÓÔÖØÚÛÜœŒ‘’“”„«»–—…€£§°·¿¡ºª\u00a0©®™•"
)
# These look like ASCII, and are valid UTF-8: only what declares them says so.
_SEVEN_BIT = ("iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_kr", "hz", "utf-7")
_SHIFTED = re.compile(rb"\x1b\$[@B]")
_BLANK = frozenset(" \t\r\n")
DECLARED_WITHIN = 4096
SAMPLE = 200_000
"""Bytes that are looked at to tell an undeclared encoding."""


def mark_of(data: bytes) -> str | None:
    """The encoding that a byte-order mark names."""
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


def decode_text(data: bytes, name: str) -> str:
    """The text of a file that declares no encoding.

    Raises:
        UnreadableSource: It is binary, or its encoding cannot be told.
    """
    encoding = mark_of(data)
    if encoding:
        return _decoded(data, encoding, name)
    if b"\0" in data:
        text = _unmarked_utf16(data)
        if text is None:
            raise UnreadableSource(f"{name} is a binary file; give the article as text")
        return text
    if data.isascii() and _SHIFTED.search(data):
        return data.decode("iso2022_jp", "replace")
    text = _mostly_utf8(data)
    return _decoded(data, _guess(data, name), name) if text is None else text


def decode_html(data: bytes, charset: str | None = None) -> str:
    """The text of a page, as a browser would decode it; bytes that do not fit are replaced.

    Args:
        data: The page.
        charset: What the server named.
    """
    marked = mark_of(data)
    if marked:
        return data.decode(marked, "replace")
    head = data[:DECLARED_WITHIN]
    match = _CHARSET.search(head) or _XML_ENCODING.search(head)
    declared = (charset or "").strip("\"' ") or (
        match[1].decode("ascii", "replace") if match else ""
    )
    encoding = _known(declared)
    if encoding in _SEVEN_BIT and data.isascii():
        return data.decode(encoding, "replace")
    text = _mostly_utf8(data)
    if text is not None:
        return text
    if encoding in ("utf-8", "utf-16", "utf-32") or (encoding is None and data[:SAMPLE].isascii()):
        return data.decode("utf-8", "replace")
    if encoding is None:
        try:
            encoding = _guess(data, "the page")
        except UnreadableSource:
            encoding = "cp1252"
    return data.decode(encoding, "replace")


def _mostly_utf8(data: bytes) -> str | None:
    """UTF-8, a few damaged bytes replaced; None where the bytes are not UTF-8.

    In other encodings, hardly any two bytes happen to be a valid sequence.
    """
    text = data.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    if damaged:
        whole = len(re.sub(r"[\x00-\x7f\ufffd]+", "", text))
        return text if whole >= damaged else None
    return text


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 without a mark: the byte order in which it has spaces and no odd characters."""
    for encoding in ("utf-16-le", "utf-16-be"):
        text = data[: len(data) // 2 * 2].decode(encoding, "replace")
        sample = text[:SAMPLE]
        odd = sum(unicodedata.category(c) in ("Cc", "Cn", "Co", "Cs") for c in set(sample) - _BLANK)
        if not odd and _BLANK.intersection(sample):
            return text
    return None


def _known(label: str) -> str | None:
    label = label.lower()
    if label in _AS_BROWSERS_DO:
        return _AS_BROWSERS_DO[label]
    try:
        # Python has codecs that are no encodings of text, such as "hex" and "idna".
        bytes(range(256)).decode(label, "replace")
        return codecs.lookup(label).name
    except (LookupError, ValueError):
        return None


def _guess(data: bytes, name: str) -> str:
    import charset_normalizer  # deferred: nearly everything is UTF-8

    if _looks_western(data[:SAMPLE]):
        return "cp1252"
    best = charset_normalizer.from_bytes(data[:SAMPLE]).best()
    if best is None:
        raise UnreadableSource(
            f"the encoding of {name} cannot be told; save the article as UTF-8 text"
        )
    return best.encoding


def _looks_western(data: bytes) -> bool:
    """Whether bytes read as Windows-1252 hold the accents and quotes of Western languages.

    In short texts the frequencies of characters alone take these for Eastern European ones.
    """
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return False
    others = [character for character in text if character > "\x7f"]
    letters = sum(map(str.isalpha, text)) or 1
    known = sum(character in _WESTERN for character in others)
    return known >= 0.95 * len(others) and len(others) <= 0.2 * letters


def _decoded(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableSource(
            f"{name} is not the {encoding} text it looks like ({error.reason} at byte"
            f" {error.start}); save it as UTF-8"
        ) from error
