"""Serve hostile lines through the page's own rendering, as updates of its panes.

    python tests/support/hostile_page.py PORT LINES.json

Not a test: the browser test runs it in a process of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gradio as gr

import app
from index.article import Article, Block, BlockKind
from qa.answer import Answer, Citation, PassageRef
from qa.citing.cite import article_ref
from qa.page import head
from qa.page.answer_view import render_suggestions, render_turn
from qa.page.article_view import render_article


def hostile_article(lines: list[str]) -> Article:
    """Each line a paragraph; the first one title, author, site, date and heading too."""
    blocks, at = [], 0
    for number, line in enumerate(lines):
        kind = list(BlockKind)[number % len(BlockKind)]
        blocks.append(Block(kind, at, at + len(line), level=1))
        at += len(line) + 1
    worst = lines[0]
    return Article(
        text="\n".join(lines),
        blocks=tuple(blocks),
        title=worst,
        authors=(worst,),
        published=worst,
        site=worst,
        url=worst,
        language=worst,
    )


def hostile_turn(line: str, article: Article, start: int, *, found: bool) -> Answer:
    """A line as question, interpretation, heading and quote."""
    end = start + len(line)
    passage = PassageRef(line, start, end, line, 0, None, 1.0)
    citation = Citation(1, line, start, end, 1.0, passage, article_ref(article))
    return Answer(line, line, found, 0.9, (citation, citation), (passage,))


def main() -> None:
    """Serve until killed."""
    lines = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    article = hostile_article(lines)
    spans = [(block.start, block.end) for block in article.blocks if block.kind.citable]
    turns = [
        hostile_turn(line, article, block.start, found=number % 2 == 0)
        for number, (line, block) in enumerate(zip(lines, article.blocks, strict=True))
    ]
    with gr.Blocks() as page:
        talk = app.html_pane("", elem_id="conversation")
        shown = app.html_pane("", elem_id="reader")
        show = gr.Button("Show")
        show.click(
            lambda: (
                "".join(
                    f'<section class="turn" data-turn="0">{render_turn(turn)}</section>'
                    for turn in turns
                )
                + render_suggestions(lines),
                render_article(article, spans),
            ),
            None,
            [talk, shown],
        )
    page.launch(
        server_port=int(sys.argv[1]),
        head=head("hostile"),
        footer_links=[],
        quiet=True,
        ssr_mode=False,
    )


if __name__ == "__main__":
    main()
