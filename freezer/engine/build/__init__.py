"""Builds an image from a context, by BuildKit or by the classic builder."""
