"""Evidence, cells, verdicts."""
