"""Engines: torch, numba and triton, which train an ensemble."""
