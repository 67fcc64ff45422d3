"""A Milvus 2.3.5 of the package ``milvus``, in an environment of its own, for the tests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_PROGRAM = """
import json, socket, sys, time
from milvus import MilvusServer, MilvusServerConfig

bind = socket.socket.bind
def reusing(self, address):
    # The package tries the port first; the system keeps that of a killed server for a minute.
    self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return bind(self, address)
socket.socket.bind = reusing

config = MilvusServerConfig(data_dir=sys.argv[1], proxy_port=int(sys.argv[2]))
for name, value in json.loads(sys.argv[3]).items():
    config.set(name, value)
server = MilvusServer(config)
server.start()
print(server.server_address, server.listen_port, server.server_proc.pid, flush=True)
time.sleep(3600)
"""


class RealServer:
    """A server on loopback that can be killed and started again."""

    def __init__(self, python: str, folder: Path, **settings: bool | int | str) -> None:
        self.python, self.folder, self.settings = python, folder, settings
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = (folder / "log").open("ab")
        self.process: subprocess.Popen[bytes] | None = None
        self.pid = 0

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(self.python, "-c", _PROGRAM),
                *(str(self.folder / "data"), str(self.port), json.dumps(self.settings)),
            ],
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
        )
        assert self.process.stdout
        line = self.process.stdout.readline().decode().split()
        assert len(line) == 3, f"the server did not start: {(self.folder / 'log').read_text()}"
        self.pid = int(line[2])

    def kill(self) -> None:
        """As a power failure would."""
        assert self.process
        assert self.process.stdout
        os.kill(self.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                break
            time.sleep(0.1)

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.kill()
        self.log.close()


if __name__ == "__main__":
    server = RealServer(sys.argv[1], Path(sys.argv[2]))
    server.start()
    sys.stdout.write(f"http://127.0.0.1:{server.port}\n")
