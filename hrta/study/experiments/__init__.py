"""From a spec to a tidy table, an experiment a module."""
