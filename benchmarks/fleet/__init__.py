"""What a check of a cluster costs beside Slurm alone."""
