"""The replication of arXiv 2309.15244."""
