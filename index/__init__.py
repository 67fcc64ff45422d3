"""An article and the index that makes it searchable: the half below the questions."""

# ruff: noqa: F403 - every error is a name of this package too

import index.offline  # noqa: F401 - before anything that would call home
from index import errors
from index.archive.store import Entry, Where
from index.article import Article, Block, BlockKind, Section
from index.errors import *
from index.reading.reader import read_article

__all__ = [
    "Article",
    "Block",
    "BlockKind",
    "Entry",
    "Section",
    "Where",
    "read_article",
]
__all__ += errors.__all__
__all__.sort()
