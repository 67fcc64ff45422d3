"""Fetching one address safely."""
