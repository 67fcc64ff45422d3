"""Pages fetched before, kept so that a server need only say that nothing has changed."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from index.models.cache import cache_root

__all__ = ["StoredPage", "load_page", "store_page"]

MAX_PAGES = 200


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page as it was fetched.

    Attributes:
        conditions: The headers that ask for it only if it has changed.
        content_type: As the server named it.
        data: Its content.
    """

    conditions: dict[str, str]
    content_type: str
    data: bytes


def load_page(url: str) -> StoredPage | None:
    """The page kept for an address, or None."""
    try:
        header, _, data = _path(url).read_bytes().partition(b"\n")
        fields = json.loads(header)
        if fields["url"] != url or fields["sha256"] != hashlib.sha256(data).hexdigest():
            return None
        return StoredPage(dict(fields["conditions"]), str(fields["content_type"]), data)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def store_page(url: str, page: StoredPage) -> None:
    """Keep a page; where that fails, it is only fetched again next time."""
    header = {
        "url": url,
        "sha256": hashlib.sha256(page.data).hexdigest(),
        "conditions": page.conditions,
        "content_type": page.content_type,
    }
    path = _path(url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(header).encode("ascii") + b"\n" + page.data)
        os.replace(name, path)
        kept = sorted(path.parent.glob("*.page"), key=lambda old: old.stat().st_mtime)
        for old in kept[:-MAX_PAGES]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def _path(url: str) -> Path:
    return cache_root() / "pages" / f"{hashlib.sha256(url.encode()).hexdigest()}.page"
