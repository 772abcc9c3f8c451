"""Whether a word on the command line names an image, or an environment."""

from __future__ import annotations


def is_image(name: str | None) -> bool:
    """Say whether an argument names an image: no environment's name has these characters."""
    return name is not None and any(character in name for character in "@/:")
