"""Keys, certificates and signed statements for tests."""
