"""Benchmarks of the engines against other implementations of the same training."""
