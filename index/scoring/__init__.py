"""The two similarities: BM25 and token cosines."""
