"""What a check costs beside the bare training, and what portable numerics cost."""
