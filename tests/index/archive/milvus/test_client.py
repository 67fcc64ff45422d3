"""The connection to a server: what passes by itself is waited for, not told."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from index import LibraryAway
from index.archive.milvus.address import Address
from index.archive.milvus.client import Milvus
from tests.support.milvus import base_uri

SETTINGS, GOAWAY, ENHANCE_YOUR_CALM = 4, 7, 11


def frame(kind: int, payload: bytes = b"") -> bytes:
    """A frame of HTTP/2 about the connection."""
    return len(payload).to_bytes(3, "big") + bytes([kind, 0]) + bytes(4) + payload


class Moody:
    """Passes connections on to a server, but for the first, whose request it hangs up on."""

    def __init__(self, port: int, hangs_up: int) -> None:
        self.port, self.hangs_up, self.seen = port, hangs_up, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = Address.parse(f"http://127.0.0.1:{self.listener.getsockname()[1]}/news", "")
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self.listener.accept()
                self.seen += 1
                if self.seen <= self.hangs_up:
                    self.hang_up(caller)
                    continue
                server = socket.create_connection(("127.0.0.1", self.port))
                for ends in ((caller, server), (server, caller)):
                    threading.Thread(target=self.pass_on, args=ends, daemon=True).start()

    def hang_up(self, caller: socket.socket) -> None:
        with caller:
            caller.sendall(frame(SETTINGS))
            asked = b""
            while b"milvus.proto" not in asked and (data := caller.recv(65_536)):
                asked += data
            told = struct.pack(">II", 1, ENHANCE_YOUR_CALM) + b"too_many_pings"
            caller.sendall(frame(GOAWAY, told))

    def pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError), source, target:
            while data := source.recv(65_536):
                target.sendall(data)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Where a Milvus Lite listens."""
    if not base_uri().startswith("milvus-lite"):
        pytest.skip("needs a server of its own")
    from milvus_lite.server_manager import server_manager_instance as servers

    path: Path = tmp_path_factory.mktemp("milvus") / "test.db"
    return int(servers.start_and_get_uri(str(path)).rpartition(":")[2])


@pytest.fixture(params=[1, 3])
def moody(port: int, request: pytest.FixtureRequest) -> Iterator[Moody]:
    made = Moody(port, request.param)
    yield made
    made.listener.close()


def test_a_connection_that_is_cut_off_is_made_again(moody: Moody) -> None:
    milvus = Milvus(moody.address)
    assert milvus.call("list_collections") == []
    assert moody.seen == moody.hangs_up + 1
    milvus.close()


def test_a_server_that_goes_on_hanging_up_is_said_to_be_away(port: int) -> None:
    moody = Moody(port, 10**6)
    with pytest.raises(LibraryAway, match=r"too_many_pings.*try again"):
        Milvus(moody.address, connect_seconds=0.5)
    moody.listener.close()
