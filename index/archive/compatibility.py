"""Archives that another version made: which are read, and how the others are made again."""

from __future__ import annotations

from index.errors import NewerFormat, OtherModel
from index.segmentation.sentences import SEGMENTER

__all__ = ["check_segmenter", "check_version"]


def check_version(what: str, version: int, latest: int, again: str) -> None:
    """Refuse a format that this version does not read.

    Args:
        what: The archive, in words.
        version: Its format.
        latest: The only format that is read.
        again: The command that makes it again.

    Raises:
        NewerFormat, OtherModel: Another version wrote it.
    """
    if version > latest:
        raise NewerFormat(
            f"{what} has format {version}, and this version reads up to {latest};"
            " upgrade article-qa"
        )
    if version < latest:
        raise OtherModel(
            f"{what} has the old format {version}; make it again under another name: {again}"
        )


def check_segmenter(what: str, segmenter: str, again: str) -> None:
    """Refuse articles that were cut by other rules: their passages are not ours.

    Raises:
        OtherModel: The sentence splitter is another.
    """
    if segmenter.partition(" ")[0] != SEGMENTER:
        raise OtherModel(
            f"{what} was cut by {segmenter!r}, this version uses {SEGMENTER!r}; make a new one:"
            f" {again}"
        )
