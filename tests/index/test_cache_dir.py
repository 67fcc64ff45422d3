from __future__ import annotations

import stat
import sys
import tempfile
from pathlib import Path

import pytest

from index.cache_dir import cache_folder, cache_root, fallback_root

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_cache_is_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTICLE_QA_CACHE", str(tmp_path))
    assert cache_root() == tmp_path
    monkeypatch.delenv("ARTICLE_QA_CACHE")
    assert cache_root().name == "article-qa"


def test_the_fallback_is_private_and_the_same_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert fallback_root() == fallback_root()
    assert mode(fallback_root()) == 0o700


def test_a_fallback_that_others_can_write_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    open_to_all = fallback_root()
    open_to_all.chmod(0o777)
    assert fallback_root() != open_to_all


def test_a_cache_folder_is_private_with_the_parents_made_for_it(tmp_path: Path) -> None:
    folder = cache_folder(tmp_path / "cache" / "pages")
    assert [mode(folder), mode(folder.parent)] == [0o700, 0o700]


def test_a_folder_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir(mode=0o755)
    assert mode(cache_folder(tmp_path / "pages")) == 0o700


def test_a_folder_whose_name_a_file_has_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        cache_folder(tmp_path / "file" / "pages")
