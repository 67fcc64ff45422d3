"""Scores to citations."""
