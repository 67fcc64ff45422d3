"""An article asked before is not embedded again; a bad cache is never the user's problem."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from index.models.encoder import Encoder
from index.reading.plaintext import article_from_text
from index.single import cache as index_cache
from index.single.storage import MANIFEST


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(index_cache, "cache_root", lambda: tmp_path)
    return tmp_path / "indexes"


ARTICLE = article_from_text("Cats sleep all day. Dogs bark at night.")


def build_must_not_run(*_: object, **__: object) -> None:
    raise AssertionError("built again")


def test_the_second_time_nothing_is_built(
    root: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = index_cache.cached_index(ARTICLE, encoder)
    monkeypatch.setattr(index_cache, "build_index", build_must_not_run)
    assert index_cache.cached_index(ARTICLE, encoder).passages == first.passages


def test_the_same_text_under_another_title_keeps_its_own_title(
    root: Path, encoder: Encoder
) -> None:
    index_cache.cached_index(ARTICLE, encoder)
    other = article_from_text(ARTICLE.text, title="Pets")
    assert index_cache.cached_index(other, encoder).article.title == "Pets"


def test_other_users_cannot_read_what_was_asked(root: Path, encoder: Encoder) -> None:
    index_cache.cached_index(ARTICLE, encoder)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_a_damaged_entry_is_built_again(root: Path, encoder: Encoder) -> None:
    index_cache.cached_index(ARTICLE, encoder)
    for path in root.rglob("*.npz"):
        path.write_bytes(b"rubbish")
    assert index_cache.cached_index(ARTICLE, encoder).article == ARTICLE
    assert all(path.read_bytes() != b"rubbish" for path in root.rglob("*.npz"))


def test_a_cache_that_cannot_be_written_costs_only_time(root: Path, encoder: Encoder) -> None:
    root.write_text("a file where the folder should be")
    assert index_cache.cached_index(ARTICLE, encoder).article == ARTICLE


def test_the_cache_is_bounded(
    root: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_cache, "MAX_ENTRIES", 2)
    for number in range(4):
        index_cache.cached_index(article_from_text(f"Cat {number} sleeps."), encoder)
    assert len(list(root.rglob(MANIFEST))) == 2
