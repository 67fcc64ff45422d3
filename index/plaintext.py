"""Plain text as an article; kept at its first address for the scripts that import it."""

from index.reading.plaintext import article_from_text

__all__ = ["article_from_text"]
