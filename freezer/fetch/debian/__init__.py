"""Debian archives: mirrors, signed releases, package indices, and the `.deb` files they serve."""
