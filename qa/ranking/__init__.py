"""Features to fused scores to confidence, for one article and for an archive."""
