"""Compiled loops for the CPU and the GPU."""
