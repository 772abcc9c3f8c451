"""Users' trainings as Slurm jobs: options, task, submission, result and state."""
