"""Compiled training loops for CPU and GPU."""
