"""From tidy tables to figures."""
