"""The configuration as typed models, and the specs of all jobs."""
