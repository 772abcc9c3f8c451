"""Debian packages: `.deb` archives, a base system bootstrapped from them, the system layer."""
