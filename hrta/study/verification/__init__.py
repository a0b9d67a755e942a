"""A fresh run against the reference."""
