"""A web page to blocks, main content, metadata."""
