"""Measurements and fits: not part of the package."""
