"""The address of an archive on Milvus: one URI, which never holds a secret.

http://host:19530/archive               a server or cluster
https://host/archive                    the same over TLS
http://host:19530/database/archive      in a database of its own
milvus-lite:///folder/file.db/archive   a file; one process at a time, for trying things out
"""

from __future__ import annotations

import os
import re
from dataclasses import astuple, dataclass, field, fields
from typing import Final
from urllib.parse import unquote, urlsplit

from index.errors import LibraryError

__all__ = ["Address", "Names", "is_address"]

TOKEN_VARIABLE: Final = "ARTICLE_QA_MILVUS_TOKEN"  # noqa: S105 - a name, not a secret
AUTHORITY_VARIABLE: Final = "ARTICLE_QA_MILVUS_CA"

_LITE: Final = "milvus-lite"
_SCHEMES: Final = ("http", "https", _LITE)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")


def is_address(where: str | os.PathLike[str]) -> bool:
    """Whether an archive is on a server rather than in a folder."""
    return isinstance(where, str) and where.partition("://")[0].lower() in _SCHEMES


@dataclass(frozen=True, slots=True)
class Names:
    """The names of an archive's collections; the last is created last."""

    passages: str
    articles: str
    blobs: str
    words: str
    commits: str

    def all(self) -> tuple[str, ...]:
        """Every one."""
        return astuple(self)


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of an archive's address.

    Attributes:
        uri: What the client connects to.
        name: The archive's: its collections begin with it.
        database: Of the server, or "" for its default.
        token: ``user:password`` or an API key, or "".
        authority: File of the certificate authority to trust, or "" for the system's.
    """

    uri: str
    name: str
    database: str = ""
    token: str = field(default="", repr=False)
    authority: str = ""

    @classmethod
    def parse(cls, uri: str, token: str | None = None) -> Address:
        """Parse a URI; the token is taken from ``ARTICLE_QA_MILVUS_TOKEN`` unless given.

        Raises:
            LibraryError: It names no archive.

        >>> Address.parse("http://localhost:19530/news", token="").name
        'news'
        """
        try:
            parts = urlsplit(uri)
            port = parts.port
        except ValueError as error:
            raise LibraryError(f"{uri!r} is no address ({error}); {_EXAMPLE}") from error
        if parts.username or parts.password:
            raise LibraryError(
                "a secret does not belong in an address; give it as token=… or in the environment"
                f" variable {TOKEN_VARIABLE}"
            )
        if parts.query or parts.fragment:
            raise LibraryError(f"{uri!r} has a part after its name; {_EXAMPLE}")
        path, _, name = parts.path.rstrip("/").rpartition("/")
        if not _NAME.fullmatch(name):
            raise LibraryError(
                f"{name!r} in {uri!r} cannot name a library; use letters, digits and underscores"
                f" after a letter; {_EXAMPLE}"
            )
        if parts.scheme.lower() == _LITE:
            if not path.endswith(".db") or parts.netloc:
                raise LibraryError(
                    f"{uri!r} names no file; write milvus-lite:///folder/file.db/archive"
                )
            return cls(unquote(path), name)
        if not parts.hostname:
            raise LibraryError(f"{uri!r} names no host; {_EXAMPLE}")
        database = path.strip("/")
        if database and not _NAME.fullmatch(database):
            raise LibraryError(f"{database!r} in {uri!r} cannot name a database; {_EXAMPLE}")
        default = 443 if parts.scheme.lower() == "https" else 19530
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return cls(
            f"{parts.scheme.lower()}://{host}:{port or default}",
            name,
            database,
            os.environ.get(TOKEN_VARIABLE, "") if token is None else token,
            os.environ.get(AUTHORITY_VARIABLE, ""),
        )

    @property
    def names(self) -> Names:
        """The names of the archive's collections."""
        return Names(*(f"{self.name}_{field.name}" for field in fields(Names)))

    @property
    def is_file(self) -> bool:
        """Whether it is a file of Milvus Lite."""
        return "://" not in self.uri

    def __str__(self) -> str:
        if self.is_file:
            return f"{_LITE}://{self.uri}/{self.name}"
        return "/".join(filter(None, (self.uri, self.database, self.name)))


_EXAMPLE: Final = "write it as http://host:19530/archive"
