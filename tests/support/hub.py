"""A Hugging Face hub on this machine that holds one model: what asks it is as real as can be."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serving(name: str, folder: Path) -> Iterator[str]:
    """Serve a model's folder under its name; gives the address of the hub."""
    with _serving(_pages(name, folder), name, []) as address:
        yield address


@contextmanager
def asked_of_a_hub() -> Iterator[tuple[str, list[str]]]:
    """An empty hub: its address, and the paths that it is asked for."""
    asked: list[str] = []
    with _serving({}, "", asked) as address:
        yield address, asked


@contextmanager
def _serving(pages: dict[str, tuple[bytes, str]], name: str, asked: list[str]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            path = self.path.split("?")[0]
            data, etag = pages.get(path, (b"", ""))
            self.send_response(200 if path in pages else 404)
            if path not in pages:
                known = bool(name) and name in path
                self.send_header("X-Error-Code", "EntryNotFound" if known else "RepoNotFound")
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{etag}"')
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _pages(name: str, folder: Path) -> dict[str, tuple[bytes, str]]:
    """The body of each page of the hub, and its hash."""
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    bodies = {f"/{name}/resolve/main/{path}": file.read_bytes() for path, file in files.items()}
    about = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": path} for path in files]}
    bodies |= dict.fromkeys(
        (f"/api/models/{name}", f"/api/models/{name}/revision/main"), json.dumps(about).encode()
    )
    pages = {}
    for path, body in bodies.items():
        pages[path] = body, hashlib.sha1(body, usedforsecurity=False).hexdigest()
        # A file is also asked for by the commit.
        pages[path.replace("/resolve/main/", f"/resolve/{COMMIT}/")] = pages[path]
    return pages
