"""Readers: one module for each kind of source; each makes an ``Article`` of it."""
