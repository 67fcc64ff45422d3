"""Building and exporting with Parquet and Ray."""
