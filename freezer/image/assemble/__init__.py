"""Assembles the layers of an image: made once, stored, verified, loaded."""
