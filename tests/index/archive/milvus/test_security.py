"""What a real Milvus 2.3.5 says to a wrong token and over TLS, and what is made of it.

Set ``ARTICLE_QA_MILVUS_SERVER`` as for ``test_milvus_server``; of two such servers on one
machine the second does not start, so each module has its own and ends it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.archive.milvus.address import Address
from index.archive.milvus.store import MilvusStore
from tests.support.archive import MODEL, generated
from tests.support.milvus_server import RealServer

PYTHON = os.environ.get("ARTICLE_QA_MILVUS_SERVER")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not PYTHON,
        reason="ARTICLE_QA_MILVUS_SERVER names no Python that has the package milvus",
    ),
]
RIGHT = "root:Milvus"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The URI of a server that speaks TLS and wants a token, and its certificate."""
    folder = tmp_path_factory.mktemp("guarded")
    certificate, key = folder / "server.pem", folder / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        + ["-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    made = RealServer(
        str(PYTHON),
        folder,
        authorization_enabled=True,
        tls_mode=1,
        server_pem_path=str(certificate),
        server_key_path=str(key),
    )
    made.start()
    yield f"https://localhost:{made.port}/archive", certificate
    made.close()


def said_of(uri: str, *, token: str = RIGHT, authority: Path | None = None) -> str:
    """What the command line says of a library; a process of its own keeps no connection."""
    secrets = {"ARTICLE_QA_MILVUS_TOKEN": token, "ARTICLE_QA_MILVUS_CA": str(authority or "")}
    done = subprocess.run(
        [sys.executable, "-m", "qa.cli", "doctor", "--library", uri],
        env=os.environ | secrets,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert token == "" or token not in done.stderr
    assert len(done.stderr.splitlines()) == (1 if done.returncode else 0)
    assert done.returncode == (2 if done.stderr else 0)
    return done.stderr or done.stdout


def test_a_guarded_server_takes_a_token_over_tls(
    guarded: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, certificate = guarded
    monkeypatch.setenv("ARTICLE_QA_MILVUS_CA", str(certificate))
    store = MilvusStore(Address.parse(uri, RIGHT), model=MODEL)
    store.add(generated(1))
    store.close()
    assert "1 listed, 1 counted" in said_of(uri, authority=certificate)


@pytest.mark.parametrize("token", ["", "root:wrong", "nobody:Milvus"])
def test_a_wrong_token_is_refused(guarded: tuple[str, Path], token: str) -> None:
    uri, certificate = guarded
    said = said_of(uri, token=token, authority=certificate)
    assert "refuses the token" in said
    assert "ARTICLE_QA_MILVUS_TOKEN" in said


def test_a_certificate_that_nobody_trusts_is_no_safe_connection(guarded: tuple[str, Path]) -> None:
    said = said_of(guarded[0])
    assert "no safe connection" in said
    assert "ARTICLE_QA_MILVUS_CA" in said


def test_a_server_with_tls_that_is_named_without_it_does_not_answer(
    guarded: tuple[str, Path],
) -> None:
    assert "https://" in said_of(guarded[0].replace("https://", "http://"))
