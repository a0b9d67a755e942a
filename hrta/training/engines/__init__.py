"""Engines: how an ensemble is moved on."""
