"""From tidy tables to numbers and text."""
