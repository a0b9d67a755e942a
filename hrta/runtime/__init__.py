"""What belongs to the machine: files, processes, progress, checkpoints, compilation."""
