"""Texts to vectors: load, prepare, quantize, run."""
