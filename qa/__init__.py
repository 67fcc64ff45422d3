"""Ask an article a question and get the sentences that answer it, each cited in its place.

>>> from qa import ask
>>> print(ask("Why did Amazon halt police use?"))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from index.archive.store import Where
from index.errors import ArticleQAError, DataError, QuestionError
from qa.answer import Answer, ArticleRef, Citation, Declared, Exact, PassageRef
from qa.bot import ArticleBot, ask

if TYPE_CHECKING:
    from qa.evaluation import evaluate
    from qa.folder_sync import open_folder
    from qa.library import Library

__all__ = [
    "Answer",
    "ArticleBot",
    "ArticleQAError",
    "ArticleRef",
    "Citation",
    "DataError",
    "Declared",
    "Exact",
    "Library",
    "PassageRef",
    "QuestionError",
    "Where",
    "ask",
    "evaluate",
    "open_folder",
]

# What asking one article does not need is imported when it is first named.
_LATER = {
    "Library": "qa.library",
    "evaluate": "qa.evaluation",
    "open_folder": "qa.folder_sync",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
