"""Layers above the system: order of packages, the venv's own files, bytecode."""
