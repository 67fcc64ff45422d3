"""The index of one article, on disk and in the cache."""
