"""Ask an article a question and get the sentences that answer it, each cited in its place.

>>> from qa import ask
>>> print(ask("Why did Amazon halt police use?"))
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from index import errors
from index.archive.store import Where
from index.errors import *  # noqa: F403 - what can go wrong is caught by name
from index.reading.reader import read_article
from qa.answer import Answer, ArticleRef, Citation, Declared, Exact, PassageRef
from qa.bot import ArticleBot, ask

if TYPE_CHECKING:
    from qa.evaluation import evaluate
    from qa.folder_sync import open_folder
    from qa.library import Library

    __version__: str

__all__ = [
    "Answer",
    "ArticleBot",
    "ArticleRef",
    "Citation",
    "Declared",
    "Exact",
    "Library",
    "PassageRef",
    "Where",
    "ask",
    "evaluate",
    "open_folder",
    "read_article",
]
__all__ += errors.__all__
__all__.sort()

# What asking one article does not need is imported when it is first named.
_LATER = {
    "Library": "qa.library",
    "evaluate": "qa.evaluation",
    "open_folder": "qa.folder_sync",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name == "__version__":
        return version("article-qa")
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
