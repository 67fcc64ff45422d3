"""Article to sentences and passages, by offsets."""
