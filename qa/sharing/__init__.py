"""Export, verify, feedback."""
