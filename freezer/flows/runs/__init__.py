"""`freeze run` and `freeze runs`: the user's own trainings, run in the image and recorded."""
