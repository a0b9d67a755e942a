"""From results to evidence, and from evidence to verdicts on the claims."""
