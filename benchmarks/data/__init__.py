"""Hashing data sets beside plain sha256sum, and a second look beside a bare walk."""
