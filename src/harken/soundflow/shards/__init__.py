"""Data folders as tar shards that WebDataset and plain `tarfile` read, and back."""
