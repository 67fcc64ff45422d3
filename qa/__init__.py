"""Ask an article a question and get the sentences that answer it, each cited in its place.

>>> from qa import ask
>>> print(ask("Why did Amazon halt police use?"))
"""

# ruff: noqa: F403, F405 - every error is a name of this package too

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from index.archive.store import Where
    from index.errors import *
    from index.reading.reader import read_article
    from qa.answer import Answer, ArticleRef, Citation, Declared, Exact, PassageRef
    from qa.bot import ArticleBot, ask
    from qa.evaluation import evaluate
    from qa.folder_sync import open_folder
    from qa.library import Library

    __version__: str

__all__ = [
    "Answer",
    "ArticleBot",
    "ArticleQAError",
    "ArticleRef",
    "Citation",
    "DamagedIndex",
    "DamagedLibrary",
    "DataError",
    "Declared",
    "EmptyArticle",
    "Exact",
    "FetchError",
    "IndexFolderError",
    "Library",
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
    "PassageRef",
    "PrivateAddress",
    "QuestionError",
    "ReadOnlyLibrary",
    "SourceError",
    "SourceNotFound",
    "UnknownArticle",
    "UnreadableSource",
    "UnsupportedServer",
    "Where",
    "ask",
    "evaluate",
    "open_folder",
    "read_article",
]

# A test holds that no error is missing: to ask `index` for them would take the command 0.15 s.
# Imported when it is first named, so that the command is there at once; all else is an error's.
_MODULES = {
    "Answer": "qa.answer",
    "ArticleBot": "qa.bot",
    "ArticleRef": "qa.answer",
    "Citation": "qa.answer",
    "Declared": "qa.answer",
    "Exact": "qa.answer",
    "Library": "qa.library",
    "PassageRef": "qa.answer",
    "Where": "index.archive.store",
    "ask": "qa.bot",
    "evaluate": "qa.evaluation",
    "open_folder": "qa.folder_sync",
    "read_article": "index.reading.reader",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name == "__version__":
        return version("article-qa")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, "index.errors")), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]  # for completion by a notebook
