"""An article and the index that makes it searchable: the half below the questions."""

# ruff: noqa: F403, F405 - every error is a name of this package too

import index.offline  # noqa: F401 - before anything that would call home
from index.archive.store import Entry, Where
from index.article import Article, Block, BlockKind, Section
from index.errors import *
from index.reading.reader import read_article

__all__ = [
    "Article",
    "ArticleQAError",
    "Block",
    "BlockKind",
    "DamagedIndex",
    "DamagedLibrary",
    "DataError",
    "EmptyArticle",
    "Entry",
    "FetchError",
    "IndexFolderError",
    "LibraryAway",
    "LibraryBusy",
    "LibraryDenied",
    "LibraryError",
    "LibraryFull",
    "ModelError",
    "NewerFormat",
    "NotALibrary",
    "NotAnIndex",
    "OtherModel",
    "PrivateAddress",
    "QuestionError",
    "ReadOnlyLibrary",
    "Section",
    "SourceError",
    "SourceNotFound",
    "UnknownArticle",
    "UnreadableSource",
    "UnsupportedServer",
    "Where",
    "read_article",
]
