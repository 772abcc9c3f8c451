"""Debian archives: mirrors, signed releases, package indices, and `.deb` files."""
