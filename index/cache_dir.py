"""Where the user's cache is, and how its folders are kept from other users."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

__all__ = ["cache_folder", "cache_root", "fallback_root"]


def cache_root() -> Path:
    """The user's cache folder for article-qa, or what ``ARTICLE_QA_CACHE`` names."""
    if named := os.environ.get("ARTICLE_QA_CACHE"):
        return Path(named).expanduser()
    import platformdirs  # deferred: not needed where the variable is set

    return platformdirs.user_cache_path("article-qa", appauthor=False)


def fallback_root() -> Path:
    """A private temporary folder, for when the cache cannot be written.

    It has one fixed name for each user, so that the next process finds what this one
    prepared; a folder of that name which somebody else could have filled is not used.
    """
    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir()) / f"article-qa-{user}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        ours = not hasattr(os, "getuid") or (
            status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) == 0o700
        )
        if stat.S_ISDIR(status.st_mode) and ours and os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="article-qa-"))


def cache_folder(path: Path) -> Path:
    """Create a folder of the cache that only its owner can read; close one that others can.

    Raises:
        OSError: It cannot be created.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        with contextlib.suppress(OSError):  # somebody else's folder, which is theirs to close
            path.chmod(0o700)
    return path
