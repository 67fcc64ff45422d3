"""Many articles: the store contract, preparation, migration, health check."""
