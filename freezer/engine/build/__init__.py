"""Builds an image from a context: by BuildKit, or by the classic builder of engines without it."""
