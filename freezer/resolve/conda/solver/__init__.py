"""Solving a conda environment: the request, the solver's process, and its answer or error."""
