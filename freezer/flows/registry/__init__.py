"""`freeze push` and `freeze pull`: images and their references in a container registry."""
