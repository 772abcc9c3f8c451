"""Layers above the system: order of packages, the environment's skeleton, byte code."""
