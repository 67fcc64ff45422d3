"""Feed damaged files to the readers and report what they do besides reading or refusing.

    python -m benchmarks.fuzz_readers [--seconds 600] [--seed 0] [FORMAT …]

Each small file (pdf, docx, html, md, eml, txt) is damaged at random: bytes flipped, cut,
doubled or swapped for tokens that parsers stumble over. Anything but an article or a
``SourceError`` within the time that is promised is a finding, printed with the seed that
makes it again.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import time
from collections import Counter
from email.message import EmailMessage
from pathlib import Path

from index import SourceError, read_article
from index.reading.sandbox import MAX_SECONDS

TEXT = (
    "The committee discussed facial recognition and its regulation. Members agreed that the long"
    " debate was needed because nobody had asked the public before. “We were not asked,” said one."
)

ROOT = Path(__file__).resolve().parent.parent
TOKENS = (
    b"<", b">", b"</p>", b"<div>" * 50, b"<!--", b"]]>", b"&#x0;", b"&#1114112;", b"\0",
    b"\xff\xfe", b"\xed\xa0\x80", b"%PDF-1.7", b"endobj", b"/Length 999999999", b"9" * 40, b"-1",
    b"[[[[", b"> " * 40, b"|" * 40, b"---\n", b"Content-Type: multipart/mixed; boundary=x\n",
    b"=?utf-8?b?////?=", b"\r", "\u202e\u0301".encode(), b'{"@type":', b"1e999",
    b"<script type='application/ld+json'>",
)  # fmt: skip


def seeds() -> dict[str, bytes]:
    """One small sound file of each format."""
    import docx
    from fpdf import FPDF

    paper = FPDF()
    for _ in range(2):
        paper.add_page()
        paper.set_font("helvetica", size=11)
        paper.multi_cell(90, 5, TEXT.replace("“", '"').replace("”", '"'))
    document = docx.Document()
    document.add_heading("Title", 0)
    document.add_paragraph(TEXT)
    document.add_table(1, 2).cell(0, 0).text = "cell"
    file = io.BytesIO()
    document.save(file)
    head = (
        '<script type=\'application/ld+json\'>{"@type": "NewsArticle", "headline": "T",'
        ' "author": [{"name": "Jane Doe"}], "datePublished": "2020-03-04T09:30:00Z"}</script>'
    )
    body = f"<h1>T</h1><p>{TEXT}</p><ul><li>item</li></ul><table><tr><td>a<td>b</table>"
    page = f"<!doctype html><html lang=en><head>{head}</head><body><article>{body}</article></html>"
    letter = EmailMessage()
    letter["From"], letter["Subject"] = "A Letter <a@example.org>", "News"
    letter["Date"] = "Mon, 18 Nov 2019 09:30:00 +0100"
    letter.set_content(TEXT)
    letter.add_alternative(page, subtype="html")
    mark = f"---\ntitle: T\ndate: 2020-03-04\n---\n# T\n\n{TEXT}\n\n- a\n- b\n\n| a | b |\n|--|--|\n| 1 | 2 |\n"  # noqa: E501
    return {
        "pdf": bytes(paper.output()),
        "docx": file.getvalue(),
        "html": page.encode(),
        "md": mark.encode(),
        "eml": letter.as_bytes(),
        "txt": f"Title\nBy Jane Doe\n\n{TEXT}\n".encode(),
    }


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A file with a few random faults."""
    result = bytearray(data)
    for _ in range(chance.choice((1, 2, 4, 8, 32))):
        at = chance.randrange(len(result) + 1)
        match chance.randrange(5):
            case 0 if at < len(result):
                result[at] ^= 1 << chance.randrange(8)
            case 1:
                result[at:at] = chance.choice(TOKENS)
            case 2:
                del result[at : at + chance.randrange(64)]
            case 3:
                result[at:at] = result[at : at + chance.randrange(512)]
            case _:
                result[at : at + 4] = chance.randbytes(4)
    return bytes(result)


def main() -> int:
    """Fuzz until the time is up; the status is 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("formats", nargs="*", metavar="FORMAT", default=[])
    parser.add_argument("--seconds", type=float, default=600, help="for each format")
    parser.add_argument("--seed", type=int, default=0, help="of the first file")
    arguments = parser.parse_args()
    files = seeds()
    status = 0
    print(
        "| format | files | read | refused | findings | slowest, s |\n| --- | --- | --- | --- | --- | --- |"  # noqa: E501
    )
    for name in arguments.formats or files:
        counts: Counter[str] = Counter()
        slowest = 0.0
        end = time.monotonic() + arguments.seconds
        seed = arguments.seed
        while time.monotonic() < end:
            data = damaged(files[name], random.Random(seed))  # noqa: S311
            start = time.monotonic()
            try:
                article = read_article(data)
                sound = all(article.text[b.start : b.end].strip() for b in article.blocks)
                outcome = "read" if sound else "an empty block"
            except SourceError:
                outcome = "refused"
            except Exception as error:
                outcome = f"{type(error).__name__}: {error}"
            took = time.monotonic() - start
            if took > MAX_SECONDS + 2:
                outcome = f"took {took:.1f} s"
            slowest = max(slowest, took)
            if outcome not in ("read", "refused"):
                print(f"{name} seed {seed}: {outcome[:200]}", file=sys.stderr)
                status = 1
                outcome = "found"
            counts[outcome] += 1
            seed += 1
        total = sum(counts.values())
        shown = f"{counts['read']} | {counts['refused']} | {counts['found']} | {slowest:.2f}"
        print(f"| {name} | {total} | {shown} |", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
