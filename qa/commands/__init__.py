"""The shell commands; each module lists its own as ``COMMANDS``."""
