"""One article or passage as bytes."""
