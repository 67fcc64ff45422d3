"""Speed and memory beside the plain recipe."""
