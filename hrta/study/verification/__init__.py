"""Comparison of a replication with the reference."""
