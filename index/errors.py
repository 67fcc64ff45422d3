"""Everything that can go wrong, as one tree.

    ArticleQAError
    ├── SourceError            the article cannot be read
    │   ├── SourceNotFound     no such file
    │   ├── FetchError         the address cannot be fetched, or may not be
    │   │   └── PrivateAddress  it is on this machine or the local network
    │   ├── UnreadableSource   binary, undecodable or of a kind nothing here reads
    │   └── EmptyArticle       read, but nothing in it can be cited
    ├── ModelError             a model cannot be loaded or used
    ├── IndexFolderError       a saved index cannot be opened or written
    │   ├── NotAnIndex         the folder holds no index
    │   ├── NewerFormat        written by a later version
    │   ├── DamagedIndex       bytes missing or changed
    │   └── OtherModel         made with another embedding model
    ├── LibraryError           an archive cannot be opened, read or written
    │   ├── NotALibrary        no archive is there
    │   ├── DamagedLibrary     bytes missing or changed
    │   ├── LibraryBusy        another process is writing to it
    │   ├── ReadOnlyLibrary    it can be asked, but not changed
    │   ├── LibraryAway        its server does not answer, or not safely
    │   ├── LibraryDenied      its server does not know the token, or does not let it
    │   ├── LibraryFull        its server is out of memory, disk or quota
    │   ├── UnsupportedServer  its server lacks what an archive needs
    │   └── UnknownArticle     it holds no article of that id
    ├── QuestionError          the question or its options cannot be used
    ├── DataError              evaluation data or an exported answer is malformed
    └── MissingExtra           a package that only an extra brings is not installed

Each message names the offending value and says what to do about it.
"""

from __future__ import annotations

__all__ = [
    "ArticleQAError",
    "DamagedIndex",
    "DamagedLibrary",
    "DataError",
    "EmptyArticle",
    "FetchError",
    "IndexFolderError",
    "LibraryAway",
    "LibraryBusy",
    "LibraryDenied",
    "LibraryError",
    "LibraryFull",
    "MissingExtra",
    "ModelError",
    "NewerFormat",
    "NotALibrary",
    "NotAnIndex",
    "OtherModel",
    "PrivateAddress",
    "QuestionError",
    "ReadOnlyLibrary",
    "SourceError",
    "SourceNotFound",
    "UnknownArticle",
    "UnreadableSource",
    "UnsupportedServer",
]


class ArticleQAError(Exception):
    """Base of every error raised on purpose by ``index`` and ``qa``."""


class SourceError(ArticleQAError):
    """The article cannot be read."""


class SourceNotFound(SourceError):
    """No file at the path given."""


class FetchError(SourceError):
    """The address cannot be fetched, or may not be."""


class PrivateAddress(FetchError):
    """The address is on this machine or the local network, which has to be allowed."""


class UnreadableSource(SourceError):
    """The source is binary, undecodable, or of a kind nothing here reads."""


class EmptyArticle(SourceError):
    """The source was read, but holds nothing that could be cited."""


class ModelError(ArticleQAError):
    """A model cannot be loaded or used."""


class IndexFolderError(ArticleQAError):
    """A saved index cannot be opened or written."""


class NotAnIndex(IndexFolderError):
    """The folder holds no index."""


class NewerFormat(IndexFolderError):
    """The index was written by a later version of article-qa."""


class DamagedIndex(IndexFolderError):
    """Bytes of the index are missing or changed."""


class OtherModel(IndexFolderError):
    """The index was made with another embedding model than the one asked for."""


class LibraryError(ArticleQAError):
    """An archive cannot be opened, read or written."""


class NotALibrary(LibraryError):
    """No archive is there."""


class DamagedLibrary(LibraryError):
    """Bytes of the archive are missing or changed."""


class LibraryBusy(LibraryError):
    """Another process is writing to the archive."""


class ReadOnlyLibrary(LibraryError):
    """The archive can be asked, but not changed."""


class LibraryAway(LibraryError):
    """The server that keeps the archive does not answer, or cannot be trusted."""


class LibraryDenied(LibraryError):
    """The server that keeps the archive refuses the token."""


class LibraryFull(LibraryError):
    """The server that keeps the archive is out of memory, disk or quota."""


class UnsupportedServer(LibraryError):
    """The server that keeps the archive lacks something that an archive needs."""


class UnknownArticle(LibraryError, KeyError):
    """The archive holds no article of that id."""

    __str__ = Exception.__str__  # a KeyError would show its message in quotes


class QuestionError(ArticleQAError, ValueError):
    """The question, or an option that came with it, cannot be used."""


class DataError(ArticleQAError, ValueError):
    """Evaluation data, or an answer read back from JSON, is malformed."""


class MissingExtra(ArticleQAError):
    """A package that only an extra of article-qa brings is not installed."""
