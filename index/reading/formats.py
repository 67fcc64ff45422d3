"""What a source is, by its content first and its name second."""

from __future__ import annotations

import re
from enum import Enum
from io import BytesIO
from pathlib import PurePath

from index.errors import UnreadableSource
from index.reading.encodings import mark_of

__all__ = ["Format", "format_of"]


class Format(str, Enum):
    """A kind of source that there is a reader for."""

    TEXT = "plain text"
    MARKDOWN = "Markdown"
    HTML = "a web page"
    PDF = "a PDF"
    DOCX = "a Word document"
    EMAIL = "an e-mail"


# Text about PDFs goes on behind the mark that stands alone on its line in one.
_PDF = re.compile(rb"(?:^|[\r\n])\s*(?=%PDF-)(%PDF-\d\.\d\s*[\r\n])?")
_HTML_START = re.compile(
    rb"(?is)^\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,2000}?-->\s*)*"
    rb"<(?:!doctype\s+html|html|head|body|article|main|div|p|h1|meta|title|section|table|script|"
    rb"style|link)\b"
)
_HTML_WITHIN = re.compile(rb"(?i)<(?:html|body|head)[\s>]")
_WHOLE_PAGE = re.compile(rb"(?is)^\s*(?:<\?xml[^>]{0,200}\?>\s*)?<(?:!doctype\s+html|html)\b")
_HEADER = re.compile(rb"^(?:From |[!-9;-~]{2,60}:)")
_MAIL_FIELDS = frozenset(
    """from to subject date message-id mime-version received return-path delivered-to
    content-type content-transfer-encoding""".split()
)
HEADERS_WITHIN = 2**16
_BINARY = (
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a sound, film or picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "an archive"),
    (b"Rar!", "an archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"ID3", "a sound"),
    (b"SQLite format 3", "a database"),
)
_MARKDOWN_SIGNS = (
    re.compile(r"(?m)^#{1,6} \S"),
    re.compile(r"(?m)^(?:```|~~~)"),
    re.compile(r"(?m)^\|.+\|\s*\n\|[ :|-]+\|\s*$"),
    re.compile(r"!?\[[^\]\n]{1,200}\]\([^)\s]{1,500}\)"),
    re.compile(r"(?m)^\[[^\]\n]{1,100}\]:\s+\S+"),
    re.compile(r"\*\*\S[^*\n]{0,200}\*\*"),
    re.compile(r"(?m)^\S[^\n]{2,100}\n(?:={3,}|-{3,})\s*$"),
)
_FRONT_MATTER = re.compile(
    r"\ufeff?(---|\+\+\+)[ \t]*\n"
    r"(?:\w[\w-]{0,40}[ \t]*[:=].{0,500}\n|[ \t#-].{0,500}\n|\n){1,200}(?:\1|\.\.\.)[ \t]*(?:\n|\Z)"
)
MAX_MIMETYPE = 200
_ZIPPED = (
    ("epub", "an e-book (EPUB); convert it to .docx or PDF, as calibre does"),
    ("opendocument.text", "an OpenDocument text (.odt); save it as .docx or PDF"),
    ("opendocument", "an OpenDocument file; save it as a PDF"),
    ("xl", "a spreadsheet (.xlsx); save it as a PDF"),
    ("ppt", "slides (.pptx); save them as a PDF"),
    ("Index", "an iWork file (Pages, Numbers or Keynote); export it as .docx or PDF"),
)
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def format_of(data: bytes, name: str = "", content_type: str = "") -> Format:
    """The format of a source.

    Args:
        data: All of it.
        name: Its file name or address, for text that could be one thing or another.
        content_type: What the server called it.

    Raises:
        UnreadableSource: It is of a kind that nothing here reads; the message says which.
    """
    shown = name or "the source"
    suffix = PurePath(name).suffix.lower()
    head = _PDF.search(data[:1024])
    if head and (head[1] or suffix == ".pdf" or b"startxref" in data[-2048:]):
        return Format.PDF
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(data, shown)
    if data.startswith(_OLD_OFFICE):
        raise UnreadableSource(
            f"{shown} is an old or an encrypted Office file; save it as .docx without a password"
        )
    if data.startswith(b"{\\rtf"):
        raise UnreadableSource(f"{shown} is rich text (RTF); save it as .docx, .txt or PDF")
    for start, what in _BINARY:
        if data.startswith(start):
            raise UnreadableSource(
                f"{shown} is a binary file ({what}); give a page, PDF, .docx, .md, .txt or .eml"
            )
    return _of_text(data, suffix, content_type.lower())


def _zipped(data: bytes, shown: str) -> Format:
    import zipfile  # deferred: it takes as long to import as a text takes to read

    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist())
            declared = ""
            if "mimetype" in names and archive.getinfo("mimetype").file_size < MAX_MIMETYPE:
                declared = archive.read("mimetype").decode("ascii", "replace")
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise UnreadableSource(
            f"{shown} is a damaged archive or Word document ({error}); save it again"
        ) from error
    declared += " ".join(
        sorted({name.partition("/")[0] for name in names} & {"xl", "ppt", "Index"})
    )
    what = next((what for kind, what in _ZIPPED if kind in declared), None)
    if what:
        raise UnreadableSource(f"{shown} is {what}")
    if "word/document.xml" in names or "[Content_Types].xml" in names:
        return Format.DOCX
    raise UnreadableSource(f"{shown} is a zip archive; unpack it and give the article in it")


def _of_text(data: bytes, suffix: str, content_type: str) -> Format:
    head = data[:4096]
    if mark_of(data) in ("utf-16", "utf-32"):
        head = head.replace(b"\0", b"")[2:]
    head = head.removeprefix(b"\xef\xbb\xbf")
    markdown = suffix in (".md", ".markdown", ".mdown", ".mkd") or "markdown" in content_type
    if markdown:
        return Format.HTML if _WHOLE_PAGE.match(head) else Format.MARKDOWN
    if _HTML_START.match(head):
        named = suffix or content_type or _HTML_WITHIN.search(head)
        return Format.HTML if named or not _signs_of_markdown(data) else Format.MARKDOWN
    if _is_mail(data, suffix):
        return Format.EMAIL
    says_html = suffix in (".html", ".htm", ".xhtml", ".shtml") or "html" in content_type
    if (says_html and b"<" in head) or (suffix == "" and _HTML_WITHIN.search(head)):
        return Format.HTML
    if suffix == "" and "text/plain" not in content_type and _signs_of_markdown(data):
        return Format.MARKDOWN
    return Format.TEXT


def _signs_of_markdown(data: bytes) -> bool:
    sample = data[:50_000].decode("utf-8", "replace").replace("\r\n", "\n")
    if _FRONT_MATTER.match(sample):
        return True
    return sum(sign.search(sample) is not None for sign in _MARKDOWN_SIGNS) >= 2


def _is_mail(data: bytes, suffix: str) -> bool:
    """Whether the standard library finds a mail's headers, in whatever order they come."""
    if not _HEADER.match(data):
        return False
    from email.parser import BytesHeaderParser  # deferred: most sources are no mails

    message = BytesHeaderParser().parsebytes(data[:HEADERS_WITHIN])
    found = _MAIL_FIELDS.intersection(name.lower() for name in message.keys())  # noqa: SIM118
    return len(found) >= (1 if suffix in (".eml", ".mht", ".mhtml") else 2)
