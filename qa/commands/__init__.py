"""One module a shell command."""
