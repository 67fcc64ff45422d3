"""Attack what reads, stores and answers, and report what got through.

    python -m benchmarks.attack [--seconds 12] [--seed 0] [-o benchmarks/results/attack.md]

On the loopback alone, bounded, in some minutes: addresses that lead inside, servers that lie,
files that grow, damaged files, damaged and forged indexes, questions that are none, and answers
that carry markup. Each try must end in time in an article, an answer or a typed error; whatever
else happens is a finding, printed with what makes it again, and the status is 1.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
import shutil
import socket
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lxml import html

from benchmarks.fuzz_readers import TEXT, damaged, seeds
from benchmarks.speed.timing import machine
from index.errors import ArticleQAError
from index.reading.reader import read_article
from index.single.storage import save_index
from qa import ArticleBot
from qa.answer import Answer
from qa.page.answer_view import render_turn

PATIENCE = 16.0
"""Seconds in which every try has to end: what a download and a parse may take together."""

INSIDE = """127.0.0.1 localhost 2130706433 0x7f.1 017700000001 127.1 [::1] [::] 0.0.0.0 10.0.0.1
192.168.0.1 172.16.0.1 169.254.169.254 100.64.0.1 [::ffff:127.0.0.1] [64:ff9b::7f00:1] [fe80::1]
[2002:7f00:1::] 127.0.0.1. LOCALHOST %31%32%37.0.0.1 0 255.255.255.255 [fc00::1] 127.0.0.1%00.org
user:secret@example.org example.org:99999""".split()
SCHEMES = """file:///etc/passwd ftp://127.0.0.1/ gopher://127.0.0.1/ javascript:alert(1) http:///
http://[ data:text/html,x http://""".split()

PAGE = f"<!doctype html><article>{f'<p>{TEXT}</p>' * 4}</article>".encode()
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
LIES = {
    "cut short": OK + b"Content-Length: 99999\r\n\r\n" + PAGE,
    "cut gzip": OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(PAGE)[:-20],
    "gzip that is none": OK + b"Content-Encoding: gzip\r\n\r\n" + PAGE,
    "a bomb": OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"0" * 40_000_000),
    "bombs in a bomb": OK
    + b"Content-Encoding: gzip, gzip\r\n\r\n"
    + gzip.compress(gzip.compress(b"0" * 40_000_000)),
    "a part": b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/99\r\n\r\n" + PAGE,
    "broken chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n400\r\n" + PAGE,
    "endless chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 100_000,
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 9999\r\n\r\n" + PAGE,
    "a negative length": OK + b"Content-Length: -1\r\n\r\n" + PAGE,
    "endless headers": OK + b"X: y\r\n" * 200_000,
    "an endless header": OK + b"X: " + b"y" * 2_000_000,
    "no HTTP": b"SSH-2.0-OpenSSH_9\r\n",
    "nothing": b"",
    "inside": b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n",
    "to a file": b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
    "to nowhere": b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n",
    "in a circle": b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
    "a picture": b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG",
    "an odd charset": OK.replace(b"html", b"html; charset=zlib_codec") + b"\r\n" + PAGE,
}
SCRIPTS = """<script>alert(1)</script>
<img src=x onerror=alert(1)>
"><svg/onload=alert(1)>
</mark></blockquote><iframe src=javascript:alert(1)>
<a href="javascript:alert(1)">x</a>
{{constructor.constructor('alert(1)')()}}
${alert(1)}
'-alert(1)-'
<math><mtext></table><img src=x onerror=alert(1)>
&lt;script&gt;alert(1)&lt;/script&gt;
\u202e<b onmouseover=alert(1)>x
<style>@import 'http://127.0.0.1/x'</style>""".splitlines()


@dataclass
class Tally:
    """What came of the tries of one kind.

    Attributes:
        outcomes: How often each.
        slowest: Seconds.
        findings: What must not happen, with what makes it again.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    findings: list[str] = field(default_factory=list)

    def attempt(self, name: str, act: Callable[[], str]) -> None:
        """Try something that says what came of it; "found: …" is a finding."""
        began = time.monotonic()
        try:
            outcome = act()
        except ArticleQAError:
            outcome = "refused"
        except Exception as error:
            outcome = f"found: {type(error).__name__}: {error}"
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        if took > PATIENCE:
            outcome = f"found: took {took:.0f} s"
        if outcome.startswith("found"):
            self.findings.append(f"{name}: {outcome[7:200]}")
            outcome = "found"
        self.outcomes[outcome] += 1


def addresses(tally: Tally) -> None:
    """Addresses that lead inside, or nowhere, are refused unasked."""
    for url in (*(f"http://{host}/" for host in INSIDE), *SCHEMES):
        tally.attempt(url, lambda url=url: f"found: read {read_article(url).text[:40]!r}")


def servers(tally: Tally) -> None:
    """What a server sends is read whole or refused."""
    for name, response in LIES.items():
        with socket.create_server(("127.0.0.1", 0)) as listening:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
            threading.Thread(target=_serve, args=(listening, response), daemon=True).start()
            tally.attempt(name, lambda url=url: _read(url))


def _serve(listening: socket.socket, response: bytes) -> None:
    try:
        for _ in range(30):
            connection, _peer = listening.accept()
            with connection:
                asked = connection.recv(65536)
                missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
                connection.sendall(missing if b"/robots.txt" in asked else response)
    except OSError:
        return


def _read(source: str | bytes) -> str:
    article = read_article(source, allow_private=True)
    if len(article.text) > 5_000_000:
        return f"found: {len(article.text):,} characters"
    return "read"


def bombs(tally: Tally) -> None:
    """Files that cost far more than they weigh."""
    for name, data in _bombs():
        tally.attempt(name, lambda data=data: _read(data))


def _bombs() -> Iterator[tuple[str, bytes]]:
    yield "attributes", b"<p " + b"".join(b"a%d=b " % n for n in range(60_000)) + b">x</p>" + PAGE
    yield "tables in tables", b"<table><tr><td>" * 9_000 + PAGE
    yield "deep", b"<div>" * 200_000 + PAGE
    yield "one long word", b"<p>" + b"a" * 4_000_000 + b"</p>"
    yield "entities", PAGE.replace(b"<p>", b"<p>" + b"&amp;" * 200_000)
    yield "quotes in quotes", b"> " * 50_000 + TEXT.encode()
    yield "brackets", b"# T\n\n" + b"[" * 50_000
    yield "stars", b"# T\n\n" + b"*a **b " * 20_000
    yield "header lines", b"From: a@b.c\nSubject: x\n" + b"X: y\n" * 200_000 + b"\n" + TEXT.encode()
    yield (
        "parts in parts",
        b"From: a@b.c\n"
        + b"".join(
            b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(3_000)
        ),
    )
    with zipfile.ZipFile(io.BytesIO(seeds()["docx"])) as whole:
        for size in (1_000_000, 80_000_000):
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb:
                for part in whole.namelist():
                    data = whole.read(part)
                    if part == "word/document.xml":
                        tab = b"<w:p><w:r><w:t>a</w:t><w:tab/></w:r></w:p>"
                        data = data.replace(b"<w:body>", b"<w:body>" + tab * (size // len(tab)))
                    bomb.writestr(part, data)
            yield f"Word of {size:,} bytes", file.getvalue()


def files(tally: Tally, seconds: float, seed: int) -> None:
    """Damaged files of every format, for a time."""
    for name, data in seeds().items():
        end, number = time.monotonic() + seconds, seed
        while time.monotonic() < end:
            broken = damaged(data, random.Random(number))  # noqa: S311
            tally.attempt(f"{name} seed {number}", lambda broken=broken: _read(broken))
            number += 1


def indexes(tally: Tally, bot: ArticleBot, seconds: float, seed: int) -> None:
    """Indexes with flipped bits or forged entries are refused, or answer as before."""
    asked = "Who is Nathan Freed Wessler?"
    expected = [citation.quote for citation in bot.ask(asked).citations]

    def ask(folder: Path) -> str:
        answer = ArticleBot.open(folder).ask(asked)
        if any(c.quote not in bot.article.text for c in answer.citations):
            return "found: quotes what the article does not say"
        same = [citation.quote for citation in answer.citations] == expected
        return "as before" if same else "another answer"

    with tempfile.TemporaryDirectory() as name:
        whole, broken = Path(name, "whole"), Path(name, "broken")
        save_index(bot.index, whole)
        end, number = time.monotonic() + seconds, seed
        while time.monotonic() < end:
            chance = random.Random(number)  # noqa: S311
            shutil.rmtree(broken, ignore_errors=True)
            shutil.copytree(whole, broken)
            path = chance.choice(sorted(broken.iterdir()))
            if path.suffix == ".json" and chance.random() < 0.5:
                forged = _forged(json.loads(path.read_bytes()), chance)
                path.write_text(json.dumps(forged), encoding="utf-8")
            else:
                path.write_bytes(damaged(path.read_bytes(), chance))
            tally.attempt(f"index seed {number}", lambda: ask(broken))
            number += 1


def _forged(value: object, chance: random.Random) -> object:
    """A JSON value with one of its parts made another."""
    if isinstance(value, dict) and value:
        key = chance.choice(sorted(value))
        return {**value, key: _forged(value[key], chance)}
    if isinstance(value, list) and value:
        place = chance.randrange(len(value))
        return [*value[:place], _forged(value[place], chance), *value[place + 1 :]]
    return chance.choice((None, -1, 2**70, 1e400, "", "x" * 10_000, [], {}, [[]], True, "../x"))


def questions(tally: Tally, bot: ArticleBot, seconds: float, seed: int) -> None:
    """Whatever is asked, quotes stand in the article."""
    end, chance = time.monotonic() + seconds, random.Random(seed)  # noqa: S311
    lines = [*SCRIPTS, "", " ", "\0", "?" * 2000, "a" * 2001, "\ud800", "who " * 500, "\u202e?"]
    while time.monotonic() < end:
        line = lines.pop(0) if lines else _line(chance)
        tally.attempt(repr(line), lambda line=line: _asked(bot, line))


def _line(chance: random.Random) -> str:
    alphabets = ("abcdefgh ", "0123456789.,- ", "\u0430\u0431\u0432 ", "\u4e00\u4e8c", "<>&'\"/ ")
    alphabet = chance.choice((*alphabets, "".join(map(chr, range(0x20, 0x3000)))))
    return "".join(chance.choice(alphabet) for _ in range(chance.choice((3, 30, 300, 2000)))) + "?"


def _asked(bot: ArticleBot, line: str) -> str:
    answer = bot.ask(line)
    if any(bot.article.text[c.start : c.end] != c.quote for c in answer.citations):
        return "found: a quote that does not stand where it says"
    return _rendered(answer)


def _rendered(answer: Answer) -> str:
    """Whether an answer, as the page draws it, holds nothing that acts."""
    page = html.fragment_fromstring(render_turn(answer), create_parent=True)
    for element in page.iter():
        acts = [name for name in element.attrib if name.lower().startswith("on")]
        links = [element.get(name, "") for name in ("href", "src", "action")]
        if acts or any(link and not link.startswith(("http", "#")) for link in links):
            return f"found: {html.tostring(element)[:100]!r}"
        if element.tag in ("script", "iframe", "object", "style", "img"):
            return f"found: a <{element.tag}>"
    return "answered"


def markup(tally: Tally) -> None:
    """Articles made of markup are quoted as text."""
    for script in SCRIPTS:
        bot = ArticleBot.from_text(f"{script}\n\nThe mayor said {script} on Monday. {TEXT}")
        for question in ("What did the mayor say?", "When did the mayor speak?", script):
            tally.attempt(script, lambda bot=bot, question=question: _asked(bot, question))


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=12, help="for each format and kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, help="a Markdown file")
    arguments = parser.parse_args()
    seconds, seed = arguments.seconds, arguments.seed
    bot = ArticleBot.open()
    kinds: dict[str, Callable[[Tally], None]] = {
        "addresses": addresses,
        "servers that lie": servers,
        "files that grow": bombs,
        "damaged files": lambda tally: files(tally, seconds, seed),
        "damaged and forged indexes": lambda tally: indexes(tally, bot, seconds, seed),
        "questions": lambda tally: questions(tally, bot, seconds, seed),
        "articles with markup": markup,
    }
    lines = [
        "| what | tries | came of it | findings | slowest, s |",
        "| --- | --- | --- | --- | --- |",
    ]
    found = 0
    for name, attack in kinds.items():
        tally = Tally()
        attack(tally)
        for finding in tally.findings:
            print(f"{name}: {finding}", file=sys.stderr)
        came = ", ".join(
            f"{n:,} {what}" for what, n in tally.outcomes.most_common() if what != "found"
        )
        tries, found = sum(tally.outcomes.values()), found + len(tally.findings)
        lines.append(
            f"| {name} | {tries:,} | {came} | {len(tally.findings)} | {tally.slowest:.1f} |"
        )
        print(lines[-1], flush=True)
    if arguments.output:
        made = f"Made by `python -m benchmarks.attack --seconds {seconds:g} --seed {seed}`."
        text = "\n".join(
            [
                "# Attack",
                "",
                made,
                "",
                *lines,
                "",
                *(f"- {k}: {v}" for k, v in machine().items()),
                "",
            ]
        )
        arguments.output.write_text(text, encoding="utf-8")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
