"""An article is a text with blocks in order, and its metadata."""

from __future__ import annotations

import json

import pytest

from index import Article, Block, BlockKind, EmptyArticle


def article(text: str, *blocks: tuple[BlockKind, int, int]) -> Article:
    return Article(text, tuple(Block(*block) for block in blocks), title="T", authors=("A", "B"))


def test_the_id_names_the_text_and_nothing_else() -> None:
    one = article("A sentence.", (BlockKind.PARAGRAPH, 0, 11))
    other = Article("A sentence.", one.blocks, title="Another title")
    assert one.id == other.id == one.hash[:16]
    assert one.id != article("B sentence.", (BlockKind.PARAGRAPH, 0, 11)).id


def test_sections_are_what_stands_between_headings() -> None:
    text = "Lead.\nWhy\nBecause.\nHow\nSo."
    sections = article(
        text,
        (BlockKind.PARAGRAPH, 0, 5),
        (BlockKind.HEADING, 6, 9),
        (BlockKind.PARAGRAPH, 10, 18),
        (BlockKind.HEADING, 19, 22),
        (BlockKind.PARAGRAPH, 23, 26),
    ).sections
    assert [(s.heading, text[s.start : s.end].strip()) for s in sections] == [
        (None, "Lead."),
        ("Why", "Because."),
        ("How", "So."),
    ]


def test_json_gives_the_same_article_back() -> None:
    one = article("A \ud800 sentence.", (BlockKind.PARAGRAPH, 0, 13))
    assert Article.from_dict(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize("span", [(0, 12), (-1, 4), (4, 4), (5, 4)])
def test_a_block_outside_the_text_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="out of order or outside"):
        article("A sentence.", (BlockKind.PARAGRAPH, *span))


def test_blocks_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="out of order"):
        article("A sentence.", (BlockKind.PARAGRAPH, 0, 5), (BlockKind.PARAGRAPH, 4, 11))


def test_an_article_with_nothing_to_cite_is_refused() -> None:
    with pytest.raises(EmptyArticle):
        article("YOU MAY LIKE", (BlockKind.FURNITURE, 0, 12))
