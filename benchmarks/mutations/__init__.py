"""Whether a check notices each thing that moves numbers, and nothing else."""
