"""Small trainings that have a fault of the atlas, run for real: is its cause named first."""
