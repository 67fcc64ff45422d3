"""Reads a question and a few sentences together: the exact words, or that there are none."""
