"""Conversations exported, checked again later, and judged by their readers."""
