"""Solves a conda environment: the request, the solver's process, its result or error."""
