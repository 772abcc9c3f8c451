"""Fleets: hosts of a cluster, the jobs that run on them, their result files, and the matrix."""
