"""Recorded runs made again: reproduced, or continued from what they left."""
