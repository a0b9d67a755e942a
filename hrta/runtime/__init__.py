"""Files, processes, progress, checkpoints and compilation."""
